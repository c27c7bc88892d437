//! As little of PagerDuty as a run needs: it says yes and looks at the clock.
//!
//! It answers at once, which PagerDuty does not: what is measured is the runner, not the wait.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::http::{Connection, Message};

pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    tally: Arc<Mutex<Tally>>,
}

/// What one load has caused so far.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    load: u32,
    /// When each incident was resolved, by its index.
    pub(crate) carried: Vec<Option<Instant>>,
    pub(crate) carried_count: usize,
    pub(crate) requests: usize,
    last: Option<Instant>,
}

/// Without any request for so long, what is missing will not come.
const GIVE_UP: Duration = Duration::from_secs(20);
/// Without any request for so long, the server has nothing left to do.
const QUIET: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(10);

/// `Q<load>N<index>`: an incident of one load. Letters and digits only, as PagerDuty's are.
pub(crate) fn incident_id(load: u32, index: usize) -> String {
    format!("Q{load}N{index}")
}

fn parse_id(id: &str) -> Option<(u32, usize)> {
    let (load, index) = id.strip_prefix('Q')?.split_once('N')?;
    Some((load.parse().ok()?, index.parse().ok()?))
}

impl Sink {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let tally = Arc::<Mutex<Tally>>::default();
        let shared = Arc::clone(&tally);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A server that is stopped breaks its connections; that is no news.
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &shared).await.ok() });
            }
        });
        Ok(Self { address, tally })
    }

    /// Counts for a load of `count` incidents from now on.
    pub(crate) fn begin(&self, load: u32, count: usize) {
        *lock(&self.tally) = Tally { load, carried: vec![None; count], ..Tally::default() };
    }

    /// Waits until `count` incidents have reached their end and the server is quiet.
    pub(crate) async fn settled(&self, count: usize) -> io::Result<Tally> {
        let began = Instant::now();
        loop {
            let tally = lock(&self.tally).clone();
            let silent = tally.last.unwrap_or(began).elapsed();
            if tally.carried_count >= count && silent >= QUIET {
                return Ok(tally);
            }
            if silent >= GIVE_UP {
                let carried = tally.carried_count;
                let message = format!("only {carried} of {count} incidents reached their end");
                return Err(io::Error::other(message));
            }
            sleep(LOOK).await;
        }
    }
}

async fn serve(stream: TcpStream, tally: &Mutex<Tally>) -> io::Result<()> {
    let mut connection = Connection::over(stream)?;
    while let Some(message) = connection.receive().await? {
        let answer = answer(&message, tally);
        connection.send(answer.as_bytes()).await?;
    }
    Ok(())
}

fn answer(message: &Message<'_>, tally: &Mutex<Tally>) -> String {
    let mut words = message.head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut segments = path.trim_start_matches('/').split('/');
    let (_, id, about) = (segments.next(), segments.next().unwrap_or_default(), segments.next());
    let resolves = method == "PUT" && contains(message.body, br#""status":"resolved""#);
    note(&mut lock(tally), id, resolves);
    match (method, about) {
        ("POST", _) => whole("201 Created", r#"{"note":{"id":"N1","content":""}}"#),
        (_, Some(_)) => whole("200 OK", r#"{"notes":[]}"#),
        (_, None) => {
            let status = if resolves { "resolved" } else { "triggered" };
            let incident = format!(
                r#"{{"incident":{{"id":"{id}","type":"incident","incident_number":1,"title":"bench: not answering","status":"{status}","urgency":"high","assignments":[],"service":{{"id":"PSERV01","summary":"web"}},"escalation_policy":{{"id":"PPOL001"}}}}}}"#
            );
            whole("200 OK", &incident)
        }
    }
}

fn note(tally: &mut Tally, id: &str, resolves: bool) {
    let now = Instant::now();
    // Latecomers of an earlier load are not this one's.
    let Some((_, index)) = parse_id(id).filter(|(load, _)| *load == tally.load) else { return };
    tally.requests += 1;
    tally.last = Some(now);
    if resolves
        && let Some(carried) = tally.carried.get_mut(index)
        && carried.is_none()
    {
        *carried = Some(now);
        tally.carried_count += 1;
    }
}

fn whole(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    body.windows(needle.len()).any(|bytes| bytes == needle)
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
