//! Connects to a port from this machine and reads what the other side says first.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, Ending, Observation, Order, Output};

/// How long a server that has taken the connection may keep silent before that is its answer:
/// many services wait for the client to speak first.
const GREETING: Duration = Duration::from_secs(3);

/// Bytes of a greeting; it is one line.
const GREETING_BYTES: usize = 1024;

pub struct TcpConnections;

#[async_trait]
impl Actuator for TcpConnections {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let began = Instant::now();
        let (ending, greeting) = tokio::select! {
            biased;
            () = cancel.cancelled() => (Ending::Cancelled, String::new()),
            answered = greet(order) => answered,
            () = sleep(order.timeout) => (Ending::TimedOut, String::new()),
        };
        let total_bytes = greeting.len() as u64;
        let stdout = Output { head: greeting, total_bytes, ..Output::default() };
        Observation { ending, stdout, stderr: Output::default(), took: began.elapsed() }
    }
}

async fn greet(order: &Order) -> (Ending, String) {
    let Action::Tcp(address) = &order.action else {
        let reason = "this is no connection".to_owned();
        return (Ending::NotStarted { reason }, String::new());
    };
    match TcpStream::connect(address).await {
        Ok(mut stream) => {
            let mut greeting = vec![0; GREETING_BYTES];
            let read = timeout(GREETING, stream.read(&mut greeting)).await;
            let read = read.map_or(0, |read| read.unwrap_or(0));
            let text = String::from_utf8_lossy(&greeting[..read]).into_owned();
            (Ending::Connected, text)
        }
        Err(error) => (Ending::NoAnswer { reason: plain(&error) }, String::new()),
    }
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        // The resolver's errors have no kind of their own.
        _ if error.raw_os_error().is_none() => format!("name not found: {error}"),
        _ => error.to_string(),
    }
}
