//! Who may allow what AMS asks about, and when nobody need be asked.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::customer::calendar::{self, Calendar};
use crate::fields::{At, Fields};
use crate::finding::Findings;
use crate::yaml::{Kind, Node};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// `PagerDuty` user ids; any person where none is named.
    approvers: Vec<String>,
    waived: Vec<Waiver>,
}

/// Hours in which nobody is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiver {
    calendar: Calendar,
    /// Only for these; for all where none is named.
    scenarios: Vec<String>,
}

impl Approval {
    pub fn may_answer(&self, by: Option<&str>) -> bool {
        self.approvers.is_empty() || by.is_some_and(|by| self.approvers.iter().any(|it| it == by))
    }

    /// One of those who may answer, where they are named.
    pub fn approver(&self) -> Option<&str> {
        self.approvers.first().map(String::as_str)
    }

    /// Nobody need be asked for this scenario now.
    pub fn is_waived(&self, scenario: &str, now: Timestamp, zone: &TimeZone) -> bool {
        self.waived.iter().any(|waiver| {
            let is_meant =
                waiver.scenarios.is_empty() || waiver.scenarios.iter().any(|it| it == scenario);
            is_meant && waiver.calendar.covering(now, zone).is_some()
        })
    }

    pub fn scenarios(&self) -> impl Iterator<Item = (usize, &str)> {
        let each = self.waived.iter().enumerate();
        each.flat_map(|(index, it)| it.scenarios.iter().map(move |id| (index, id.as_str())))
    }
}

/// `approvers` and `approval` of a customer file.
pub(super) fn read(fields: &Fields<'_>, findings: &mut Findings) -> Approval {
    let approvers = fields.texts("approvers", findings);
    let approvers = approvers.into_iter().filter_map(|at| read_approver(at, findings)).collect();
    let node = fields.get("approval");
    let waived = node.map(|node| read_approval(node, findings)).unwrap_or_default();
    Approval { approvers, waived }
}

fn read_approver(at: At<String>, findings: &mut Findings) -> Option<String> {
    let is_id = |text: &str| {
        text.starts_with('P')
            && text.len() > 1
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if is_id(&at.value) {
        return Some(at.value);
    }
    findings.add(
        "bad-approver",
        at.place,
        format!("'{}' is not the id of a PagerDuty user", at.value),
        "write the last part of the address of the user's page: PABC123",
    );
    None
}

fn read_approval(node: &Node, findings: &mut Findings) -> Vec<Waiver> {
    let Some(fields) = Fields::of(node, "approval", findings) else { return Vec::new() };
    let waived = match fields.get("waived") {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => {
            items.iter().filter_map(|item| read_waiver(item, findings)).collect()
        }
        Some(single) => read_waiver(single, findings).into_iter().collect(),
    };
    fields.finish(findings);
    waived
}

fn read_waiver(node: &Node, findings: &mut Findings) -> Option<Waiver> {
    let fields = Fields::of(node, "waived hours", findings)?;
    let calendar = calendar::read(&fields, findings);
    let scenarios = fields.texts("scenarios", findings);
    fields.finish(findings);
    Some(Waiver {
        calendar: calendar?,
        scenarios: scenarios.into_iter().map(|at| at.value).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::customer::file;

    fn shop(lines: &str) -> Approval {
        let text = format!("customer: shop\nname: Shop\n{lines}");
        file::read(Path::new("shop.yaml"), &text).unwrap().approval
    }

    #[test]
    fn named_people_may_answer_and_without_names_any_person() {
        let named = shop("approvers: [PTANAKA, PSUZUKI]\n");
        assert!(named.may_answer(Some("PTANAKA")));
        assert!(!named.may_answer(Some("PSTRANGER")) && !named.may_answer(None));
        let anybody = shop("");
        assert!(anybody.may_answer(Some("PSTRANGER")) && anybody.may_answer(None));
    }

    #[test]
    fn in_waived_hours_nobody_need_be_asked() {
        let shop = shop(
            "approval: {waived: [{scenarios: [restart-web], days: [mon, tue, wed, thu, fri], \
             from: \"09:00\", until: \"18:00\"}]}\n",
        );
        // A Monday.
        let noon = "2026-03-02T12:00:00Z".parse().unwrap();
        let night = "2026-03-02T18:00:00Z".parse().unwrap();
        assert!(shop.is_waived("restart-web", noon, &TimeZone::UTC));
        assert!(!shop.is_waived("restart-web", night, &TimeZone::UTC));
        assert!(!shop.is_waived("clean-disk", noon, &TimeZone::UTC));
        assert!(!Approval::default().is_waived("restart-web", noon, &TimeZone::UTC));
    }
}
