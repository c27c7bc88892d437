//! What many commands in flight cost at AWS, and how soon their ends are known (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench reach`. One runner, the terms of production, AWS's double in this process;
//! commands there are not carried out but end when they are meant to.

#[expect(dead_code, unused_imports, reason = "made for tests, which use all of it")]
#[path = "../aws/mod.rs"]
mod aws;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ams::aws::{Aws as Client, Settings};
use ams::clock::SystemClock;
use ams::customer::Reach;
use ams::customer::aws::{AwsAccount, AwsAccountWords, SsmWay};
use ams::execute::actuator::{Action, Actuator as _, Command, Ending, Order, Program, TargetHost};
use ams::execute::host_program::Places;
use ams::execute::ssm::{SsmCommands, Terms};
use ams::incident::{IncidentId, RunId};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use clap::Parser as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws::{Aws, Played, busiest_seconds};

const TOKYO: &str = "ap-northeast-1";

/// Many commands of many customers at once.
#[derive(clap::Parser)]
struct Options {
    #[arg(long, default_value_t = 100)]
    customers: usize,
    /// Commands of each customer, each on a host of its own
    #[arg(long, default_value_t = 10)]
    each: usize,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// When commands end.
#[derive(Clone, Copy)]
enum Lasting {
    /// Some time between 5 and 35 s.
    Spread,
    /// All of a customer's after 20 s: a restart of everything.
    Together,
}

impl Lasting {
    fn of(self, number: usize) -> Duration {
        match self {
            // 7919 is a prime: neighbours end far from each other.
            Self::Spread => Duration::from_millis(5_000 + (number * 7_919 % 30_000) as u64),
            Self::Together => Duration::from_secs(20),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Spread => "ending between 5 and 35 s",
            Self::Together => "all ending after 20 s",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    for lasting in [Lasting::Spread, Lasting::Together] {
        match measure(&options, lasting).await {
            Ok(told) => say(&told),
            Err(why) => {
                say(&why);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn say(line: &str) {
    let written = writeln!(std::io::stdout(), "{line}");
    debug_assert!(written.is_ok(), "standard output takes lines");
}

fn instance(number: usize) -> String {
    format!("i-{number:017x}")
}

fn account(customer: usize) -> String {
    format!("{:012}", 100_000_000_000_usize + customer)
}

/// The way of one customer to one of its hosts, both as AWS has them.
fn way(aws: &Aws, customer: usize, number: usize, lasting: Lasting) -> Result<SsmWay, String> {
    let (id, external_id) = (account(customer), format!("ams-bench-{customer}"));
    let in_aws = aws.account(&id);
    in_aws.role("Ams").external_id(&external_id);
    in_aws.host(TOKYO, &instance(number)).plays(move |sent| {
        let nonce = sent.comment.split([' ', '-']).nth(1).unwrap_or_default();
        let stdout = format!("AMS-BEGIN {nonce}\nup\n");
        Played { lasts: lasting.of(number), stdout, ..Played::default() }
    });
    let words = AwsAccountWords {
        customer: format!("customer-{customer}"),
        role: format!("arn:aws:iam::{id}:role/Ams"),
        account: id,
        external_id,
        regions: vec![TOKYO.to_owned()],
        session_tags: true,
        output: None,
    };
    let account = AwsAccount::new(words).map_err(|unfit| format!("{unfit:?}"))?;
    let way = SsmWay::new(Arc::new(account), ("host", &instance(number)), TOKYO, None);
    way.map_err(|unfit| format!("{unfit:?}"))
}

fn order(number: usize, way: SsmWay) -> Result<Order, String> {
    let incident = format!("PB{number:05}");
    let incident = IncidentId::parse(&incident).ok_or("no incident id")?;
    Ok(Order {
        run: RunId { incident, number: 1 },
        step: 0,
        entry: None,
        nonce: format!("{number:032x}"),
        attempt: Some(1),
        announced_at: None,
        permission: None,
        action: Action::Command(Command {
            program: Program::Script("systemctl restart httpd".to_owned()),
            env: BTreeMap::new(),
        }),
        host: Some(TargetHost { name: "host".to_owned(), reach: Reach::Ssm(Arc::new(way)) }),
        timeout: Duration::from_mins(2),
    })
}

async fn runner(aws: &Aws) -> SsmCommands {
    let settings = Settings { region: TOKYO.to_owned(), endpoint: Some(aws.url().to_owned()) };
    let keys = aws.runner();
    let credentials = Credentials::new(keys.id, keys.secret, keys.token, None, "bench");
    let credentials = SharedCredentialsProvider::new(credentials);
    let client = Client::connect_as(&settings, credentials).await;
    SsmCommands::new(
        std::env::temp_dir(),
        (Some(client), reqwest::Client::new()),
        Places::default(),
        Arc::new(SystemClock),
        Terms::default(),
    )
}

async fn measure(options: &Options, lasting: Lasting) -> Result<String, String> {
    let aws = Aws::start().await;
    let commands = Arc::new(runner(&aws).await);
    let mut running = JoinSet::new();
    let begun = Instant::now();
    for number in 0..options.customers * options.each {
        let way = way(&aws, number / options.each, number, lasting)?;
        let (order, commands) = (order(number, way)?, Arc::clone(&commands));
        running.spawn(async move {
            let seen = commands.act(&order, &CancellationToken::new()).await;
            (order.nonce, seen.ending, Instant::now())
        });
    }
    let mut known = BTreeMap::new();
    while let Some(one) = running.join_next().await {
        let (nonce, ending, at) = one.map_err(|error| error.to_string())?;
        if ending != Ending::Exited(0) {
            return Err(format!("a command did not end as it should: {ending:?}"));
        }
        known.insert(nonce, at);
    }
    Ok(told(options, lasting, &aws, &known, begun.elapsed()))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn told(
    options: &Options,
    lasting: Lasting,
    aws: &Aws,
    known: &BTreeMap<String, Instant>,
    took: Duration,
) -> String {
    let late = aws.commands().into_iter().filter_map(|sent| {
        let nonce = sent.comment.split([' ', '-']).nth(1)?;
        Some(known.get(nonce)?.duration_since(sent.ended?))
    });
    let mut late: Vec<Duration> = late.collect();
    late.sort();
    let at = |share: usize| late[(late.len() * share / 100).min(late.len() - 1)].as_secs_f64();
    let requests = aws.requests();
    let of = |wanted: &dyn Fn(&str) -> bool| {
        requests.iter().filter(|it| it.service == "ssm" && wanted(&it.action)).collect::<Vec<_>>()
    };
    let most = |asked: Vec<&aws::Asked>| busiest_seconds(asked).into_values().max().unwrap_or(0);
    let (reads, sends) = (of(&|it| it != "SendCommand"), of(&|it| it == "SendCommand"));
    let per_command = reads.len() as f64 / late.len() as f64;
    let per_account = reads.len() as f64 / options.customers as f64 / took.as_secs_f64();
    format!(
        "{} commands of {} customers, {}: known after p50 {:.2} s, p99 {:.2} s, max {:.2} s; \
         reads {per_command:.1} per command, {per_account:.2}/s per account, {} in an account's busiest \
         second; sends {} in its busiest; AssumeRole {}; {:.0} s in all",
        late.len(),
        options.customers,
        lasting.words(),
        at(50),
        at(99),
        at(100),
        most(reads),
        most(sends),
        requests.iter().filter(|it| it.action == "AssumeRole").count(),
        took.as_secs_f64(),
    )
}
