//! One round with one server: starts, idle memory, fixed rates, full speed.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::load::{self, Pace, Sample};
use crate::server::{Kind, Server};
use crate::sink::{Sink, Tally};

pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Starts per round; the last one is measured further.
    pub(crate) starts: usize,
    /// Webhooks per second.
    pub(crate) rates: Vec<u32>,
    /// Slow enough that every incident has the machine to itself.
    pub(crate) calm_rate: u32,
    pub(crate) seconds: u32,
    /// Incidents at full speed. Fewer are over before runs pile up behind the acknowledgements.
    pub(crate) burst: usize,
}

impl Plan {
    pub(crate) fn full() -> Self {
        let rates = vec![200, 500, 1_000];
        Self { rounds: 3, starts: 5, rates, calm_rate: 20, seconds: 5, burst: 12_000 }
    }

    pub(crate) fn quick() -> Self {
        Self { rounds: 1, starts: 2, rates: vec![200], calm_rate: 20, seconds: 1, burst: 1_000 }
    }
}

/// Memory settles after the start-up's own work.
const IDLE: Duration = Duration::from_secs(2);

/// Connections, allocator and caches get to their usual state before anything is measured.
const WARM_UP: usize = 100;

pub(crate) struct Round {
    pub(crate) starts: Vec<Duration>,
    pub(crate) idle_kib: u64,
    pub(crate) peak_kib: u64,
    pub(crate) calm: Measured,
    /// In the order of [`Plan::rates`].
    pub(crate) fixed: Vec<Measured>,
    pub(crate) burst: Measured,
}

/// What became of one load.
pub(crate) struct Measured {
    /// From a webhook to its 2xx, sorted.
    pub(crate) acknowledge: Vec<Duration>,
    /// From a webhook to the write that ends its incident, sorted.
    pub(crate) end_to_end: Vec<Duration>,
    pub(crate) acknowledged_per_second: f64,
    pub(crate) carried_per_second: f64,
    pub(crate) refused: usize,
    pub(crate) requests_per_incident: f64,
    /// The server's processor time, its commands included.
    pub(crate) cpu_per_incident: Duration,
}

pub(crate) struct Bench<'a> {
    plan: &'a Plan,
    sink: &'a Sink,
    ams: &'a Path,
    loads: u32,
}

impl<'a> Bench<'a> {
    pub(crate) const fn new(plan: &'a Plan, sink: &'a Sink, ams: &'a Path) -> Self {
        Self { plan, sink, ams, loads: 0 }
    }

    pub(crate) async fn round(&mut self, kind: Kind) -> io::Result<Round> {
        let mut starts = Vec::new();
        for _ in 1..self.plan.starts {
            let server = Server::start(kind, self.sink.address, self.ams).await?;
            starts.push(server.ready_after);
            server.stop().await?;
        }
        let server = Server::start(kind, self.sink.address, self.ams).await?;
        starts.push(server.ready_after);
        sleep(IDLE).await;
        let idle_kib = server.usage()?.resident_kib;
        self.load(&server, WARM_UP, Pace::Unbounded).await?;

        let Plan { seconds, calm_rate, ref rates, burst, .. } = *self.plan;
        let calm = self.fixed(&server, calm_rate, seconds).await?;
        let mut fixed = Vec::new();
        for rate in rates {
            fixed.push(self.fixed(&server, *rate, seconds).await?);
        }
        let burst = self.load(&server, burst, Pace::Unbounded).await?;
        let peak_kib = server.usage()?.peak_kib;
        server.stop().await?;
        Ok(Round { starts, idle_kib, peak_kib, calm, fixed, burst })
    }

    async fn fixed(&mut self, server: &Server, rate: u32, seconds: u32) -> io::Result<Measured> {
        let count = usize::try_from(rate * seconds).map_err(io::Error::other)?;
        self.load(server, count, Pace::Fixed(rate)).await
    }

    async fn load(&mut self, server: &Server, count: usize, pace: Pace) -> io::Result<Measured> {
        self.loads += 1;
        let requests = load::requests(self.loads, count);
        self.sink.begin(self.loads, count);
        let before = server.usage()?.cpu;
        let samples = load::run(server.address, requests, pace).await?;
        let accepted = samples.iter().filter(|sample| sample.accepted).count();
        let tally = self.sink.settled(accepted).await?;
        let cpu = server.usage()?.cpu.saturating_sub(before);
        Ok(measured(&samples, &tally, cpu))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn measured(samples: &[Sample], tally: &Tally, cpu: Duration) -> Measured {
    let mut acknowledge: Vec<Duration> =
        samples.iter().map(|sample| sample.acknowledged - sample.sent).collect();
    acknowledge.sort_unstable();
    let ends = samples.iter().zip(&tally.carried);
    let mut end_to_end: Vec<Duration> =
        ends.filter_map(|(sample, carried)| Some((*carried)? - sample.sent)).collect();
    end_to_end.sort_unstable();
    let first = samples.iter().map(|sample| sample.sent).min();
    let per_second = |count: usize, last: Option<Instant>| {
        let took = last.zip(first).map_or(Duration::ZERO, |(last, first)| last - first);
        count as f64 / took.as_secs_f64().max(f64::EPSILON)
    };
    let acknowledged = samples.iter().map(|sample| sample.acknowledged).max();
    let carried = tally.carried.iter().flatten().max().copied();
    let count = tally.carried_count.max(1);
    Measured {
        acknowledge,
        end_to_end,
        acknowledged_per_second: per_second(samples.len(), acknowledged),
        carried_per_second: per_second(tally.carried_count, carried),
        refused: samples.iter().filter(|sample| !sample.accepted).count(),
        requests_per_incident: tally.requests as f64 / count as f64,
        cpu_per_incident: cpu.div_f64(count as f64),
    }
}
