//! 対応停止: when the customer's systems are left alone, once or again and again.

use jiff::Timestamp;

use crate::customer::calendar::{self, Calendar};
use crate::customer::{Customer, Host};
use crate::fields::Fields;
use crate::finding::{Findings, did_you_mean};
use crate::yaml::Node;

/// The customer asked to leave the system alone, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Only this scenario.
    pub scenario: Option<String>,
    /// Only this host.
    pub host: Option<String>,
    /// Only the hosts of this group.
    pub group: Option<String>,
    pub reason: String,
}

/// The same again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    pub calendar: Calendar,
    /// Only these; all where none is named.
    pub scenarios: Vec<String>,
    pub hosts: Vec<String>,
    pub groups: Vec<String>,
    pub reason: String,
}

/// What is in force, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    pub reason: String,
    pub until: Timestamp,
}

impl Customer {
    /// The suspension or maintenance in force that lasts longest. Without a host, only what is for
    /// all hosts counts.
    pub fn suspended(&self, scenario: &str, host: Option<&str>, now: Timestamp) -> Option<Rest> {
        let known = host.and_then(|host| self.host(host));
        let is_host = |it: &str| {
            host.is_some_and(|host| host == it) || known.is_some_and(|host| host.name == it)
        };
        let in_group = |it: &String| known.is_some_and(|host| host.groups.contains(it));
        let once = self.suspensions.iter().filter(|suspension| {
            (suspension.from..suspension.until).contains(&now)
                && suspension.scenario.as_deref().is_none_or(|it| it == scenario)
                && suspension.host.as_deref().is_none_or(is_host)
                && suspension.group.as_ref().is_none_or(in_group)
        });
        let once = once.map(|it| Rest { reason: it.reason.clone(), until: it.until });
        let again = self.maintenance.iter().filter(|it| {
            let any_host = it.hosts.is_empty() && it.groups.is_empty();
            let is_meant =
                any_host || it.hosts.iter().any(|it| is_host(it)) || it.groups.iter().any(in_group);
            is_meant && (it.scenarios.is_empty() || it.scenarios.iter().any(|it| it == scenario))
        });
        let again = again.filter_map(|it| {
            let until = it.calendar.covering(now, &self.zone)?;
            Some(Rest { reason: it.reason.clone(), until })
        });
        once.chain(again).max_by_key(|rest| rest.until)
    }
}

pub(super) fn read_maintenance(
    node: &Node,
    hosts: &[Host],
    findings: &mut Findings,
) -> Option<Maintenance> {
    let fields = Fields::of(node, "a maintenance window", findings)?;
    let calendar = calendar::read(&fields, findings);
    let mut texts = |key| fields.texts(key, findings);
    let (scenarios, named, groups) = (texts("scenarios"), texts("hosts"), texts("groups"));
    let reason = fields.required_text("reason", "定期再起動", findings);
    fields.finish(findings);
    let known: Vec<&str> = hosts.iter().flat_map(|host| &host.groups).map(String::as_str).collect();
    for group in groups.iter().filter(|group| !known.contains(&group.value.as_str())) {
        let near = did_you_mean(&group.value, known.iter().copied());
        findings.add(
            "unknown-group",
            group.place,
            format!("no host of the customer is in the group '{}'", group.value),
            near.map_or_else(
                || format!("add '{}' to the groups of its hosts", group.value),
                |near| format!("did you mean '{near}'?"),
            ),
        );
    }
    let values = |all: Vec<crate::fields::At<String>>| all.into_iter().map(|at| at.value).collect();
    Some(Maintenance {
        calendar: calendar?,
        scenarios: values(scenarios),
        hosts: values(named),
        groups: values(groups),
        reason: reason?.value,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::customer::file;

    const SHOP: &str = "customer: shop\nname: Shop\ntime_zone: Asia/Tokyo\n\
        hosts:\n  - {name: web01, address: 10.0.0.1, groups: [web]}\n  - {name: db01}\n\
        suspensions:\n  - {from: \"2026-03-01 00:00\", until: \"2026-03-01 03:00\", \
        host: web01, reason: 移行}\n\
        maintenance:\n  - {days: [sun], from: \"02:00\", until: \"05:00\", groups: [web], \
        reason: 定期再起動}\n  - {monthly: 1st sun, from: \"04:00\", until: \"04:30\", \
        scenarios: [clean-disk], reason: 清掃}\n";

    fn rest(scenario: &str, host: Option<&str>, at: &str) -> String {
        let shop = file::read(Path::new("shop.yaml"), SHOP).unwrap();
        let at: Timestamp = format!("2026-03-01T{at}:00+09:00").parse().unwrap();
        let rest = shop.suspended(scenario, host, at);
        rest.map_or_else(String::new, |rest| {
            format!("{} {}", rest.reason, rest.until.to_zoned(shop.zone).strftime("%H:%M"))
        })
    }

    #[test]
    fn of_several_the_one_that_lasts_longest_is_in_force() {
        assert_eq!(rest("restart", Some("web01"), "01:00"), "移行 03:00");
        assert_eq!(rest("restart", Some("web01"), "02:30"), "定期再起動 05:00");
        assert_eq!(rest("restart", Some("10.0.0.1"), "02:30"), "定期再起動 05:00", "by address");
        assert_eq!(rest("restart", Some("db01"), "02:30"), "", "in no group");
        assert_eq!(rest("restart", None, "02:30"), "", "which host is not known");
        assert_eq!(rest("clean-disk", None, "04:10"), "清掃 04:30");
        assert_eq!(rest("restart", None, "04:10"), "");
    }
}
