//! Somebody is really paged: way after way, each looked at; then the next region; then the last resort.

use ams::claim::journal::Entry;
use ams::incident::{IncidentId, Outcome, Status, Urgency};
use ams::sandbox::pagerduty::{
    BOT, BOT_ONLY, ENGINEER, Fault, GAP, MANAGER, NOBODY, NewIncident, PEOPLE_ONLY, POLICY,
};

use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

/// Gathers and hands off within a moment, so that nothing is written before the page.
const FACTS: &str = "scenario: facts\nabout: 情報収集\nmatch: {any: [disk]}\nsteps:\n  \
                     - gather: {name: 使用量, run: echo 98}\n";

const INCIDENT: &str = "/incidents/{id}";

const LAST_RESORT: &str =
    "last_resort:\n  events: {url: $PAGERDUTY/v2/enqueue, routing_key: env:ROUTING_KEY}\n";
const ROUTING_KEY: &str = "sandbox-routing-key-0123456789abc";

fn with_last_resort() -> WorldBuilder {
    World::with(FACTS)
        .settings(SHORT_LEASE)
        .settings(LAST_RESORT)
        .environment("ROUTING_KEY", ROUTING_KEY)
}

fn customer(lines: &str) -> String {
    format!("customer: shop\nname: 商店\nbelongs: {{title: {{any: [disk]}}}}\n{lines}")
}

fn at(world: &World, policy: &str) -> IncidentId {
    let policy = Some(policy.to_owned());
    world.pagerduty().trigger(NewIncident { policy, ..NewIncident::titled("disk full") }).unwrap()
}

/// Who was paged, AMS itself left out.
fn people(world: &World, incident: &IncidentId) -> Vec<String> {
    let view = world.view(incident);
    view.paged().filter(|user| *user != BOT).map(str::to_owned).collect()
}

async fn counted(world: &World, line: &str) -> usize {
    let mut sum = 0;
    for region in &world.cluster.regions {
        let page = reqwest::get(region.url("/metrics")).await.unwrap().text().await.unwrap();
        let found = page.lines().find_map(|it| it.strip_prefix(line)?.trim().parse::<usize>().ok());
        sum += found.unwrap_or_default();
    }
    sum
}

