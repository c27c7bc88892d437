use std::path::Path;
use std::sync::Arc;

use ams::claim::dynamodb::{DynamoDbClaims, Settings};
use ams::claim::journal::{Entry, Journal, StepAt};
use ams::claim::protocol::{Opening, Refusal, StandDownReason};
use ams::claim::{Claims, StoreError, Which};
use ams::clock::{Clock, SetClock};
use ams::incident::{Outcome, Owner};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{claim, end, incident, lost, noon, open, try_claim};
use crate::fault_proxy::{Fault, FaultProxy};
use crate::harness::engine::{self, Engine, REGION};

const NAME: &str = "claims";

/// A table in an engine of its own, that several processes may open.
pub(crate) struct Table {
    pub(crate) engine: Engine,
}

impl Table {
    pub(crate) async fn new() -> Self {
        let table = Self::missing();
        engine::create_claims(&table.client(), NAME).await;
        table
    }

    /// An engine without a table.
    fn missing() -> Self {
        Self { engine: Engine::start(Path::new(env!("CARGO_BIN_EXE_ams"))) }
    }

    pub(super) fn client(&self) -> Client {
        engine::client(self.engine.url())
    }

    /// As a process opens it whose way to it leads through `url`.
    pub(crate) async fn open_at(
        &self,
        url: &str,
        clock: &Arc<SetClock>,
    ) -> Result<DynamoDbClaims, StoreError> {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        DynamoDbClaims::open(engine::client(url), &settings(), clock).await
    }

    pub(super) async fn runner(&self, url: &str, name: &str) -> Claims {
        let store = self.open_at(url, &noon()).await.unwrap();
        Claims::new(Arc::new(store), Owner::new(name), noon())
    }

    /// What a process is told that cannot use it.
    async fn refusal(&self) -> String {
        match self.open_at(self.engine.url(), &noon()).await {
            Ok(_) => panic!("the table was accepted"),
            Err(error) => error.to_string(),
        }
    }
}

fn settings() -> Settings {
    Settings { table: NAME.to_owned(), region: REGION.to_owned(), single_region: true }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &str) -> AttributeValue {
    AttributeValue::N(value.to_owned())
}

#[tokio::test]
async fn a_table_that_is_not_there_is_named() {
    insta::assert_snapshot!(Table::missing().refusal().await, @"the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: ResourceNotFoundException: Requested resource not found: Table: claims not found; correct store.dynamodb.table or region, or make it as docs/operations/configuration.md describes it");
}

#[tokio::test]
async fn a_table_with_other_keys_is_refused() {
    let table = Table::missing();
    engine::create(&table.client(), NAME, ("id", "sk"), Vec::new()).await;
    insta::assert_snapshot!(table.refusal().await, @"the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: its key is id (HASH), sk (RANGE), and must be pk (HASH), sk (RANGE); make it as docs/operations/configuration.md describes it");
}

#[tokio::test]
async fn a_table_without_its_indexes_is_refused() {
    let table = Table::missing();
    engine::create(&table.client(), NAME, ("pk", "sk"), Vec::new()).await;
    insta::assert_snapshot!(table.refusal().await, @"the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: its index 'open' is missing; make it as docs/operations/configuration.md describes it");
}

