//! The agent of a host: takes a command, carries it out on this machine, tells how it went.
//!
//! After "Understanding command statuses" and "Run Command timeout values" of the AWS Systems
//! Manager User Guide, and the source of amazon-ssm-agent for what the pages do not say: the script
//! is a file that `sh -c` starts, time-outs and cancellations are SIGKILL to its process group,
//! exit code 137 is the agent's own word for a command that was stopped, 194 makes it restart the
//! host and run the same document again.

mod process;

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

pub(super) use self::process::kill_all;
use self::process::{Outcome, Process, stdout};
use super::hosts::{Begun, Habits, Platform, Played};
use super::s3;
use super::ssm::{OutputPlace, Phase, Run, Sent, Status, output_key};
use super::world::{Pace, Shared};

/// What a script that asks for a restart again and again gets; the agent has a bound as well.
const RESTARTS: usize = 3;

/// What a restart of a host takes here.
const RESTART: Duration = Duration::from_millis(50);

const REBOOT: i32 = 194;
const STOPPED: i32 = 137;

/// A command on its way, and the host it goes to.
#[derive(Clone)]
struct Errand {
    shared: Arc<Shared>,
    sent: Sent,
    habits: Habits,
    platform: Platform,
    reachable: watch::Receiver<bool>,
    death: watch::Receiver<Option<Begun>>,
    pace: Pace,
}

/// In a task of its own, to the end of the command or of the server.
pub(super) fn deliver(shared: &Arc<Shared>, sent: Sent) {
    let errand = {
        let world = shared.world();
        let hosts = world.accounts.get(&sent.account).map(|account| &account.hosts);
        let place = (sent.region.clone(), sent.instance.clone());
        let Some(host) = hosts.and_then(|hosts| hosts.get(&place)) else { return };
        Errand {
            shared: Arc::clone(shared),
            sent,
            habits: host.habits.clone(),
            platform: host.platform,
            reachable: host.reachable.subscribe(),
            death: host.death.subscribe(),
            pace: world.pace,
        }
    };
    let over = shared.over.clone();
    tokio::spawn(async move { over.run_until_cancelled(errand.carry()).await });
}

impl Errand {
    async fn carry(mut self) {
        if let Some(details) = self.habits.ends_as.clone() {
            sleep(self.habits.delivered_after).await;
            return self.tell(Phase::ended(&details));
        }
        if !self.arrive().await {
            return;
        }
        self.tell(Phase::plain(Status::InProgress));
        if let Some(wait) = self.habits.delivered_again_after {
            let (again, over) = (self.clone(), self.shared.over.clone());
            let again = async move {
                sleep(wait).await;
                again.run().await
            };
            tokio::spawn(async move { over.run_until_cancelled(again).await });
        }
        let began = self.shared.clock.now();
        let phase = self.attend(began).await;
        let total = self.delivery() + self.pace.execution * seconds(self.sent.execution_timeout);
        let told = async {
            match phase {
                Some(phase) if self.reachable.wait_for(|it| *it).await.is_ok() => phase,
                _ => pending().await,
            }
        };
        // An agent that never answers: the service gives up when both time-outs are over.
        let phase = tokio::select! {
            biased;
            phase = told => phase,
            () = sleep_until(self.sent.at + total) => Phase::ended("DeliveryTimedOut"),
        };
        self.tell(phase);
        if let Some(output) = self.sent.output.as_ref().filter(|_| !self.habits.no_upload) {
            sleep(self.habits.uploads_after).await;
            self.upload(output);
        }
    }

    /// Both streams of the last run, where there is anything.
    fn upload(&self, output: &OutputPlace) {
        let place = self.place(self.change(|sent| sent.runs.len()).unwrap_or_default());
        let bucket = (self.sent.account.as_str(), output.region.as_str(), output.bucket.as_str());
        for stream in ["stdout", "stderr"] {
            let body = std::fs::read(place.join(stream)).unwrap_or_default();
            if !body.is_empty() {
                s3::upload(&self.shared, bucket, output_key(&self.sent, output, stream), body);
            }
        }
    }

    /// Where a run leaves its output on the host.
    fn place(&self, run: usize) -> PathBuf {
        self.folder().join("ssm").join(&self.sent.id).join(run.to_string())
    }

    fn folder(&self) -> PathBuf {
        let sent = &self.sent;
        self.shared.folder(&sent.account, &sent.region, &sent.instance)
    }

    /// Did the command reach its host?
    async fn arrive(&mut self) -> bool {
        if !*self.reachable.borrow() {
            self.tell(Phase::plain(Status::Delayed));
        }
        let (wait, expiry) = (self.habits.delivered_after, self.sent.at + self.delivery());
        let mut reachable = self.reachable.clone();
        let arrival = async move {
            sleep(wait).await;
            reachable.wait_for(|it| *it).await.is_ok()
        };
        tokio::pin!(arrival);
        // On a machine that is busy, both may be over when we look.
        let too_late = wait > self.delivery();
        tokio::select! {
            biased;
            () = sleep_until(expiry), if too_late => {}
            () = self.sent.stop.cancelled() => {
                self.tell(Phase::plain(Status::Cancelled));
                return false;
            }
            arrived = &mut arrival => return arrived,
            () = sleep_until(expiry) => {}
        }
        self.tell(Phase::ended("DeliveryTimedOut"));
        self.habits.starts_late && arrival.await
    }

