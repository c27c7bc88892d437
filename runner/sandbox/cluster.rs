//! Two regions as real processes around one stand-in PagerDuty and one claim store.
//!
//! Used by `ams sandbox` and by the integration tests, so that both run what production runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::pagerduty::{BOT, Settings, StandIn};
use crate::clock::Clock;
use crate::limits::PAGERDUTY_PER_MINUTE_TO;

/// What a cluster is made of.
pub struct Plan {
    /// The `ams` binary.
    pub exe: PathBuf,
    /// Everything the cluster writes is below this.
    pub folder: PathBuf,
    pub scenarios: PathBuf,
    pub regions: Vec<String>,
    pub vars: BTreeMap<String, String>,
    pub lang: String,
    /// Further lines for every region's configuration; `$PAGERDUTY` in them is where the stand-in is.
    pub settings: String,
    /// By region: variables of its process alone, which go before its configuration.
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
    /// By region: its `store` section, where that is not the one file of the cluster.
    pub stores: BTreeMap<String, String>,
    /// Every region gets every webhook. Otherwise the caller brings them.
    pub subscribes: bool,
    pub pagerduty: Settings,
    /// The stand-in's, by which its webhooks say when things happened.
    pub clock: Arc<dyn Clock>,
}

pub struct Cluster {
    pub pagerduty: StandIn,
    pub regions: Vec<RegionProcess>,
    plan: Plan,
}

/// One `ams serve` process.
pub struct RegionProcess {
    pub name: String,
    pub address: SocketAddr,
    pub config: PathBuf,
    pub log: PathBuf,
    child: Child,
}

/// A region must listen within this, on a busy machine too.
const START: Duration = Duration::from_secs(20);
/// A region that was asked to stop is killed after this.
const STOP: Duration = Duration::from_secs(30);

impl Cluster {
    /// Starts the stand-in and every region, and subscribes each region to the webhooks.
    pub async fn start(plan: Plan) -> io::Result<Self> {
        std::fs::create_dir_all(&plan.folder)?;
        let pagerduty = StandIn::start(plan.pagerduty.clone(), Arc::clone(&plan.clock)).await?;
        let mut cluster = Self { pagerduty, regions: Vec::new(), plan };
        for name in cluster.plan.regions.clone() {
            // The stand-in's subscriptions keep their address, so a restarted region keeps its.
            let region = cluster.start_region(&name, "127.0.0.1:0").await?;
            if cluster.plan.subscribes {
                cluster.pagerduty.subscribe(&region.webhook_url());
            }
            cluster.regions.push(region);
        }
        Ok(cluster)
    }

    /// Starts a region that was stopped or killed again, on the same address.
    pub async fn restart(&mut self, index: usize) -> io::Result<()> {
        let (name, address) = (self.regions[index].name.clone(), self.regions[index].address);
        self.regions[index] = self.start_region(&name, &address.to_string()).await?;
        Ok(())
    }

    pub fn claims(&self) -> PathBuf {
        self.plan.folder.join("claims.db")
    }

    /// Stops every region in good order, then the stand-in. Answers with the regions that had died.
    pub async fn stop(mut self) -> Vec<String> {
        let mut died = Vec::new();
        for region in &mut self.regions {
            if !region.stop().await {
                died.push(region.name.clone());
            }
        }
        self.pagerduty.stop().await;
        died
    }

    async fn start_region(&self, name: &str, listen: &str) -> io::Result<RegionProcess> {
        let config = self.plan.folder.join(format!("{name}.yaml"));
        std::fs::write(&config, self.config(name, listen))?;
        let log = self.plan.folder.join(format!("{name}.log"));
        let mut child = Command::new(&self.plan.exe)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .env("AMS_PAGERDUTY_TOKEN", &self.plan.pagerduty.token)
            .env("AMS_WEBHOOK_SECRET", &self.plan.pagerduty.webhook_secret)
            .envs(self.plan.environment.get(name).into_iter().flatten())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let address = tokio::time::timeout(START, listening(&mut child))
            .await
            .unwrap_or(Err(io::Error::other("it does not listen in time")))
            .map_err(|error| {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                io::Error::other(format!("region {name} did not start: {error}\n{said}"))
            })?;
        Ok(RegionProcess { name: name.to_owned(), address, config, log, child })
    }

    fn config(&self, name: &str, listen: &str) -> String {
        let Plan { folder, scenarios, vars, lang, settings, pagerduty, .. } = &self.plan;
        let lines: Vec<String> =
            vars.iter().map(|(name, value)| format!("  {name}: {}", quoted(value))).collect();
        let vars =
            if lines.is_empty() { String::new() } else { format!("vars:\n{}\n", lines.join("\n")) };
        let file = || format!("{{sqlite: {}}}", quoted(&self.claims().display().to_string()));
        let settings = settings.replace("$PAGERDUTY", &self.pagerduty.url());
        let store = self.plan.stores.get(name).cloned().unwrap_or_else(file);
        format!(
            "region: {name}\nlisten: {listen}\nlang: {lang}\nscenarios: {}\nevidence: {}\n\
             store: {store}\npagerduty:\n  url: {}\n  from: {}\n  bot_user: {BOT}\n  \
             requests_per_minute: {}\n{vars}{settings}",
            quoted(&scenarios.display().to_string()),
            quoted(&folder.join("evidence").display().to_string()),
            self.pagerduty.url(),
            pagerduty.bot_email,
            // One that takes any number is told any number.
            pagerduty.requests_per_minute.unwrap_or(PAGERDUTY_PER_MINUTE_TO),
        )
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Reads the address from the line a region prints when it listens.
async fn listening(child: &mut Child) -> io::Result<SocketAddr> {
    let ended = || io::Error::other("it ended");
    let stdout = child.stdout.take().ok_or_else(ended)?;
    let mut lines = BufReader::new(stdout).lines();
    let line = lines.next_line().await?.ok_or_else(ended)?;
    let address = line.rsplit("http://").next().and_then(|address| address.parse().ok());
    address.ok_or_else(|| io::Error::other(format!("it says '{line}'")))
}

impl RegionProcess {
    pub fn webhook_url(&self) -> String {
        format!("http://{}{}", self.address, crate::limits::WEBHOOK_PATH)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`, as a power cut would.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// SIGTERM, then waits for the end. `false` when it had died before or did not end well.
    pub async fn stop(&mut self) -> bool {
        // A terminal's Ctrl-C reaches the regions too, so one may have stopped well by itself.
        if self.is_running() && self.signal(rustix::process::Signal::TERM).is_err() {
            return false;
        }
        if let Ok(Ok(status)) = tokio::time::timeout(STOP, self.child.wait()).await {
            return status.success();
        }
        drop(self.child.start_kill());
        false
    }

    pub fn signal(&self, signal: rustix::process::Signal) -> io::Result<()> {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("the region is not running"))?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }
}

/// A folder of its own below the system's temporary one, removed when dropped unless kept.
pub struct ScratchFolder {
    path: PathBuf,
    pub keep: bool,
}

impl ScratchFolder {
    pub fn create(path: Option<&Path>) -> io::Result<Self> {
        let named = path.map(Path::to_owned);
        let keep = named.is_some();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let path =
            named.unwrap_or_else(|| std::env::temp_dir().join(format!("ams-sandbox-{}", &id[..8])));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path: path.canonicalize()?, keep })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if !self.keep {
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
