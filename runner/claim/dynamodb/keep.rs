//! Signs of life, and what is forgotten.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use jiff::Timestamp;
use tokio::time::timeout;

use super::item::HEARTBEAT;
use super::list;
use crate::claim::{Beat, StoreError, Which};
use crate::dynamodb::{Failure, key, number, patiently, sweep, text};
use crate::incident::Owner;
use crate::limits;

/// Written once and not again: the next beat is due soon, and counts from a later moment.
pub(super) async fn beat(client: &Client, table: &str, beat: &Beat) -> Result<(), StoreError> {
    let mut item = key(HEARTBEAT, beat.owner.as_str());
    item.insert("n".to_owned(), number(&beat.number));
    item.insert("pauses".to_owned(), number(&beat.pauses));
    item.insert("rules".to_owned(), text(&beat.rules));
    let put = client.put_item().table_name(table).set_item(Some(item)).send();
    match timeout(limits::DYNAMODB_ANSWER, put).await {
        Ok(told) => told.map(drop).map_err(|error| Failure::of(&error).into()),
        Err(_) => Err(StoreError::Unreachable { reason: "no answer in time".to_owned() }),
    }
}

/// Runs that are over, and records of guards (`ledger`).
pub(super) async fn forget_old(
    client: &Client,
    table: &str,
    place: &sweep::Place,
    before: Timestamp,
) -> Result<u64, StoreError> {
    let before = number(&before.as_millisecond());
    let condition =
        "(attribute_exists(outcome) OR attribute_exists(ledger)) AND changed_at < :before";
    Ok(place.forget(sweep::Old { client, table, condition, before: &before }).await?)
}

/// Forgets owners that are dead and leave no open run behind.
pub(super) async fn forget_beats(
    client: &Client,
    table: &str,
    alive: &[Owner],
) -> Result<(), StoreError> {
    for Beat { owner, number: beat, .. } in list::signs(client, table).await?.beats {
        if alive.contains(&owner) {
            continue;
        }
        if list::open_runs(client, table, &Which::Of(owner.clone())).await?.is_empty() {
            patiently(|| forget_beat(client, table, &owner, beat)).await?;
        }
    }
    Ok(())
}

/// Unless it has shown life meanwhile.
async fn forget_beat(
    client: &Client,
    table: &str,
    owner: &Owner,
    beat: u64,
) -> Result<(), Failure> {
    let delete = client
        .delete_item()
        .table_name(table)
        .set_key(Some(key(HEARTBEAT, owner.as_str())))
        .condition_expression("n = :n")
        .expression_attribute_values(":n", number(&beat));
    let Err(error) = delete.send().await else { return Ok(()) };
    match error.as_service_error() {
        Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
        _ => Err(Failure::of(&error)),
    }
}
