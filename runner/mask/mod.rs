//! Secrets do not leave the process: known values, what the operator describes, and what looks like
//! a credential. Pure.
//!
//! A net below the real rule (secrets do not belong into output), not a replacement for it. Text is
//! masked whole and cut afterwards, so that no half of a secret is left at the cut.

mod cover;
#[cfg(test)]
mod examples;
pub mod file;
mod patterns;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

pub use file::{Pattern, Rules};
use patterns::BUILT_IN;

/// What stands in the place of a secret.
pub const MASK: &str = "****";

/// Bytes of a known value; a shorter one would mask ordinary words.
pub const SHORTEST_SECRET: usize = 8;

/// Lines of a known value that are masked by themselves, too: a key may be printed line by line.
const SHORTEST_LINE: usize = 16;

/// Characters of a word that is left out as a whole where a text was cut within it. No credential
/// without a blank is longer, JSON web tokens apart, of which any part is masked.
const LONGEST_WORD: usize = 512;

/// Secrets that a process hears of while it runs. Clones share them.
#[derive(Clone, Default)]
pub struct Learned(Arc<RwLock<Vec<SecretString>>>);

impl Learned {
    /// Covered from now on, in every mask that learns.
    pub fn add(&self, secret: &SecretString) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut forms = printed(secret.expose_secret().trim());
        forms.retain(|form| !known.iter().any(|it| it.expose_secret() == form));
        known.extend(forms.into_iter().map(SecretString::from));
        known.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }
}

impl fmt::Debug for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Learned")
    }
}

/// The secrets this process knows, and how others look. Clones share them.
#[derive(Clone, Default)]
pub struct Mask {
    learned: Learned,
    /// In every form in which a value may be printed, longest first.
    known: Arc<[SecretString]>,
    own: Arc<[Pattern]>,
}

/// What it masks is no business of a log.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} known, {} patterns)", self.known.len(), self.own.len())
    }
}

impl Mask {
    pub fn of(known: impl IntoIterator<Item = SecretString>) -> Self {
        Self::default().and(known, &[])
    }

    /// Knows nothing yet but what is learned.
    pub fn learning(learned: Learned) -> Self {
        Self { learned, ..Self::default() }
    }

    /// The same, and these.
    #[must_use]
    pub fn and(&self, known: impl IntoIterator<Item = SecretString>, patterns: &[Pattern]) -> Self {
        let mut forms: Vec<String> =
            self.known.iter().map(|form| form.expose_secret().to_owned()).collect();
        for secret in known {
            forms.extend(printed(secret.expose_secret().trim()));
        }
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let own = self.own.iter().chain(patterns).cloned().collect();
        let known = forms.into_iter().map(SecretString::from).collect();
        Self { learned: self.learned.clone(), known, own }
    }

    /// The text with every secret in it covered. Covering again changes nothing.
    pub fn apply(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        let learned = self.learned.0.read().unwrap_or_else(PoisonError::into_inner);
        for form in learned.iter().chain(self.known.iter()) {
            if masked.contains(form.expose_secret()) {
                masked = masked.replace(form.expose_secret(), MASK);
            }
        }
        for pattern in self.own.iter() {
            if let Some(covered) = cover::cover(&pattern.0, &masked, cover::NOTHING) {
                masked = covered;
            }
        }
        for row in BUILT_IN.iter() {
            if let Some(covered) = cover::cover(&row.regex, &masked, row.stays) {
                masked = covered;
            }
        }
        masked
    }

    /// The same, for a text whose end was cut off somewhere: a word that may be half a secret goes.
    pub fn apply_to_cut(&self, text: &str) -> String {
        let last = text.char_indices().rev().take(LONGEST_WORD);
        let blank = last.clone().find(|(_, c)| c.is_whitespace()).map(|(at, c)| at + c.len_utf8());
        let end = blank.or_else(|| last.last().map(|(at, _)| at)).unwrap_or(0);
        self.apply(&text[..end])
    }
}

/// For words of others that are told before anybody knows whose run it is.
pub fn plain(text: &str) -> String {
    Mask::default().apply(text)
}

/// The first characters of a text, without the half of a word at their end.
pub fn first_chars(text: &str, chars: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(chars) else { return text };
    if next.is_whitespace() {
        return &text[..end];
    }
    let back = text[..end].char_indices().rev().take(LONGEST_WORD);
    let blank = back.into_iter().find(|(_, c)| c.is_whitespace());
    blank.map_or(&text[..end], |(at, c)| &text[..at + c.len_utf8()])
}

/// A value as programs print it: as it is, in JSON, in an address; its long lines by themselves.
fn printed(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut encoded = String::new();
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    let forms = [secret.to_owned(), json, encoded].into_iter().chain(lines.map(str::to_owned));
    forms.filter(|form| form.len() >= SHORTEST_SECRET).collect()
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_value_is_covered_however_it_is_printed() {
        let key = "line-one-of-a-key-0123\nline-two-of-a-key-4567";
        let known = ["u+ab/cd\"efghijk", "short", key].map(SecretString::from);
        let mask = Mask::of(known);
        for (text, masked) in [
            ("key u+ab/cd\"efghijk used", "key **** used"),
            (r#"{"q": "u+ab/cd\"efghijk"}"#, r#"{"q": "****"}"#),
            ("GET /?q=u%2Bab%2Fcd%22efghijk&x=1", "GET /?q=****&x=1"),
            ("only line-two-of-a-key-4567 is here", "only **** is here"),
            ("a short word", "a short word"),
        ] {
            assert_eq!(mask.apply(text), masked);
            assert_eq!(mask.apply(masked), masked, "covering again changes nothing");
        }
        assert!(!format!("{mask:?}").contains("line-one"), "{mask:?}");
    }

    #[test]
    fn what_was_cut_leaves_no_half_of_a_secret() {
        let mask = Mask::of([SecretString::from("correct-horse-battery")]);
        assert_eq!(mask.apply_to_cut("it is correct-horse-bat"), "it is ");
        assert_eq!(mask.apply_to_cut("correct-horse-bat"), "");
        assert_eq!(first_chars("ab cdef gh", 6), "ab ");
        assert_eq!(first_chars("ab cdef gh", 7), "ab cdef");
        assert_eq!(first_chars("日本語 です", 2), "日本");
        assert_eq!(first_chars("ab", 6), "ab");
    }
}
