//! What the sweep asks for: open runs, wishes to stand down, heartbeats.
//!
//! The two indexes hold open runs only, and lag behind the table by a moment. The port allows that:
//! whatever follows is judged again.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::item::{self, HEARTBEAT, RELEASED};
use super::ledger;
use crate::claim::protocol::StandDown;
use crate::claim::{OpenRun, Signs, StoreError, Which};
use crate::dynamodb::{Attributes, Failure, Page, all_pages, text, text_of};
use crate::incident::{Owner, RunId};

pub(super) const OPEN: &str = "open";
pub(super) const HALTED: &str = "halted";

pub(super) async fn open_runs(
    client: &Client,
    table: &str,
    which: &Which,
) -> Result<Vec<OpenRun>, StoreError> {
    let of = |owner: String| query(open(client, table, owner));
    let found = match which {
        Which::All => all_pages(|from| scan_open(client, table, from)).await?,
        Which::Released => of(RELEASED.to_owned()).await?,
        Which::Of(owner) => {
            let mut found = of(owner.to_string()).await?;
            found.extend(of(RELEASED.to_owned()).await?);
            found
        }
    };
    Ok(readable(&found, item::open_run).filter(|open| which.means(open)).collect())
}

pub(super) async fn stand_downs(
    client: &Client,
    table: &str,
    owner: &Owner,
) -> Result<Vec<(RunId, StandDown)>, StoreError> {
    let halted = client
        .query()
        .table_name(table)
        .index_name(HALTED)
        .key_condition_expression("halt_owner = :owner")
        .expression_attribute_values(":owner", text(owner.as_str()));
    let found = query(halted).await?;
    Ok(readable(&found, item::halted).collect())
}

/// From the table itself, for lives depend on it.
pub(super) async fn signs(client: &Client, table: &str) -> Result<Signs, StoreError> {
    let beats = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("pk = :heartbeat")
        .expression_attribute_values(":heartbeat", text(HEARTBEAT));
    let found = query(beats).await?;
    let pauses = found.iter().find_map(ledger::pauses).unwrap_or(Ok(None));
    Ok(Signs { beats: found.iter().filter_map(item::beat).collect(), pauses })
}

fn open(client: &Client, table: &str, owner: String) -> QueryFluentBuilder {
    client
        .query()
        .table_name(table)
        .index_name(OPEN)
        .key_condition_expression("open_owner = :owner")
        .expression_attribute_values(":owner", text(owner))
}

async fn query(query: QueryFluentBuilder) -> Result<Vec<Attributes>, Failure> {
    let page = |from: Option<Attributes>| {
        let query = query.clone().set_exclusive_start_key(from);
        async {
            let told = query.send().await.map_err(|error| Failure::of(&error))?;
            Ok(Page { items: told.items.unwrap_or_default(), next: told.last_evaluated_key })
        }
    };
    all_pages(page).await
}

/// The index has nothing but open runs.
async fn scan_open(
    client: &Client,
    table: &str,
    from: Option<Attributes>,
) -> Result<Page, Failure> {
    let scan = client.scan().table_name(table).index_name(OPEN).set_exclusive_start_key(from);
    let told = scan.send().await.map_err(|error| Failure::of(&error))?;
    Ok(Page { items: told.items.unwrap_or_default(), next: told.last_evaluated_key })
}

/// An item that cannot be read concerns its own incident only: the others' runs must still be
/// taken over, and this one is named in the log.
fn readable<T>(
    found: &[Attributes],
    read: impl Fn(&Attributes) -> Result<T, StoreError>,
) -> impl Iterator<Item = T> {
    found.iter().filter_map(move |attributes| {
        let read = read(attributes);
        if let Err(error) = &read {
            let item = text_of(attributes, "pk").unwrap_or_default();
            tracing::error!(item, "a run is left alone, people must look after it: {error}");
        }
        read.ok()
    })
}
