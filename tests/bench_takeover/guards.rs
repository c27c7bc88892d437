//! What the guards ask of the store while ten thousand recoveries are remembered.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::dynamodb::{DynamoDbClaims, Settings};
use ams::clock::SystemClock;
use ams::guard::rules::Rules;
use ams::guard::{Answer, Ask, Guards, Target};
use ams::incident::{IncidentId, RunId};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::{self, Engine, REGION};
use crate::fault_proxy::FaultProxy;

const CUSTOMERS: usize = 2_500;
/// Remembered of each customer: ten thousand in all.
const REMEMBERED: usize = 4;
const AT_ONCE: usize = 8;

pub(crate) async fn measure() -> io::Result<()> {
    let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
    engine::create_claims(&engine::client(engine.url()), "claims").await;
    let tokyo = Region::open(&engine, 1).await?;
    for host in 0..REMEMBERED {
        tokyo.ask_for_all(host).await?;
    }
    let kept = CUSTOMERS * REMEMBERED;
    crate::say(format_args!("{kept} recoveries of {CUSTOMERS} customers are remembered"));
    tokyo.tell("the region that asked last asks again", REMEMBERED).await?;
    let osaka = Region::open(&engine, 2).await?;
    osaka.tell("a process that was just started", REMEMBERED + 1).await?;
    tokyo.tell("another region has asked since", REMEMBERED + 2).await?;
    Ok(())
}

/// A process with a way of its own to the table.
struct Region {
    guards: Guards,
    way: FaultProxy,
}

impl Region {
    async fn open(engine: &Engine, seed: u64) -> io::Result<Self> {
        let way = FaultProxy::start(engine.url(), seed).await?;
        let settings =
            Settings { table: "claims".to_owned(), region: REGION.to_owned(), single_region: true };
        let client = engine::client(way.url());
        let store = DynamoDbClaims::open(client, &settings, Arc::new(SystemClock)).await;
        let store = Arc::new(store.map_err(io::Error::other)?);
        Ok(Self { guards: Guards::new(Arc::clone(&store) as _, store), way })
    }

    /// One recovery of each customer; the times of the questions, sorted.
    async fn ask_for_all(&self, host: usize) -> io::Result<Vec<Duration>> {
        let mut times = Vec::new();
        let mut asks = JoinSet::new();
        for customer in 0..CUSTOMERS {
            if asks.len() == AT_ONCE {
                times.extend(ended(&mut asks).await?);
            }
            let (guards, ask) = (self.guards.clone(), ask(customer, host));
            asks.spawn(async move {
                let began = Instant::now();
                guards.ask(ask).await.map(|answer| (answer, began.elapsed()))
            });
        }
        while !asks.is_empty() {
            times.extend(ended(&mut asks).await?);
        }
        times.sort_unstable();
        Ok(times)
    }

    async fn tell(&self, what: &str, host: usize) -> io::Result<()> {
        self.way.reset_counts();
        let times = self.ask_for_all(host).await?;
        let counts = self.way.counts();
        let of = |operation| counts.carried_out(operation);
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        crate::say(format_args!(
            "{what}: {} recoveries, {} writes ({} of them not taken), {} reads; a question takes \
             p50 {:.1} ms, p99 {:.1} ms",
            times.len(),
            of("PutItem"),
            counts.conditions_failed("PutItem"),
            of("GetItem"),
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
        ));
        Ok(())
    }
}

type Asked = Result<(Answer, Duration), ams::claim::StoreError>;

async fn ended(asks: &mut JoinSet<Asked>) -> io::Result<Option<Duration>> {
    let Some(asked) = asks.join_next().await else { return Ok(None) };
    match asked?.map_err(io::Error::other)? {
        (Answer::Granted(_), took) => Ok(Some(took)),
        (refused, _) => Err(io::Error::other(format!("not granted: {refused:?}"))),
    }
}

fn ask(customer: usize, host: usize) -> Ask {
    let incident = IncidentId::parse(&format!("P{customer}H{host}"));
    Ask {
        run: RunId { incident: incident.expect("an incident id"), number: 1 },
        customer: Some(format!("customer-{customer}")),
        scenario: "restart-web".to_owned(),
        targets: vec![Target { name: format!("web{host:02}"), groups: vec!["web".to_owned()] }],
        rules: Rules::built_in(),
        over: Vec::new(),
    }
}
