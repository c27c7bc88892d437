//! A DynamoDB-compatible engine with both tables, and a proxy on each region's way to it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ams::claim::dynamodb::{DynamoDbClaims, Settings};
use ams::clock::SystemClock;

use crate::engine::{self, Engine, REGION};
use crate::fault_proxy::FaultProxy;
use crate::schedule::REGIONS;

const CLAIMS: &str = "claims";
const HISTORY: &str = "history";

pub(crate) struct Tables {
    engine: Engine,
    /// One per region.
    pub(crate) proxies: Vec<FaultProxy>,
}

impl Tables {
    pub(crate) async fn make(ams: &Path, seed: u64) -> io::Result<Self> {
        let engine = Engine::start(ams);
        let client = engine::client(engine.url());
        engine::create_claims(&client, CLAIMS).await;
        engine::create_history(&client, HISTORY).await;
        let mut proxies = Vec::new();
        for index in 0..REGIONS.len() as u64 {
            proxies.push(FaultProxy::start(engine.url(), seed.wrapping_add(10 + index)).await?);
        }
        Ok(Self { engine, proxies })
    }

    /// Each process's `store` section.
    pub(crate) fn stores(&self, processes: &[(&'static str, usize)]) -> BTreeMap<String, String> {
        let store = |proxy: &FaultProxy| {
            format!(
                "{{dynamodb: {{table: {CLAIMS}, history_table: {HISTORY}, region: {REGION}, \
                 endpoint: '{}', single_region: true}}}}",
                proxy.url()
            )
        };
        let stores = processes.iter().map(|(name, region)| (name, store(&self.proxies[*region])));
        stores.map(|(name, store)| ((*name).to_owned(), store)).collect()
    }

    /// Past the proxies.
    pub(crate) async fn claims(&self) -> io::Result<DynamoDbClaims> {
        let (table, region) = (CLAIMS.to_owned(), REGION.to_owned());
        let settings = Settings { table, region, single_region: true };
        let client = engine::client(self.engine.url());
        let claims = DynamoDbClaims::open(client, &settings, Arc::new(SystemClock)).await;
        claims.map_err(io::Error::other)
    }
}