#[tokio::test]
async fn an_index_with_another_key_or_too_little_in_it_is_refused() {
    let open = engine::index("open", "open_owner", &["epoch", "format", "owner", "run"]);
    let mut told = Vec::new();
    for halted in [
        engine::index("halted", "owner", &["format", "halt"]),
        engine::index("halted", "halt_owner", &["format"]),
    ] {
        let table = Table::missing();
        engine::create(&table.client(), NAME, ("pk", "sk"), vec![open.clone(), halted]).await;
        told.push(table.refusal().await);
    }
    insta::assert_snapshot!(told.join("\n"), @"
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: its index 'halted' has the key owner (HASH), pk (RANGE), and must have halt_owner (HASH), pk (RANGE); make it as docs/operations/configuration.md describes it
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: its index 'halted' does not hold halt; make it as docs/operations/configuration.md describes it
    ");
}

#[tokio::test]
async fn a_table_of_one_region_is_refused_where_two_are_meant() {
    let table = Table::new().await;
    let settings = Settings { single_region: false, ..settings() };
    let refused = DynamoDbClaims::open(table.client(), &settings, noon()).await;
    insta::assert_snapshot!(refused.err().unwrap(), @"the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: it is in one region only, and must be strongly consistent over regions; make a new global table with MultiRegionConsistency STRONG (an existing one with items cannot become one), or say store.dynamodb.single_region: true where all processes are in one region");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_named() {
    let table = Table::new().await;
    // Nobody listens there any more.
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let refused = table.open_at(&gone, &noon()).await.err().unwrap().to_string();
    let begins = "the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: \
                  DynamoDB does not answer: ";
    let ends = "; check store.dynamodb.region and endpoint, the way to it, and whether this \
                process has AWS credentials";
    assert!(refused.starts_with(begins) && refused.ends_with(ends), "{refused}");
    assert!(refused.contains("Connection refused"), "{refused}");
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let table = Table::new().await;
    let mut told = Vec::new();
    for operation in ["DescribeTable", "Query", "Scan", "DeleteItem", "GetItem", "PutItem"] {
        let proxy = FaultProxy::start(table.engine.url(), 1).await.unwrap();
        proxy.plan(1, operation, Fault::Deny);
        let refused = table.open_at(proxy.url(), &noon()).await;
        told.push(refused.err().unwrap().to_string());
    }
    insta::assert_snapshot!(told.join("\n"), @"
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:DescribeTable on the table and its indexes to this process's role
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:Query on the table and its indexes to this process's role
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:Scan on the table and its indexes to this process's role
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:DeleteItem on the table and its indexes to this process's role
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:GetItem on the table and its indexes to this process's role
    the DynamoDB table 'claims' in ap-northeast-1 does not do as claim store: AccessDeniedException: planned by a test; allow dynamodb:PutItem on the table and its indexes to this process's role
    ");
}

#[tokio::test]
async fn a_table_of_a_newer_version_is_refused() {
    let table = Table::new().await;
    let put = table.client().put_item().table_name(NAME).item("pk", text("schema"));
    put.item("sk", text("schema")).item("format", number("3")).send().await.unwrap();
    insta::assert_snapshot!(table.refusal().await, @"the claim store holds something this version cannot read (the DynamoDB table 'claims'): it has schema 3, this version knows 2: run the newer ams");
}

#[tokio::test]
async fn a_table_of_an_older_version_is_marked_as_ours() {
    let table = Table::new().await;
    let put = table.client().put_item().table_name(NAME).item("pk", text("schema"));
    put.item("sk", text("schema")).item("format", number("1")).send().await.unwrap();
    table.runner(table.engine.url(), "tokyo-1").await;
    let get = table.client().get_item().table_name(NAME).consistent_read(true);
    let marker = get.key("pk", text("schema")).key("sk", text("schema")).send().await.unwrap();
    assert_eq!(marker.item.unwrap()["format"], number("2"), "an older ams does not start any more");
}

#[tokio::test]
async fn an_item_of_a_newer_version_is_named_and_left_alone() {
    let table = Table::new().await;
    let tokyo = table.runner(table.engine.url(), "tokyo-1").await;
    let [newer, other] = ["PNEWER", "POTHER"].map(incident);
    claim(&tokyo, &newer).await;
    claim(&tokyo, &other).await;
    let change = table.client().update_item().table_name(NAME).key("pk", text("run#PNEWER"));
    let change = change.key("sk", text("run")).update_expression("SET #format = :next");
    let change = change.expression_attribute_names("#format", "format");
    change.expression_attribute_values(":next", number("3")).send().await.unwrap();

    let osaka = table.runner(table.engine.url(), "osaka-1").await;
    let read = osaka.store().read(&newer).await.unwrap_err();
    insta::assert_snapshot!(read, @"the claim store holds something this version cannot read (the claim of incident PNEWER): it has format 3, this version knows 2; was it written by a newer ams?");
    let claimed = osaka.claim(&newer, Opening::Triggered, None, None).await.unwrap_err();
    assert_eq!(claimed.to_string(), read.to_string());
    // The others' runs can still be taken over.
    assert_eq!(open(&**osaka.store(), Which::All).await, [other]);
}

/// What the bill has: writes that were carried out, those among them that were refused, reads.
fn billed(proxy: &FaultProxy) -> [u64; 3] {
    let counts = proxy.counts();
    proxy.reset_counts();
    let reads = counts.carried_out("GetItem") + counts.carried_out("Query");
    [counts.carried_out("PutItem"), counts.conditions_failed("PutItem"), reads]
}

#[tokio::test]
async fn an_ordinary_run_costs_one_write_for_each_record_and_no_read() {
    let table = Table::new().await;
    let proxy = FaultProxy::start(table.engine.url(), 1).await.unwrap();
    let tokyo = table.runner(proxy.url(), "tokyo-1").await;
    let osaka = table.runner(proxy.url(), "osaka-1").await;
    let id = incident("PT4KHLK");
    billed(&proxy);

    let mine = claim(&tokyo, &id).await;
    assert_eq!(billed(&proxy), [1, 0, 0], "the claim");
    let taken = lost(try_claim(&osaka, &id, Opening::Triggered).await);
    assert!(matches!(taken, Refusal::TakenBy { .. }));
    assert_eq!(billed(&proxy), [1, 1, 0], "the claim of the region that was slower");
    for steps in 1..=3 {
        tokyo.intend(&mine, &begun(2 * steps - 1)).await.unwrap().unwrap();
        tokyo.done(&mine, &begun(2 * steps)).await.unwrap().unwrap();
    }
    assert_eq!(billed(&proxy), [6, 0, 0], "intents and results");
    end(&tokyo, &mine, Outcome::Resolved).await;
    assert_eq!(billed(&proxy), [1, 0, 0], "the end");

    // Somebody else's write in between costs one more, and is not missed.
    let other = incident("POTHER");
    let mine = claim(&tokyo, &other).await;
    billed(&proxy);
    osaka.stand_down(&other, StandDownReason::Merged, None, None).await.unwrap().unwrap();
    assert_eq!(billed(&proxy), [1, 0, 1], "a wish to stand down looks first");
    let refused = tokyo.intend(&mine, &begun(1)).await.unwrap();
    assert!(matches!(refused, Err(Refusal::StandDown { .. })), "{refused:?}");
    assert_eq!(billed(&proxy), [1, 1, 0], "an intent after it");
    tokyo.done(&mine, &begun(1)).await.unwrap().unwrap();
    assert_eq!(billed(&proxy), [2, 1, 0], "what was refused is not remembered");
}

/// A journal of so many entries.
fn begun(entries: usize) -> Journal {
    (0..entries).fold(Journal::default(), |journal, step| {
        let (step, nonce, at) = (StepAt::plain(step), String::new(), Timestamp::UNIX_EPOCH);
        journal.with(Entry::Intent { step, nonce, trace: None, at })
    })
}
