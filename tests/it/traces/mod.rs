//! Traces from webhook to outcome, as a collector sees them.

use ams::incident::Outcome;

use crate::harness::wait;
use crate::harness::world::World;

mod collector;

use collector::{Collector, Span};

const SCENARIO: &str = "\
scenario: web
about: A change between two looks
match: {all: [web, down]}
steps:
  - check: {name: Up?, exec: [/bin/false], when_healthy: resolve}
  - recover: {name: Start it, exec: [/bin/true], effect: once}
  - verify: {name: Up now?, exec: [/bin/VERIFY], within: 300ms, every: 100ms}
";

const SECRET: &str = "customer-data-4711";

async fn told(verify: &str, outcome: Outcome) -> (Collector, Vec<Span>, String) {
    let collector = Collector::start().await;
    let world = World::with(&SCENARIO.replace("VERIFY", verify))
        .settings(&format!("traces: {{otlp: '{}'}}\n", collector.url))
        .start()
        .await;
    let incident = world.fire(&format!("web is down {SECRET}"));
    world.expect(&incident, outcome).await;
    // What a process has not sent yet it sends when it stops.
    world.end().await;
    let of_run = |span: &Span| span.name == "run" && !span.says("outcome").is_empty();
    wait::until("the run", || collector.spans().iter().any(of_run)).await;
    let run = collector.spans().into_iter().find(of_run).unwrap();
    let spans = collector.spans().into_iter().filter(|span| span.trace == run.trace).collect();
    (collector, spans, incident.to_string())
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// Of a span that there is once.
fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_leads_from_the_webhook_to_the_outcome() {
    let (collector, spans, incident) = told("true", Outcome::Resolved).await;
    let receive = one(&spans, "receive");
    assert!(receive.parent.is_empty(), "a trace begins with its webhook");
    assert_eq!((receive.says("way"), receive.says("result")), ("webhook", "claimed"));
    assert_eq!(receive.says("event.kind"), "incident.triggered");
    let run = one(&spans, "run");
    for name in ["match", "claim", "run"] {
        assert_eq!(one(&spans, name).parent, receive.id, "{name}");
    }
    assert!(receive.ended < run.ended, "it ends with its answer: {receive:?} {run:?}");
    assert_eq!(one(&spans, "match").says("scenario.name"), "web");
    assert_eq!((run.says("outcome"), run.says("run.number")), ("resolved", "1"));
    let mut steps: Vec<(&str, &str)> = named(&spans, "step")
        .into_iter()
        .inspect(|step| assert_eq!(step.parent, run.id))
        .map(|step| (step.says("step.kind"), step.says("verdict")))
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, [("check", "not_met"), ("recover", "met"), ("verify", "met")]);
    let end = named(&spans, "report").into_iter().find(|report| report.says("part") == "end");
    assert_eq!(end.unwrap().parent, run.id);
    for span in &spans {
        assert_eq!(span.says("incident.id"), incident, "{span:?}");
        assert_eq!(span.resource["service.name"], "ams");
        assert!(["tokyo", "osaka"].contains(&span.resource["ams.region"].as_str()));
    }
    // The region that lost the race tells of its webhook, too, in a trace of its own.
    let lost = collector.spans().into_iter().find(|it| it.says("result") == "taken_elsewhere");
    assert_ne!(lost.unwrap().trace, run.trace);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_off_is_in_the_trace_and_no_text_of_a_customer_is() {
    let (collector, spans, _) = told("false", Outcome::Escalated).await;
    let end = named(&spans, "report").into_iter().find(|report| report.says("part") == "end");
    assert_eq!(one(&spans, "hand off").parent, end.unwrap().id);
    let everything = format!("{:?}", collector.spans());
    assert!(!everything.contains(SECRET), "{everything}");
    assert!(collector.spans().iter().all(|span| span.events == 0), "no log lines either");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_no_run_anything_and_is_told_of_once() {
    let away = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let world = World::with(&SCENARIO.replace("VERIFY", "true"))
        .settings(&format!("traces: {{otlp: 'http://{away}'}}\n"))
        .start()
        .await;
    for number in 0..3 {
        let incident = world.fire(&format!("web {number} is down"));
        world.expect(&incident, Outcome::Resolved).await;
        world.until_logged(0, "takes no spans").await;
    }
    let log = std::fs::read_to_string(&world.cluster.regions[0].log).unwrap();
    assert_eq!(log.matches("takes no spans").count(), 1, "{log}");
    assert!(!log.contains("receive{"), "lines stay as they are: {log}");
    world.end().await;
}