#[tokio::test]
async fn a_level_with_nobody_on_call_is_passed_over() {
    let world = World::with(FACTS).start().await;
    let incident = at(&world, GAP);
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(people(&world, &incident), [MANAGER], "level 2 is empty");
    assert_eq!(world.view(&incident).title, "[AMS 引継ぎ] disk full");
    assert_eq!(counted(&world, "ams_pages_total{way=\"level\"}").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_policy_that_leads_back_to_ams_is_no_page() {
    let world =
        World::with(FACTS).environment("AMS_PAGERDUTY_FALLBACK_POLICY", POLICY).start().await;
    let incident = at(&world, BOT_ONLY);
    world.expect(&incident, Outcome::HandedOff).await;
    // Level 1 of the other policy is AMS as well; people are above it.
    assert_eq!(people(&world, &incident), [ENGINEER]);
    assert_eq!((world.view(&incident).level, world.view(&incident).policy.as_str()), (2, POLICY));
    assert_eq!(counted(&world, "ams_pages_total{way=\"policy\"}").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_customers_other_policy_goes_before_the_operators() {
    let world = World::with(FACTS)
        .customer(&customer(&format!("escalation: {{policy: {PEOPLE_ONLY}}}\n")))
        .environment("AMS_PAGERDUTY_FALLBACK_POLICY", POLICY)
        .start()
        .await;
    let incident = at(&world, NOBODY_BUT_AMS);
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.view(&incident).policy, PEOPLE_ONLY);
    assert_eq!(people(&world, &incident), [ENGINEER]);
    world.end().await;
}

/// For the reader: its one level is AMS.
const NOBODY_BUT_AMS: &str = BOT_ONLY;

#[tokio::test]
async fn users_are_assigned_where_no_policy_has_anybody() {
    let world = World::with(FACTS)
        .customer(&customer(&format!(
            "escalation: {{policy: {NOBODY}, users: [PGONE01, {MANAGER}]}}\n"
        )))
        .start()
        .await;
    let incident = at(&world, BOT_ONLY);
    world.expect(&incident, Outcome::HandedOff).await;
    // One of them has left the company, and PagerDuty takes all or none.
    assert_eq!(people(&world, &incident), [MANAGER]);
    assert!(world.view(&incident).direct);
    assert_eq!(counted(&world, "ams_pages_total{way=\"users\"}").await, 1);
    world.end().await;
}

#[tokio::test]
async fn responders_are_asked_where_nobody_can_be_assigned() {
    let world = World::with(FACTS)
        .customer(&customer(&format!(
            "escalation: {{responders: {{users: [{ENGINEER}], policies: [{PEOPLE_ONLY}]}}}}\n"
        )))
        .start()
        .await;
    let incident = at(&world, BOT_ONLY);
    world.expect(&incident, Outcome::HandedOff).await;
    let view = world.view(&incident);
    assert_eq!(view.responders().collect::<Vec<_>>(), [ENGINEER, ENGINEER]);
    assert_eq!(people(&world, &incident), [""; 0]);
    assert!(world.last_note(&incident).contains("AMS 引継ぎ"));
    world.end().await;
}

#[tokio::test]
async fn a_plan_without_responders_goes_on_to_the_last_resort() {
    let world = with_last_resort()
        .customer(&customer(&format!("escalation: {{responders: {{users: [{ENGINEER}]}}}}\n")))
        .start()
        .await;
    let asks = "/incidents/{id}/responder_requests";
    world.pagerduty().fail_next_of(9, Fault::Status(402), "POST", asks);
    let incident = at(&world, BOT_ONLY);
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.pagerduty().request_count("POST", asks), 2, "each region asks once");
    assert_eq!(world.pagerduty().alert_events().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_low_urgency_is_raised_with_the_page_where_it_could_not_be_before() {
    let world = with_last_resort().start().await;
    // The urgency alone, then each way with it: the stand-in escalates no low urgency to a level.
    world.pagerduty().fail_next_of(1, Fault::Status(403), "PUT", INCIDENT);
    let quiet = NewIncident { urgency: Urgency::Low, ..NewIncident::titled("disk full") };
    let incident = world.pagerduty().trigger(quiet).unwrap();
    world.expect(&incident, Outcome::HandedOff).await;
    let view = world.view(&incident);
    assert_eq!((view.urgency, view.status), (Urgency::High, Status::Triggered));
    assert!(people(&world, &incident).contains(&ENGINEER.to_owned()));
    assert_eq!(world.pagerduty().alert_events().len(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_page_whose_answer_is_lost_is_not_sent_again() {
    let world = World::with(FACTS).start().await;
    world.pagerduty().fail_next_of(1, Fault::DropAnswerAfterEffect, "PUT", INCIDENT);
    let incident = world.fire("disk full");
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(people(&world, &incident), [ENGINEER]);
    world.end().await;
}

#[tokio::test]
async fn a_page_that_cannot_be_looked_for_at_once_pages_nobody_else_meanwhile() {
    let others = format!("escalation: {{policy: {PEOPLE_ONLY}, users: [{MANAGER}]}}\n");
    let world = World::with(FACTS).customer(&customer(&others)).start().await;
    world.pagerduty().fail_next_of(1, Fault::DropAnswerAfterEffect, "PUT", INCIDENT);
    let incident = world.fire("disk full");
    world.until(&incident, |view| view.paged().any(|user| user == ENGINEER)).await;
    // All that one call may ask; then PagerDuty is well again.
    world.pagerduty().fail_next_of(6, Fault::Status(502), "GET", INCIDENT);
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(people(&world, &incident), [ENGINEER], "{}", world.everything(&incident));
    world.end().await;
}

#[tokio::test]
async fn an_owner_that_dies_after_its_page_has_paged() {
    let mut world = World::with(FACTS).settings(SHORT_LEASE).start().await;
    let notes = "/incidents/{id}/notes";
    world.pagerduty().fail_next_of(1_000, Fault::Status(500), "POST", notes);
    let incident = world.fire("disk full");
    world.until(&incident, |view| view.paged().any(|user| user == ENGINEER)).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().heal();
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(people(&world, &incident), [ENGINEER], "and once");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_region_that_can_page_nobody_gives_the_run_to_the_other() {
    let world = World::with(FACTS).settings(SHORT_LEASE).start().await;
    world.pagerduty().fail_next_of(1_000, Fault::Status(400), "PUT", INCIDENT);
    let incident = world.fire("disk full");
    let gave_up = |entry: &Entry| matches!(entry, Entry::NotPaged { .. });
    world.until_run(&incident, |it| it.journal.entries().iter().any(gave_up)).await;
    world.pagerduty().heal();
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(run.epoch, 2, "the other region went on");
    let tried = run.journal.not_paged().next().unwrap();
    assert!(*tried != run.owner, "{tried} and {}", run.owner);
    assert_eq!(people(&world, &incident), [ENGINEER]);
    assert_eq!(counted(&world, "ams_escalation_failures_total").await, 1);
    world.end().await;
}

#[tokio::test]
async fn when_no_region_can_page_anybody_the_last_resort_does_once() {
    let world = with_last_resort().start().await;
    let incident = at(&world, BOT_ONLY);
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!((run.epoch, run.journal.not_paged().count()), (2, 1), "each region tried once");
    let events = world.pagerduty().alert_events();
    assert_eq!(events.len(), 1, "once per run");
    assert_eq!(events[0].key, format!("ams/{}", run.run));
    let summary = events[0].body["payload"]["summary"].as_str().unwrap();
    assert_eq!(summary, format!("[AMS 呼出不能] {incident} disk full"));
    // Its incident has the words of a scenario in its title, and no scenario begins for it.
    world.expect(&events[0].incident, Outcome::Unmatched).await;
    assert_eq!(people(&world, &events[0].incident), [ENGINEER]);
    let note = world.last_note(&incident);
    assert!(note.contains("最後の手段（events）で知らせました"), "{note}");
    assert_eq!(world.view(&incident).title, "[AMS 引継ぎ] disk full");
    assert_eq!(counted(&world, "ams_last_resort_total{way=\"events\",result=\"told\"}").await, 1);
    assert_eq!(counted(&world, "ams_escalation_failures_total").await, 2);
    world.end().await;
}

#[tokio::test]
async fn a_last_resort_whose_answer_is_lost_makes_one_alert() {
    let world = with_last_resort().start().await;
    world.pagerduty().fail_next_of(1, Fault::DropAnswerAfterEffect, "POST", "/v2/enqueue");
    let incident = at(&world, BOT_ONLY);
    world.expect(&incident, Outcome::HandedOff).await;
    let events = world.pagerduty().alert_events();
    assert_eq!(events.len(), 2, "it was sent again");
    assert_eq!(events[0].incident, events[1].incident, "and joined the same alert");
    assert_eq!(people(&world, &events[0].incident), [ENGINEER]);
    world.end().await;
}

#[tokio::test]
async fn an_owner_that_dies_after_the_last_resort_has_told_people() {
    let mut world = with_last_resort().start().await;
    let notes = "/incidents/{id}/notes";
    world.pagerduty().fail_next_of(1_000, Fault::Status(500), "POST", notes);
    let incident = at(&world, BOT_ONLY);
    let told = |entry: &Entry| matches!(entry, Entry::LastResort { .. });
    world.until_run(&incident, |it| it.journal.entries().iter().any(told)).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().heal();
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.pagerduty().alert_events().len(), 1);
    assert!(world.last_note(&incident).contains("最後の手段"));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_pagerduty_that_answers_nothing_is_left_within_the_time_of_a_region() {
    let world = with_last_resort().environment("AMS_PAGERDUTY_PAGE_WITHIN", "2s").start().await;
    world.pagerduty().fail_next_of(10_000, Fault::Status(500), "PUT", INCIDENT);
    let incident = world.fire("disk full");
    let told = |entry: &Entry| matches!(entry, Entry::LastResort { .. });
    world.until_run(&incident, |it| it.journal.entries().iter().any(told)).await;
    world.pagerduty().heal();
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.pagerduty().alert_events().len(), 1);
    assert_eq!(people(&world, &incident), [""; 0]);
    world.end().await;
}
