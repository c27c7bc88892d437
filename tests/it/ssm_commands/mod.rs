//! Commands by agents of AWS Systems Manager, over AWS's own protocols.

// What a command is given and what comes back.
mod carrying;
// Answers that are lost, words that prove nothing: what ran, ran once, and is known.
mod in_doubt;
// Runners that are lost while something runs.
mod lost;
// What is longer than SSM hands over.
mod output;
// What is not to be done any more.
mod permitted;
// Many commands in few requests.
mod polling;
// Roles, sessions, and what belongs to whom.
mod roles;
// Incidents from webhook to outcome.
mod incidents;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ams::aws::{Aws as Client, Settings};
use ams::clock::SystemClock;
use ams::customer::Reach;
use ams::customer::aws::{AwsAccount, AwsAccountWords, AwsOutput, Platform, SsmWay};
use ams::execute::actuator::{
    Action, Actuator as _, Adopted, Command, Ending, Observation, Order, Program, TargetHost,
};
use ams::execute::host_program::Places;
use ams::execute::ssm::{SsmCommands, Terms};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::aws::{Account, Aws, Host};
use crate::harness::commands::order;

const TOKYO: &str = "ap-northeast-1";
const WEB: &str = "i-0123456789abcdef0";
const SHOP: &str = "111122223333";
const ID: &str = "ams-7f3a-shop";

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Short enough for tests; commands still have the time they are given.
const TERMS: Terms = Terms {
    visible: ms(1_500),
    poll: ms(100),
    ping_kept: ms(300),
    delivery: ms(1_500),
    last_words: ms(1_500),
};

/// A customer with one server, as AWS has it.
struct Site {
    aws: Aws,
    account: Account,
    host: Host,
}

impl Site {
    async fn new() -> Self {
        let aws = Aws::start().await;
        // A half and a tenth of the time that SSM and agents give.
        aws.delivery_second_lasts(ms(40));
        let account = aws.account(SHOP);
        account.role("Ams").external_id(ID);
        let host = account.host(TOKYO, WEB);
        Self { aws, account, host }
    }

    /// Scripts that were sent and are no questions about others.
    fn sent(&self) -> usize {
        let commands = self.host.commands();
        commands.iter().filter(|sent| !sent.comment.contains("question")).count()
    }

    fn questions(&self) -> usize {
        self.host.commands().len() - self.sent()
    }
}

/// A runner.
struct Bench {
    _dir: TempDir,
    commands: Arc<SsmCommands>,
    cancel: CancellationToken,
}

impl Bench {
    async fn new(site: &Site) -> Self {
        Self::with(&site.aws, TERMS).await
    }

    async fn with(aws: &Aws, terms: Terms) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { region: TOKYO.to_owned(), endpoint: Some(aws.url().to_owned()) };
        let keys = aws.runner();
        let credentials = Credentials::new(keys.id, keys.secret, keys.token, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        let client = Client::connect_as(&settings, credentials).await;
        let commands = SsmCommands::new(
            dir.path().join("evidence"),
            (Some(client), reqwest::Client::new()),
            // Homes are the hosts' own.
            Places::new(["~/.ams".to_owned()]).unwrap(),
            Arc::new(SystemClock),
            terms,
        );
        Self { _dir: dir, commands: Arc::new(commands), cancel: CancellationToken::new() }
    }

    async fn act(&self, order: &Order) -> Observation {
        self.commands.act(order, &self.cancel).await
    }

    fn start(&self, order: Order) -> JoinHandle<Observation> {
        let (commands, cancel) = (Arc::clone(&self.commands), self.cancel.clone());
        tokio::spawn(async move { commands.act(&order, &cancel).await })
    }

    async fn adopt(&self, order: &Order) -> Adopted {
        let trace = self.commands.trace(&order.action, order.host.as_ref());
        assert!(trace.is_some());
        self.commands.adopt(order, trace.as_deref(), &self.cancel).await
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

fn way(words: &AwsAccountWords, instance: &str) -> SsmWay {
    way_on(words, instance, None)
}

fn way_on(words: &AwsAccountWords, instance: &str, platform: Option<Platform>) -> SsmWay {
    let account = Arc::new(AwsAccount::new(words.clone()).unwrap());
    SsmWay::new(account, ("web01", instance), TOKYO, platform).unwrap()
}

fn by(way: SsmWay, order: Order) -> Order {
    let name = way.host().to_owned();
    Order { host: Some(TargetHost { name, reach: Reach::Ssm(Arc::new(way)) }), ..order }
}

fn script(text: &str) -> Order {
    let program = Program::Script(text.to_owned());
    let order = order(Command { program, env: BTreeMap::new() });
    Order { timeout: Duration::from_secs(20), ..order }
}

fn within(order: Order, timeout: Duration) -> Order {
    Order { timeout, ..order }
}

#[track_caller]
fn unknown(seen: &Observation) -> &str {
    match &seen.ending {
        Ending::Unknown { reason } => reason,
        other => panic!("not unknown: {other:?}"),
    }
}

#[track_caller]
fn not_begun(seen: &Observation) -> &str {
    crate::harness::commands::reason(seen)
}

/// A look on the server.
fn look(text: &str) -> Order {
    by(way(&words(), WEB), script(text))
}

/// A recovery on the server, under the name its intent was recorded with.
fn change(text: &str) -> Order {
    Order { attempt: Some(1), ..look(text) }
}

fn with_output(bucket: &str) -> AwsAccountWords {
    let output = AwsOutput { bucket: bucket.to_owned(), prefix: "ssm".to_owned() };
    AwsAccountWords { output: Some(output), ..words() }
}

/// `order.action`'s script is another one.
fn with_program(order: &Order, program: Program) -> Order {
    let mut order = order.clone();
    if let Action::Command(command) = &mut order.action {
        command.program = program;
    }
    order
}
