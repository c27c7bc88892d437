//! What else is secret, beside AMS's own secrets and what looks like a credential.

use std::collections::BTreeMap;
use std::fmt;

use super::source::Source;
use crate::finding::Findings;
use crate::mask::{Rules, file};

/// The process's variables, for files that refer to them and are read later. Never shown.
#[derive(Clone, Default)]
pub struct Variables(pub BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
}

/// Patterns, and values that must be there.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Rules {
    let Some(node) = source.fields.get("mask") else { return Rules::default() };
    file::read(node, findings, |rules, written, findings| {
        let values = written.iter().filter_map(|at| source.value("mask.values", at, findings));
        rules.known.extend(values);
    })
}

/// The same for who only looks: a value that is not there for it is no mistake.
pub(super) fn read_leniently(source: &Source<'_>, findings: &mut Findings) -> Rules {
    let Some(node) = source.fields.get("mask") else { return Rules::default() };
    file::read(node, findings, |rules, written, _| {
        let mut unknown = Findings::of(source.base);
        let values = written.iter().filter_map(|at| source.value("mask.values", at, &mut unknown));
        rules.known.extend(values);
    })
}
