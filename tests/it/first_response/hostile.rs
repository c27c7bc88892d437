//! Titles that try to be more than text: each arrives as it was sent, in commands and in requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ams::incident::Outcome;
use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::world::World;

const SCENARIO: &str = "\
scenario: hostile
about: タイトルはどこへ渡しても文字のまま
match: {all: [hostile]}
deadline: 2m
parameters: {service: {type: text}}
steps:
  - gather:
      name: コマンド
      run: printf '%s' \"$TITLE\" > \"$FOLDER/$AMS_INCIDENT\"
      env: {FOLDER: \"{{ vars.folder }}\", TITLE: \"{{ incident.title }}\"}
  - notify:
      name: 依頼
      http:
        method: POST
        url: \"{{ parameters.service }}/ticket?title={{ incident.title }}\"
        body: '{\"title\": \"{{ incident.title }}\"}'
";

type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Keeps the title as it stands in the address and in the body of each request.
async fn service() -> (String, Asked) {
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    let take = move |Query(query): Query<HashMap<String, String>>, body: String| async move {
        let Ok(body) = serde_json::from_str::<Value>(&body) else { return StatusCode::BAD_REQUEST };
        let title = body["title"].as_str().unwrap_or_default().to_owned();
        kept.lock().unwrap().push((query["title"].clone(), title));
        StatusCode::CREATED
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/ticket", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, asked)
}

#[tokio::test]
async fn a_hostile_title_is_text_in_commands_and_in_requests() {
    let (address, asked) = service().await;
    let customer = format!(
        "customer: shop\nname: サンプル商店\nservices: [Sandbox web shop]\n\
         parameters: {{service: \"{address}\"}}\n"
    );
    let world = World::with(SCENARIO).customer(&customer).start().await;
    let long = format!("hostile {}", "障".repeat(1_016));
    let titles = [
        "hostile $(reboot) `reboot` ; reboot & | > /etc/passwd",
        "hostile '\"'\"' \\\" \\ %s %n -n --help",
        "hostile \", \"admin\": true, \"x\": \"",
        "hostile {{ vars.folder }} {% for x in y %} {{ssm:canary}} ${HOME}",
        "hostile one\ntwo\r\nHost: evil.example\r\n\r\nthree",
        "hostile ?title=other&x=#fragment/../..",
        "hostile \u{202e}drawkcab\u{202c} \u{200b}\u{feff} \u{7}",
        long.as_str(),
    ];
    for title in titles {
        let incident = world.fire(title);
        world.expect(&incident, Outcome::HandedOff).await;
        assert_eq!(world.read(incident.as_str()), title, "in a command");
        let (in_address, in_body) = asked.lock().unwrap().pop().unwrap();
        assert_eq!((in_address.as_str(), in_body.as_str()), (title, title), "in a request");
        assert!(asked.lock().unwrap().is_empty(), "one request for each");
    }
    world.end().await;
}
