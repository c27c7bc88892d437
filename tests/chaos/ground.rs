//! What is broken: the regions' processes, their store, the stand-in PagerDuty, and a proxy on each
//! region's way to what it needs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::SystemClock;
use ams::sandbox::cluster::{Cluster, Plan};
use ams::sandbox::pagerduty::{Settings, StandIn};

use crate::engine::KEYS;
use crate::fault_proxy::FaultProxy;
use crate::kinds::{self, Acts};
use crate::options::Store;
use crate::schedule::REGIONS;
use crate::tables::Tables;

/// What is to be made.
pub(crate) struct Site<'a> {
    pub(crate) ams: &'a Path,
    pub(crate) store: Store,
    pub(crate) seed: u64,
    /// The processes by name, and the number of each one's region.
    pub(crate) processes: &'a [(&'static str, usize)],
    /// Further lines of their configuration.
    pub(crate) settings: &'a str,
    /// Before PagerDuty sends a webhook again.
    pub(crate) retry_every: Duration,
}

pub(crate) struct Ground {
    pub(crate) cluster: Cluster,
    pub(crate) store: Arc<dyn ClaimStore>,
    /// Each region's way to PagerDuty.
    pub(crate) to_pagerduty: Vec<FaultProxy>,
    /// The store, where it is no file.
    pub(crate) tables: Option<Tables>,
    pub(crate) acts: Acts,
    pub(crate) folder: PathBuf,
}

impl Ground {
    pub(crate) async fn prepare(site: &Site<'_>, folder: &Path) -> io::Result<Self> {
        kinds::write(folder)?;
        let state = folder.join("state");
        std::fs::create_dir_all(&state)?;
        let vars: BTreeMap<String, String> = [("witness", witness(folder)), ("state", state)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
            .into();
        let acts = kinds::acts(folder, &vars)?;
        let pagerduty = free_port().await?;
        let (mut to_pagerduty, mut environment) = (Vec::new(), BTreeMap::new());
        let tables = match site.store {
            Store::Sqlite => None,
            Store::Dynamodb => Some(Tables::make(site.ams, site.seed).await?),
        };
        for index in 0..REGIONS.len() as u64 {
            let seed = site.seed.wrapping_add(index);
            to_pagerduty.push(FaultProxy::start(&format!("http://{pagerduty}"), seed).await?);
        }
        for (name, region) in site.processes {
            let url = ("AMS_PAGERDUTY_URL", to_pagerduty[*region].url());
            let keys = KEYS.into_iter().filter(|_| tables.is_some());
            let variables = keys
                .chain([url, ("AMS_REGION", REGIONS[*region])])
                .map(|(key, value)| (key.to_owned(), value.to_owned()));
            environment.insert((*name).to_owned(), variables.collect());
        }
        let customers = folder.join("customers");
        let stores = tables.as_ref().map(|it| it.stores(site.processes)).unwrap_or_default();
        let cluster = Cluster::start(Plan {
            exe: site.ams.to_owned(),
            folder: folder.join("cluster"),
            scenarios: folder.join("scenarios"),
            regions: site.processes.iter().map(|(name, _)| (*name).to_owned()).collect(),
            vars,
            lang: "en".to_owned(),
            settings: format!("{}customers: '{}'\n", site.settings, customers.display()),
            environment,
            stores,
            subscribes: false,
            pagerduty: Settings {
                listen: pagerduty,
                retry_every: site.retry_every,
                ..Settings::default()
            },
            clock: Arc::new(SystemClock),
        })
        .await?;
        let store: Arc<dyn ClaimStore> = match &tables {
            Some(tables) => Arc::new(tables.claims().await?),
            None => Arc::new(
                SqliteClaims::open(&cluster.claims(), Arc::new(SystemClock))
                    .map_err(io::Error::other)?,
            ),
        };
        let folder = folder.to_owned();
        Ok(Self { cluster, store, to_pagerduty, tables, acts, folder })
    }

    pub(crate) fn pagerduty(&self) -> StandIn {
        self.cluster.pagerduty.clone()
    }

    /// What each process has logged.
    pub(crate) fn logs(&self) -> Vec<String> {
        let regions = self.cluster.regions.iter();
        regions.map(|region| std::fs::read_to_string(&region.log).unwrap_or_default()).collect()
    }
}

/// Where every recovery leaves its line.
pub(crate) fn witness(folder: &Path) -> PathBuf {
    folder.join("witness")
}

/// The proxies must know where the stand-in will be before it is there.
async fn free_port() -> io::Result<std::net::SocketAddr> {
    tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()
}
