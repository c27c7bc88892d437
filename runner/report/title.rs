//! The incident's title: our state in front, the original kept. Pure and safe to repeat.

use crate::lang::Lang;
use crate::limits;

/// What the title says about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Working,
    Recovered,
    RecoveredItself,
    HandedOff,
    StoodDown,
}

impl State {
    const fn words(self, lang: Lang) -> &'static str {
        match (lang, self) {
            (Lang::Ja, Self::Working) => "対応中",
            (Lang::Ja, Self::Recovered) => "復旧",
            (Lang::Ja, Self::RecoveredItself) => "自然復旧",
            (Lang::Ja, Self::HandedOff) => "引継ぎ",
            (Lang::Ja, Self::StoodDown) => "交代",
            (Lang::En, Self::Working) => "working",
            (Lang::En, Self::Recovered) => "recovered",
            (Lang::En, Self::RecoveredItself) => "recovered by itself",
            (Lang::En, Self::HandedOff) => "handed off",
            (Lang::En, Self::StoodDown) => "stood down",
        }
    }
}

const PREFIX: &str = "[AMS ";
/// Characters between `[AMS ` and `]`; a longer bracket is not ours.
const LONGEST_STATE: usize = 24;

/// What the titles of a last resort's own incidents begin with.
pub const fn last_resort_prefix(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => LAST_RESORTS[0],
        Lang::En => LAST_RESORTS[1],
    }
}

/// In this order: Japanese, English.
const LAST_RESORTS: [&str; 2] = ["[AMS 呼出不能]", "[AMS unpaged]"];

/// An incident that AMS has made to reach people. Its title names another incident's, whose scenario
/// must not begin for it.
pub fn is_last_resort(title: &str) -> bool {
    LAST_RESORTS.iter().any(|prefix| title.trim_start().starts_with(prefix))
}

/// The title without our state, however often it was put there. This is what is matched.
pub fn original(title: &str) -> &str {
    let mut rest = title.trim();
    while let Some(inner) = rest.strip_prefix(PREFIX) {
        let Some(end) =
            inner.find(']').filter(|end| inner[..*end].chars().count() <= LONGEST_STATE)
        else {
            break;
        };
        rest = inner[end + 1..].trim_start();
    }
    rest
}

/// The title with our state in front, within PagerDuty's length.
pub fn with_state(title: &str, state: State, lang: Lang) -> String {
    let full = format!("{PREFIX}{}] {}", state.words(lang), original(title));
    if full.chars().count() <= limits::TITLE_CHARS {
        return full;
    }
    let mut cut: String = full.chars().take(limits::TITLE_CHARS - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_changes_and_the_original_stays() {
        let title = "【障害】web01 HTTP 停止";
        let working = with_state(title, State::Working, Lang::Ja);
        assert_eq!(working, "[AMS 対応中] 【障害】web01 HTTP 停止");
        let done = with_state(&working, State::Recovered, Lang::Ja);
        assert_eq!(done, "[AMS 復旧] 【障害】web01 HTTP 停止");
        assert_eq!(with_state(&done, State::Recovered, Lang::Ja), done);
        assert_eq!(original(&done), title);
        assert_eq!(original("[AMS working] [AMS 復旧] x"), "x");
    }

    #[test]
    fn brackets_of_others_are_left_alone() {
        let alert = "[AMSLinuxDiskUsage-i-0a1b] disk";
        assert_eq!(original(alert), alert);
        let long = "[AMS is the name of a tool that somebody wrote] disk";
        assert_eq!(original(long), long);
        assert_eq!(original("[AMS unclosed"), "[AMS unclosed");
    }

    #[test]
    fn a_long_title_is_cut_at_a_character() {
        let title = "障".repeat(2_000);
        let cut = with_state(&title, State::HandedOff, Lang::Ja);
        assert_eq!(cut.chars().count(), limits::TITLE_CHARS);
        assert!(cut.starts_with("[AMS 引継ぎ] 障") && cut.ends_with('…'));
    }
}
