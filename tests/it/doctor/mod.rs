//! `ams doctor` and `ams pagerduty`, as operators call them: real processes around the stand-in.

// What is wrong on the deployment's own side.
mod deployment;
// Whether people are reached, and which services are anybody's.
mod people;
// `ams pagerduty subscribe` and `subscriptions`.
mod subscribe;
// Which webhooks reach whom.
mod subscriptions;
// Token, user and clock.
mod token;

use std::path::{Path, PathBuf};

use ams::sandbox::pagerduty::{PEOPLE_ONLY, Settings};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

const SCENARIO: &str = "\
scenario: look
about: Looks at the disk
match:
  all: [disk]
steps:
  - check:
      name: Is it full?
      exec: [/bin/false]
      when_healthy: resolve
";

/// Both regions, and a doctor's configuration that knows them.
fn deployment() -> WorldBuilder {
    World::with(SCENARIO).settings(SHORT_LEASE)
}

/// What a call printed, and how it ended.
struct Told {
    text: String,
    code: Option<i32>,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }

    /// The ids of what has to change, or should be considered, in order.
    fn not_fine(&self) -> Vec<String> {
        self.about(|level| level != "fine")
    }

    fn wrong(&self) -> Vec<String> {
        self.about(|level| level == "wrong")
    }

    fn about(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        let json = self.json();
        let checks = json["checks"].as_array().unwrap();
        let meant = checks.iter().filter(|it| is_meant(it["level"].as_str().unwrap()));
        meant.map(|it| it["about"]["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The check of this id.
    fn one(&self, id: &str) -> Value {
        let json = self.json();
        let mut checks = json["checks"].as_array().unwrap().iter();
        checks.find(|it| it["about"]["id"] == id).unwrap_or_else(|| panic!("{}", self.text)).clone()
    }
}

/// A line for every region, with its address.
fn regions(world: &World) -> String {
    let of = |region: &ams::sandbox::cluster::RegionProcess| {
        format!("  - {{name: {}, url: 'http://{}'}}\n", region.name, region.address)
    };
    format!("regions:\n{}", world.cluster.regions.iter().map(of).collect::<String>())
}

/// The first region's configuration with more lines.
fn config(world: &World, more: &str) -> PathBuf {
    let text = std::fs::read_to_string(&world.cluster.regions[0].config).unwrap();
    let text =
        text.replace("pagerduty:\n", &format!("pagerduty:\n  fallback_policy: {PEOPLE_ONLY}\n"));
    let path = world.path("cluster/doctor.yaml");
    let last_resort = "last_resort: {events: {routing_key: 'env:AMS_PAGERDUTY_TOKEN'}}\n";
    std::fs::write(&path, format!("{text}\n{last_resort}{more}")).unwrap();
    path
}

async fn ams(config: &Path, words: &[&str]) -> Told {
    ams_with(config, words, &[]).await
}

/// With the secrets that the stand-in has, unless other ones are given.
async fn ams_with(config: &Path, words: &[&str], environment: &[(&str, &str)]) -> Told {
    let settings = Settings::default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command.args(words).arg("--config").arg(config).kill_on_drop(true);
    command.env("AMS_PAGERDUTY_TOKEN", &settings.token);
    command.env("AMS_WEBHOOK_SECRET", &settings.webhook_secret);
    command.envs(environment.iter().copied());
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    Told { text: String::from_utf8(said).unwrap(), code: output.status.code() }
}

async fn doctor(world: &World, more: &str) -> Told {
    doctor_with(world, more, &[]).await
}

async fn doctor_with(world: &World, more: &str, words: &[&str]) -> Told {
    let config = config(world, &format!("{}{more}", regions(world)));
    ams(&config, &[&["doctor", "--format", "json"], words].concat()).await
}

/// `12 ms` is another every time.
fn without_times(text: &str) -> String {
    let mut parts = text.split(" ms").peekable();
    let mut out = String::new();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        out.push_str(if is_last {
            part
        } else {
            part.trim_end_matches(|c: char| c.is_ascii_digit())
        });
        out.push_str(if is_last { "" } else { "N ms" });
    }
    out
}

#[tokio::test]
async fn a_healthy_deployment_has_nothing_to_change_and_is_told_in_both_languages() {
    let world = deployment().start().await;
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(0), vec![]), "{}", told.text);
    assert_eq!(told.json()["ok"], true);
    // That people's acknowledgements last for ever is theirs to decide.
    assert_eq!(told.not_fine(), ["acknowledged-for-ever"], "{}", told.text);
    let strict = doctor_with(&world, "", &["--strict"]).await;
    assert_eq!(strict.code, Some(1));

    for lang in ["ja", "en"] {
        let path = config(&world, &regions(&world));
        let told = ams_with(&path, &["doctor"], &[("AMS_LANG", lang)]).await;
        assert_eq!(told.code, Some(0), "{}", told.text);
        let text = told.text.replace(&world.path("").display().to_string(), "/FOLDER/");
        insta::assert_snapshot!(format!("healthy_{lang}"), without_times(&text));
    }
    world.end().await;
}
