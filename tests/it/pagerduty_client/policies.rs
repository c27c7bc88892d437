//! The levels of an escalation policy, with the people behind them.

use ams::report::IncidentPlatform as _;
use serde_json::{Value, json};

use super::server::{Reply, Server, code, json};

const POLICY: &str = "GET /escalation_policies/E1";
const ON_CALLS: &str = "GET /oncalls";

fn policy() -> Reply {
    let target = |id: &str, kind: &str| json!({ "id": id, "type": kind });
    json(
        200,
        &json!({ "escalation_policy": { "id": "E1", "name": "Night", "escalation_rules": [
            { "targets": [target("U1", "user_reference"), target("S1", "schedule_reference")] },
            { "targets": [target("S2", "schedule_reference")] },
            { "targets": [target("U3", "user_reference")] } ] } }),
    )
}

fn on_calls(entries: &[(Value, &str)], more: bool) -> Reply {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(level, user)| json!({ "escalation_level": level, "user": { "id": user } }))
        .collect();
    json(200, &json!({ "oncalls": entries, "more": more }))
}

#[tokio::test]
async fn the_levels_of_a_policy_name_who_is_on_call() {
    let server = Server::start().await;
    server.on(POLICY, [policy()]);
    server.on(
        ON_CALLS,
        [
            on_calls(
                &[(json!(1), "U1"), (json!(2), "U2"), (json!(1), "U1"), (json!(9), "U9")],
                true,
            ),
            on_calls(&[(json!("1"), "U4"), (json!(null), "U5"), (json!(0), "U6")], false),
        ],
    );
    let policy = server.client().escalation_policy("E1").await.unwrap();
    assert_eq!((policy.id.as_str(), policy.name.as_str()), ("E1", "Night"));
    assert_eq!(policy.levels, [vec!["U1", "U4"], vec!["U2"], vec![]]);
    let queries: Vec<String> = server.seen().into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries[1], "escalation_policy_ids%5B%5D=E1&limit=100&offset=0");
    assert_eq!(queries[2], "escalation_policy_ids%5B%5D=E1&limit=100&offset=100");
}

#[tokio::test]
async fn without_on_calls_the_users_of_the_policy_are_taken() {
    let server = Server::start().await;
    for http in [402, 403, 404] {
        server.on(POLICY, [policy()]).on(ON_CALLS, [code(http, 2010)]);
        let policy = server.client().escalation_policy("E1").await.unwrap();
        assert_eq!(policy.levels, [vec!["U1"], vec![], vec!["U3"]]);
    }
    server.on(POLICY, [code(404, 2100)]);
    let error = server.client().escalation_policy("E1").await.unwrap_err();
    assert_eq!(error.to_string(), "PagerDuty does not know escalation policy \"E1\" (404)");
}

#[tokio::test]
async fn runs_that_page_at_the_same_time_ask_for_a_policy_once() {
    let server = Server::start().await;
    let client = server.client();
    server.on(POLICY, [policy().held()]).on(ON_CALLS, [on_calls(&[(json!(1), "U1")], false)]);
    let asks: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.escalation_policy("E1").await })
        })
        .collect();
    server.until_arrived(1).await;
    server.script.release.add_permits(1);
    for ask in asks {
        assert_eq!(ask.await.unwrap().unwrap().levels[0], ["U1"]);
    }
    assert_eq!(server.routes(), [POLICY, ON_CALLS]);
    // That it cannot be had is not found out forty times either.
    let client = server.client();
    server.on(POLICY, [code(404, 2100)]);
    for _ in 0..40 {
        client.escalation_policy("E1").await.unwrap_err();
    }
    assert_eq!(server.routes(), [POLICY, ON_CALLS, POLICY]);
}
