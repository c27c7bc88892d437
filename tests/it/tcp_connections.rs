//! Connections from this machine: what the other side says first.

use std::time::Duration;

use ams::execute::actuator::{Action, Actuator as _, Ending, Observation, Order};
use ams::execute::tcp::TcpConnections;
use ams::incident::{IncidentId, RunId};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn connect(address: String) -> Observation {
    let order = Order {
        run: RunId { incident: IncidentId::parse("PT4KHLK").unwrap(), number: 1 },
        step: 0,
        entry: None,
        nonce: "0a".to_owned(),
        attempt: None,
        announced_at: None,
        permission: None,
        action: Action::Tcp(address),
        host: None,
        timeout: Duration::from_secs(20),
    };
    TcpConnections.act(&order, &CancellationToken::new()).await
}

#[tokio::test]
async fn a_greeting_is_the_output() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail01 ESMTP Postfix\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
    });
    let seen = connect(address).await;
    assert_eq!(seen.ending, Ending::Connected);
    assert_eq!(seen.stdout.head, "220 mail01 ESMTP Postfix\r\n");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().to_string();
    drop(listener);
    let seen = connect(closed).await;
    assert_eq!(seen.ending, Ending::NoAnswer { reason: "connection refused".to_owned() });
    let seen = connect("no-such-host.invalid:25".to_owned()).await;
    let Ending::NoAnswer { reason } = seen.ending else { panic!("{seen:?}") };
    assert!(reason.starts_with("name not found"), "{reason}");
}
