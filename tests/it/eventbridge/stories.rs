use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::{ENGINEER, IncidentView};
use serde_json::{Value, json};

use super::{event, incident, person, triggered};
use crate::aws::{Aws, Fault, Queue};
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

const REPAIR: &str = "\
scenario: web
about: A change between two looks
match: {all: [web, down]}
steps:
  - check: {name: Up?, exec: [/bin/false], when_healthy: resolve}
  - recover: {name: Start it, run: 'echo \"$I\" >>\"$F/recoveries\"', effect: once, \
     env: {I: \"{{ incident.id }}\", F: \"{{ vars.folder }}\"}}
  - verify: {name: Up now?, exec: [/bin/true]}
";

/// PagerDuty's webhooks lead to tokyo alone, EventBridge's queue to osaka.
struct Ways {
    aws: Aws,
    queue: Queue,
}

impl Ways {
    async fn new() -> Self {
        let aws = Aws::start().await;
        let queue = aws.home().queue("ams-osaka");
        Self { aws, queue }
    }

    fn world(&self, scenario: &str) -> WorldBuilder {
        World::with(scenario)
            .subscribed_alone("tokyo")
            .environment_of("osaka", "AMS_EVENTBRIDGE_SQS_QUEUE", &self.queue.url(self.aws.url()))
            .environment_of("osaka", "AMS_EVENTBRIDGE_SQS_REGION", "ap-northeast-3")
            .with_keys_of(&self.aws)
    }

    /// As EventBridge carries what PagerDuty says of an incident.
    fn send(&self, kind: &str, view: &IncidentView) {
        let mut said = incident(view.id.as_str(), &view.title);
        said["status"] = json!(view.status.word());
        self.queue.send(&event(kind, &said, &person(), &Value::Null).to_string());
    }

    async fn emptied(&self) {
        wait::until("the queue to be empty", || self.queue.len() == 0).await;
    }
}

async fn counted(world: &World, region: usize, result: &str) -> u64 {
    let url = world.cluster.regions[region].url("/metrics");
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    let labels = format!("way=\"queue\",result=\"{result}\"");
    let line = format!("ams_eventbridge_events_total{{{labels}}} ");
    page.lines().find_map(|it| it.strip_prefix(&line)).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_comes_by_webhook_and_by_queue_in_two_regions_is_one_run() {
    let ways = Ways::new().await;
    let world = ways.world(REPAIR).start().await;
    let mut incidents = Vec::new();
    for number in 0..8 {
        // Neither way is always the first.
        world.pagerduty().lose_webhooks(number % 4 == 3);
        let id = world.fire(&format!("web {number} is down"));
        ways.send("incident.trigger", &world.view(&id));
        incidents.push(id);
    }
    for id in &incidents {
        let run = world.expect(id, Outcome::Resolved).await;
        assert_eq!((run.run.number, run.epoch), (1, 1), "{}", world.everything(id));
    }
    ways.emptied().await;
    let recovered = world.read("recoveries");
    let mut recovered: Vec<&str> = recovered.lines().collect();
    recovered.sort_unstable();
    let mut expected: Vec<&str> = incidents.iter().map(IncidentId::as_str).collect();
    expected.sort_unstable();
    assert_eq!(recovered, expected, "each was recovered once");
    let (won, lost) =
        (counted(&world, 1, "claimed").await, counted(&world, 1, "taken_elsewhere").await);
    assert_eq!(won + lost, 8);
    assert!(won >= 2, "those whose webhooks were lost");
    assert_eq!(ways.queue.deleted().len(), 8);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_does_comes_by_the_queue_as_well() {
    let ways = Ways::new().await;
    let waits = REPAIR.replace("  - recover:", "  - wait: {name: Wait, for: 1m}\n  - recover:");
    let world = ways.world(&waits).start().await;
    world.pagerduty().lose_webhooks(true);
    let id = world.fire("web is down");
    ways.send("incident.trigger", &world.view(&id));
    world.until_working(&id).await;
    assert_eq!(world.owner(&id).await, 1);
    world.pagerduty().acknowledge_as(ENGINEER, &id).unwrap();
    ways.send("incident.acknowledge", &world.view(&id));
    world.expect(&id, Outcome::StoodDown).await;
    assert_eq!(world.read("recoveries"), "");
    ways.emptied().await;
    world.end().await;
}

/// The claim is durable, the message is not removed, and its reader dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_dies_between_claim_and_removal_leaves_one_run() {
    let ways = Ways::new().await;
    let waits = REPAIR.replace("  - recover:", "  - wait: {name: Wait, for: 2s}\n  - recover:");
    let mut world = ways.world(&waits).settings(SHORT_LEASE).start().await;
    world.pagerduty().lose_webhooks(true);
    ways.aws.home().meets(3, "DeleteMessageBatch", Fault::LoseRequest);
    let id = world.fire("web is down");
    ways.queue.send(&triggered(id.as_str(), "web is down"));
    wait::until("the removal", || ways.aws.asked("DeleteMessageBatch") > 0).await;
    world.kill(1).await;
    assert_eq!(ways.queue.len(), 1);
    let run = world.expect(&id, Outcome::Resolved).await;
    assert_eq!((run.run.number, run.epoch), (1, 2), "{}", world.everything(&id));
    world.restart(1).await;
    ways.queue.hidden_time_is_over();
    ways.emptied().await;
    assert_eq!(counted(&world, 1, "taken_elsewhere").await, 1);
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}
