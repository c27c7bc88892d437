//! AMS's own prefix in titles: how it reads, and how it is taken off again. Pure.
//!
//! The words are a closed list. A customer's system may be called AMS as well, and `[AMS prod]` in
//! front of its alerts is part of the title, for matching and for people.

use crate::lang::Lang;

/// What the title says about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Working,
    Recovered,
    RecoveredItself,
    HandedOff,
    StoodDown,
}

/// Japanese and English of each state. Words are only ever added: titles of other versions, in the
/// other region or from last year, must be read too.
const WORDS: [(State, [&str; 2]); 5] = [
    (State::Working, ["対応中", "working"]),
    (State::Recovered, ["復旧", "recovered"]),
    (State::RecoveredItself, ["自然復旧", "recovered by itself"]),
    (State::HandedOff, ["引継ぎ", "handed off"]),
    (State::StoodDown, ["交代", "stood down"]),
];

const BEFORE: &str = "[AMS ";
const AFTER: &str = "]";

/// What the titles of a last resort's own incidents begin with, in Japanese and English. It is not
/// taken off: they are incidents of their own.
const LAST_RESORTS: [&str; 2] = ["[AMS 呼出不能]", "[AMS unpaged]"];

pub const fn last_resort(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => LAST_RESORTS[0],
        Lang::En => LAST_RESORTS[1],
    }
}

/// An incident that AMS has made to reach people. Its title names another incident's, whose scenario
/// must not begin for it.
pub fn is_last_resort(title: &str) -> bool {
    LAST_RESORTS.iter().any(|prefix| title.trim_start().starts_with(prefix))
}

impl State {
    const fn words(self) -> [&'static str; 2] {
        let mut at = 0;
        while at < WORDS.len() {
            if WORDS[at].0 as u8 == self as u8 {
                return WORDS[at].1;
            }
            at += 1;
        }
        ["", ""]
    }

    /// `[AMS 対応中] `.
    pub fn prefix(self, lang: Lang) -> String {
        let [ja, en] = self.words();
        let word = match lang {
            Lang::Ja => ja,
            Lang::En => en,
        };
        format!("{BEFORE}{word}{AFTER} ")
    }
}

/// Every prefix there is, without the blank behind it.
pub fn all() -> impl Iterator<Item = String> {
    let words = WORDS.iter().flat_map(|(_, words)| words);
    words.map(|word| format!("{BEFORE}{word}{AFTER}"))
}

/// The title without our state, however often it was put there. This is what is matched.
pub fn original(title: &str) -> &str {
    let mut rest = title.trim();
    while let Some(inner) = rest.strip_prefix(BEFORE) {
        let words = WORDS.iter().flat_map(|(_, words)| words);
        let mut behind = words.filter_map(|word| inner.strip_prefix(word)?.strip_prefix(AFTER));
        let Some(behind) = behind.next() else { break };
        rest = behind.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_words() {
        for (state, words) in WORDS {
            assert_eq!(state.words(), words, "{state:?}");
            for lang in [Lang::Ja, Lang::En] {
                assert_eq!(original(&format!("{}disk", state.prefix(lang))), "disk");
            }
        }
        assert_eq!(all().count(), 10);
        assert_eq!(original("[AMS working] [AMS 復旧] x"), "x");
    }

    #[test]
    fn brackets_of_others_are_left_alone() {
        for alert in [
            "[AMSLinuxDiskUsage-i-0a1b] disk",
            "[AMS prod] disk",
            "[AMS is the name of a tool] disk",
            "[AMS unclosed",
            "[AMS ] disk",
            "[ams working] disk",
            "disk [AMS working]",
        ] {
            assert_eq!(original(alert), alert);
        }
    }
}
