//! Alerts that PagerDuty puts into an incident that is open, without telling anybody.

use ams::claim::journal::{Reason, Standing};
use ams::incident::{IncidentId, Outcome, Status};
use ams::sandbox::pagerduty::ENGINEER;
use serde_json::json;

use super::REPAIR;
use crate::harness::world::World;

impl World {
    fn alert_joins(&self, incident: &IncidentId, summary: &str) {
        self.pagerduty().alert_joins(incident, summary, json!({})).unwrap();
    }
}

#[tokio::test]
async fn a_fault_that_joined_an_incident_is_not_resolved_with_the_first_one() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web down");
    world.alert_joins(&incident, "disk of db03 full");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let Standing::Closing { reason, .. } = run.journal.standing() else { panic!("{run:?}") };
    assert_eq!(reason, Reason::OtherAlerts { count: 1 });
    assert!(world.path("up").exists(), "what AMS knows it has repaired");
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Triggered);
    assert!(view.paged().any(|user| user == ENGINEER));
    let note = world.last_note(&incident);
    let why = "同じインシデントにほかの未解決アラートが1件あるため、解決にしていません";
    assert!(note.contains(why) && note.contains("- disk of db03 full"), "{note}");
    world.end().await;
}

#[tokio::test]
async fn an_alert_that_says_the_same_once_more_is_the_same() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web down");
    world.alert_joins(&incident, "ＳＥＲＶＩＣＥ web down");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.view(&incident).status, Status::Resolved);
    world.end().await;
}
