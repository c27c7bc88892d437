//! Deliveries as PagerDuty documents them and as they were seen in the field. They are not part of
//! this repository (their licence does not allow that), so this needs `AMS_SHARED`.

use std::fs;
use std::path::{Path, PathBuf};

use ams::claim::protocol::Opening;
use ams::receive::pagerduty::parse;
use ams::receive::{Event, Ignored};
use reqwest::StatusCode;
use serde_json::Value;

use super::{BOT, Door};
use crate::harness::openapi::shared_dir;

/// What each file means to AMS.
const MEANINGS: [(&str, &str); 35] = [
    ("webhooks/incident.acknowledged", "Acknowledged by the agent"),
    ("webhooks/incident.annotated", "OrdinaryNote"),
    // Its escalation timeout did that: people are called, and nobody has taken it yet.
    ("webhooks/incident.escalated", "NotActedOn"),
    ("webhooks/incident.priority_updated", "NotActedOn"),
    ("webhooks/incident.reassigned", "Reassigned by the agent"),
    ("webhooks/incident.reopened", "reopened"),
    ("webhooks/incident.resolved", "ResolvedByPerson by the agent"),
    ("webhooks/incident.triggered", "triggered"),
    ("webhooks/incident.unacknowledged", "NotActedOn"),
    ("webhooks/pagey.ping", "Ping"),
    ("webhooks-field/docs-incident.action_invocation.created", "NotActedOn"),
    ("webhooks-field/docs-incident.conference_bridge.updated", "NotActedOn"),
    ("webhooks-field/docs-incident.custom_field_values.updated", "NotActedOn"),
    ("webhooks-field/docs-incident.role.assigned", "NotActedOn"),
    ("webhooks-field/docs-incident.task.updated", "NotActedOn"),
    ("webhooks-field/legacy-v2-incident.trigger", "malformed: it has no event_type"),
    ("webhooks-field/real-acknowledged", "Acknowledged by the agent"),
    ("webhooks-field/real-annotated-resolution-note", "OrdinaryNote"),
    ("webhooks-field/real-pagey-ping", "Ping"),
    ("webhooks-field/real-priority-updated-2021-integer-bridge", "NotActedOn"),
    ("webhooks-field/real-resolved", "ResolvedByPerson by the agent"),
    ("webhooks-field/real-triggered", "triggered"),
    ("webhooks-field/real-triggered-cloudwatch-null-agent", "triggered"),
    ("webhooks-field/real-triggered-events-api-client", "triggered"),
    ("webhooks-field/real-triggered-null-agent-with-client", "triggered"),
    ("webhooks-field/zulip-2021-reassigned", "Reassigned by the agent"),
    ("webhooks-field/zulip-2021-triggered-no-key-no-created-at", "triggered"),
    ("webhooks-field/zulip-2021-unsupported-event-type", "NotActedOn"),
    ("webhooks-field/zulip-2026-delegated", "Reassigned by the agent"),
    ("webhooks-field/zulip-2026-escalated", "Reassigned by the agent"),
    ("webhooks-field/zulip-2026-reopened", "reopened"),
    ("webhooks-field/zulip-2026-responder-added", "NotActedOn"),
    ("webhooks-field/zulip-2026-status-update", "NotActedOn"),
    ("webhooks-field/zulip-2026-workflow-completed-null-agent", "NotActedOn"),
    ("webhooks-field/zulip-service-deleted-no-client", "NotActedOn"),
];

struct Sample {
    name: String,
    body: Vec<u8>,
    json: Value,
}

impl Sample {
    /// Its meaning to AMS in words, checked to speak of the sample's own incident.
    fn meaning(&self, bot: &str) -> String {
        let delivery = match parse(&self.body, bot) {
            Ok(delivery) => delivery,
            Err(malformed) => return format!("malformed: {malformed}"),
        };
        let event = &self.json["event"];
        let data = &event["data"];
        assert_eq!(delivery.event_id, event["id"].as_str().unwrap(), "{}", self.name);
        match delivery.event {
            Event::Answered { approved, .. } => format!("answered {approved}"),
            Event::Ignored(why) => format!("{why:?}"),
            Event::TakenFromUs { incident, reason, by, .. } => {
                assert_eq!(incident.as_str(), data["id"], "{}", self.name);
                assert_eq!(by.as_deref(), event["agent"]["id"].as_str(), "{}", self.name);
                format!("{reason:?} by {}", if by.is_some() { "the agent" } else { "nobody" })
            }
            Event::Opened { incident, opening } => {
                assert_eq!(incident.id.as_str(), data["id"], "{}", self.name);
                assert_eq!(incident.title, data["title"], "{}", self.name);
                assert_eq!(incident.number, data["number"].as_u64(), "{}", self.name);
                assert_eq!(incident.status.word(), data["status"], "{}", self.name);
                assert_eq!(incident.urgency.word(), data["urgency"], "{}", self.name);
                let at: jiff::Timestamp = event["occurred_at"].as_str().unwrap().parse().unwrap();
                assert_eq!(incident.seen_at, at, "{}", self.name);
                match opening {
                    Opening::Triggered => "triggered".to_owned(),
                    Opening::Reopened { at } => {
                        assert_eq!(at, data["reopened_at"], "{}", self.name);
                        "reopened".to_owned()
                    }
                }
            }
        }
    }

    fn agent(&self) -> Option<&str> {
        self.json["event"]["agent"]["id"].as_str()
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever reads a test's output should see that it tested nothing"
)]
fn samples() -> Vec<Sample> {
    let root = shared_dir().join("pagerduty");
    let files: Vec<PathBuf> = ["webhooks", "webhooks-field"]
        .into_iter()
        .filter_map(|folder| fs::read_dir(root.join(folder)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    if files.is_empty() {
        println!("skipped: there are no webhooks in {}", root.display());
    }
    let mut samples: Vec<Sample> = files.iter().map(|path| read(&root, path)).collect();
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    samples
}

fn read(root: &Path, path: &Path) -> Sample {
    let body = fs::read(path).unwrap();
    let json = serde_json::from_slice(&body).unwrap();
    let name = path.strip_prefix(root).unwrap().with_extension("").display().to_string();
    Sample { name, body, json }
}

#[tokio::test]
async fn every_known_delivery_is_accepted() {
    let door = Door::open().await;
    for sample in samples() {
        let (status, answer) = door.deliver_signed(sample.body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{}: {answer}", sample.name);
    }
}

#[test]
fn every_known_delivery_means_what_people_would_say() {
    let samples = samples();
    if samples.is_empty() {
        return;
    }
    let found: Vec<(&str, String)> =
        samples.iter().map(|sample| (sample.name.as_str(), sample.meaning(BOT))).collect();
    let mut expected: Vec<(&str, String)> =
        MEANINGS.iter().map(|(name, meaning)| (*name, (*meaning).to_owned())).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_same_deliveries_made_by_ams_itself_stop_nothing() {
    for sample in samples() {
        let Some(agent) = sample.agent() else { continue };
        let meaning = sample.meaning(agent);
        let harmless = ["triggered", "reopened", "Ping"].contains(&meaning.as_str());
        assert!(harmless || meaning == format!("{:?}", Ignored::OurOwn), "{}", sample.name);
    }
}
