//! The stores that the configuration names.

use std::sync::Arc;

use super::{StartError, make_folder};
use crate::claim::ClaimStore;
use crate::claim::dynamodb::{self, DynamoDbClaims};
use crate::claim::ledger::Ledger;
use crate::claim::sqlite::SqliteClaims;
use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::history::dynamodb::DynamoDbHistory;
use crate::history::sqlite::SqliteHistory;
use crate::history::{History, HistoryError};

/// Both stores. Without history nothing is served; who only wants to know makes do with less.
pub struct Stores {
    pub claims: Arc<dyn ClaimStore>,
    pub ledger: Arc<dyn Ledger>,
    pub history: Result<Arc<dyn History>, HistoryError>,
}

/// The claims and the history, where the configuration has them.
pub async fn stores(config: &StoreConfig, clock: &Arc<dyn Clock>) -> Result<Stores, StartError> {
    let clock = || Arc::clone(clock);
    let (claims, ledger, history): (Arc<dyn ClaimStore>, Arc<dyn Ledger>, _) = match config {
        StoreConfig::Sqlite(path) => {
            path.parent().map(make_folder).transpose()?;
            let claims = SqliteClaims::open(path, clock())?;
            let history = SqliteHistory::open(&path.with_extension("history.db"), clock());
            both(claims, history.map(|history| Arc::new(history) as Arc<dyn History>))
        }
        StoreConfig::DynamoDb(config) => {
            let client = crate::dynamodb::connect(&config.location).await;
            let settings = dynamodb::Settings {
                table: config.table.clone(),
                region: config.location.region.clone(),
                single_region: config.single_region,
            };
            let claims = DynamoDbClaims::open(client.clone(), &settings, clock()).await?;
            let history = DynamoDbHistory::open(client, &config.history_table, clock()).await;
            both(claims, history.map(|history| Arc::new(history) as Arc<dyn History>))
        }
    };
    Ok(Stores { claims, ledger, history })
}

/// One store under both its names, and the history.
fn both<S: ClaimStore + Ledger + 'static, H>(
    store: S,
    history: H,
) -> (Arc<dyn ClaimStore>, Arc<dyn Ledger>, H) {
    let store = Arc::new(store);
    (Arc::clone(&store) as _, store, history)
}
