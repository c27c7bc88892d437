//! Regions with one scenario, and a folder their commands write to.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ams::clock::SystemClock;
use ams::sandbox::cluster::{Cluster, Plan};
use ams::sandbox::pagerduty::Settings;
use tempfile::TempDir;

pub(crate) struct Ground {
    pub(crate) cluster: Cluster,
    pub(crate) folder: TempDir,
}

/// Where a region keeps its claims, and what its process needs to know besides.
pub(crate) type Stores = BTreeMap<String, String>;
pub(crate) type Environment = BTreeMap<String, BTreeMap<String, String>>;

impl Ground {
    pub(crate) async fn start(
        regions: &[&str],
        scenario: &str,
        stores: Stores,
        environment: Environment,
    ) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let scenarios = folder.path().join("scenarios");
        std::fs::create_dir(&scenarios)?;
        std::fs::write(scenarios.join("bench.yaml"), scenario)?;
        let vars = BTreeMap::from([("folder".to_owned(), folder.path().display().to_string())]);
        let cluster = Cluster::start(Plan {
            exe: PathBuf::from(env!("CARGO_BIN_EXE_ams")),
            folder: folder.path().join("cluster"),
            scenarios,
            regions: regions.iter().map(|name| (*name).to_owned()).collect(),
            vars,
            lang: "en".to_owned(),
            settings: "log: {level: warn}\nlimits: {}\n".to_owned(),
            environment,
            stores,
            subscribes: true,
            pagerduty: Settings { retry_every: Duration::from_millis(200), ..Settings::default() },
            clock: Arc::new(SystemClock),
        })
        .await?;
        Ok(Self { cluster, folder })
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Waits for something, looking often.
    pub(crate) async fn until(
        &self,
        within: Duration,
        mut is_so: impl AsyncFnMut(&Self) -> bool,
    ) -> io::Result<()> {
        let began = tokio::time::Instant::now();
        while !is_so(self).await {
            if began.elapsed() > within {
                return Err(io::Error::other("what was waited for did not happen in time"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}
