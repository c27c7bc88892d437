//! History in DynamoDB, in an ordinary table of its own: it may hold customers' text, so it lies
//! only in the regions that the operator has put it in.
//!
//! Texts that fit are one item, written over in place. Longer ones are split, for a text that was
//! cut could not be read back: the parts get a name of their own and are written first, the item
//! that names them last, so that a reader finds a whole text or none. Parts that nothing names any
//! more go with the sweep.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::dynamodb::{
    Attributes, Failure, Page, all_pages, key, number, number_of, patiently, sweep, text, text_of,
};
use crate::history::{History, HistoryError, check_page};
use crate::incident::RunId;
use crate::limits;

const HEAD: &str = "head";
const STORY: &str = "story";

pub struct DynamoDbHistory {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    swept: sweep::Place,
}

impl DynamoDbHistory {
    /// Reads once, so that a table that is missing or may not be used is found at the start.
    pub async fn open(
        client: Client,
        table: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HistoryError> {
        let history =
            Self { client, table: table.to_owned(), clock, swept: sweep::Place::default() };
        let read = patiently(|| async {
            let get = history.client.get_item().table_name(table);
            let told = get.set_key(Some(key("run#none", HEAD))).send().await;
            told.map_err(|error| Failure::of(&error))
        });
        read.await.map_err(|failure| {
            HistoryError(format!(
                "the DynamoDB table '{table}' (store.dynamodb.history_table): {}; make it with the \
                 key pk (HASH), sk (RANGE), and allow its use to this process's role",
                failure.reason()
            ))
        })?;
        Ok(history)
    }

    async fn put(&self, mut item: Attributes) -> Result<(), HistoryError> {
        item.insert("kept_at".to_owned(), number(&self.clock.now().as_millisecond()));
        self.put_as_is(item).await
    }

    async fn put_as_is(&self, item: Attributes) -> Result<(), HistoryError> {
        let put = patiently(|| async {
            let put = self.client.put_item().table_name(&self.table);
            let told = put.set_item(Some(item.clone())).send().await;
            told.map(drop).map_err(|error| Failure::of(&error))
        });
        put.await.map_err(refused)
    }

    async fn item(&self, pk: &str, sk: &str) -> Result<Option<Attributes>, HistoryError> {
        let read = patiently(|| async {
            let get = self.client.get_item().table_name(&self.table).consistent_read(true);
            let told = get.set_key(Some(key(pk, sk))).send().await;
            told.map_err(|error| Failure::of(&error))
        });
        Ok(read.await.map_err(refused)?.item)
    }

    /// All items of a run or a shelf.
    async fn items(&self, name: &str) -> Result<Vec<Attributes>, Failure> {
        all_pages(|from| async {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :name")
                .expression_attribute_values(":name", text(name))
                .set_exclusive_start_key(from);
            let told = query.send().await.map_err(|error| Failure::of(&error))?;
            Ok(Page { items: told.items.unwrap_or_default(), next: told.last_evaluated_key })
        })
        .await
    }
}

#[async_trait]
impl History for DynamoDbHistory {
    async fn keep(&self, run: &RunId, memory: String) -> Result<(), HistoryError> {
        let parts = split(&memory, limits::DYNAMODB_TEXT_BYTES);
        if parts.len() > limits::DYNAMODB_TEXT_PARTS {
            let (bytes, run) = (memory.len(), run.to_string());
            return Err(HistoryError(format!("the {bytes} bytes of run {run} are too many")));
        }
        let mut head = key(name(run), HEAD);
        if let [whole] = parts.as_slice() {
            head.insert("memory".to_owned(), text(*whole));
            return self.put(head).await;
        }
        let set = uuid::Uuid::new_v4().simple().to_string();
        for (index, part) in parts.iter().enumerate() {
            let mut item = key(name(run), part_name(&set, index));
            item.insert("memory".to_owned(), text(*part));
            self.put(item).await?;
        }
        head.insert("set".to_owned(), text(set));
        head.insert("parts".to_owned(), number(&parts.len()));
        self.put(head).await
    }

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        let items = self.items(&name(run)).await.map_err(refused)?;
        let find = |sk: &str| items.iter().find(|item| text_of(item, "sk") == Some(sk));
        let Some(head) = find(HEAD) else { return Ok(None) };
        let Some(set) = text_of(head, "set") else {
            return Ok(text_of(head, "memory").map(str::to_owned));
        };
        let parts: usize = number_of(head, "parts").unwrap_or_default();
        let part = |index| text_of(find(&part_name(set, index))?, "memory");
        let whole: Option<String> = (0..parts).map(part).collect();
        if whole.is_none() {
            tracing::warn!(%run, "what run {run} has read is not all here yet");
        }
        Ok(whole)
    }

    /// Bounded, so it fits into one item ([`limits::STORY_BYTES`]).
    async fn write_story(&self, run: &RunId, story: String) -> Result<(), HistoryError> {
        let mut item = key(name(run), STORY);
        item.insert("story".to_owned(), text(story));
        self.put(item).await
    }

    async fn read_story(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        let item = self.item(&name(run), STORY).await?;
        Ok(item.and_then(|item| text_of(&item, "story").map(str::to_owned)))
    }

    /// What is kept until a time is as old as that for the sweep.
    async fn put_page(
        &self,
        shelf: &str,
        name: &str,
        page: String,
        until: Option<Timestamp>,
    ) -> Result<(), HistoryError> {
        check_page(&page)?;
        let mut item = key(shelf_name(shelf), name);
        item.insert("page".to_owned(), text(page));
        if let Some(until) = until {
            item.insert("kept_at".to_owned(), number(&until.as_millisecond()));
        }
        self.put_as_is(item).await
    }

    async fn read_page(&self, shelf: &str, name: &str) -> Result<Option<String>, HistoryError> {
        let item = self.item(&shelf_name(shelf), name).await?;
        Ok(item.and_then(|item| text_of(&item, "page").map(str::to_owned)))
    }

    async fn pages(&self, shelf: &str) -> Result<Vec<(String, String)>, HistoryError> {
        let items = self.items(&shelf_name(shelf)).await.map_err(refused)?;
        let page = |item: &Attributes| {
            Some((text_of(item, "sk")?.to_owned(), text_of(item, "page")?.to_owned()))
        };
        Ok(items.iter().filter_map(page).collect())
    }

    async fn sweep(&self, before: Timestamp) -> Result<(), HistoryError> {
        let before = number(&before.as_millisecond());
        let (client, table) = (&self.client, self.table.as_str());
        let old = sweep::Old { client, table, condition: "kept_at < :before", before: &before };
        self.swept.forget(old).await.map(drop).map_err(refused)
    }
}

fn shelf_name(shelf: &str) -> String {
    format!("page#{shelf}")
}

fn name(run: &RunId) -> String {
    format!("run#{run}")
}

fn part_name(set: &str, index: usize) -> String {
    format!("part#{set}#{index:03}")
}

/// Pieces of at most this many bytes, one at least, none ending inside a character.
fn split(text: &str, most: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > most {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(most));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn refused(failure: Failure) -> HistoryError {
    HistoryError(failure.reason())
}
