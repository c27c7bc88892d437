//! Forgetting what is old, page by page.
//!
//! A scan reads the whole table, which an index over ended runs would spare. But such an index
//! costs two writes a run in every region, and the scan half a read unit for 4 KiB once an hour;
//! and a table may not delete by itself (TTL) where it is strong over several regions.

use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::{Attributes, Failure, Page, patiently};
use crate::limits;

/// Items that may go. What this says of an item is looked at once more when it is deleted.
#[derive(Clone, Copy)]
pub(crate) struct Old<'a> {
    pub(crate) client: &'a Client,
    pub(crate) table: &'a str,
    /// Over attributes and `:before`.
    pub(crate) condition: &'a str,
    pub(crate) before: &'a AttributeValue,
}

/// Where the last clean-up ended: one is short, and the next one goes on from there.
#[derive(Default)]
pub(crate) struct Place(Mutex<Option<Attributes>>);

impl Place {
    /// Deletes for [`limits::DYNAMODB_SWEEP`] or until the table's end; answers with how many went.
    pub(crate) async fn forget(&self, old: Old<'_>) -> Result<u64, Failure> {
        let began = Instant::now();
        let mut gone = 0;
        loop {
            let from = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            let page = patiently(|| old.page(from.clone())).await?;
            let mut deletions = stream::iter(page.items)
                .map(|key| old.delete(key))
                .buffer_unordered(limits::DYNAMODB_DELETIONS_AT_ONCE);
            while let Some(deleted) = deletions.next().await {
                gone += u64::from(deleted?);
            }
            let at_end = page.next.is_none();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = page.next;
            if at_end || began.elapsed() > limits::DYNAMODB_SWEEP {
                return Ok(gone);
            }
        }
    }
}

impl Old<'_> {
    async fn page(self, from: Option<Attributes>) -> Result<Page, Failure> {
        let scan = self
            .client
            .scan()
            .table_name(self.table)
            .filter_expression(self.condition)
            .expression_attribute_values(":before", self.before.clone())
            .projection_expression("pk, sk")
            .set_exclusive_start_key(from);
        let told = scan.send().await.map_err(|error| Failure::of(&error))?;
        Ok(Page { items: told.items.unwrap_or_default(), next: told.last_evaluated_key })
    }

    async fn delete(self, key: Attributes) -> Result<bool, Failure> {
        patiently(|| async {
            let delete = self
                .client
                .delete_item()
                .table_name(self.table)
                .set_key(Some(key.clone()))
                .condition_expression(self.condition)
                .expression_attribute_values(":before", self.before.clone());
            match delete.send().await {
                Ok(_) => Ok(true),
                // It has changed since, or is gone.
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
                {
                    Ok(false)
                }
                Err(error) => Err(Failure::of(&error)),
            }
        })
        .await
    }
}
