//! Secrets do not reach notes: known values and what looks like one are masked. Pure.
//!
//! A net below the real rule (secrets do not belong into output), not a replacement for it.

use std::sync::LazyLock;

use regex::Regex;
use secrecy::{ExposeSecret as _, SecretString};

const MASK: &str = "****";

/// Shorter values would mask ordinary words.
const SHORTEST_SECRET: usize = 8;

static LOOKS_SECRET: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [
        fixed(
            r#"(?i)\b((?:[a-z0-9_.-]*[_.-])?(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)"#,
        ),
        fixed(
            r"(?i)\b(authorization:\s*(?:basic|bearer|token)\s+|bearer\s+)([A-Za-z0-9._~+/=-]{8,})",
        ),
        fixed(r"()\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"),
        fixed(r"(://[^/\s:@]+:)([^@/\s]+)@"),
    ]
});

#[expect(clippy::expect_used, reason = "constant patterns; the tests compile each")]
fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// The secrets this process knows.
#[derive(Clone, Default)]
pub struct Mask {
    known: Vec<SecretString>,
}

impl Mask {
    pub fn of(known: impl IntoIterator<Item = SecretString>) -> Self {
        let long_enough = |secret: &SecretString| secret.expose_secret().len() >= SHORTEST_SECRET;
        Self { known: known.into_iter().filter(long_enough).collect() }
    }

    pub fn apply(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.known {
            masked = masked.replace(secret.expose_secret(), MASK);
        }
        for pattern in LOOKS_SECRET.iter() {
            let at = if pattern.as_str().ends_with('@') { "@" } else { "" };
            let with = format!("${{1}}{MASK}{at}");
            masked = pattern.replace_all(&masked, with.as_str()).into_owned();
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_or_looks_like_it_is_masked() {
        let mask = Mask::of([SecretString::from("u+abcdefghijk"), SecretString::from("short")]);
        let cases = [
            ("key u+abcdefghijk used", "key **** used"),
            ("DB_PASSWORD=hunter2 next", "DB_PASSWORD=**** next"),
            ("{\"api_key\": \"a b c\"}", "{\"api_key\": ****}"),
            ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ****"),
            ("AKIAABCDEFGHIJKLMNOP", "****"),
            ("postgres://app:s3cr3t@db/x", "postgres://app:****@db/x"),
            ("a short line, tokens: none", "a short line, tokens: none"),
        ];
        for (text, masked) in cases {
            assert_eq!(mask.apply(text), masked);
        }
    }
}
