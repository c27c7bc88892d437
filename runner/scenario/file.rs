//! One scenario file: text in, findings and, when there are none, a checked scenario out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::fields::{At, Fields, remedy_for_word, text};
use crate::finding::{Finding, Findings, did_you_mean};
use crate::limits;
use crate::scenario::capture::{CaptureKind, Pattern};
use crate::scenario::model::{ActionTemplate, HandOff, MatchRule, Scenario, Step};
use crate::scenario::steps::read_steps;
use crate::scenario::template::{INCIDENT_NAMES, Template};
use crate::yaml::{self, Node, Place};

/// Reads a scenario file. `vars` are the variables the configuration defines; `None` when there
/// is no configuration at hand, and then their names are not checked. A file that can be used may
/// have warnings.
pub fn read(
    path: &Path,
    content: &str,
    vars: Option<&BTreeMap<String, String>>,
) -> Result<(Scenario, Vec<Finding>), Vec<Finding>> {
    let mut findings = Findings::of(path);
    let node = match yaml::parse(content) {
        Ok(node) => node,
        Err(error) => {
            findings.add("syntax", error.place, error.message, error.remedy);
            return Err(findings.into_sorted());
        }
    };
    match read_scenario(path, content, &node, vars, &mut findings) {
        Some(scenario) if !findings.has_errors() => Ok((scenario, findings.into_sorted())),
        _ => Err(findings.into_sorted()),
    }
}

fn read_scenario(
    path: &Path,
    content: &str,
    node: &Node,
    vars: Option<&BTreeMap<String, String>>,
    findings: &mut Findings,
) -> Option<Scenario> {
    let fields = Fields::of(node, "the file", findings)?;
    let id = fields.required_text("scenario", "web-service-down", findings);
    if let Some(id) = &id {
        check_id(id, findings);
    }
    let about = fields.required_text("about", "Webサービスの停止を再起動で復旧する", findings);
    let rule = fields
        .required("match", "{all: [HTTP, CRITICAL]}", findings)
        .and_then(|node| read_match(node, findings));
    let deadline =
        fields.duration("deadline", findings).map_or(limits::RUN_DEADLINE, |at| at.value);
    let steps = fields
        .required("steps", "[{check: {run: 'true'}}]", findings)
        .map_or_else(Vec::new, |node| read_steps(node, findings));
    let hand_off = fields.get("hand_off").map(|node| read_hand_off(node, findings));
    fields.finish(findings);
    let known = Known { captures: rule.as_ref().map(capture_names), vars };
    let used = check_uses(&steps, &known, findings);
    // A type that could not be read would make every host look wrong.
    if !findings.has_errors() {
        check_hosts(&steps, rule.as_ref(), findings);
    }
    // Only now are the steps complete that could use them.
    let steps: Option<Vec<Step>> = steps.into_iter().collect();
    if steps.is_some() {
        let pattern = node.below(&["match", "pattern"]).map_or(node.place, |node| node.place);
        report_unused(&known, &used, pattern, findings);
    }
    let id = id?;
    Some(Scenario {
        id: id.value,
        place: id.place,
        hash: hash(content),
        about: about?.value.trim().to_owned(),
        file: path.to_owned(),
        rule: rule?,
        deadline,
        steps: steps?,
        hand_off: hand_off.flatten().unwrap_or_default(),
    })
}

fn hash(content: &str) -> String {
    let digest = Sha256::digest(content.as_bytes());
    let start = digest.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{start:012x}")
}

fn check_id(id: &At<String>, findings: &mut Findings) {
    let well_formed = id.value.len() <= 80
        && id.value.starts_with(|c: char| c.is_ascii_lowercase())
        && id.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !well_formed {
        findings.add(
            "bad-scenario-id",
            id.place,
            format!("'{}' cannot be a scenario's id", id.value),
            "use small letters, digits and '-', beginning with a letter, at most 80 characters",
        );
    }
}

fn read_match(node: &Node, findings: &mut Findings) -> Option<MatchRule> {
    let fields = Fields::of(node, "match", findings)?;
    let before = findings.len();
    let mut keywords = |key| -> Vec<String> {
        let written = fields.texts(key, findings);
        written.iter().filter_map(|at| keyword(at, key, findings)).collect()
    };
    let (all, any, none) = (keywords("all"), keywords("any"), keywords("none"));
    // Wrong keywords have findings of their own.
    let none_given = all.is_empty() && any.is_empty() && findings.len() == before;
    let pattern = read_pattern(&fields, findings);
    let priority = fields.number("priority", findings).map_or(0, |at| at.value);
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
    Some(MatchRule { all, any, none, pattern: pattern?, priority })
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
            let kind = CaptureKind::WORDS.iter().find(|(word, _)| *word == written.value);
            let Some((_, kind)) = kind else {
                let known = CaptureKind::WORDS.map(|(word, _)| word);
                findings.add(
                    "unknown-word",
                    written.place,
                    format!("'{}' is not a type of capture", written.value),
                    remedy_for_word(&written.value, &known),
                );
                continue;
            };
            kinds.insert(name.name.clone(), *kind);
            kinds_written.push((name.place, name.name.clone()));
        }
    }
    let Some(written) = written else {
        report_untaken(&kinds_written, &[], findings);
        return Some(None);
    };
    let pattern = Pattern::compile(&written.value, &kinds)
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ").trim();
            findings.add(
                "bad-pattern",
                written.place,
                format!("the pattern is not a regular expression: {reason}"),
                "put it in single quotes and escape special characters with \\",
            );
        })
        .ok()?;
    let names: Vec<&str> = pattern.names().collect();
    report_untaken(&kinds_written, &names, findings);
    Some(Some(pattern))
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

