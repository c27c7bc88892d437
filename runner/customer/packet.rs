//! Where a customer wants hand-offs told beside PagerDuty: `backlog`, `slack`, `email` of its file.

use crate::fields::{At, Fields};
use crate::finding::{Findings, did_you_mean};
use crate::scenario::template::{INCIDENT_NAMES, Template};
use crate::yaml::Node;

/// What goes where; nothing where the file does not say.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    pub backlog: Option<Backlog>,
    pub slack: Option<Slack>,
    pub email: Option<Email>,
}

#[derive(Clone, Debug)]
pub struct Backlog {
    /// The project's key.
    pub project: String,
    pub append: Append,
    /// By name, as the project has it.
    pub issue_type: Option<String>,
    pub priority: Option<String>,
    /// Of a follow-up ticket.
    pub follow_up_type: Option<String>,
    pub summary: Option<Template>,
    pub description: Option<Template>,
    /// The same of a follow-up ticket.
    pub follow_up_summary: Option<Template>,
    pub follow_up_description: Option<Template>,
}

/// On which open ticket a hand-off is told, in place of a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Append {
    /// The same incident's, from a run before it was reopened.
    #[default]
    Incident,
    /// The same scenario's, whichever incident it was.
    Scenario,
    Never,
}

#[derive(Clone, Debug)]
pub struct Slack {
    /// By its id.
    pub channel: String,
    pub text: Option<Template>,
}

#[derive(Clone, Debug)]
pub struct Email {
    pub to: Vec<String>,
    pub subject: Option<Template>,
    pub body: Option<Template>,
}

const APPEND: [(&str, Append); 3] =
    [("incident", Append::Incident), ("scenario", Append::Scenario), ("never", Append::Never)];

/// What templates of a customer's file may name, beside `incident.…`.
pub const NAMES: [&str; 15] = [
    "customer.id",
    "customer.name",
    "customer.contact",
    "scenario.id",
    "scenario.about",
    "run.id",
    "run.region",
    "run.outcome",
    "run.began_at",
    "run.headline",
    "run.reason",
    "run.message",
    "run.manual",
    "run.note",
    "ticket.shown",
];

/// Addressees of one mail; more of them are a list, which has an address of its own.
const ADDRESSEES: usize = 20;

pub(super) fn read(fields: &Fields<'_>, findings: &mut Findings) -> Packet {
    Packet {
        backlog: fields.get("backlog").and_then(|node| read_backlog(node, findings)),
        slack: fields.get("slack").and_then(|node| read_slack(node, findings)),
        email: fields.get("email").and_then(|node| read_email(node, findings)),
    }
}

fn read_backlog(node: &Node, findings: &mut Findings) -> Option<Backlog> {
    let fields = Fields::of(node, "backlog", findings)?;
    let project = fields.required_text("project", "SHOP", findings);
    let text = |key, findings: &mut Findings| fields.text(key, findings).map(|at| at.value);
    // A ticket cannot name itself.
    let known: Vec<String> = known_names().into_iter().filter(|it| it != "ticket.shown").collect();
    let ticket = |key, findings: &mut Findings| template(&fields, key, &known, findings);
    let backlog = Backlog {
        append: fields.word("append", &APPEND, findings).map_or(Append::default(), |at| at.value),
        issue_type: text("issue_type", findings),
        priority: text("priority", findings),
        follow_up_type: text("follow_up_type", findings),
        summary: ticket("summary", findings),
        description: ticket("description", findings),
        follow_up_summary: ticket("follow_up_summary", findings),
        follow_up_description: ticket("follow_up_description", findings),
        project: project.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
    };
    fields.finish(findings);
    let is_key = |text: &str| {
        let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        !text.is_empty() && text.len() <= 25 && text.bytes().all(known)
    };
    let At { place, value } = project?;
    if !is_key(&value) {
        let message = format!("'{value}' is no key of a Backlog project");
        findings.add(
            "bad-project",
            place,
            message,
            "write what stands before the - in its issues: SHOP",
        );
        return None;
    }
    Some(backlog)
}

fn read_slack(node: &Node, findings: &mut Findings) -> Option<Slack> {
    let fields = Fields::of(node, "slack", findings)?;
    let channel = fields.required_text("channel", "C0123456789", findings);
    let text = template(&fields, "text", &known_names(), findings);
    fields.finish(findings);
    let At { place, value } = channel?;
    let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if !value.starts_with(['C', 'G']) || value.len() < 9 || !value.bytes().all(known) {
        let message = format!("'{value}' is no id of a Slack channel");
        let remedy = "open the channel's details in Slack and copy its id: C0123456789";
        findings.add("bad-channel", place, message, remedy);
        return None;
    }
    Some(Slack { channel: value, text })
}