    /// How the script went, as the agent tells it; nothing when there is nobody to tell.
    async fn attend(&self, began: Timestamp) -> Option<Phase> {
        let run = self.run_with_restarts();
        tokio::pin!(run);
        let ran = tokio::select! {
            biased;
            ran = &mut run => ran,
            begun = self.death() => {
                self.die();
                if begun == Begun::Dies {
                    // What it had begun is dropped with it, which kills it.
                    return None;
                }
                run.await
            }
        };
        let (outcome, stdout, stderr) = ran;
        let (status, details, code) = match outcome {
            Outcome::Exited(0) => (Status::Success, "Success", 0),
            Outcome::Exited(STOPPED) | Outcome::TimedOut => {
                (Status::TimedOut, "ExecutionTimedOut", STOPPED)
            }
            Outcome::Exited(code) => (Status::Failed, "Failed", code),
            Outcome::Stopped => (Status::Cancelled, "Cancelled", STOPPED),
        };
        let times = [Some(began), Some(self.shared.clock.now())];
        Some(Phase { code, stdout, stderr, times, ..Phase::new(status, details) })
    }

    /// By time, or by word.
    async fn death(&self) -> Begun {
        let after = async {
            let Some((time, begun)) = self.habits.dies_after else { return pending().await };
            sleep(time).await;
            begun
        };
        let mut death = self.death.clone();
        let told = async {
            let begun = death.wait_for(Option::is_some).await.ok().and_then(|begun| *begun);
            match begun {
                Some(begun) => begun,
                None => pending().await,
            }
        };
        tokio::select! {
            begun = after => begun,
            begun = told => begun,
        }
    }

    async fn run_with_restarts(&self) -> (Outcome, String, String) {
        for _ in 0..RESTARTS {
            let ran = self.run().await;
            if ran.0 != Outcome::Exited(REBOOT) {
                return ran;
            }
            sleep(RESTART).await;
        }
        self.run().await
    }

    /// Starts the script once, and writes down what became of it.
    async fn run(&self) -> (Outcome, String, String) {
        let run = Run { code: None, stdout: String::new(), stderr: String::new() };
        let number = self.change(|sent| {
            sent.runs.push(run);
            sent.runs.len()
        });
        let number = number.unwrap_or_default();
        let expiry = self.pace.execution * seconds(self.sent.execution_timeout);
        let expiry = Instant::now() + expiry;
        let (outcome, stdout, stderr) = match (&self.habits.player, self.platform) {
            (Some(player), _) => self.play(player(&self.sent), number, expiry).await,
            (None, Platform::Windows) => self.play(Played::default(), number, expiry).await,
            (None, Platform::Linux) => {
                let folder = self.folder();
                let (sent, habits, place) = (&self.sent, &self.habits, self.place(number));
                let process = Process { folder, place, sent, habits };
                process.run(expiry).await
            }
        };
        self.change(|sent| {
            if let Some(run) = sent.runs.get_mut(number - 1) {
                if let Outcome::Exited(code) = outcome {
                    run.code = Some(code);
                }
                run.stdout.clone_from(&stdout);
                run.stderr.clone_from(&stderr);
            }
        });
        (outcome, stdout, stderr)
    }

    async fn play(
        &self,
        played: Played,
        number: usize,
        expiry: Instant,
    ) -> (Outcome, String, String) {
        let outcome = tokio::select! {
            biased;
            () = self.sent.stop.cancelled() => Outcome::Stopped,
            () = sleep(played.lasts) => Outcome::Exited(played.code),
            () = sleep_until(expiry) => Outcome::TimedOut,
        };
        let place = self.place(number);
        let kept = std::fs::create_dir_all(&place);
        let kept = kept.and_then(|()| std::fs::write(place.join("stdout"), played.stdout));
        if let Err(error) = kept {
            tracing::error!(%error, "a played command's output is lost");
        }
        (outcome, stdout(&place), String::new())
    }

    fn delivery(&self) -> Duration {
        self.pace.delivery * seconds(self.sent.timeout_seconds)
    }

    fn die(&self) {
        let mut world = self.shared.world();
        let account = world.accounts.get_mut(&self.sent.account);
        let place = (self.sent.region.clone(), self.sent.instance.clone());
        if let Some(host) = account.and_then(|account| account.hosts.get_mut(&place)) {
            host.reachable.send_replace(false);
        }
    }

    fn tell(&self, phase: Phase) {
        self.shared.world().commands.tell(&self.sent.id, phase);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Sent) -> T) -> Option<T> {
        self.shared.world().commands.change(&self.sent.id, change)
    }
}

/// Bounded by what SSM takes.
fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
