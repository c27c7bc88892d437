//! What is taken out of a title: typed, so that text from outside cannot be more than it says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::scenario::title_regex::{TitleRegex, TitleRegexError};

/// A title pattern with typed named groups.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: TitleRegex,
    kinds: BTreeMap<String, CaptureKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    /// Letters, digits, dot, dash, underscore.
    Word,
    /// A host name or IPv4 address, without a port.
    Hostname,
    /// Digits, at most 18 of them.
    Number,
    /// An absolute path without `..`, spaces or control characters.
    Path,
    /// Anything printable, at most 200 characters. Only ever data.
    Text,
}

impl CaptureKind {
    pub const WORDS: [(&'static str, Self); 5] = [
        ("word", Self::Word),
        ("hostname", Self::Hostname),
        ("number", Self::Number),
        ("path", Self::Path),
        ("text", Self::Text),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Word => WORD.is_match(value),
            Self::Hostname => HOSTNAME.is_match(value) && value.len() <= 253,
            Self::Number => NUMBER.is_match(value),
            Self::Path => PATH.is_match(value) && !value.split('/').any(|part| part == ".."),
            Self::Text => value.chars().count() <= 200 && !value.chars().any(char::is_control),
        }
    }
}

static WORD: LazyLock<Regex> = LazyLock::new(|| fixed(r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\z"));
static HOSTNAME: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\A[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\z",
    )
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| fixed(r"\A[0-9]{1,18}\z"));
static PATH: LazyLock<Regex> = LazyLock::new(|| fixed(r"\A/[A-Za-z0-9._/@:+,=-]{0,1023}\z"));

#[expect(clippy::expect_used, reason = "constant patterns; a test compiles each")]
fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// What a pattern gave on one title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Captured {
    Values(BTreeMap<String, String>),
    NoMatch,
    /// The pattern matched, but a group is not what its type says.
    WrongKind {
        name: String,
        kind: CaptureKind,
    },
}

impl Pattern {
    /// Compiles case-insensitively. `kinds` overrides the type of named groups, `word` otherwise.
    pub fn compile(
        pattern: &str,
        kinds: &BTreeMap<String, CaptureKind>,
    ) -> Result<Self, TitleRegexError> {
        let regex = TitleRegex::new(pattern)?;
        let kinds = regex
            .capture_names()
            .flatten()
            .map(|name| (name.to_owned(), kinds.get(name).copied().unwrap_or(CaptureKind::Word)))
            .collect();
        Ok(Self { source: pattern.to_owned(), regex, kinds })
    }

    /// As the author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    pub fn kind(&self, name: &str) -> Option<CaptureKind> {
        self.kinds.get(name).copied()
    }

    pub fn capture(&self, title: &str) -> Captured {
        let Some(found) = self.regex.captures(title) else {
            return Captured::NoMatch;
        };
        let mut values = BTreeMap::new();
        for (name, kind) in &self.kinds {
            // A group in a branch that did not take part has no value; a use of it hands off.
            let Some(value) = found.name(name) else {
                continue;
            };
            if !kind.accepts(value) {
                return Captured::WrongKind { name: name.clone(), kind: *kind };
            }
            values.insert(name.clone(), value.to_owned());
        }
        Captured::Values(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, kinds: &[(&str, CaptureKind)]) -> Pattern {
        let kinds = kinds.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Pattern::compile(text, &kinds).unwrap()
    }

    #[test]
    fn a_capture_is_what_its_type_says_or_nothing() {
        let host = pattern(r"HOSTNAME=(?<host>[^;]+)", &[("host", CaptureKind::Hostname)]);
        let values = |title: &str| host.capture(title);
        let web = BTreeMap::from([("host".to_owned(), "web01.example.jp".to_owned())]);
        assert_eq!(values("x hostname=web01.example.jp; y"), Captured::Values(web));
        assert_eq!(values("no host here"), Captured::NoMatch);
        let refused = Captured::WrongKind { name: "host".into(), kind: CaptureKind::Hostname };
        for hostile in ["$(reboot)", "web01 && rm -rf /", "-oProxyCommand=x", "a/../b", "web01\n"] {
            assert_eq!(values(&format!("HOSTNAME={hostile}")), refused, "{hostile}");
        }
    }

    #[test]
    fn types_accept_what_they_are_for_and_refuse_the_rest() {
        let cases = [
            (CaptureKind::Word, "php-fpm_7.4", "two words"),
            (CaptureKind::Hostname, "10.0.1.12", "host:9100"),
            (CaptureKind::Number, "042", "12a"),
            (CaptureKind::Path, "/var/log/app/app.log", "/var/log/../../etc/passwd"),
            (CaptureKind::Text, "印刷 (Spooler) $HOME", "line\nbreak"),
        ];
        for (kind, good, bad) in cases {
            assert!(kind.accepts(good), "{kind:?} {good}");
            assert!(!kind.accepts(bad), "{kind:?} {bad}");
            assert!(!kind.accepts("") || kind == CaptureKind::Text, "{kind:?}");
        }
    }
}