fn read_email(node: &Node, findings: &mut Findings) -> Option<Email> {
    let fields = Fields::of(node, "email", findings)?;
    if fields.get("to").is_none() {
        fields.missing("to", "ops@example.com", findings);
    }
    let written = fields.texts("to", findings);
    let subject = template(&fields, "subject", &known_names(), findings);
    let body = template(&fields, "body", &known_names(), findings);
    fields.finish(findings);
    let mut to = Vec::new();
    for At { place, value } in written {
        if to.len() >= ADDRESSEES {
            let message = format!("a mail has {ADDRESSEES} addressees at most");
            findings.add("bad-mail-address", place, message, "write the address of a mailing list");
            break;
        }
        if is_address(&value) {
            to.push(value);
        } else {
            let message = format!("'{value}' is no mail address");
            findings.add(
                "bad-mail-address",
                place,
                message,
                "write it without a name: ops@example.com",
            );
        }
    }
    (!to.is_empty()).then_some(Email { to, subject, body })
}

/// Good enough to be found out while typing; the mail server has the last word.
fn is_address(text: &str) -> bool {
    let Some((user, domain)) = text.split_once('@') else { return false };
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._%+-".contains(&b);
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let plain = !user.is_empty() && user.bytes().all(known);
    plain
        && !user.starts_with('.')
        && !user.ends_with('.')
        && !user.contains("..")
        && text.len() <= 254
        && domain.split('.').all(is_part)
}

fn template(
    fields: &Fields<'_>,
    key: &'static str,
    known: &[String],
    findings: &mut Findings,
) -> Option<Template> {
    let At { place, value } = fields.text(key, findings)?;
    let template = match Template::parse(&value) {
        Ok(template) => template,
        Err(error) => {
            let message = format!("'{key}' cannot be filled in: {error}");
            findings.add("bad-template", place, message, "write values as {{ incident.title }}");
            return None;
        }
    };
    let unknown: Vec<&str> =
        template.needs().filter(|name| !known.iter().any(|it| it == name)).collect();
    for name in unknown {
        let near = did_you_mean(name, known.iter().map(String::as_str));
        let remedy = near.map_or_else(
            || "the names that are known here stand in docs/operations/handoff.md".to_owned(),
            |near| format!("did you mean '{near}'?"),
        );
        let message = format!("'{key}' uses {name}, which nothing defines here");
        findings.add("undefined-value", place, message, remedy);
    }
    Some(template.at(place))
}

fn known_names() -> Vec<String> {
    let incident = INCIDENT_NAMES.iter().map(|name| format!("incident.{name}"));
    incident.chain(NAMES.iter().map(|name| (*name).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::customer::file;

    fn shop(lines: &str) -> Result<Packet, Vec<String>> {
        let text = format!("customer: shop\nname: Shop\n{lines}\n");
        file::read(Path::new("shop.yaml"), &text)
            .map(|shop| shop.packet)
            .map_err(|findings| findings.into_iter().map(|it| it.id.to_owned()).collect())
    }

    #[test]
    fn each_of_the_three_may_stand_alone() {
        let packet = shop("backlog: {project: SHOP}").unwrap();
        assert!(packet.slack.is_none() && packet.email.is_none());
        assert_eq!(packet.backlog.unwrap().append, Append::Incident);
        let packet = shop("email: {to: ops@example.com}").unwrap();
        assert_eq!(packet.email.unwrap().to, ["ops@example.com"]);
        assert!(shop("").unwrap().backlog.is_none());
    }

    #[test]
    fn mistakes_are_found_before_the_hand_off() {
        for (lines, id) in [
            ("backlog: {project: 障害対応}", "bad-project"),
            ("backlog: {}", "missing-field"),
            ("slack: {channel: \"#operations\"}", "bad-channel"),
            ("slack: {channel: C0123456789, text: \"{{ incident.titel }}\"}", "undefined-value"),
            ("slack: {channel: C0123456789, text: \"{% for x in y %}\"}", "bad-template"),
            ("email: {to: \"a@example.com\\nBcc: b@example.com\"}", "bad-mail-address"),
            ("email: {to: [a@]}", "bad-mail-address"),
            ("email: {to: a@example.com, subjekt: x}", "unknown-key"),
        ] {
            assert_eq!(shop(lines).unwrap_err(), [id], "{lines}");
        }
    }
}
