//! Whether a table does for claims: looked at once, at the start, before anything is taken in.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType,
    MultiRegionConsistency, ProjectionType, TableDescription, TableStatus,
};

use super::Settings;
use super::item::{FORMAT, OF_HALTED, OF_OPEN};
use super::list::{HALTED, OPEN};
use crate::claim::StoreError;
use crate::dynamodb::{Attributes, Failure, key, number, number_of, patiently, text};

/// Says which form the table has.
const SCHEMA: &str = "schema";

/// Where the shape of the table is described.
const PAGE: &str = "make it as docs/operations/configuration.md describes it";

/// A problem and its remedy.
type Problem = (String, String);

pub(super) async fn check(client: &Client, settings: &Settings) -> Result<(), StoreError> {
    let table = &settings.table;
    let told = patiently(|| describe(client, table)).await;
    let unfit = |(problem, remedy)| StoreError::Unfit {
        what: format!("the DynamoDB table '{table}' in {}", settings.region),
        problem,
        remedy,
    };
    let description = told.map_err(|failure| unfit(refused(&failure, "dynamodb:DescribeTable")))?;
    for problem in [keys(&description), indexes(&description), state(&description)] {
        problem.map_err(unfit)?;
    }
    if !settings.single_region {
        strong(&description).map_err(unfit)?;
    }
    may_use(client, table).await.map_err(unfit)?;
    match schema(client, table).await.map_err(unfit)? {
        format if format <= FORMAT => Ok(()),
        format => Err(StoreError::Unreadable {
            what: format!("the DynamoDB table '{table}'"),
            reason: format!(
                "it has schema {format}, this version knows {FORMAT}: run the newer ams"
            ),
        }),
    }
}

async fn describe(client: &Client, table: &str) -> Result<TableDescription, Failure> {
    let told = client.describe_table().table_name(table).send().await;
    let told = told.map_err(|error| Failure::of(&error))?;
    told.table.ok_or_else(|| Failure::Uncertain("an answer without a table".to_owned()))
}

/// What a failed request at the start means for the operator.
fn refused(failure: &Failure, action: &str) -> Problem {
    let Failure::Refused { code, message } = failure else {
        let problem = format!("DynamoDB does not answer: {}", failure.reason());
        let remedy = "check store.dynamodb.region and endpoint, the way to it, and whether this \
                      process has AWS credentials";
        return (problem, remedy.to_owned());
    };
    let remedy = match code.as_str() {
        "ResourceNotFoundException" => {
            format!("correct store.dynamodb.table or region, or {PAGE}")
        }
        "AccessDeniedException" => {
            format!("allow {action} on the table and its indexes to this process's role")
        }
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException"
        | "MissingAuthenticationToken" => "give this process valid AWS credentials".to_owned(),
        _ => "correct the settings below store.dynamodb".to_owned(),
    };
    (format!("{code}: {message}"), remedy)
}

fn keys(table: &TableDescription) -> Result<(), Problem> {
    let (is, shall) = (shown(table.key_schema()), "pk (HASH), sk (RANGE)");
    if is == shall {
        return Ok(());
    }
    Err((format!("its key is {is}, and must be {shall}"), PAGE.to_owned()))
}

fn shown(keys: &[KeySchemaElement]) -> String {
    let mut keys: Vec<&KeySchemaElement> = keys.iter().collect();
    keys.sort_by_key(|key| *key.key_type() != KeyType::Hash);
    let shown = |key: &&KeySchemaElement| format!("{} ({})", key.attribute_name(), key.key_type());
    keys.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn indexes(table: &TableDescription) -> Result<(), Problem> {
    index(table, (OPEN, "open_owner"), &OF_OPEN)?;
    index(table, (HALTED, "halt_owner"), &OF_HALTED)
}

fn index(
    table: &TableDescription,
    (name, hash): (&str, &str),
    attributes: &[&str],
) -> Result<(), Problem> {
    let wrong = |problem: String| Err((format!("its index '{name}' {problem}"), PAGE.to_owned()));
    let all = table.global_secondary_indexes();
    let Some(index) = all.iter().find(|index| index.index_name() == Some(name)) else {
        return wrong("is missing".to_owned());
    };
    let (is, shall) = (shown(index.key_schema()), format!("{hash} (HASH), pk (RANGE)"));
    if is != shall {
        return wrong(format!("has the key {is}, and must have {shall}"));
    }
    let missing = missing(index, attributes);
    if !missing.is_empty() {
        return wrong(format!("does not hold {}", missing.join(", ")));
    }
    match index.index_status() {
        Some(IndexStatus::Active | IndexStatus::Updating) | None => Ok(()),
        Some(status) => Err((format!("its index '{name}' is {status}"), WAIT.to_owned())),
    }
}

const WAIT: &str = "wait until it is ACTIVE";

/// What the index should hold and does not.
fn missing<'a>(index: &GlobalSecondaryIndexDescription, attributes: &[&'a str]) -> Vec<&'a str> {
    let Some(projection) = index.projection() else { return attributes.to_vec() };
    if projection.projection_type() == Some(&ProjectionType::All) {
        return Vec::new();
    }
    let held = projection.non_key_attributes();
    let is_held = |name: &str| held.iter().any(|it| it == name);
    attributes.iter().copied().filter(|name| !is_held(name)).collect()
}

