//! Whom to page where the incident's own escalation policy reaches nobody, and whether AMS
//! acknowledges what it works on: words of settings and customer files. Pure.

use crate::fields::Fields;
use crate::finding::Findings;
use crate::limits;
use crate::yaml::Node;

/// When AMS acknowledges an incident that it works on.
///
/// Acknowledging makes AMS the assignee and stops PagerDuty's own escalation, so that nobody is paged
/// if AMS dies (PagerDuty knowledge base, Configurable Service Settings: the timeout that would undo
/// it is off by default).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    #[default]
    Never,
    /// With the title that says that AMS is at work.
    OnStart,
    /// The same, where the incident's service has an acknowledgement timeout.
    WhereTimeout,
}

impl Acknowledge {
    pub const WORDS: [(&str, Self); 3] = [
        ("never", Self::Never),
        ("on_start", Self::OnStart),
        ("where_timeout", Self::WhereTimeout),
    ];
}

/// Who is paged when the levels of the incident's own policy reach nobody, in this order. All ids
/// are PagerDuty's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallback {
    /// Another escalation policy.
    pub policy: Option<String>,
    /// Assigned directly: does not escalate any further.
    pub users: Vec<String>,
    /// Asked to join, which the account's plan may not have.
    pub responders: Responders,
}

/// Whom a responder request goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responders {
    pub users: Vec<String>,
    pub policies: Vec<String>,
}

impl Responders {
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty() && self.policies.is_empty()
    }
}

impl Fallback {
    pub const fn is_empty(&self) -> bool {
        self.policy.is_none() && self.users.is_empty() && self.responders.is_empty()
    }

    /// `{policy, users, responders: {users, policies}}`.
    pub fn read(node: &Node, what: &'static str, findings: &mut Findings) -> Self {
        let Some(fields) = Fields::of(node, what, findings) else { return Self::default() };
        let policy = fields.text("policy", findings);
        let policy = policy.and_then(|at| id(at, findings));
        let users = ids(&fields, "users", findings);
        let responders = fields
            .get("responders")
            .and_then(|node| read_responders(node, findings))
            .unwrap_or_default();
        fields.finish(findings);
        Self { policy, users, responders }
    }
}

fn read_responders(node: &Node, findings: &mut Findings) -> Option<Responders> {
    let fields = Fields::of(node, "responders", findings)?;
    let users = ids(&fields, "users", findings);
    let policies = ids(&fields, "policies", findings);
    fields.finish(findings);
    Some(Responders { users, policies })
}

fn ids(fields: &Fields<'_>, key: &'static str, findings: &mut Findings) -> Vec<String> {
    let written = fields.texts(key, findings);
    if let Some(at) = written.get(limits::PAGED_DIRECTLY) {
        let most = limits::PAGED_DIRECTLY;
        findings.add(
            "too-many-paged",
            at.place,
            format!("'{key}' names more than {most} whom AMS pages at once"),
            "name an escalation policy that reaches them",
        );
    }
    written.into_iter().filter_map(|at| id(at, findings)).collect()
}

/// Ids become parts of requests, and a name in place of one would be noticed at night.
pub fn id(at: crate::fields::At<String>, findings: &mut Findings) -> Option<String> {
    let is_id = |text: &str| {
        (4..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if is_id(&at.value) {
        return Some(at.value);
    }
    findings.add(
        "bad-pagerduty-id",
        at.place,
        format!("'{}' is no id of a PagerDuty user or escalation policy", at.value),
        "write the last part of the address of its page: PABC123",
    );
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml;

    fn read(text: &str) -> (Fallback, Vec<String>) {
        let mut findings = Findings::of(Path::new("x.yaml"));
        let node = yaml::parse(text).unwrap();
        let read = Fallback::read(&node, "escalation", &mut findings);
        (read, findings.into_sorted().iter().map(|it| it.id.to_owned()).collect())
    }

    #[test]
    fn all_ways_are_read_and_names_are_no_ids() {
        let (read_well, none) = read(
            "{policy: PPOLICY, users: PUSER1, responders: {users: [PUSER2], policies: [PPOL2]}}",
        );
        assert!(none.is_empty(), "{none:?}");
        assert_eq!(read_well.users, ["PUSER1"]);
        assert_eq!(read_well.responders.policies, ["PPOL2"]);
        for (text, id) in [
            ("{policy: Second line}", "bad-pagerduty-id"),
            ("{users: [p1, PUSER1]}", "bad-pagerduty-id"),
            ("{respond: {}}", "unknown-key"),
            ("[PUSER1]", "wrong-type"),
        ] {
            assert_eq!(read(text).1, [id], "{text}");
        }
        let many: Vec<String> = (0..30).map(|n| format!("PUSER{n}")).collect();
        assert_eq!(read(&format!("{{users: [{}]}}", many.join(", "))).1, ["too-many-paged"]);
    }
}
