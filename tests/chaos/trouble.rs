//! Makes the scheduled troubles, and ends each of them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ams::sandbox::pagerduty::Fault;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::courier::Courier;
use crate::fault_proxy::{Cut, Faults};
use crate::ground::Ground;
use crate::schedule::{REGIONS, Trouble, What};

/// A region that got SIGTERM has this long to be gone: its grace of a second, its queues, its last
/// requests.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// A region whose store is locked refuses to start; it is started again for this long.
const START_WITHIN: Duration = Duration::from_mins(1);

/// Between two attempts to start a region.
const AGAIN: Duration = Duration::from_millis(300);

/// More requests than come while a trouble lasts.
const ALL: usize = 1_000_000;

/// What was done, and what the regions made of it.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// Starts that a region refused because its store was locked.
    pub(crate) refused_starts: u64,
    /// Regions that ended by themselves, or did not end when they should.
    pub(crate) misbehaved: Vec<String>,
}

/// Carries the troubles out, in order. At the end everything runs and nothing is in the way.
pub(crate) async fn make(
    (ground, courier): (&mut Ground, &Courier),
    troubles: &[Trouble],
    began: Instant,
) -> io::Result<Done> {
    let mut moments: Vec<(Duration, bool, What)> = Vec::new();
    for trouble in troubles {
        moments.push((trouble.at, true, trouble.what));
        moments.push((trouble.at + trouble.lasts, false, trouble.what));
    }
    moments.sort();
    let mut maker = Maker {
        ground,
        courier,
        done: Done::default(),
        locks: BTreeMap::new(),
        down: BTreeMap::new(),
        left_out: Vec::new(),
    };
    for (at, begins, what) in moments {
        maker.start_until(began + at).await?;
        if begins && what.region().is_some_and(|region| maker.down.contains_key(&region)) {
            // The one before is not over: its region has not been able to start again.
            maker.left_out.push(what);
        } else if begins {
            let lasts = troubles.iter().find(|it| it.at == at && it.what == what);
            *maker.done.counts.entry(what.word()).or_default() += 1;
            maker.begin(what, lasts.map_or(Duration::ZERO, |it| it.lasts)).await?;
        } else if let Some(place) = maker.left_out.iter().position(|left| *left == what) {
            maker.left_out.remove(place);
        } else {
            maker.end(what).await?;
        }
    }
    while !maker.down.is_empty() {
        maker.start_until(Instant::now() + AGAIN).await?;
    }
    Ok(maker.done)
}

struct Maker<'a> {
    ground: &'a mut Ground,
    courier: &'a Courier,
    done: Done,
    locks: BTreeMap<What, JoinHandle<io::Result<()>>>,
    /// Regions to be started, and since when. The other region may be paused in the middle of a
    /// write, and lets nobody at the file until it goes on: so they must not be waited for.
    down: BTreeMap<usize, Instant>,
    left_out: Vec<What>,
}

