//! Text from outside made plain before people read it: nothing in it acts on what shows it. Pure.
//!
//! Colours of terminals, progress bars, control characters, and the signs that turn the direction
//! of text around go; letters of every script and emoji stay, also those written from the right.

/// Lines end with `\n`, tabs stay; what is no text is left out.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => plain.push(c),
            '\r' => {
                rest.next_if_eq(&'\n');
                plain.push('\n');
            }
            // Next line, form feed, line and paragraph separators.
            '\u{85}' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => plain.push('\n'),
            '\u{1b}' => skip_sequence(&mut rest),
            c if c.is_control() || is_no_text(c) => {}
            c => plain.push(c),
        }
    }
    plain
}

/// The same on one line.
pub fn line(text: &str) -> String {
    plain(text)
        .split(['\n', '\t'])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Embeddings, overrides and isolates turn what stands behind them, also our own words; anchors of
/// annotations hide it. Directional marks only place the signs beside them.
const fn is_no_text(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{feff}'
            | '\u{fffe}'..='\u{ffff}'
    )
}

/// What a terminal would have carried out (ECMA-48): `ESC [ … letter`, `ESC ] … BEL` and the like.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
            rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
        }
        Some(']' | 'P' | '_' | '^' | 'X') => {
            rest.next();
            // One that is never closed ends with its line.
            while let Some(c) = rest.next_if(|c| *c != '\n') {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {
            while rest.next_if(|c| matches!(c, '\u{20}'..='\u{2f}')).is_some() {}
            rest.next_if(|c| matches!(c, '\u{30}'..='\u{7e}'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays() {
        for text in [
            "障害\tweb01\n復旧",
            "ﾃﾞｨｽｸ 90%",
            "👨\u{200d}👩\u{200d}👧 🇯🇵 ☎\u{fe0f}",
            "שרת נפל",
            "e\u{301}",
            "\u{200f}",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn what_acts_on_the_reader_goes() {
        for (text, expected) in [
            ("\u{1b}[1;31mFAILED\u{1b}[0m", "FAILED"),
            ("\u{1b}]0;title\u{7}ok", "ok"),
            ("\u{1b}]8;;http://evil.example\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]never closed\nnext", "\nnext"),
            ("\u{1b}(Btext\u{1b}", "text"),
            ("\u{9b}31m", "31m"),
            ("10%\r20%\r\n", "10%\n20%\n"),
            ("a\0b\u{7}c\u{8}d\u{7f}", "abcd"),
            ("\u{202e}drawkcab\u{202c} \u{2067}x\u{2069}\u{feff}", "drawkcab x"),
            ("one\u{2028}two\u{85}three", "one\ntwo\nthree"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        assert_eq!(line("one\r\n  two\t\u{202e}three\n"), "one two three");
    }
}
