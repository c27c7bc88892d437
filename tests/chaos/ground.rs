//! What is broken: two region processes, their store, the stand-in PagerDuty, and a proxy on each
//! region's way to what it needs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::SystemClock;
use ams::sandbox::cluster::{Cluster, Plan, RegionProcess};
use ams::sandbox::pagerduty::{Settings, StandIn};

use crate::courier::Courier;
use crate::engine::KEYS;
use crate::fault_proxy::FaultProxy;
use crate::kinds::{self, Acts};
use crate::options::{Options, Store};
use crate::schedule::REGIONS;
use crate::tables::Tables;

/// A short lease, so that a run of minutes has many take-overs in it.
/// Without limits: thousands of incidents in minutes would be a storm.
const SETTINGS: &str =
    "heartbeat: 200ms\nlease: 2s\nlease_margin: 500ms\nshutdown_grace: 1s\nlimits: {}\n";

/// Of PagerDuty's own answers to webhooks it has not got through with: never reached, the courier
/// takes all at once.
const RETRY_EVERY: Duration = Duration::from_millis(200);

pub(crate) struct Ground {
    pub(crate) cluster: Cluster,
    pub(crate) store: Arc<dyn ClaimStore>,
    pub(crate) courier: Courier,
    /// Each region's way to PagerDuty.
    pub(crate) to_pagerduty: Vec<FaultProxy>,
    /// The store, where it is no file.
    pub(crate) tables: Option<Tables>,
    pub(crate) acts: Acts,
    pub(crate) folder: PathBuf,
}

impl Ground {
    pub(crate) async fn prepare(options: &Options, folder: &Path) -> io::Result<Self> {
        kinds::write(folder)?;
        let state = folder.join("state");
        std::fs::create_dir_all(&state)?;
        let vars: BTreeMap<String, String> = [("witness", witness(folder)), ("state", state)]
            .map(|(name, path)| (name.to_owned(), path.display().to_string()))
            .into();
        let acts = kinds::acts(folder, &vars)?;
        let pagerduty = free_port().await?;
        let (mut to_pagerduty, mut environment) = (Vec::new(), BTreeMap::new());
        let tables = match options.store {
            Store::Sqlite => None,
            Store::Dynamodb => Some(Tables::make(options).await?),
        };
        for (index, region) in REGIONS.into_iter().enumerate() {
            let seed = options.seed.wrapping_add(index as u64);
            let proxy = FaultProxy::start(&format!("http://{pagerduty}"), seed).await?;
            let url = ("AMS_PAGERDUTY_URL", proxy.url());
            let keys = KEYS.into_iter().filter(|_| tables.is_some());
            let variables =
                keys.chain([url]).map(|(key, value)| (key.to_owned(), value.to_owned()));
            environment.insert(region.to_owned(), variables.collect());
            to_pagerduty.push(proxy);
        }
        let customers = folder.join("customers");
        let stores = tables.as_ref().map(Tables::stores).unwrap_or_default();
        let cluster = Cluster::start(Plan {
            exe: options.ams.clone(),
            folder: folder.join("cluster"),
            scenarios: folder.join("scenarios"),
            regions: REGIONS.map(str::to_owned).to_vec(),
            vars,
            lang: "en".to_owned(),
            settings: format!("{SETTINGS}customers: '{}'\n", customers.display()),
            environment,
            stores,
            subscribes: false,
            pagerduty: Settings {
                listen: pagerduty,
                retry_every: RETRY_EVERY,
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
        let receivers = cluster.regions.iter().map(RegionProcess::webhook_url).collect();
        let courier = Courier::start(options.seed, cluster.pagerduty.clone(), receivers).await?;
        cluster.pagerduty.subscribe(&courier.url);
        let folder = folder.to_owned();
        Ok(Self { cluster, store, courier, to_pagerduty, tables, acts, folder })
    }

    pub(crate) fn pagerduty(&self) -> StandIn {
        self.cluster.pagerduty.clone()
    }

    /// What each region has logged.
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