impl Maker<'_> {
    async fn begin(&mut self, what: What, lasts: Duration) -> io::Result<()> {
        match what {
            What::Kill(region) => {
                self.must_run(region).await?;
                self.ground.cluster.regions[region].kill().await?;
            }
            What::PowerCut(region) => {
                self.must_run(region).await?;
                let commands = self.ground.cluster.regions[region].pid().map(children);
                self.ground.cluster.regions[region].kill().await?;
                for command in commands.unwrap_or_default() {
                    // It may have ended by itself meanwhile.
                    kill_process_group(command, Signal::KILL).unwrap_or(());
                }
            }
            What::Stop(region) => {
                self.must_run(region).await?;
                self.ground.cluster.regions[region].signal(Signal::STOP)?;
            }
            What::Terminate(region) => {
                self.must_run(region).await?;
                self.ground.cluster.regions[region].signal(Signal::TERM)?;
            }
            What::CutStore(cut) => self.cut_store(cut, Some(Cut::Silent)),
            What::LockClaims => self.lock(what, "claims.db", lasts),
            What::LockHistory => self.lock(what, "claims.history.db", lasts),
            What::RateLimit => self.fail(Fault::RateLimit { headers: false }),
            What::PagerDutyErrors => self.fail(Fault::Status(500)),
            What::SlowPagerDuty => self.fail(Fault::Hang(Duration::from_millis(1_500))),
            What::CutPagerDuty { region, silent } => {
                let cut = if silent { Cut::Silent } else { Cut::Closed };
                self.ground.to_pagerduty[region].cut(Some(cut));
            }
            What::LosePagerDutyAnswers(region) => {
                let faults = Faults { lose_answer: 0.5, ..Faults::default() };
                self.ground.to_pagerduty[region].set(faults);
            }
            What::LoseStoreAnswers(region) => {
                self.store(region, Faults { lose_answer: 0.25, ..Faults::default() });
            }
            What::StoreErrors(region) => self.store(
                region,
                Faults {
                    conflict: 0.1,
                    throttle: 0.2,
                    error_before: 0.1,
                    error_after: 0.1,
                    ..Faults::default()
                },
            ),
            What::SlowStore(region) => {
                let slow = Duration::from_millis(400);
                self.store(
                    region,
                    Faults { slow_request: slow, slow_answer: slow, ..Faults::default() },
                );
            }
            What::HoldWebhooks => self.courier.hold(true),
        }
        Ok(())
    }

    async fn end(&mut self, what: What) -> io::Result<()> {
        match what {
            What::Kill(region) | What::PowerCut(region) => self.is_down(region),
            What::Stop(region) => self.ground.cluster.regions[region].signal(Signal::CONT)?,
            What::Terminate(region) => {
                self.await_end(region).await?;
                self.is_down(region);
            }
            What::CutStore(cut) => self.cut_store(cut, None),
            What::LockClaims | What::LockHistory => {
                if let Some(lock) = self.locks.remove(&what) {
                    lock.await.map_err(io::Error::other)??;
                }
            }
            What::RateLimit | What::PagerDutyErrors | What::SlowPagerDuty => {
                self.ground.cluster.pagerduty.heal();
            }
            What::CutPagerDuty { region, .. } | What::LosePagerDutyAnswers(region) => {
                self.ground.to_pagerduty[region].set(Faults::default());
            }
            What::LoseStoreAnswers(region)
            | What::StoreErrors(region)
            | What::SlowStore(region) => self.store(region, Faults::default()),
            What::HoldWebhooks => self.courier.hold(false),
        }
        Ok(())
    }

    fn fail(&self, fault: Fault) {
        self.ground.cluster.pagerduty.fail_next(ALL, fault);
    }

    fn store(&self, region: usize, faults: Faults) {
        if let Some(tables) = &self.ground.tables {
            tables.proxies[region].set(faults);
        }
    }

    fn cut_store(&self, regions: [bool; 2], cut: Option<Cut>) {
        let proxies = self.ground.tables.iter().flat_map(|tables| &tables.proxies);
        for (proxy, _) in proxies.zip(regions).filter(|(_, cuts)| *cuts) {
            proxy.cut(cut);
        }
    }

    /// As another process would that writes for long.
    fn lock(&mut self, what: What, file: &str, lasts: Duration) {
        let path = self.ground.cluster.claims().with_file_name(file);
        let held = tokio::task::spawn_blocking(move || hold(path, lasts));
        self.locks.insert(what, held);
    }

    /// Nothing but us may end a region.
    async fn must_run(&mut self, region: usize) -> io::Result<()> {
        if self.ground.cluster.regions[region].is_running() {
            return Ok(());
        }
        self.done.misbehaved.push(format!("{} had ended by itself", REGIONS[region]));
        self.ground.cluster.restart(region).await
    }

    fn is_down(&mut self, region: usize) {
        self.down.insert(region, Instant::now());
    }

    async fn await_end(&mut self, region: usize) -> io::Result<()> {
        let process = &mut self.ground.cluster.regions[region];
        let began = Instant::now();
        while process.is_running() {
            if began.elapsed() > GONE_WITHIN {
                let what = format!(
                    "{} was still there {} s after SIGTERM",
                    REGIONS[region],
                    GONE_WITHIN.as_secs()
                );
                self.done.misbehaved.push(what);
                return process.kill().await;
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Starts what is down, again and again, until this time.
    async fn start_until(&mut self, until: Instant) -> io::Result<()> {
        while !self.down.is_empty() && Instant::now() < until {
            for (region, since) in self.down.clone() {
                match self.ground.cluster.restart(region).await {
                    Ok(()) => drop(self.down.remove(&region)),
                    Err(error) if since.elapsed() > START_WITHIN => return Err(error),
                    Err(_) => self.done.refused_starts += 1,
                }
            }
            sleep(AGAIN.min(until.saturating_duration_since(Instant::now()))).await;
        }
        sleep_until(until).await;
        Ok(())
    }
}

/// The processes a region has started; each leads a group of its own.
fn children(parent: u32) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        // The name in brackets may hold anything; state and parent follow it.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields.split_whitespace().nth(1).and_then(|field| field.parse().ok()) == Some(parent)
    };
    numbers.filter(is_child).filter_map(Pid::from_raw).collect()
}

fn hold(path: PathBuf, lasts: Duration) -> io::Result<()> {
    let connection = rusqlite::Connection::open(path).map_err(io::Error::other)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(io::Error::other)?;
    // On a machine that is busy enough nobody gets the file in time; that is trouble too.
    if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
        return Ok(());
    }
    std::thread::sleep(lasts);
    connection.execute_batch("ROLLBACK").map_err(io::Error::other)
}
