//! Deliveries of our own making, one aspect each.

use ams::claim::protocol::{Opening, StandDownReason};
use ams::incident::{IncidentId, Status, Urgency};
use ams::receive::pagerduty::parse;
use ams::receive::{Event, Ignored};
use serde_json::{Value, json};

use super::BOT;

fn person() -> Value {
    json!({"id": "PLH1HKV", "type": "user_reference", "summary": "佐藤"})
}

fn data() -> Value {
    json!({"type": "incident", "id": "PT4KHLK", "title": "web01 is down"})
}

fn meaning(event_type: &str, agent: &Value, data: &Value) -> Option<Event> {
    let event = json!({"id": "1", "event_type": event_type, "agent": agent, "data": data,
        "occurred_at": "2026-03-02T12:00:00.250Z"});
    let body = json!({ "event": event }).to_string();
    parse(body.as_bytes(), BOT).ok().map(|delivery| delivery.event)
}

fn taken(reason: StandDownReason, by: Option<&str>) -> Event {
    let incident = IncidentId::parse("PT4KHLK").unwrap();
    let at = "2026-03-02T12:00:00.250Z".parse().ok();
    Event::TakenFromUs { incident, reason, by: by.map(str::to_owned), at }
}

fn note(content: &str) -> Option<Event> {
    let note = json!({"type": "incident_note", "id": "PNOTE01", "content": content,
        "incident": {"id": "PT4KHLK", "type": "incident_reference"}});
    meaning("incident.annotated", &person(), &note)
}

#[test]
fn a_person_who_acts_takes_the_incident() {
    let by = Some("PLH1HKV");
    let expected = [
        ("incident.acknowledged", StandDownReason::Acknowledged),
        ("incident.reassigned", StandDownReason::Reassigned),
        ("incident.delegated", StandDownReason::Reassigned),
        ("incident.escalated", StandDownReason::Reassigned),
        ("incident.resolved", StandDownReason::ResolvedByPerson),
    ];
    for (event_type, reason) in expected {
        assert_eq!(
            meaning(event_type, &person(), &data()),
            Some(taken(reason, by)),
            "{event_type}"
        );
    }
}

#[test]
fn what_ams_did_itself_is_no_news() {
    let bot = json!({"id": BOT, "type": "user_reference"});
    for event_type in [
        "incident.acknowledged",
        "incident.annotated",
        "incident.delegated",
        "incident.escalated",
        "incident.priority_updated",
        "incident.reassigned",
        "incident.resolved",
    ] {
        let own = Some(Event::Ignored(Ignored::OurOwn));
        assert_eq!(meaning(event_type, &bot, &data()), own, "{event_type}");
    }
}

#[test]
fn what_machines_do_ends_an_incident_but_takes_none_over() {
    let integration = json!({"id": "PINTEG1", "type": "inbound_integration_reference"});
    let nothing = Some(Event::Ignored(Ignored::NotActedOn));
    for agent in [Value::Null, integration] {
        let by = agent["id"].as_str();
        for event_type in ["incident.acknowledged", "incident.escalated", "incident.reassigned"] {
            assert_eq!(meaning(event_type, &agent, &data()), nothing, "{event_type} {agent}");
        }
        let ended = Some(taken(StandDownReason::ResolvedByMonitoring, by));
        assert_eq!(meaning("incident.resolved", &agent, &data()), ended, "{agent}");
    }
}

#[test]
fn a_merged_incident_says_so() {
    let mut merged = data();
    merged["resolve_reason"] = json!({"type": "merge_resolve_reason",
        "incident": {"id": "POTHER1", "type": "incident_reference"}});
    let expected = Some(taken(StandDownReason::Merged, Some("PLH1HKV")));
    assert_eq!(meaning("incident.resolved", &person(), &merged), expected);
}

