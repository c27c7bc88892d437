//! What steps ask PagerDuty: the incident's alerts, other open incidents.

use std::sync::Arc;
use std::time::Duration;

use ams::customer::belongs::{Belongs, Neighbours};
use ams::execute::actuator::{Action, Actuator as _, Ending, Order};
use ams::incident::{IncidentId, RunId};
use ams::report::questions::PlatformQuestions;
use ams::scenario::model::Question;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::server::{Reply, Server, code, json};

fn order(question: Question, services: &[&str]) -> Order {
    let services = services.iter().map(|it| (*it).to_owned()).collect();
    let belongs = Belongs { services, title: None };
    Order {
        run: RunId { incident: IncidentId::parse("Q1").unwrap(), number: 1 },
        step: 0,
        entry: None,
        nonce: "00ff".to_owned(),
        attempt: None,
        announced_at: None,
        permission: None,
        action: Action::Ask { question, neighbours: Neighbours { belongs, service: None } },
        host: None,
        timeout: Duration::from_secs(20),
    }
}

async fn ask(server: &Server, question: Question, services: &[&str]) -> (Ending, Value) {
    let questions = PlatformQuestions(Arc::new(server.client()));
    let seen = questions.act(&order(question, services), &CancellationToken::new()).await;
    (seen.ending, serde_json::from_str(&seen.stdout.head).unwrap_or(Value::Null))
}

fn alerts(bodies: &[Value]) -> Reply {
    let alerts: Vec<Value> = bodies
        .iter()
        .map(|body| json!({ "id": "A", "summary": "down", "severity": "critical", "body": body }))
        .collect();
    json(200, &json!({ "alerts": alerts, "more": false }))
}

/// Monitoring tools put the host wherever they like.
#[tokio::test]
async fn the_details_of_alerts_are_found_wherever_they_stand() {
    let server = Server::start().await;
    server.on(
        "GET /incidents/Q1/alerts",
        [alerts(&[
            json!({ "details": { "host": "web01" } }),
            json!({ "details": "{\"host\": \"web02\"}" }),
            json!({ "cef_details": { "source_component": "web03", "details": { "host": "web03" } } }),
            json!({ "details": "a sentence" }),
            Value::Null,
        ])],
    );
    let (ending, answer) = ask(&server, Question::Alerts, &[]).await;
    assert_eq!(ending, Ending::Exited(0));
    let hosts: Vec<&Value> =
        answer.as_array().unwrap().iter().map(|alert| &alert["details"]["host"]).collect();
    assert_eq!(
        hosts,
        [&json!("web01"), &json!("web02"), &json!("web03"), &json!(null), &json!(null)]
    );
    assert_eq!(answer[0]["severity"], "critical");
    assert_eq!(answer[2]["source"], "web03");
}

#[tokio::test]
async fn other_incidents_are_those_of_the_same_customer() {
    let incident = |id: &str, title: &str, service: &str| json!({ "id": id, "title": title, "service": { "id": service, "summary": service } });
    let server = Server::start().await;
    let page = |more: bool, incidents: &[Value]| {
        json(200, &json!({ "incidents": incidents, "more": more }))
    };
    server.on(
        "GET /incidents",
        [
            page(
                true,
                &[
                    incident("Q1", "Host clock not synchronising (db01)", "S1"),
                    incident("Q2", "[AMS 対応中] Ｈｏｓｔ clock not synchronising (db02)", "S1"),
                    incident("Q3", "Host clock not synchronising (other)", "S9"),
                ],
            ),
            page(false, &[incident("Q4", "CPU is high", "S1")]),
        ],
    );
    let question = Question::OpenIncidents { all: vec!["host clock".to_owned()] };
    let (ending, answer) = ask(&server, question, &["S1"]).await;
    assert_eq!(ending, Ending::Exited(0));
    assert_eq!(answer["count"], 1, "not its own, not another customer's, not another matter");
    assert_eq!(answer["titles"][0], "Ｈｏｓｔ clock not synchronising (db02)");
}

#[tokio::test]
async fn a_question_without_an_answer_is_unclear() {
    let server = Server::start().await;
    server.on("GET /incidents/Q1/alerts", [code(404, 2100)]);
    let (ending, _) = ask(&server, Question::Alerts, &[]).await;
    assert!(matches!(ending, Ending::NotStarted { .. }), "{ending:?}");
}
