//! A DynamoDB engine on this machine, and the tables AMS needs in it.
//!
//! The engine is a program of its own (`tests/engine/`), because it brings another SQLite along.
//! Also for the chaos program, which includes this file.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ams::dynamodb::{Location, connect_as};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};

/// What the engine takes for credentials; processes get them by their environment.
pub(crate) const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

pub(crate) const REGION: &str = "ap-northeast-1";

/// Killed when dropped.
pub(crate) struct Engine {
    url: String,
    process: Child,
}

impl Engine {
    /// Starts the program that lies beside this one (`ams`), or beside the one that was built with us.
    pub(crate) fn start(ams: &Path) -> Self {
        let built = Path::new(env!("CARGO_BIN_EXE_ams"));
        let places = [ams, built].map(|it| it.with_file_name("ams-test-engine"));
        let program = places.iter().find(|it| it.exists());
        let program = program.unwrap_or_else(|| {
            panic!(
                "there is no {}: run cargo build --locked --manifest-path tests/engine/Cargo.toml \
                 with the same CARGO_TARGET_DIR and profile, or tests/run, which does",
                places[0].display(),
            )
        });
        let mut process = Command::new(program).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { url: url.trim().to_owned(), process }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A client as a runner has it, at this address.
pub(crate) fn client(url: &str) -> Client {
    let [(_, id), (_, secret)] = KEYS;
    let credentials = Credentials::new(id, secret, None, None, "test");
    let location = Location { region: REGION.to_owned(), endpoint: Some(url.to_owned()) };
    connect_as(&location, SharedCredentialsProvider::new(credentials))
}

/// The table of claims as operators make it.
pub(crate) async fn create_claims(client: &Client, name: &str) {
    let open = index("open", "open_owner", &["epoch", "format", "owner", "run"]);
    let halted = index("halted", "halt_owner", &["format", "halt"]);
    create(client, name, ("pk", "sk"), vec![open, halted]).await;
}

/// The table of the history.
pub(crate) async fn create_history(client: &Client, name: &str) {
    create(client, name, ("pk", "sk"), Vec::new()).await;
}

pub(crate) fn index(name: &str, hash: &str, holds: &[&str]) -> GlobalSecondaryIndex {
    let holds = holds.iter().map(|name| (*name).to_owned()).collect();
    let projection = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(holds))
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(hash, "pk")))
        .projection(projection)
        .build()
        .unwrap()
}

pub(crate) async fn create(
    client: &Client,
    name: &str,
    (hash, range): (&str, &str),
    indexes: Vec<GlobalSecondaryIndex>,
) {
    let mut names = vec![hash, range];
    names.extend(
        indexes
            .iter()
            .flat_map(|index| index.key_schema().iter().map(KeySchemaElement::attribute_name)),
    );
    names.sort_unstable();
    names.dedup();
    let attributes = names.iter().map(|name| {
        let text = AttributeDefinition::builder().attribute_type(ScalarAttributeType::S);
        text.attribute_name(*name).build().unwrap()
    });
    let attributes = attributes.collect();
    let indexes = Some(indexes).filter(|indexes| !indexes.is_empty());
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(keys(hash, range)))
        .set_global_secondary_indexes(indexes)
        .send()
        .await
        .unwrap();
}

fn keys(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    let key = |name, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]
}
