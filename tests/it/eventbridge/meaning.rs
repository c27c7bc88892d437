use std::fs;

use ams::claim::protocol::{Opening, StandDownReason};
use ams::incident::{IncidentId, Status, Urgency};
use ams::receive::eventbridge::parse;
use ams::receive::{Event, Ignored};
use serde_json::{Value, json};

use super::{event, incident, person, triggered};
use crate::harness::openapi::shared_dir;
use crate::receiver::BOT;

fn read(event: &Value) -> Event {
    parse(event.to_string().as_bytes(), BOT).unwrap().event
}

fn meaning(kind: &str, agent: &Value, channel: &Value) -> Event {
    read(&event(kind, &incident("P8E12U3", "web is down"), agent, channel))
}

fn taken(reason: StandDownReason, by: Option<&str>) -> Event {
    let incident = IncidentId::parse("P8E12U3").unwrap();
    let at = "2026-03-02T12:00:01Z".parse().ok();
    Event::TakenFromUs { incident, reason, by: by.map(str::to_owned), at }
}

#[test]
fn an_incident_is_what_its_webhook_would_say() {
    let delivery = parse(triggered("P8E12U3", "web is down").as_bytes(), BOT).unwrap();
    assert_eq!(delivery.event_id, "56812fe0-a5c8-11e9-9e74-0632db1b4ce2");
    assert_eq!(delivery.event_type, "incident.triggered");
    let Event::Opened { incident, opening } = delivery.event else { panic!("{delivery:?}") };
    assert_eq!(opening, Opening::Triggered);
    assert_eq!((incident.id.as_str(), incident.title.as_str()), ("P8E12U3", "web is down"));
    assert_eq!((incident.number, incident.status), (Some(2618), Status::Triggered));
    assert_eq!(incident.urgency, Urgency::Low);
    let service = incident.service.unwrap();
    assert_eq!((service.id.as_str(), service.name.as_str()), ("P6MZ15N", "web"));
    assert_eq!(incident.escalation_policy.as_deref(), Some("PYIM1C5"));
    assert_eq!(incident.assignees, ["P0H8W5I"]);
    assert_eq!(incident.status_by.as_deref(), Some("PLH1HKV"));
    assert_eq!(incident.seen_at, "2026-03-02T12:00:01Z".parse().unwrap());
    assert!(incident.html_url.unwrap().ends_with("/incidents/P8E12U3"));
}

#[test]
fn an_api_destination_may_send_the_detail_alone() {
    let whole: Value = serde_json::from_str(&triggered("P8E12U3", "web is down")).unwrap();
    assert_eq!(read(&whole), read(&whole["detail"]));
}

#[test]
fn a_person_who_acts_takes_the_incident() {
    let by = Some("PLH1HKV");
    for (kind, reason) in [
        ("incident.acknowledge", StandDownReason::Acknowledged),
        ("incident.assign", StandDownReason::Reassigned),
        ("incident.delegate", StandDownReason::Reassigned),
        ("incident.escalate", StandDownReason::Reassigned),
        ("incident.resolve", StandDownReason::ResolvedByPerson),
    ] {
        let web = json!({"type": "website"});
        assert_eq!(meaning(kind, &person(), &web), taken(reason, by), "{kind}");
    }
}

#[test]
fn what_ams_or_pagerduty_itself_did_is_no_person() {
    let bot = json!({"id": BOT, "type": "user_reference"});
    let service = json!({"id": "P6MZ15N", "type": "service_reference"});
    let (timeout, nothing) = (json!({"type": "timeout"}), Value::Null);
    for kind in ["incident.acknowledge", "incident.resolve", "incident.annotate"] {
        assert_eq!(meaning(kind, &bot, &nothing), Event::Ignored(Ignored::OurOwn), "{kind}");
    }
    let ignored = Event::Ignored(Ignored::NotActedOn);
    for (kind, agent, channel) in [
        ("incident.escalate", &service, &timeout),
        // Its log names the person that it escalates to.
        ("incident.escalate", &person(), &timeout),
        ("incident.unacknowledge", &person(), &nothing),
        ("incident.custom", &person(), &nothing),
        ("incident.what_comes_next", &person(), &nothing),
        // Without its time it would be another run than the webhook's.
        ("incident.reopen", &person(), &nothing),
    ] {
        assert_eq!(meaning(kind, agent, channel), ignored, "{kind}");
    }
    let cleared = taken(StandDownReason::ResolvedByMonitoring, Some("P6MZ15N"));
    assert_eq!(meaning("incident.resolve", &service, &nothing), cleared);
}

