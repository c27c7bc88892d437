//! Secrets are exchanged where they are kept, and AMS goes on.

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use ams::clock::SystemClock;
use ams::incident::Outcome;
use ams::receive::signature::sign;
use ams::sandbox::pagerduty::{BOT, Settings, StandIn};
use serde_json::json;

use crate::aws::{Account, Aws};
use crate::harness::wait;
use crate::harness::world::{PATIENCE, World, WorldBuilder};

const TOKYO: &str = "ap-northeast-1";
const WEBHOOK: &str = "ams/webhook";
const TOKEN: &str = "/ams/pagerduty";

const LOOK: &str = "\
scenario: web-down
about: 稼働の確認
match: {all: [web, down]}
steps:
  - check: {name: 稼働確認, run: 'true', when_healthy: resolve}
";

/// A region whose secrets are kept at AWS.
fn kept_at_aws(aws: &Aws) -> (WorldBuilder, Account) {
    let home = aws.home();
    home.secret(TOKYO, WEBHOOK, "sandbox-webhook-secret\n");
    home.parameter(TOKYO, TOKEN, "sandbox-token");
    let world = World::with(LOOK)
        .settings(&format!("webhook: {{secrets: ['secretsmanager:{WEBHOOK}']}}\n"))
        .settings("secrets_every: 1s\n")
        .environment("AMS_WEBHOOK_SECRET", "not-looked-at")
        .in_tokyo(aws);
    (world, home)
}

/// What a receiver answers to a webhook that is signed so.
async fn knock(url: &str, secret: &str) -> u16 {
    let event = json!({"event": {
        "id": "01PING", "event_type": "pagey.ping", "resource_type": "pagey",
        "occurred_at": "2026-11-22T00:00:00.000Z", "agent": null, "client": null,
        "data": {"type": "ping", "message": "Hello"},
    }})
    .to_string();
    let signature = sign(event.as_bytes(), secret);
    let request = reqwest::Client::new().post(url).header("x-pagerduty-signature", signature);
    request.body(event).send().await.unwrap().status().as_u16()
}

async fn until_answered(url: &str, secret: &str, status: u16) {
    let wait = Duration::from_millis(50);
    let answered = async {
        while knock(url, secret).await != status {
            tokio::time::sleep(wait).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("another answer in the end");
}

#[tokio::test]
async fn a_webhook_secret_is_exchanged_while_ams_runs() {
    let aws = Aws::start().await;
    let (world, home) = kept_at_aws(&aws);
    let world = world.start().await;
    let region = &world.cluster.regions[0];
    let (url, metrics) = (region.webhook_url(), region.url("/metrics"));
    let (old, new) = ("sandbox-webhook-secret", "the-next-secret-of-the-subscription");
    assert_eq!((knock(&url, old).await, knock(&url, new).await), (202, 401));
    // Both are valid while PagerDuty still signs with the old one.
    home.secret(TOKYO, WEBHOOK, &format!("{old}\n{new}\n"));
    until_answered(&url, new, 202).await;
    let incident = world.fire("web down");
    world.expect(&incident, Outcome::RecoveredItself).await;
    home.secret(TOKYO, WEBHOOK, new);
    until_answered(&url, old, 401).await;
    assert_eq!(knock(&url, new).await, 202);
    // What is no secret does not take the place of one.
    home.secret(TOKYO, WEBHOOK, " \n");
    wait::for_text(&metrics, "ams_secret_failures_total 1").await;
    assert_eq!(knock(&url, new).await, 202);
    world.end().await;
}

#[tokio::test]
async fn a_secret_in_a_file_is_exchanged_too_and_half_a_secret_is_not() {
    let (old, new) = ("sandbox-webhook-secret", "the-next-secret-of-the-subscription");
    let world = World::with(LOOK)
        .secret("webhook", old)
        .settings("webhook: {secrets: ['file:../webhook']}\nsecrets_every: 1s\n")
        .start()
        .await;
    let region = &world.cluster.regions[0];
    let (url, metrics) = (region.webhook_url(), region.url("/metrics"));
    assert_eq!(knock(&url, old).await, 202);
    // Somebody writes it without an end, each time something else.
    let path = world.path("webhook");
    let writer = tokio::spawn(async move {
        for number in 0.. {
            tokio::fs::write(&path, format!("half-of-a-secret-{number}")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    wait::for_text(&metrics, "ams_secret_failures_total 1").await;
    writer.abort();
    assert!(writer.await.is_err());
    assert_eq!(knock(&url, old).await, 202);
    world.write("webhook", new);
    until_answered(&url, new, 202).await;
    assert_eq!(knock(&url, old).await, 401);
    world.end().await;
}

/// A command with a configuration whose token is kept at AWS.
async fn subscriptions(aws: &Aws, token: &str) -> Output {
    let pagerduty = StandIn::start(Settings::default(), Arc::new(SystemClock)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ams.yaml");
    let text = format!(
        "lang: en\naws: {{region: {TOKYO}, endpoint: \"{}\"}}\npagerduty: {{url: \"{}\", token: '{token}', \
         from: {}, bot_user: {BOT}}}\n",
        aws.url(),
        pagerduty.url(),
        Settings::default().bot_email,
    );
    std::fs::write(&config, text).unwrap();
    let keys = aws.runner();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command
        .args(["pagerduty", "subscriptions", "--config"])
        .arg(&config)
        .env("AWS_ACCESS_KEY_ID", &keys.id)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    pagerduty.stop().await;
    output
}

#[tokio::test]
async fn a_command_fetches_the_token_from_where_it_is_kept() {
    let aws = Aws::start().await;
    let home = aws.home();
    let token = Settings::default().token;
    home.parameter(TOKYO, TOKEN, &token);
    home.secret(TOKYO, "ams", &json!({ "pagerduty": token }).to_string());
    for kept in ["parameter:/ams/pagerduty", "secretsmanager:ams#pagerduty"] {
        let output = subscriptions(&aws, kept).await;
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && told.contains("there are no subscriptions"), "{told}");
    }
    for (kept, why) in [
        ("parameter:/ams/other", "ParameterNotFound"),
        ("secretsmanager:ams#slack", "it has no text in the field slack"),
    ] {
        let output = subscriptions(&aws, kept).await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            told.contains("'pagerduty.token' cannot be fetched") && told.contains(why),
            "{told}"
        );
    }
}
