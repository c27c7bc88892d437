//! One item, written under the condition that it is still what was judged: until it is known how
//! that went.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use tokio::time::sleep;

use crate::claim::StoreError;
use crate::dynamodb::{Attributes, Failure, number, patiently, waits};

/// An item with the number of its last write.
pub(super) trait Item: Clone + Send + Sync {
    /// Which every next write is conditional on.
    fn version(&self) -> u64;

    /// Without its key.
    fn attributes(&self) -> Result<Attributes, StoreError>;

    fn read(attributes: &Attributes) -> Result<Self, StoreError>;

    /// This process may write it again, so it is worth remembering.
    fn may_follow(&self) -> bool;
}

/// What becomes of an item that was judged.
pub(super) enum Ruling<T, A> {
    Write(T),
    /// It stays as it is; this is told.
    Leave(A),
}

/// An item, or its absence, as the base of a ruling.
pub(super) struct Seen<T> {
    pub(super) stored: Option<T>,
    /// DynamoDB has just said so; otherwise it is remembered or assumed.
    pub(super) is_fresh: bool,
}

enum Written {
    Done,
    /// The item was not what we thought; it comes along.
    Overtaken(Option<Attributes>),
}

/// Where one item lies.
pub(super) struct Spot<'a> {
    pub(super) client: &'a Client,
    pub(super) table: &'a str,
    pub(super) key: Attributes,
}

impl Spot<'_> {
    /// Judges and writes until the answer is known: what was written, or why nothing was. `trouble`
    /// is the last thing that went wrong.
    pub(super) async fn settle<T: Item, A>(
        &self,
        mut seen: Seen<T>,
        mut judge: impl FnMut(Option<&T>) -> Ruling<T, A>,
        trouble: &mut String,
    ) -> Result<Ruling<T, A>, StoreError> {
        for wait in waits() {
            let known = seen.stored.as_ref();
            let next = match judge(known) {
                Ruling::Write(next) => next,
                Ruling::Leave(told) if seen.is_fresh => return Ok(Ruling::Leave(told)),
                Ruling::Leave(_) => {
                    seen = self.look().await?;
                    continue;
                }
            };
            match self.write(next.attributes()?, known.map(T::version)).await {
                Ok(Written::Done) => return Ok(Ruling::Write(next)),
                Ok(Written::Overtaken(Some(attributes))) => {
                    "others keep writing the same item".clone_into(trouble);
                    seen = Seen { stored: Some(T::read(&attributes)?), is_fresh: true };
                }
                Ok(Written::Overtaken(None)) => seen = self.look().await?,
                // Not carried out, so what we know is as true as before.
                Err(Failure::Busy(reason)) => {
                    *trouble = reason;
                    sleep(wait).await;
                }
                // Neither lost nor won: only the item can tell.
                Err(Failure::Uncertain(reason)) => {
                    *trouble = reason;
                    sleep(wait).await;
                    seen = self.look().await?;
                }
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(StoreError::Unreachable { reason: trouble.clone() })
    }

    pub(super) async fn look<T: Item>(&self) -> Result<Seen<T>, StoreError> {
        let found = patiently(|| self.get()).await?;
        let stored = found.as_ref().map(T::read).transpose()?;
        Ok(Seen { stored, is_fresh: true })
    }

    async fn get(&self) -> Result<Option<Attributes>, Failure> {
        let get = self.client.get_item().table_name(self.table).consistent_read(true);
        let told = get.set_key(Some(self.key.clone())).send().await;
        told.map(|told| told.item).map_err(|error| Failure::of(&error))
    }

    /// One conditional write, tried once.
    async fn write(
        &self,
        mut attributes: Attributes,
        known: Option<u64>,
    ) -> Result<Written, Failure> {
        attributes.extend(self.key.clone());
        let put = self
            .client
            .put_item()
            .table_name(self.table)
            .set_item(Some(attributes))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match known {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", number(&version)),
        };
        let Err(error) = put.send().await else { return Ok(Written::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::Overtaken(failed.item.clone()))
            }
            _ => Err(Failure::of(&error)),
        }
    }
}
