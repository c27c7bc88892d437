//! One incident for each way AMS acts, from webhook to outcome, written down as it happened
//! (docs/recorded-session.md). Whatever changes there is seen in review.

// This machine, and requests from it.
mod near;
// Servers of customers by SSH.
mod by_ssh;
// And by their agents.
mod by_ssm;
// And their accounts.
mod by_aws;

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::Kind;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::post;
use regex::Regex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::first_response::explain;
use crate::harness::world::{PATIENCE, World};

const BEGIN: &str = "<!-- recorded -->\n";

/// Set to write the page in place of comparing it.
const REFRESH: &str = "AMS_UPDATE_REFERENCE";

/// A web server that is down, on whatever host.
const WEB_SERVICE: &str = "\
scenario: web-service-down
about: The web server is started again, where its configuration is in order
match:
  all: [httpd, down]
  pattern: '(?<host>web\\d+)'
  captures: {host: hostname}
deadline: 2m
parameters:
  web_service: {type: word}
target: '{{ capture.host }}'
steps:
  - check:
      name: Is it running
      run: test -e \"$HOME/$SERVICE.running\"
      env: {SERVICE: \"{{ parameters.web_service }}\"}
      when_healthy: resolve
  - gather: {name: Last lines of its log, run: 'cat \"$HOME/error.log\"'}
  - recover:
      name: Start it
      run: touch \"$HOME/$SERVICE.running\" && echo \"$SERVICE\" >> \"$HOME/started\"
      env: {SERVICE: \"{{ parameters.web_service }}\"}
      effect: once
  - verify:
      name: Is it running again
      run: test -e \"$HOME/$SERVICE.running\"
      env: {SERVICE: \"{{ parameters.web_service }}\"}
";

/// What is told of one incident.
struct Chapter {
    heading: &'static str,
    about: &'static str,
    customer: String,
    scenario: String,
    /// As it came to a receiver of our own.
    webhook: Value,
    timeline: String,
    account: String,
    /// What the world looked like afterwards, outside of AMS.
    left: String,
}

#[tokio::test]
async fn one_incident_for_each_way() {
    let chapters = [
        near::command().await,
        near::request().await,
        by_ssh::server().await,
        by_ssm::server().await,
        by_aws::volume().await,
    ];
    let text: String = chapters.iter().map(Chapter::text).collect();
    keep("docs/recorded-session.md", &text);
}

/// Writes a page down, or compares it with what happens now.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "asked for by the person who runs the test")]
pub(crate) fn keep(page: &str, now: &str) {
    let path = format!("{}/{page}", env!("CARGO_MANIFEST_DIR"));
    let written = fs::read_to_string(&path).unwrap();
    let (introduction, recorded) = written.split_once(BEGIN).unwrap();
    if std::env::var(REFRESH).is_ok() {
        fs::write(path, format!("{introduction}{BEGIN}{now}")).unwrap();
        return;
    }
    let first = recorded.lines().zip(now.lines()).position(|(before, after)| before != after);
    let at = first.unwrap_or_else(|| recorded.lines().count().min(now.lines().count()));
    assert!(
        recorded == now,
        "{page} is not what happens now, first here:\n{:#?}\n{:#?}\nrefresh it with\n  \
         {REFRESH}=1 cargo nextest run recorded",
        lines(recorded, at),
        lines(now, at),
    );
}

fn lines(text: &str, at: usize) -> Vec<&str> {
    text.lines().skip(at.saturating_sub(3)).take(8).collect()
}

/// A receiver beside those of the regions, which keeps what PagerDuty sends.
struct Listener {
    url: String,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Listener {
    async fn start() -> Self {
        let bodies = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&bodies);
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert!(headers.contains_key("x-pagerduty-signature"));
            let body = serde_json::from_slice(&body).unwrap();
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            StatusCode::ACCEPTED
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, bodies }
    }

    /// What made a run begin, without what no receiver needs.
    fn triggered(&self) -> Value {
        let bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let event = bodies.iter().map(|it| &it["event"]);
        let event = event.clone().find(|it| it["event_type"] == "incident.triggered").unwrap();
        let data = &event["data"];
        json!({"event": {
            "event_type": event["event_type"],
            "resource_type": event["resource_type"],
            "data": {
                "id": data["id"],
                "type": data["type"],
                "title": data["title"],
                "status": data["status"],
                "urgency": data["urgency"],
                "service": {"id": data["service"]["id"], "summary": data["service"]["summary"]},
            },
        }})
    }
}

/// Lets an incident happen and writes it down.
struct Recorder<'a> {
    world: &'a World,
    listener: Listener,
}

impl<'a> Recorder<'a> {
    async fn of(world: &'a World) -> Self {
        let listener = Listener::start().await;
        world.pagerduty().subscribe(&listener.url);
        Self { world, listener }
    }

    async fn record(self, title: &str, outcome: Outcome) -> Told {
        let Self { world, listener } = self;
        let incident = world.fire(title);
        world.expect(&incident, outcome).await;
        explain::until_told(world, &incident).await;
        assert!(world.pagerduty().deliveries_settled(PATIENCE).await);
        let webhook = masked(&listener.triggered().to_string(), &incident);
        Told {
            webhook: serde_json::from_str(&webhook).unwrap(),
            timeline: masked(&timeline(world, &incident), &incident),
            account: masked(&explain::text(&explain::config(world), &incident, "en"), &incident),
        }
    }
}

struct Told {
    webhook: Value,
    timeline: String,
    account: String,
}

pub(crate) fn timeline(world: &World, incident: &IncidentId) -> String {
    let mut lines = Vec::new();
    for entry in world.pagerduty().timeline(incident) {
        match entry.kind {
            Kind::Note if entry.text.starts_with("note: ") => {
                lines.push(format!("{:<18} note", entry.agent));
                let note = entry.text.trim_start_matches("note: ");
                lines.extend(note.lines().map(|line| format!("    {line}").trim_end().to_owned()));
            }
            _ => lines.push(format!("{:<18} {}", entry.agent, entry.text)),
        }
    }
    lines.join("\n")
}

pub(crate) fn masked(text: &str, incident: &IncidentId) -> String {
    let told = explain::masked(text.to_owned(), incident);
    let patterns = [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:8080"),
        (r"/[^\s'`]*/\.tmp[A-Za-z0-9]+", "/srv/story"),
        (r"\d+(\.\d+)? (?:s|min|ms)\b", "0.0 s"),
        (r"seconds = \d+", "seconds = 0"),
        (r" / (?:tokyo|osaka) / ", " / tokyo / "),
    ];
    patterns.iter().fold(told, |told, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&told, *with).into_owned()
    })
}

impl Chapter {
    fn text(&self) -> String {
        let Self { heading, about, customer, scenario, webhook, timeline, account, left } = self;
        let webhook = serde_json::to_string_pretty(webhook).unwrap();
        format!(
            "\n## {heading}\n\n{about}\n\nThe customer:\n\n```yaml\n{}\n```\n\nThe scenario:\n\n\
             ```yaml\n{}\n```\n\nPagerDuty's webhook, to both regions (the parts that count):\n\n\
             ```json\n{webhook}\n```\n\nWhat people see in PagerDuty:\n\n```text\n{timeline}\n```\n\n\
             `ams explain QINCIDENT`:\n\n```text\n{}\n```\n\n{left}\n",
            customer.trim_end(),
            scenario.trim_end(),
            account.trim_end(),
        )
    }
}
