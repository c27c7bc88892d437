//! `mask:` of the configuration and of customers: what else is secret. Pure.

use std::path::PathBuf;

use regex::{Regex, RegexBuilder};
use secrecy::SecretString;

use crate::fields::{At, Fields};
use crate::finding::Findings;
use crate::yaml::{Node, Place};

/// Bytes that one compiled pattern may take. Ordinary ones take some thousand.
const PATTERN_BYTES: usize = 1024 * 1024;

/// Characters of a pattern.
const PATTERN_CHARS: usize = 1_000;

/// Patterns and values of one file. Every text is looked through for each.
const MOST: usize = 50;

/// How a secret looks. Clones share the compiled form.
#[derive(Clone, Debug)]
pub struct Pattern(pub(super) Regex);

/// What a file says of secrets.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub patterns: Vec<Pattern>,
    /// References to values, followed by whoever has an environment.
    pub values: Vec<At<Reference>>,
    /// The values, once they were looked up.
    pub known: Vec<SecretString>,
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Variable(String),
    File(PathBuf),
}

impl Reference {
    /// `env:NAME` or `file:PATH`; never the value itself.
    pub fn parse(written: &str) -> Option<Self> {
        match written.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Variable(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path.into())),
            _ => None,
        }
    }
}

/// Reads patterns; `values` are left to `read_values`, because who has an environment may follow
/// them at once.
pub fn read(
    node: &Node,
    findings: &mut Findings,
    read_values: impl FnOnce(&mut Rules, Vec<At<String>>, &mut Findings),
) -> Rules {
    let mut rules = Rules::default();
    let Some(fields) = Fields::of(node, "mask", findings) else { return rules };
    let patterns = fields.texts("patterns", findings);
    let values = fields.texts("values", findings);
    fields.finish(findings);
    for (what, place) in [("patterns", patterns.get(MOST)), ("values", values.get(MOST))]
        .map(|(what, at)| (what, at.map(|at| at.place)))
    {
        if let Some(place) = place {
            let message = format!("there are more than {MOST} {what} under 'mask'");
            findings.add("too-many-masks", place, message, "join some of them, or leave some out");
        }
    }
    rules.patterns = patterns.iter().filter_map(|at| pattern(at, findings)).collect();
    read_values(&mut rules, values, findings);
    rules
}

/// References as they are written, for files that are also read where nobody knows the secrets.
pub fn references(rules: &mut Rules, written: Vec<At<String>>, findings: &mut Findings) {
    for At { place, value } in written {
        match Reference::parse(&value) {
            Some(value) => rules.values.push(At { place, value }),
            None => findings.add(
                "secret-in-plain-text",
                place,
                "'mask.values' holds a value in plain text",
                "write env:NAME or file:PATH, and put the secret there",
            ),
        }
    }
}

fn pattern(at: &At<String>, findings: &mut Findings) -> Option<Pattern> {
    let At { place, value } = at;
    if value.chars().count() > PATTERN_CHARS {
        let reason = format!("it has more than {PATTERN_CHARS} characters");
        return bad(*place, &reason, findings);
    }
    match RegexBuilder::new(value).multi_line(true).size_limit(PATTERN_BYTES).build() {
        Ok(regex) if regex.is_match("") => {
            bad(*place, "it finds nothing at all, which is everywhere", findings)
        }
        Ok(regex) => Some(Pattern(regex)),
        // The engine's message draws the pattern over several lines; its last line is the reason.
        Err(error) => {
            let told = error.to_string();
            bad(*place, told.lines().last().unwrap_or_default(), findings)
        }
    }
}

fn bad<T>(place: Place, reason: &str, findings: &mut Findings) -> Option<T> {
    findings.add(
        "bad-mask-pattern",
        place,
        format!("this is no pattern of a secret: {}", reason.trim_start_matches("error: ")),
        "write a regular expression, with the secret itself in (?<secret>…)",
    );
    None
}