fn state(table: &TableDescription) -> Result<(), Problem> {
    match table.table_status() {
        // It can be used while its capacity or its replicas change.
        Some(TableStatus::Active | TableStatus::Updating) => Ok(()),
        Some(status) => Err((format!("it is {status}"), WAIT.to_owned())),
        None => Err(("it has no status".to_owned(), WAIT.to_owned())),
    }
}

/// Two regions would both win a claim in a table that is only eventually the same.
fn strong(table: &TableDescription) -> Result<(), Problem> {
    let is = match table.multi_region_consistency() {
        Some(MultiRegionConsistency::Strong) => return Ok(()),
        Some(other) => format!("its consistency over regions is {other}, and must be STRONG"),
        None => "it is in one region only, and must be strongly consistent over regions".to_owned(),
    };
    let remedy = "make a new global table with MultiRegionConsistency STRONG (an existing one with \
                  items cannot become one), or say store.dynamodb.single_region: true where all \
                  processes are in one region";
    Err((is, remedy.to_owned()))
}

/// Every permission that will be needed, found out by asking for nothing much.
async fn may_use(client: &Client, table: &str) -> Result<(), Problem> {
    let denied = |action: &'static str| move |failure: Failure| refused(&failure, action);
    for (index, hash) in [(OPEN, "open_owner"), (HALTED, "halt_owner")] {
        let query = client.query().table_name(table).index_name(index).limit(1);
        let query = query
            .key_condition_expression(format!("{hash} = :nobody"))
            .expression_attribute_values(":nobody", text("#nobody"));
        patiently(|| async { query.clone().send().await.map_err(|it| Failure::of(&it)) })
            .await
            .map_err(denied("dynamodb:Query"))?;
    }
    for index in [None, Some(OPEN.to_owned())] {
        let scan = client.scan().table_name(table).set_index_name(index).limit(1);
        patiently(|| async { scan.clone().send().await.map_err(|it| Failure::of(&it)) })
            .await
            .map_err(denied("dynamodb:Scan"))?;
    }
    let nothing = client.delete_item().table_name(table).set_key(Some(key(SCHEMA, "nothing")));
    patiently(|| async { nothing.clone().send().await.map_err(|it| Failure::of(&it)) })
        .await
        .map_err(denied("dynamodb:DeleteItem"))?;
    Ok(())
}

/// The format of the table. A new one gets ours.
async fn schema(client: &Client, table: &str) -> Result<u32, Problem> {
    let marker = patiently(|| marker(client, table)).await;
    let marker = marker.map_err(|failure| refused(&failure, "dynamodb:GetItem"))?;
    // Also when there is one: the permission to write is needed in any case.
    let marked = patiently(|| mark(client, table)).await;
    marked.map_err(|failure| refused(&failure, "dynamodb:PutItem"))?;
    Ok(marker.and_then(|marker| number_of(&marker, "format")).unwrap_or(FORMAT))
}

async fn marker(client: &Client, table: &str) -> Result<Option<Attributes>, Failure> {
    let get = client.get_item().table_name(table).consistent_read(true);
    let told = get.set_key(Some(key(SCHEMA, SCHEMA))).send().await;
    told.map(|told| told.item).map_err(|error| Failure::of(&error))
}

async fn mark(client: &Client, table: &str) -> Result<(), Failure> {
    let mut item = key(SCHEMA, SCHEMA);
    item.insert("format".to_owned(), number(&FORMAT));
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        // An older one is raised: what this version writes, the one before it must not begin to read.
        .condition_expression("attribute_not_exists(pk) OR #format < :format")
        .expression_attribute_names("#format", "format")
        .expression_attribute_values(":format", number(&FORMAT));
    let Err(error) = put.send().await else { return Ok(()) };
    match error.as_service_error() {
        // It is ours or newer. Should a newer process be faster than us, its items say so themselves.
        Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
        _ => Err(Failure::of(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Result<(), Problem>) -> String {
        found.err().map(|(problem, _)| problem).unwrap_or_default()
    }

    #[test]
    fn only_a_table_that_is_strong_over_regions_does_for_two() {
        let table =
            |consistency| TableDescription::builder().multi_region_consistency(consistency).build();
        assert_eq!(strong(&table(MultiRegionConsistency::Strong)), Ok(()));
        let eventual = told(strong(&table(MultiRegionConsistency::Eventual)));
        assert_eq!(eventual, "its consistency over regions is EVENTUAL, and must be STRONG");
    }

    #[test]
    fn a_table_is_used_only_when_it_is_there() {
        let table = |status| TableDescription::builder().table_status(status).build();
        assert_eq!(state(&table(TableStatus::Active)), Ok(()));
        assert_eq!(state(&table(TableStatus::Updating)), Ok(()));
        assert_eq!(told(state(&table(TableStatus::Creating))), "it is CREATING");
        assert_eq!(told(state(&TableDescription::builder().build())), "it has no status");
    }
}
