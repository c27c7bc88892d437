//! The incident's title: our state in front, the original kept. Pure and safe to repeat.

use crate::lang::Lang;
use crate::limits;
pub use crate::prefix::{State, original};
use crate::shorten;

/// The title with our state in front, within PagerDuty's length. The original has room for the
/// longest prefix, so that it is shortened once and stays as it is when the state changes.
pub fn with_state(title: &str, state: State, lang: Lang) -> String {
    let original = shorten::in_the_middle(original(title), room());
    format!("{}{original}", state.prefix(lang))
}

/// UTF-16 units of an original title beside our prefix.
fn room() -> usize {
    let longest = crate::prefix::all().map(|prefix| shorten::units(&prefix) + 1).max();
    limits::TITLE_CHARS - longest.unwrap_or_default()
}

/// Did we shorten it? Then it is not what a scenario was chosen by.
pub fn is_shortened(title: &str) -> bool {
    let kept = original(title);
    kept != title.trim()
        && kept.contains(shorten::LEFT_OUT.trim())
        && shorten::units(kept) > room() / 2
}

/// The original of a title that we shortened, among texts of which one may be it: PagerDuty makes
/// an incident's title of its first alert's summary, and alerts keep theirs.
pub fn whole<'a>(title: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if !is_shortened(title) {
        return None;
    }
    let shortened = original(title);
    among.into_iter().find(|text| shorten::in_the_middle(original(text), room()) == shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] = [
        State::Working,
        State::Recovered,
        State::RecoveredItself,
        State::HandedOff,
        State::StoodDown,
    ];

    #[test]
    fn the_state_changes_and_the_original_stays() {
        let title = "【障害】web01 HTTP 停止";
        let working = with_state(title, State::Working, Lang::Ja);
        assert_eq!(working, "[AMS 対応中] 【障害】web01 HTTP 停止");
        let done = with_state(&working, State::Recovered, Lang::Ja);
        assert_eq!(done, "[AMS 復旧] 【障害】web01 HTTP 停止");
        assert_eq!(with_state(&done, State::Recovered, Lang::Ja), done);
        assert_eq!(original(&done), title);
        assert!(!is_shortened(&done));
    }

    #[test]
    fn a_long_title_keeps_its_start_and_its_end_through_every_state() {
        for title in [
            format!("web01 で障害 {} host=db02", "障".repeat(2_000)),
            format!("web01 {} db02", "🚨".repeat(900)),
            format!("web01 {} db02", "ｶﾞ".repeat(1_000)),
            format!("web01 {} db02", "か\u{3099}".repeat(505)),
        ] {
            let first = with_state(&title, State::Working, Lang::Ja);
            assert!(first.starts_with("[AMS 対応中] web01 ") && first.ends_with("db02"), "{first}");
            for (state, lang) in STATES.into_iter().flat_map(|it| [(it, Lang::Ja), (it, Lang::En)])
            {
                let next = with_state(&first, state, lang);
                assert!(shorten::units(&next) <= limits::TITLE_CHARS, "{}", shorten::units(&next));
                assert_eq!(original(&next), original(&first));
                assert!(is_shortened(&next));
                assert_eq!(whole(&next, ["other", title.as_str()]), Some(title.as_str()));
            }
        }
    }

    #[test]
    fn what_we_did_not_shorten_is_not_taken_for_it() {
        let theirs = format!("disk … full {}", "x".repeat(600));
        assert!(!is_shortened(&theirs), "no prefix of ours");
        let long = format!("a {} b", "障".repeat(2_000));
        assert_eq!(whole(&with_state(&long, State::Working, Lang::Ja), ["a 障 b"]), None);
    }
}
