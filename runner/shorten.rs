//! Cutting text so that what is left reads right. Pure.
//!
//! Never within what is seen as one character: a letter with its marks (`が` as か and a voiced
//! sound mark, `ｶﾞ`), an emoji with its skin and its joined parts, a flag. And, where that costs
//! little, not within a name: half of `web0123` is another host.

use unicode_width::UnicodeWidthChar as _;

/// Stands where something was left out of a line.
pub const LEFT_OUT: &str = " … ";

/// A word that is longer than this may be cut. Host names have 63 characters at most between dots.
const LONGEST_NAME: usize = 80;

/// What is seen as one character and has more parts than this is meant to be a nuisance.
const LONGEST_CLUSTER: usize = 32;

/// How long a text is in UTF-16, in which an emoji counts two: systems that count so cut there, and
/// none counts more.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `room` units: the start and the end, with a mark between them. The start gets two thirds.
pub fn in_the_middle(text: &str, room: usize) -> String {
    if units(text) <= room {
        return text.to_owned();
    }
    let room = room.saturating_sub(units(LEFT_OUT));
    let head = head(text, room - room / 3, char::len_utf16);
    let tail = tail(text, room / 3);
    format!("{}{LEFT_OUT}{}", head.trim_end(), tail.trim_start())
}

/// The first bytes of a text, `room` at most.
pub fn at_the_end(text: &str, room: usize) -> &str {
    if text.len() <= room { text } else { head(text, room, char::len_utf8) }
}

fn head(text: &str, room: usize, size: impl Fn(char) -> usize) -> &str {
    let (mut used, mut whole, mut between, mut any) = (0, 0, 0, 0);
    let mut before = Before::default();
    for (at, c) in text.char_indices() {
        if before.may_end_before(c) {
            whole = at;
            if !before.is_in_name(c) {
                between = at;
            }
        }
        any = at;
        if used + size(c) > room {
            break;
        }
        used += size(c);
        before.pass(c);
    }
    &text[..nicest(any, whole, between, |cut| text[cut..any].chars().count(), room)]
}

fn tail(text: &str, room: usize) -> &str {
    let (mut used, mut least) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        if used + c.len_utf16() > room {
            break;
        }
        used += c.len_utf16();
        least = at;
    }
    // What joins characters is known from the front only; far enough ahead it is certain.
    let from = text[..least].char_indices().rev().nth(LONGEST_NAME).map_or(0, |(at, _)| at);
    let flags = text[..from].chars().rev().take_while(|c| is_half_flag(*c));
    let from = from - flags.map(char::len_utf8).sum::<usize>();
    let (mut whole, mut between) = (None, None);
    let mut before = Before::default();
    for (at, c) in text[from..].char_indices().map(|(at, c)| (from + at, c)) {
        if at >= least && before.may_end_before(c) {
            whole = whole.or(Some(at));
            if !before.is_in_name(c) {
                between = between.or(Some(at));
            }
        }
        if between.is_some() {
            break;
        }
        before.pass(c);
    }
    let end = text.len();
    let (whole, between) = (whole.unwrap_or(end), between.unwrap_or(end));
    &text[nicest(least, whole, between, |cut| text[least..cut].chars().count(), room)..]
}

/// The cut between names if that costs little, else one between characters, else any.
fn nicest(
    any: usize,
    whole: usize,
    between: usize,
    costs: impl Fn(usize) -> usize,
    room: usize,
) -> usize {
    if costs(between) <= LONGEST_NAME.min(room / 2) {
        between
    } else if costs(whole) <= LONGEST_CLUSTER {
        whole
    } else {
        any
    }
}

/// What stands in front of a place.
#[derive(Default)]
struct Before {
    last: Option<char>,
    /// Half flags in a row: two are one flag.
    flags: usize,
}

impl Before {
    const fn pass(&mut self, c: char) {
        self.flags = if is_half_flag(c) { self.flags + 1 } else { 0 };
        self.last = Some(c);
    }

    fn may_end_before(&self, c: char) -> bool {
        let joins = c.width() == Some(0)
            || matches!(c, '\u{ff9e}' | '\u{ff9f}' | '\u{1f3fb}'..='\u{1f3ff}')
            || self.last == Some('\u{200d}')
            || (is_half_flag(c) && self.flags % 2 == 1);
        !joins
    }

    fn is_in_name(&self, c: char) -> bool {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        self.last.is_some_and(is_of_name) && is_of_name(c)
    }
}

const fn is_half_flag(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(in_the_middle("障害 web01", 8), "障害 web01");
        assert_eq!(at_the_end("障害", 6), "障害");
    }

    #[test]
    fn a_name_is_not_halved() {
        let title = format!("web0123 で障害: {} host=db-0042.example.com", "あ".repeat(200));
        for room in 100..200 {
            let cut = in_the_middle(&title, room);
            assert!(units(&cut) <= room, "{room}: {cut}");
            assert!(cut.starts_with("web0123 ") && cut.contains(LEFT_OUT), "{room}: {cut}");
            let (_, tail) = cut.rsplit_once('…').unwrap();
            let names = tail.split_whitespace().last().unwrap_or_default();
            assert!(
                names.is_empty()
                    || names.ends_with("host=db-0042.example.com")
                    || names == "db-0042.example.com",
                "{room}: {cut}"
            );
        }
    }

    #[test]
    fn what_is_seen_as_one_character_is_not_cut() {
        for cluster in
            ["か\u{3099}", "ｶﾞ", "👍🏽", "👨\u{200d}👩\u{200d}👧", "🇯🇵", "e\u{301}", "☎\u{fe0f}"]
        {
            let text = cluster.repeat(60);
            for room in 12..60 {
                let cut = in_the_middle(&text, room);
                assert!(units(&cut) <= room);
                for part in cut.split(LEFT_OUT.trim()) {
                    assert_eq!(part.trim().replace(cluster, ""), "", "{cluster} at {room}: {cut}");
                }
                let cut = at_the_end(&text, room);
                assert!(cut.len() <= room && cut.replace(cluster, "").is_empty(), "{cut}");
            }
        }
    }

    #[test]
    fn what_has_no_place_to_cut_is_cut_all_the_same() {
        let piled = format!("a{}", "\u{301}".repeat(500));
        assert!(units(&in_the_middle(&piled, 100)) > 50);
        let word = "x".repeat(3_000);
        assert!(units(&in_the_middle(&word, 1_000)) > 900);
        assert_eq!(in_the_middle("abcdef", 0), LEFT_OUT);
    }
}
