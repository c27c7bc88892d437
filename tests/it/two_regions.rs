//! Two regions as two processes around one DynamoDB, each with its own way to it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::dynamodb::{DynamoDbClaims, Settings as Table};
use ams::clock::SystemClock;
use ams::incident::{IncidentId, Outcome};
use ams::sandbox::judge::{await_outcome, repeated_notes};
use ams::sandbox::pagerduty::{NewIncident, Settings, StandIn};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::fault_proxy::{Cut, FaultProxy};
use super::harness::engine::{self, Engine, KEYS, REGION};
use super::harness::wait;

const SCENARIO: &str = "\
scenario: web
about: Two looks with a change in between
match:
  all: [web, down]
steps:
  - check:
      name: Is it up?
      exec: [/bin/false]
      when_healthy: resolve
  - recover:
      name: Start it
      exec: [/bin/true]
      effect: once
  - verify:
      name: Is it up now?
      exec: [/bin/true]
  - resolve: It is up again
";

const PATIENCE: Duration = Duration::from_secs(40);

/// One `ams serve`. Killed when dropped.
struct Region {
    url: String,
    log: PathBuf,
    _process: Child,
}

struct World {
    engine: Engine,
    pagerduty: StandIn,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
        let client = engine::client(engine.url());
        engine::create_claims(&client, "claims").await;
        engine::create_history(&client, "history").await;
        let settings = Settings { retry_every: Duration::from_millis(200), ..Settings::default() };
        let pagerduty = StandIn::start(settings, Arc::new(SystemClock)).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("scenarios")).unwrap();
        std::fs::write(folder.path().join("scenarios/web.yaml"), SCENARIO).unwrap();
        Self { engine, pagerduty, folder }
    }

    /// A region whose way to the tables leads through `store`.
    fn serve(&self, name: &str, store: &str) -> (Command, PathBuf) {
        let config = self.folder.path().join(format!("{name}.yaml"));
        let text = format!(
            "region: {name}\nlisten: 127.0.0.1:0\nscenarios: scenarios\nevidence: evidence\n\
             lang: en\nstore:\n  dynamodb: {{table: claims, history_table: history, \
             region: {REGION}, endpoint: '{store}', single_region: true}}\n\
             pagerduty: {{url: {}, from: {}, bot_user: {}, requests_per_minute: 1000000}}\n",
            self.pagerduty.url(),
            Settings::default().bot_email,
            ams::sandbox::pagerduty::BOT,
        );
        std::fs::write(&config, text).unwrap();
        let settings = Settings::default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
        command.arg("serve").arg("--config").arg(config).kill_on_drop(true);
        command.env("AMS_PAGERDUTY_TOKEN", &settings.token);
        command.env("AMS_WEBHOOK_SECRET", &settings.webhook_secret);
        (command, self.folder.path().join(format!("{name}.log")))
    }

    async fn start(&self, name: &str, store: &str) -> Region {
        let (mut command, log) = self.serve(name, store);
        let errors = std::fs::File::create(&log).unwrap();
        let mut process = command.envs(KEYS).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = lines.next_line().await.unwrap();
        let said = said.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap()));
        let address = said.rsplit("http://").next().unwrap();
        let url = format!("http://{address}");
        wait::for_status(&format!("{url}/readyz"), 200).await;
        self.pagerduty.subscribe(&format!("{url}/webhooks/pagerduty"));
        Region { url, log, _process: process }
    }

    async fn ams(&self, region: &str, words: &[&str]) -> (String, Option<i32>) {
        let config = self.folder.path().join(format!("{region}.yaml"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
        command.args(words).arg("--config").arg(config).envs(KEYS).kill_on_drop(true);
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8(said).unwrap(), output.status.code())
    }

    async fn claims(&self) -> DynamoDbClaims {
        let (table, region) = ("claims".to_owned(), REGION.to_owned());
        let settings = Table { table, region, single_region: true };
        let client = engine::client(self.engine.url());
        DynamoDbClaims::open(client, &settings, Arc::new(SystemClock)).await.unwrap()
    }

    fn fire(&self) -> IncidentId {
        self.pagerduty.trigger(NewIncident::titled("web is down")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_incident_is_carried_out_once_also_when_one_region_is_cut_off() {
    let world = World::new().await;
    let ways = [
        FaultProxy::start(world.engine.url(), 1).await.unwrap(),
        FaultProxy::start(world.engine.url(), 2).await.unwrap(),
    ];
    let tokyo = world.start("tokyo", ways[0].url()).await;
    let osaka = world.start("osaka", ways[1].url()).await;
    let logs = || [&tokyo, &osaka].map(|it| std::fs::read_to_string(&it.log).unwrap_or_default());
    let claims = world.claims().await;

    let first = world.fire();
    let run = await_outcome(&claims, &first, PATIENCE).await;
    let run = run.unwrap_or_else(|| panic!("no outcome: {:#?}", logs()));
    assert_eq!((run.outcome, run.epoch), (Some(Outcome::Resolved), 1), "{:#?}", logs());

    ways[0].cut(Some(Cut::Closed));
    wait::for_status(&format!("{}/readyz", tokyo.url), 503).await;
    let second = world.fire();
    let run = await_outcome(&claims, &second, PATIENCE).await;
    let run = run.unwrap_or_else(|| panic!("no outcome: {:#?}", logs()));
    assert_eq!(run.outcome, Some(Outcome::Resolved), "{:#?}", logs());
    assert!(run.owner.as_str().starts_with("osaka-"), "{}", run.owner);

    ways[0].cut(None);
    wait::for_status(&format!("{}/readyz", tokyo.url), 200).await;
    // What tokyo could not take is delivered to it again, and is nothing to do any more.
    assert!(world.pagerduty.deliveries_settled(PATIENCE).await, "{:#?}", logs());
    for id in [first, second] {
        let run = claims.read(&id).await.unwrap().unwrap().run;
        let problems = repeated_notes(&world.pagerduty.incident(&id).unwrap(), &run, false);
        assert!(problems.is_empty(), "{problems:?}");
    }
}

/// Whoever pulls the kill switch is told where it holds, and it holds where nobody can be told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_is_in_force_in_both_regions_and_in_one_that_cannot_hear_of_it() {
    let world = World::new().await;
    let ways = [
        FaultProxy::start(world.engine.url(), 1).await.unwrap(),
        FaultProxy::start(world.engine.url(), 2).await.unwrap(),
    ];
    let tokyo = world.start("tokyo", ways[0].url()).await;
    let osaka = world.start("osaka", ways[1].url()).await;
    let claims = world.claims().await;
    let outcome = async |incident: &IncidentId| {
        let run = await_outcome(&claims, incident, PATIENCE).await;
        let logs = [&tokyo, &osaka].map(|it| std::fs::read_to_string(&it.log).unwrap_or_default());
        run.and_then(|run| run.outcome).unwrap_or_else(|| panic!("no outcome: {logs:#?}"))
    };
    let pause = ["pause", "--all", "--reason", "wrong restarts", "--by", "ann"];
    let (said, code) = world.ams("osaka", &pause).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("in force after").count(), 2, "{said}");
    let paused = world.fire();
    assert_eq!(outcome(&paused).await, Outcome::HandedOff);
    let note = world.pagerduty.incident(&paused).unwrap().notes.pop().unwrap().content;
    assert!(note.contains("AMS is paused (everything): wrong restarts (ann)"), "{note}");
    let (said, code) = world.ams("osaka", &["resume", "--all"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(outcome(&world.fire()).await, Outcome::Resolved);

    // Tokyo hears nothing any more, and stops by itself before the pause is told to be in force.
    ways[0].cut(Some(Cut::Closed));
    let (said, code) = world.ams("osaka", &pause).await;
    assert_eq!(code, Some(0), "{said}");
    let line = |region: &str| said.lines().find(|line| line.contains(region)).unwrap();
    assert!(line("tokyo-").contains("shows no life"), "{said}");
    assert!(line("osaka-").contains("in force after"), "{said}");
    assert_eq!(outcome(&world.fire()).await, Outcome::HandedOff);
    ways[0].cut(None);
    wait::for_status(&format!("{}/readyz", tokyo.url), 200).await;
    assert!(world.pagerduty.deliveries_settled(PATIENCE).await);
}

#[tokio::test]
async fn a_process_without_credentials_says_so_and_does_not_start() {
    let world = World::new().await;
    let (mut command, _) = world.serve("tokyo", world.engine.url());
    // No metadata service either, as on a machine outside AWS.
    command.env_clear().envs([("AMS_WEBHOOK_SECRET", "hook"), ("AMS_PAGERDUTY_TOKEN", "pd")]);
    let output = command.env("AWS_EC2_METADATA_DISABLED", "true").output().await.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in ["no credentials found", "and whether this process has AWS credentials"] {
        assert!(told.contains(part), "'{part}' is not in: {told}");
    }
}
