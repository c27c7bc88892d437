//! Commands on the runner's own machine, and HTTP requests from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ams::incident::Outcome;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::{Chapter, Recorder};
use crate::harness::world::World;

const CUSTOMER: &str = "\
customer: example-shop
name: Example Shop Ltd.
language: en
services: [Sandbox web shop]
hosts:
  - {name: web01, address: 10.0.1.11, groups: [web], reach: local}
";

const COMMAND: &str = "\
scenario: service-stopped
about: A service that stopped is started, once
match:
  all: [service, stopped]
  pattern: '(?<host>web\\d+)'
  captures: {host: hostname}
deadline: 2m
target: '{{ capture.host }}'
steps:
  - check:
      name: Is it up
      run: test -e \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      when_healthy: resolve
  - gather: {name: Disk, run: 'echo \"/ 41 % of 40 GB\"'}
  - recover:
      name: Start it
      run: echo \"$HOST\" >> \"$FOLDER/started\" && touch \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\", HOST: \"{{ target.host }}\"}
      effect: once
  - verify:
      name: Is it up again
      run: test -e \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\"}
";

pub(super) async fn command() -> Chapter {
    let world = World::with(COMMAND).customer(CUSTOMER).start().await;
    let told =
        Recorder::of(&world).await.record("[SHOP] web01: service stopped", Outcome::Resolved).await;
    let started = world.read("started");
    assert_eq!(started, "web01\n");
    world.end().await;
    Chapter {
        heading: "A command where the runner is",
        about: "`reach: local`: the host is the runner's own machine, as in a customer's network.",
        customer: CUSTOMER.to_owned(),
        scenario: COMMAND.to_owned(),
        webhook: told.webhook,
        timeline: told.timeline,
        account: told.account,
        left: format!("On the machine, the recovery's own record:\n\n```text\n{started}```"),
    }
}

const REQUEST: &str = "\
scenario: workers-stuck
about: Workers that hang are told to begin again
match: {all: [workers, stuck]}
parameters:
  workers: {type: text}
deadline: 2m
steps:
  - check:
      name: Health
      http: \"{{ parameters.workers }}/health\"
      expect: {status: 200}
      when_healthy: resolve
  - recover:
      name: Restart them
      http: {method: POST, url: \"{{ parameters.workers }}/restart\", body: '{\"reason\": \"{{ incident.id }}\"}'}
      effect: once
  - verify:
      name: Health again
      http: \"{{ parameters.workers }}/health\"
      expect: {status: 200}
      within: 5s
      every: 200ms
";

pub(super) async fn request() -> Chapter {
    let (healthy, restarts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let is_healthy = Arc::clone(&healthy);
    let health = move || async move {
        if is_healthy.load(Ordering::SeqCst) { StatusCode::OK } else { StatusCode::BAD_GATEWAY }
    };
    let counted = Arc::clone(&restarts);
    let restart = move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
        healthy.store(true, Ordering::SeqCst);
        StatusCode::ACCEPTED
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/health", get(health)).route("/restart", post(restart));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let customer = format!("{CUSTOMER}parameters: {{workers: \"http://{address}\"}}\n");
    let world = World::with(REQUEST).customer(&customer).start().await;
    let told = Recorder::of(&world).await.record("[SHOP] workers stuck", Outcome::Resolved).await;
    assert_eq!(restarts.load(Ordering::SeqCst), 1);
    world.end().await;
    Chapter {
        heading: "A request over HTTP",
        about: "What is done goes to an interface of the service itself.",
        customer: customer.replace(&address.to_string(), "127.0.0.1:8080"),
        scenario: REQUEST.to_owned(),
        webhook: told.webhook,
        timeline: told.timeline,
        account: told.account,
        left: "The service counted one restart.".to_owned(),
    }
}
