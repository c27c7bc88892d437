//! Where claims and history are kept: exactly one of the stores.

use super::source::Source;
use super::{DynamoDbConfig, StoreConfig};
use crate::dynamodb::Location;
use crate::finding::Findings;

pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<StoreConfig> {
    match (source.says("sqlite"), source.says("dynamodb")) {
        (true, false) => {
            let path = source.path("sqlite", "/var/lib/ams/claims.db", findings)?;
            Some(StoreConfig::Sqlite(path))
        }
        (false, true) => source
            .section("dynamodb", "STORE_DYNAMODB_", findings, dynamodb)
            .map(StoreConfig::DynamoDb),
        (false, false) => {
            findings.add(
                "missing-field",
                source.fields.place(),
                "'store' names no store",
                "add a line 'sqlite: /var/lib/ams/claims.db' below 'store:' (or set \
                 AMS_STORE_SQLITE) where all processes are on one machine; else 'dynamodb:' \
                 with 'table', 'history_table' and 'region'",
            );
            None
        }
        (true, true) => {
            let place = source.place("dynamodb");
            let remedy = "keep 'sqlite' where all processes are on one machine, else 'dynamodb'";
            findings.add("bad-setting", place, "'store' names two stores", remedy);
            None
        }
    }
}

fn dynamodb(source: &Source<'_>, findings: &mut Findings) -> Option<DynamoDbConfig> {
    let table = source.required("table", "ams-claims", findings);
    let history_table = source.required("history_table", "ams-history", findings);
    let region = source.required("region", "ap-northeast-1", findings);
    let endpoint = source.address("endpoint", findings);
    let words = [("true", true), ("false", false)];
    let single_region = source.word("single_region", &words, findings).unwrap_or(false);
    let (table, history_table) = (table?, history_table?);
    if table.value == history_table.value {
        let remedy = "give the history a table of its own: it may hold customers' text";
        let at = (history_table.place, "history_table");
        source.bad(at, "is the table of claims", remedy, findings);
    }
    Some(DynamoDbConfig {
        table: table.value,
        history_table: history_table.value,
        location: Location { region: region?.value, endpoint: endpoint.map(|at| at.value) },
        single_region,
    })
}
