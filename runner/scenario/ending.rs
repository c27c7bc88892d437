//! Reads steps without an action: `wait`, `approve`, `resolve`, `hand_off`.

use std::time::Duration;

use crate::fields::{Fields, duration_words};
use crate::limits;
use crate::scenario::match_rule::URGENCIES;
use crate::scenario::model::{HandOff, StepKind, Then, Ticket, Wait};
use crate::scenario::reading::Reading;
use crate::scenario::step::Severity;
use crate::scenario::steps::THEN;
use crate::scenario::template::Template;
use crate::yaml::{Kind, Node};

/// How long people have to answer, unless the author says otherwise.
const APPROVE_WITHIN: Duration = Duration::from_mins(30);

/// Where AMS resolves, there is no ticket but for what is left to do.
const AFTER_RESOLVE: [(&str, Ticket); 2] =
    [("follow_up", Ticket::FollowUp), ("none", Ticket::None)];

const TICKETS: [(&str, Ticket); 3] =
    [("usual", Ticket::Usual), ("follow_up", Ticket::FollowUp), ("none", Ticket::None)];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(super) fn read_wait(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Wait> {
    let duration = fields.duration("for", reading.findings);
    let until = fields.text("until", reading.findings);
    let days = fields.texts("days", reading.findings);
    let Some(until) = until else {
        if let Some(day) = days.first() {
            reading.findings.add(
                "wait-for-and-until",
                day.place,
                "'days' says on which days 'until' is meant; here is none",
                "add until: \"09:00\", or remove 'days'",
            );
        }
        if fields.get("for").is_none() {
            fields.missing("for", "30s", reading.findings);
        }
        return Some(Wait::For(duration?.value));
    };
    if duration.is_some() {
        reading.findings.add(
            "wait-for-and-until",
            until.place,
            "a wait has either 'for' or 'until'",
            "remove one of the two",
        );
        return None;
    }
    let parsed = until.value.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
    });
    let Some((hour, minute)) = parsed else {
        reading.findings.add(
            "bad-time",
            until.place,
            format!("'{}' is not a time of day", until.value),
            "write it as \"09:00\", in quotes",
        );
        return None;
    };
    let mut on = [days.is_empty(); 7];
    for day in days {
        let Some(index) = DAYS.iter().position(|known| *known == day.value) else {
            let remedy = crate::fields::remedy_for_word(&day.value, &DAYS);
            let message = format!("'{}' is not a day", day.value);
            reading.findings.add("unknown-word", day.place, message, remedy);
            continue;
        };
        on[index] = true;
    }
    Some(Wait::Until { hour, minute, days: on })
}

/// `if_broken:` of a check or verify.
pub(super) fn read_severity(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Severity {
    let Some(node) = fields.get("if_broken") else { return Severity::default() };
    let findings = &mut *reading.findings;
    let Some(own) = Fields::of(node, "if_broken", findings) else { return Severity::default() };
    let severity = Severity {
        priority: own.text("priority", findings).map(|at| at.value),
        urgency: own.word("urgency", &URGENCIES, findings).map(|at| at.value),
    };
    own.finish(findings);
    severity
}

/// `progress:` at the top of a file. An edit is a write, so there is a least time between two.
pub(super) fn read_progress(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Duration> {
    let at = fields.duration("progress", reading.findings)?;
    if at.value < limits::PROGRESS_EVERY_LEAST {
        let least = duration_words(limits::PROGRESS_EVERY_LEAST);
        reading.findings.add(
            "progress-too-often",
            at.place,
            format!("every {} would cost the account too many requests", duration_words(at.value)),
            format!("write {least} or longer; 5m is usual"),
        );
        return None;
    }
    Some(at.value)
}

pub(super) fn read_approve(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<StepKind> {
    let ask = fields
        .required("ask", "\"{{ target.host }} を再起動してよいですか\"", reading.findings)
        .and_then(|node| reading.template_at(node, "ask"));
    let within = fields.duration("within", reading.findings).map_or(APPROVE_WITHIN, |at| at.value);
    let otherwise = fields.word("when_not_approved", &THEN, reading.findings);
    let when_not_approved = otherwise.map_or(Then::HandOff, |at| at.value);
    Some(StepKind::Approve { ask: ask?, within, when_not_approved })
}

/// `- resolve: why`, or with fields.
pub(super) fn read_resolve(
    fields: &Fields<'_>,
    whole: Option<&Node>,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    let node = whole.or_else(|| fields.get("message"));
    let message = match node {
        Some(node) => Some(reading.template_at(node, "resolve")?),
        None => None,
    };
    let ticket = fields.word("ticket", &AFTER_RESOLVE, reading.findings);
    let ticket = ticket.map_or(Ticket::Usual, |at| at.value);
    let stakeholders = match fields.get("stakeholders") {
        Some(node) => Some(reading.template_at(node, "stakeholders")?),
        None => None,
    };
    Some(StepKind::Resolve { message, ticket, stakeholders })
}

/// `resolved:` at the top of a file: for every recovery that passed its verify.
pub(super) fn read_resolved(node: &Node, reading: &mut Reading<'_>) -> Option<Template> {
    let fields = Fields::of(node, "resolved", reading.findings)?;
    let example = "\"復旧しました\"";
    let text = fields.required("stakeholders", example, reading.findings);
    let text = text.and_then(|node| reading.template_at(node, "stakeholders"));
    fields.finish(reading.findings);
    text
}

/// `hand_off: why`, or with fields; at the top of a file and as a step.
pub(super) fn read_hand_off(node: &Node, reading: &mut Reading<'_>) -> Option<HandOff> {
    if let Kind::Text(_) = node.kind {
        let message = Some(reading.template_at(node, "hand_off")?);
        return Some(HandOff { message, ..HandOff::default() });
    }
    let fields = Fields::of(node, "hand_off", reading.findings)?;
    let hand_off = hand_off_fields(&fields, reading);
    fields.finish(reading.findings);
    hand_off
}

pub(super) fn hand_off_fields(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<HandOff> {
    let message = match fields.get("message") {
        Some(node) => Some(reading.template_at(node, "message")?),
        None => None,
    };
    let manual = match fields.get("manual") {
        Some(node) => Some(reading.template_at(node, "manual")?),
        None => None,
    };
    let to = match fields.get("to") {
        Some(node) => Some(reading.template_at(node, "to")?),
        None => None,
    };
    let stakeholders = match fields.get("stakeholders") {
        Some(node) => Some(reading.template_at(node, "stakeholders")?),
        None => None,
    };
    let findings = &mut *reading.findings;
    Some(HandOff {
        message,
        manual,
        to,
        priority: fields.text("priority", findings).map(|at| at.value),
        urgency: fields.word("urgency", &URGENCIES, findings).map(|at| at.value),
        page: fields.word("page", &[("true", true), ("false", false)], findings).map(|at| at.value),
        ticket: fields.word("ticket", &TICKETS, findings).map(|at| at.value),
        stakeholders,
    })
}
