//! What steps ask of AWS in customers' accounts, over AWS's own protocol.

// Each word: what is sent, what comes back, what it changes.
mod words;
// Answers that are lost, refused or late: nothing is changed twice, and people know.
mod in_doubt;
// Incidents from webhook to outcome, and whose accounts they reach.
mod incidents;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ams::aws::sessions::Sessions;
use ams::aws::signed::Signed;
use ams::aws::{Aws as Client, Settings};
use ams::clock::SystemClock;
use ams::customer::aws::{AwsAccount, AwsAccountWords};
use ams::execute::actuator::{Action, Actuator as _, AwsCall, Ending, Observation, Order};
use ams::execute::aws_api::AwsCalls;
use ams::incident::{IncidentId, RunId};
use ams::scenario::aws_call::WORDS;
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::aws::{Account, Aws};

const TOKYO: &str = "ap-northeast-1";
const WEB: &str = "i-0123456789abcdef0";
const DISK: &str = "vol-0123456789abcdef0";
const SHOP: &str = "111122223333";
const ID: &str = "ams-7f3a-shop";

/// A customer's account, and a runner that reaches it.
struct Bench {
    aws: Aws,
    account: Account,
    calls: AwsCalls,
    _dir: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let aws = Aws::start().await;
        let account = aws.account(SHOP);
        account.role("Ams").external_id(ID);
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { region: TOKYO.to_owned(), endpoint: Some(aws.url().to_owned()) };
        let keys = aws.runner();
        let credentials = Credentials::new(keys.id, keys.secret, keys.token, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        let client = Client::connect_as(&settings, credentials).await;
        let clock = Arc::new(SystemClock);
        let calls = AwsCalls {
            evidence_dir: dir.path().join("evidence"),
            sessions: Some(Arc::new(Sessions::new(client, clock.clone()))),
            signed: Signed::new(clock).unwrap(),
            endpoint: Some(aws.url().to_owned()),
        };
        Self { aws, account, calls, _dir: dir }
    }

    async fn ask(&self, word: &str, fields: &[(&'static str, &str)]) -> Observation {
        self.calls.act(&order(word, fields), &CancellationToken::new()).await
    }

    /// What a good answer says.
    async fn told(&self, word: &str, fields: &[(&'static str, &str)]) -> Value {
        let seen = self.ask(word, fields).await;
        assert_eq!(seen.ending, Ending::Answered { status: 200 }, "{word}");
        serde_json::from_str(&seen.stdout.head).unwrap()
    }
}

fn words() -> AwsAccountWords {
    AwsAccountWords {
        customer: "shop".to_owned(),
        account: SHOP.to_owned(),
        role: format!("arn:aws:iam::{SHOP}:role/Ams"),
        external_id: ID.to_owned(),
        regions: vec![TOKYO.to_owned()],
        session_tags: true,
        output: None,
    }
}

fn order(word: &str, fields: &[(&'static str, &str)]) -> Order {
    let word = WORDS.iter().find(|known| known.word == word).unwrap();
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let fields: BTreeMap<&'static str, String> = fields.collect();
    let account = Arc::new(AwsAccount::new(words()).unwrap());
    let call = AwsCall { word, fields, account, region: TOKYO.to_owned() };
    Order {
        run: RunId { incident: IncidentId::parse("PT4KHLK").unwrap(), number: 3 },
        step: 0,
        entry: None,
        nonce: "0a".to_owned(),
        attempt: word.changes.then_some(1),
        announced_at: None,
        permission: None,
        action: Action::Aws(call),
        host: None,
        timeout: Duration::from_secs(10),
    }
}