#[test]
fn a_note_that_says_ams_stop_stops_ams_however_it_is_written() {
    let stop = Some(taken(StandDownReason::StopNote, Some("PLH1HKV")));
    for content in [
        "ams stop",
        "AMS stop",
        "  ＡＭＳ　ＳＴＯＰ ",
        "ams stop\nお客様が作業中です",
        "ams stop - I have it",
        "ams stop.",
        "AMS STOP!",
        "ams stop、こちらで見ます",
        "ams stopしてください",
        "ams 停止",
        "ＡＭＳ停止してください",
        "AMS　停止　お願いします",
    ] {
        assert_eq!(note(content), stop, "{content}");
    }
    let ordinary = Some(Event::Ignored(Ignored::OrdinaryNote));
    for content in [
        "",
        "the ams stopped the service",
        "ams stopped it",
        "please do not ams stop",
        "AMS停止しないでください",
        "ams 停止中です",
        "AMS 停止済み",
        "停止",
    ] {
        assert_eq!(note(content), ordinary, "{content}");
    }
}

#[test]
fn an_opening_carries_what_later_stages_need() {
    let incident = json!({"type": "incident", "id": "PT4KHLK", "title": "web01 is down",
        "status": "acknowledged", "urgency": "low", "number": 42, "incident_key": null,
        "service": {"id": "PSERV01", "summary": "Web"}, "html_url": "https://x.example/PT4KHLK",
        "escalation_policy": {"id": "PPOLICY"}, "assignees": [{"id": "PUSER01"}, null],
        "reopened_at": "2026-03-02T11:59:59Z"});
    let opened = meaning("incident.reopened", &person(), &incident);
    let Some(Event::Opened { incident, opening }) = opened else { panic!("{opened:?}") };

    assert_eq!(opening, Opening::Reopened { at: "2026-03-02T11:59:59Z".to_owned() });
    assert_eq!((incident.status, incident.urgency), (Status::Acknowledged, Urgency::Low));
    assert_eq!((incident.title.as_str(), incident.number), ("web01 is down", Some(42)));
    let service = incident.service.unwrap();
    assert_eq!((service.id.as_str(), service.name.as_str()), ("PSERV01", "Web"));
    assert_eq!(incident.escalation_policy.as_deref(), Some("PPOLICY"));
    assert_eq!(incident.assignees, ["PUSER01"]);
    assert_eq!(incident.seen_at.to_string(), "2026-03-02T12:00:00.25Z");
}

/// An incident that nobody hears of is the worst failure, so an opening is understood as long as
/// it names its incident at all.
#[test]
fn an_incident_whose_type_is_missing_is_still_an_incident() {
    let bare = json!({"id": "PT4KHLK", "title": "web01 is down"});
    let opened = meaning("incident.triggered", &Value::Null, &bare);
    assert!(
        matches!(&opened, Some(Event::Opened { incident, .. }) if incident.id.as_str() == "PT4KHLK"),
        "{opened:?}"
    );
    let ended = Some(taken(StandDownReason::ResolvedByMonitoring, None));
    assert_eq!(meaning("incident.resolved", &Value::Null, &bare), ended);
    // A note's own id is never taken for its incident's.
    let stray_note = json!({"id": "PNOTE01", "content": "ams stop"});
    assert_eq!(meaning("incident.annotated", &person(), &stray_note), None);
}

#[test]
fn a_reopening_without_its_time_takes_the_events_time() {
    let opened = meaning("incident.reopened", &person(), &data());
    let Some(Event::Opened { opening, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(opening, Opening::Reopened { at: "2026-03-02T12:00:00.250Z".to_owned() });
}

#[test]
fn a_title_longer_than_pagerduty_has_is_cut_and_not_refused() {
    let mut long = data();
    long["title"] = json!("界".repeat(5_000));
    let opened = meaning("incident.triggered", &Value::Null, &long);
    let Some(Event::Opened { incident, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(incident.title.chars().count(), ams::limits::TITLE_CHARS);
}
