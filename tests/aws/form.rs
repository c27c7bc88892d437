//! Names and values of a form or of a query, as AWS's Query protocol lays them out.

use std::fmt::Write as _;

/// In the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        // A space is written as a plus sign in forms, and nowhere else.
        let word = |text: &str| decoded(&text.replace('+', " "));
        Self(pairs.map(|(name, value)| (word(name), word(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `Name.1`, `Name.2`, ... as far as there is anything of that name or below it.
    pub(super) fn entries(&self, name: &str) -> Vec<String> {
        let entries = (1..).map(|number| format!("{name}.{number}"));
        let is_there = |entry: &String| {
            let rests = self.0.iter().filter_map(|(name, _)| name.strip_prefix(entry.as_str()));
            rests.into_iter().any(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        entries.take_while(is_there).collect()
    }

    /// Sorted by name, and written as signatures are made over them.
    pub(super) fn canonical(query: &str) -> String {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let word = |text: &str| encoded(&decoded(text), "");
        let mut pairs: Vec<_> = pairs.map(|(name, value)| (word(name), word(value))).collect();
        pairs.sort();
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// With `%41` as `A`.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// With everything but letters, digits, `-._~` and `kept` as `%41`.
pub(super) fn encoded(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(character) || kept.contains(character) {
            encoded.push(character);
        } else {
            let written = write!(encoded, "%{byte:02X}");
            debug_assert!(written.is_ok(), "a text takes everything");
        }
    }
    encoded
}