fn read_hand_off(node: &Node, findings: &mut Findings) -> Option<HandOff> {
    let fields = Fields::of(node, "hand_off", findings)?;
    let manual = fields.text("manual", findings).map(|at| at.value.trim().to_owned());
    let priority = fields.text("priority", findings).map(|at| at.value);
    fields.finish(findings);
    Some(HandOff { manual, priority })
}

/// What templates may refer to.
struct Known<'a> {
    /// `None` when the match rule could not be read.
    captures: Option<Vec<String>>,
    /// `None` when there is no configuration at hand.
    vars: Option<&'a BTreeMap<String, String>>,
}

impl Known<'_> {
    fn defines(&self, need: &str) -> bool {
        match need.split_once('.') {
            Some(("capture", name)) => {
                self.captures.as_ref().is_none_or(|names| names.iter().any(|it| it == name))
            }
            Some(("vars", name)) => self.vars.is_none_or(|vars| vars.contains_key(name)),
            Some(("incident", name)) => INCIDENT_NAMES.contains(&name),
            _ => false,
        }
    }

    /// Everything that could have been meant.
    fn all(&self) -> Vec<String> {
        let captures = self.captures.iter().flatten().map(|name| format!("capture.{name}"));
        let vars = self.vars.into_iter().flatten().map(|(name, _)| format!("vars.{name}"));
        let incident = INCIDENT_NAMES.iter().map(|name| format!("incident.{name}"));
        captures.chain(vars).chain(incident).collect()
    }
}

fn capture_names(rule: &MatchRule) -> Vec<String> {
    rule.pattern.iter().flat_map(Pattern::names).map(str::to_owned).collect()
}

/// Every value a template needs must exist. Answers with the values that are used.
fn check_uses(
    steps: &[Option<Step>],
    known: &Known<'_>,
    findings: &mut Findings,
) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for step in steps.iter().flatten() {
        for template in templates_of(step) {
            for need in template.needs() {
                used.insert(need.to_owned());
                if known.defines(need) {
                    continue;
                }
                let remedy = match did_you_mean(need, known.all().iter().map(String::as_str)) {
                    Some(word) => format!("did you mean '{word}'?"),
                    None => "define it in match.pattern (capture.…) or in the configuration \
                             (vars.…)"
                        .to_owned(),
                };
                findings.add(
                    "undefined-value",
                    template.place(),
                    format!("step '{}' uses {{{{ {need} }}}}, which nothing defines", step.name),
                    remedy,
                );
            }
        }
    }
    used
}

/// Where a request goes is the operator's to say, or a host name's that a title gives as such.
fn check_hosts(steps: &[Option<Step>], rule: Option<&MatchRule>, findings: &mut Findings) {
    let Some(rule) = rule else { return };
    for step in steps.iter().flatten() {
        let Some(ActionTemplate::Http { url, .. }) = step.kind.probe().map(|probe| &probe.action)
        else {
            continue;
        };
        for need in url.host_needs() {
            let kind = need
                .strip_prefix("capture.")
                .and_then(|name| rule.pattern.as_ref().and_then(|pattern| pattern.kind(name)));
            let trusted = need.starts_with("vars.")
                || matches!(kind, Some(CaptureKind::Hostname | CaptureKind::Number));
            if !trusted && (kind.is_some() || need.starts_with("incident.")) {
                findings.add(
                    "host-from-title",
                    url.place(),
                    format!("{{{{ {need} }}}} would decide which host the request goes to"),
                    "give the capture the type hostname (or number for a port), or use {{ vars.… }}",
                );
            }
        }
    }
}

/// A capture that nothing uses is a mistake: its type would refuse titles for nothing.
fn report_unused(
    known: &Known<'_>,
    used: &BTreeSet<String>,
    place: Place,
    findings: &mut Findings,
) {
    for name in known.captures.iter().flatten() {
        if !used.contains(&format!("capture.{name}")) {
            findings.add(
                "unused-capture",
                place,
                format!("the capture '{name}' is never used"),
                "use it in a step, or make the group unnamed: (?:…)",
            );
        }
    }
}

fn templates_of(step: &Step) -> impl Iterator<Item = &Template> {
    let templates: Vec<&Template> = match step.kind.probe().map(|probe| &probe.action) {
        None => Vec::new(),
        Some(ActionTemplate::Script { env, .. } | ActionTemplate::Exec { env, .. }) => {
            env.values().collect()
        }
        Some(ActionTemplate::Http { url, headers, body, .. }) => {
            std::iter::once(url).chain(headers.values()).chain(body).collect()
        }
    };
    templates.into_iter()
}
