//! Finds what looks like a secret in plain text: scenario files are read by many people.

use std::sync::LazyLock;

use regex::Regex;

use crate::finding::Findings;
use crate::scenario::template::Template;

/// Names whose values are secrets.
const NAMES: [&str; 7] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "AUTHORIZATION"];

/// Forms of well-known credentials: AWS, GitHub, Slack, private keys, JSON web tokens.
#[expect(clippy::expect_used, reason = "a constant pattern; a test uses it")]
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[A-Za-z0-9_-]{10,}\.eyJ",
    )
    .expect("a constant pattern")
});

/// A value under an environment variable, a header or the like.
pub(super) fn look(name: &str, template: &Template, findings: &mut Findings) {
    let named = NAMES.iter().any(|known| name.to_uppercase().replace('-', "_").contains(known));
    let literal = template.needs().next().is_none() && !template.source().trim().is_empty();
    if (named && literal) || FORMS.is_match(template.source()) {
        report(template.place(), name, findings);
    }
}

/// A text that is used as it stands, such as a script.
pub(super) fn look_in_text(place: crate::yaml::Place, text: &str, findings: &mut Findings) {
    if FORMS.is_match(text) {
        report(place, "this text", findings);
    }
}

fn report(place: crate::yaml::Place, what: &str, findings: &mut Findings) {
    findings.add(
        "secret-in-plain-text",
        place,
        format!("{what} holds what looks like a secret"),
        "keep it where the command runs (a file, the host's own store), or give it as {{ vars.… }} \
         from the runner's environment",
    );
}
