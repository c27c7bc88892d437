//! Lines for a terminal of 80 columns, in which a Japanese character takes two.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns of a line, where its words allow it.
const COLUMNS: usize = 80;

/// Starts with `head`; what does not fit goes on below its end. Breaks at spaces, and within text
/// that has none, as Japanese has.
pub(super) fn wrapped(head: &str, text: &str) -> String {
    let indent = head.width();
    let room = COLUMNS.saturating_sub(indent).max(20);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut rest = paragraph.trim_end();
        while rest.width() > room {
            let (line, after) = rest.split_at(break_at(rest, room));
            lines.push(line.trim_end());
            rest = after.trim_start();
        }
        lines.push(rest);
    }
    let below = format!("\n{}", " ".repeat(indent));
    let joined = lines.join(&below);
    // Terminals and pagers act on control characters; texts from outside may have any.
    let whole = format!("{head}{joined}");
    let shown: String = whole.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The last place to break a line that is too long, in bytes.
fn break_at(text: &str, room: usize) -> usize {
    let (mut used, mut space, mut wide) = (0, None, None);
    for (at, c) in text.char_indices() {
        let width = c.width().unwrap_or(0);
        if used + width > room {
            let first = text.chars().next().map_or(1, char::len_utf8);
            // A sign that closes something does not begin a line.
            let best = space.max(wide.filter(|_| !closes(c)).or(wide));
            return best.filter(|at| *at > 0).unwrap_or(at).max(first);
        }
        if c == ' ' && at > 0 && !parts_unit(text, at) {
            space = Some(at);
        }
        if width == 2 && !closes(c) && at > 0 {
            wide = Some(at);
        }
        used += width;
    }
    text.len()
}

/// A number and its unit stay together: `0.9 s`.
fn parts_unit(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let unit = after.trim_start().split(|c: char| !c.is_alphabetic()).next();
    before.ends_with(|c: char| c.is_ascii_digit()) && matches!(unit, Some("s" | "min"))
}

const fn closes(c: char) -> bool {
    matches!(c, '、' | '。' | '）' | '」' | '』' | '】' | 'ー' | 'っ' | 'ッ' | 'ゃ' | 'ゅ' | 'ょ')
}

/// A label, padded to a column.
pub(super) fn labelled(label: &str, columns: usize) -> String {
    format!("  {label}{}", " ".repeat(columns.saturating_sub(label.width()).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_within_japanese() {
        let text = "one two ".repeat(12);
        for line in wrapped("    ", text.trim()).lines() {
            assert!(line.width() <= COLUMNS && line.starts_with("    "), "{line}");
        }
        let text = "担当リージョンが停止したため、途中から引き継いで対応しました。".repeat(3);
        let shown = wrapped("  12:00:00  ", &text);
        assert!(shown.lines().count() > 2);
        for line in shown.lines() {
            assert!(line.width() <= COLUMNS, "{line}");
            assert!(!line.trim_start().starts_with(['、', '。']), "{line}");
        }
        assert_eq!(wrapped("", &"x".repeat(200)).lines().count(), 3, "one word is broken too");
        assert_eq!(wrapped("a ", "red \u{1b}[31m and\u{7} loud"), "a red [31m and loud");
        assert_eq!(wrapped("  ", ""), "");
    }
}
