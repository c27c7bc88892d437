//! `target`: which host or hosts the steps act on, and where their names are looked for.

use crate::fields::{At, Fields, wrong_type};
use crate::finding::Findings;
use crate::folding::fold;
use crate::scenario::reading::Reading;
use crate::scenario::template::Template;
use crate::yaml::{Kind, Node, Place};

/// Which host the steps act on.
#[derive(Clone, Debug)]
pub struct Target {
    pub wanted: Wanted,
    pub when_none: WhenNone,
    pub when_several: WhenSeveral,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub enum Wanted {
    /// Where the host is named; the first source that names one of the customer's is taken.
    Host(Vec<Source>),
    /// All hosts of a group.
    Group(Template),
}

/// Where a host may be named.
#[derive(Clone, Debug)]
pub enum Source {
    /// Name, alias, address or instance id of a host in the inventory; a list gives several.
    Named(Template),
    /// The same, under one of these keys in the details of the incident's alerts: the first key that
    /// names a host is taken. Folded.
    Alert(Vec<String>),
    /// EC2 instances of the customer's that have this tag.
    LookUp { tag: String, is: Template },
}

impl Source {
    /// Nobody knows its answer before it is asked.
    pub const fn is_outside(&self) -> bool {
        matches!(self, Self::Alert(_) | Self::LookUp { .. })
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenNone {
    /// The first step that needs a host hands off.
    #[default]
    HandOff,
    /// `target.hosts` is empty, and what needs no host goes on.
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenSeveral {
    #[default]
    HandOff,
    First,
    /// For an `each` over `target.hosts`.
    All,
}

impl Target {
    /// In the order they are asked.
    pub fn sources(&self) -> &[Source] {
        match &self.wanted {
            Wanted::Host(sources) => sources,
            Wanted::Group(_) => &[],
        }
    }

    /// Somebody outside must be asked, so it is found out once and kept.
    pub fn is_outside(&self) -> bool {
        self.sources().iter().any(Source::is_outside)
    }

    /// What is filled in to find it.
    pub fn templates(&self) -> Vec<&Template> {
        match &self.wanted {
            Wanted::Group(group) => vec![group],
            Wanted::Host(sources) => sources
                .iter()
                .filter_map(|source| match source {
                    Source::Named(template) | Source::LookUp { is: template, .. } => Some(template),
                    Source::Alert(_) => None,
                })
                .collect(),
        }
    }
}

const WHEN_NONE: [(&str, WhenNone); 2] =
    [("hand_off", WhenNone::HandOff), ("none", WhenNone::None)];

const WHEN_SEVERAL: [(&str, WhenSeveral); 3] =
    [("hand_off", WhenSeveral::HandOff), ("first", WhenSeveral::First), ("all", WhenSeveral::All)];

pub(super) fn read_target(node: &Node, reading: &mut Reading<'_>) -> Option<Target> {
    let place = node.place;
    if let Kind::Text(_) = node.kind {
        let host = reading.template_at(node, "target")?;
        return Some(Target {
            wanted: Wanted::Host(vec![Source::Named(host)]),
            when_none: WhenNone::default(),
            when_several: WhenSeveral::default(),
            place,
        });
    }
    let fields = Fields::of(node, "target", reading.findings)?;
    let mistakes = reading.findings.len();
    let host = fields.get("host").map(|node| read_sources(node, reading));
    let group = fields.get("group").map(|node| reading.template_at(node, "group"));
    let none = fields.word("when_none", &WHEN_NONE, reading.findings);
    let several = fields.word("when_several", &WHEN_SEVERAL, reading.findings);
    let wanted = match (host, group) {
        (Some(host), None) => host.map(Wanted::Host),
        (None, Some(group)) => group.map(Wanted::Group),
        (Some(_), Some(_)) => {
            reading.findings.add(
                "host-and-group",
                place,
                "the target is either a host or a group",
                "remove one of the two",
            );
            None
        }
        (None, None) => {
            fields.missing("host", "\"{{ capture.host }}\"", reading.findings);
            None
        }
    };
    fields.finish(reading.findings);
    // What looks unused may stand in a source that could not be read.
    reading.incomplete |= wanted.is_none() && reading.findings.len() > mistakes;
    Some(Target {
        wanted: wanted?,
        when_none: none.map_or(WhenNone::default(), |at| at.value),
        when_several: several.map_or(WhenSeveral::default(), |at| at.value),
        place,
    })
}

/// One source, or a list of them in the order they are asked. `None` where one of them is wrong.
fn read_sources(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Source>> {
    let Kind::List(items) = &node.kind else {
        return read_source(node, reading).map(|source| vec![source]);
    };
    if items.is_empty() {
        reading.findings.add(
            "empty-source",
            node.place,
            "nothing says where the host is named",
            "add a source, for example: - \"{{ capture.host }}\"",
        );
    }
    let sources: Vec<Source> = items.iter().filter_map(|item| read_source(item, reading)).collect();
    (sources.len() == items.len() && !items.is_empty()).then_some(sources)
}

fn read_source(node: &Node, reading: &mut Reading<'_>) -> Option<Source> {
    match &node.kind {
        Kind::Map(_) => {}
        Kind::List(_) | Kind::Null => {
            let wanted = "text, or one of the fields alert and look_up";
            wrong_type(reading.findings, node.place, "host", wanted, &node.kind);
            return None;
        }
        _ => return reading.template_at(node, "host").map(Source::Named),
    }
    let fields = Fields::of(node, "a source of the target", reading.findings)?;
    let keys = fields.texts("alert", reading.findings);
    let look_up = fields.get("look_up").map(|node| read_look_up(node, reading));
    let source = match (fields.get("alert"), look_up) {
        (Some(alert), None) => read_keys(alert, &keys, reading.findings),
        (None, Some(look_up)) => look_up,
        (Some(_), Some(_)) => {
            reading.findings.add(
                "several-sources",
                node.place,
                "a source of the target is either 'alert' or 'look_up'",
                "make it two entries of the list, in the order they are to be asked",
            );
            None
        }
        (None, None) => {
            fields.missing("alert", "[host, hostname]", reading.findings);
            None
        }
    };
    fields.finish(reading.findings);
    source
}

fn read_keys(node: &Node, written: &[At<String>], findings: &mut Findings) -> Option<Source> {
    let keys: Vec<String> =
        written.iter().map(|at| fold(&at.value)).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() || keys.len() < written.len() {
        let place = written.iter().find(|at| at.value.trim().is_empty());
        findings.add(
            "empty-source",
            place.map_or(node.place, |at| at.place),
            "nothing says under which key the alert's details name the host",
            "write the keys as the monitoring tool does, for example: alert: [host, hostname]",
        );
        return None;
    }
    Some(Source::Alert(keys))
}

fn read_look_up(node: &Node, reading: &mut Reading<'_>) -> Option<Source> {
    let fields = Fields::of(node, "look_up", reading.findings)?;
    let tag = fields.required_text("tag", "Name", reading.findings);
    let is = fields
        .required("is", "\"{{ capture.name }}\"", reading.findings)
        .and_then(|node| reading.template_at(node, "is"));
    fields.finish(reading.findings);
    let (tag, is) = (tag?, is?);
    if !is_tag_key(tag.value.trim()) {
        reading.findings.add(
            "bad-tag",
            tag.place,
            format!("'{}' cannot be the key of a tag", tag.value),
            "AWS allows letters, digits, spaces and + - = . _ : / @, at most 128",
        );
        return None;
    }
    if is.needs().next().is_none() && !is_tag_value(is.source().trim()) {
        reading.findings.add(
            "bad-tag",
            is.place(),
            format!("'{}' is not the whole value of a tag", is.source()),
            "write the value in full: * and ? would mean any instance",
        );
        return None;
    }
    Some(Source::LookUp { tag: tag.value.trim().to_owned(), is })
}

/// Characters of a tag's key and of its value, by the EC2 user guide, "Tag restrictions".
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 256;

fn is_tag_key(text: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    (1..=TAG_KEY).contains(&text.chars().count()) && text.chars().all(known)
}

/// A value that means itself: EC2 reads `*` and `?` in a filter as "anything", and `\` as a sign
/// before them.
pub fn is_tag_value(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !"*?\\".contains(c);
    (1..=TAG_VALUE).contains(&text.chars().count()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_from_a_title_cannot_mean_every_instance() {
        assert!(is_tag_value("web 01/本番"));
        for wide in ["", "*", "web*", "web0?", "web\\01", "a\nb", &"x".repeat(257)] {
            assert!(!is_tag_value(wide), "{wide}");
        }
        assert!(is_tag_key("aws:autoscaling:groupName") && !is_tag_key("a*"));
    }
}
