//! What a customer limits.

use crate::customer::Host;
use crate::finding::{Findings, did_you_mean};
use crate::guard::file::{EACH_TARGET, Level, read_limits};
use crate::guard::rules::Rules;
use crate::yaml::{Kind, Node};

/// A group that no host is in would limit nothing, and nobody would notice.
pub(super) fn read(node: &Node, hosts: &[Host], findings: &mut Findings) -> Rules {
    let rules = read_limits(node, Level::Shared, findings);
    let groups: Vec<&str> =
        hosts.iter().flat_map(|host| &host.groups).map(String::as_str).collect();
    let written = node.below(&["one_at_a_time"]);
    for named in written.into_iter().flat_map(each) {
        let Kind::Text(name) = &named.kind else { continue };
        if name == EACH_TARGET || groups.contains(&name.as_str()) {
            continue;
        }
        let near = did_you_mean(name, groups.iter().copied());
        findings.add(
            "unknown-group",
            named.place,
            format!("no host of the customer is in the group '{name}'"),
            near.map_or_else(
                || format!("add '{name}' to the groups of its hosts, or write '{EACH_TARGET}'"),
                |near| format!("did you mean '{near}'?"),
            ),
        );
    }
    rules
}

fn each(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}