#[test]
fn merging_and_reopening_are_told_apart_from_the_rest() {
    let mut merged = incident("P8E12U3", "web is down");
    merged["resolve_reason"] = json!("merged");
    let merged = event("incident.resolve", &merged, &person(), &Value::Null);
    assert_eq!(read(&merged), taken(StandDownReason::Merged, Some("PLH1HKV")));
    let mut again = incident("P8E12U3", "web is down");
    again["reopened_at"] = json!("2026-03-02T12:00:00Z");
    let again = event("incident.reopen", &again, &person(), &Value::Null);
    let Event::Opened { opening, .. } = read(&again) else { panic!() };
    assert_eq!(opening, Opening::Reopened { at: "2026-03-02T12:00:00Z".to_owned() });
}

#[test]
fn a_note_may_be_a_command_wherever_its_text_stands() {
    let stop = taken(StandDownReason::StopNote, Some("PLH1HKV"));
    for field in ["content", "summary"] {
        let mut channel = json!({"type": "note"});
        channel[field] = json!("ＡＭＳ　ｓｔｏｐ please");
        assert_eq!(meaning("incident.annotate", &person(), &channel), stop, "{field}");
    }
    let note = json!({"type": "note", "content": "looking into it"});
    let ordinary = Event::Ignored(Ignored::OrdinaryNote);
    assert_eq!(meaning("incident.annotate", &person(), &note), ordinary);
}

#[test]
fn what_is_no_event_of_pagerdutys_is_told() {
    let mut foreign: Value = serde_json::from_str(&triggered("P8E12U3", "web is down")).unwrap();
    foreign["source"] = json!("my.own.application");
    let nameless = event("incident.trigger", &json!({}), &person(), &Value::Null);
    for (body, reason) in [
        ("{".to_owned(), "the body is not JSON"),
        ("[]".to_owned(), "it names no event"),
        (r#"{"detail": {"event": {}}}"#.to_owned(), "it names no event"),
        (foreign.to_string(), "another event source than PagerDuty's"),
        (nameless.to_string(), "it names no incident"),
    ] {
        let malformed = parse(body.as_bytes(), BOT).unwrap_err();
        assert!(malformed.reason.contains(reason), "{body}: {malformed}");
    }
}

/// As they were seen; not part of this repository.
#[test]
fn events_that_were_recorded_are_understood() {
    let folder = shared_dir().join("pagerduty/eventbridge");
    for (file, expected) in [
        ("eventbridge-incident.trigger.json", "triggered"),
        ("eventbridge-incident.resolve.json", "resolved by a person"),
    ] {
        let Ok(body) = fs::read(folder.join(file)) else { continue };
        let said = match parse(&body, BOT).unwrap().event {
            Event::Opened { incident, .. } => {
                assert_eq!((incident.title.as_str(), incident.number), ("Taco Shells", Some(2618)));
                assert_eq!(incident.seen_at, "2019-07-12T23:26:41Z".parse().unwrap());
                "triggered"
            }
            Event::TakenFromUs { incident, reason, by, .. } => {
                assert_eq!((incident.as_str(), by.as_deref()), ("P8E12U3", Some("PHLAIIG")));
                assert_eq!(reason, StandDownReason::ResolvedByPerson);
                "resolved by a person"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(said, expected);
    }
}
