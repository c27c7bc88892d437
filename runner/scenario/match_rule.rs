//! Reads `match`: which incidents a scenario is meant for.

use std::collections::BTreeMap;

use crate::fields::{At, Fields, remedy_for_word, text};
use crate::finding::Findings;
use crate::incident::Urgency;
use crate::scenario::capture::{CaptureKind, Pattern};
use crate::scenario::model::MatchRule;
use crate::yaml::{Node, Place};

pub(super) const URGENCIES: [(&str, Urgency); 2] = [("high", Urgency::High), ("low", Urgency::Low)];

pub(super) fn read_match(node: &Node, findings: &mut Findings) -> Option<MatchRule> {
    let fields = Fields::of(node, "match", findings)?;
    let before = findings.len();
    let mut keywords = |key| -> Vec<String> {
        let written = fields.texts(key, findings);
        written.iter().filter_map(|at| keyword(at, key, findings)).collect()
    };
    let (all, any, none) = (keywords("all"), keywords("any"), keywords("none"));
    let (customers, services) = (keywords("customers"), keywords("services"));
    // Wrong keywords have findings of their own.
    let none_given = all.is_empty() && any.is_empty() && findings.len() == before;
    let pattern = read_pattern(&fields, findings);
    let priority = fields.number("priority", findings).map_or(0, |at| at.value);
    let urgency = fields.word("urgency", &URGENCIES, findings).map(|at| at.value);
    fields.finish(findings);
    if none_given {
        findings.add(
            "no-keywords",
            node.place,
            "without keywords under 'all' or 'any' the scenario would match every title",
            "give at least one",
        );
    }
    if all.is_empty() && any.is_empty() {
        return None;
    }
    let pattern = pattern?;
    Some(MatchRule { all, any, none, pattern, priority, customers, services, urgency })
}

fn keyword(at: &At<String>, key: &str, findings: &mut Findings) -> Option<String> {
    let trimmed = at.value.trim();
    if trimmed.is_empty() {
        findings.add(
            "empty-keyword",
            at.place,
            format!("an empty keyword under '{key}' is in every title"),
            "remove it, or write the word",
        );
        return None;
    }
    if trimmed.contains(['、', '，']) {
        findings.warn(
            "comma-in-keyword",
            at.place,
            format!("'{trimmed}' is one keyword: a full-width comma does not divide"),
            "write [HTTP, CRITICAL] with half-width commas, if several words are meant",
        );
    }
    Some(trimmed.to_owned())
}

/// Outer `None` means a finding; `Some(None)` that there is no pattern.
#[expect(clippy::option_option, reason = "no pattern and a wrong pattern differ")]
fn read_pattern(fields: &Fields<'_>, findings: &mut Findings) -> Option<Option<Pattern>> {
    let mut kinds = BTreeMap::new();
    let mut kinds_written = Vec::new();
    let written = fields.text("pattern", findings);
    if let Some(node) = fields.get("captures") {
        let own = Fields::of(node, "captures", findings)?;
        for (name, value) in own.all() {
            let written = text(value, &name.name, findings)?;
            if let Some(kind) = kind_word(&written, findings) {
                kinds.insert(name.name.clone(), kind);
                kinds_written.push((name.place, name.name.clone()));
            }
        }
    }
    let Some(written) = written else {
        report_untaken(&kinds_written, &[], findings);
        return Some(None);
    };
    let pattern = Pattern::compile(&written.value, &kinds)
        .map_err(|error| bad_pattern(&written, &error.to_string(), findings))
        .ok()?;
    let names: Vec<&str> = pattern.names().collect();
    report_untaken(&kinds_written, &names, findings);
    Some(Some(pattern))
}

pub(super) fn bad_pattern(written: &At<String>, error: &str, findings: &mut Findings) {
    let reason = error.lines().last().unwrap_or("").trim_start_matches("error: ").trim();
    findings.add(
        "bad-pattern",
        written.place,
        format!("the pattern is not a regular expression: {reason}"),
        "put it in single quotes and escape special characters with \\",
    );
}

/// `word`, `hostname` …, with a finding for anything else.
pub(super) fn kind_word(written: &At<String>, findings: &mut Findings) -> Option<CaptureKind> {
    let kind = CaptureKind::WORDS.iter().find(|(word, _)| *word == written.value);
    if let Some((_, kind)) = kind {
        return Some(*kind);
    }
    let known = CaptureKind::WORDS.map(|(word, _)| word);
    findings.add(
        "unknown-word",
        written.place,
        format!("'{}' is not a type", written.value),
        remedy_for_word(&written.value, &known),
    );
    None
}

fn report_untaken(written: &[(Place, String)], names: &[&str], findings: &mut Findings) {
    for (place, name) in written.iter().filter(|(_, name)| !names.contains(&name.as_str())) {
        findings.add(
            "capture-not-in-pattern",
            *place,
            format!("the pattern has no group '{name}'"),
            format!("name a group in the pattern: (?<{name}>…)"),
        );
    }
}
