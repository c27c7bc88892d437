//! Cells of tables: widths of Japanese, small charts, values of CSV files.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::lang::Lang;

/// Names and titles are other people's text: a terminal must not obey what is in them.
pub(super) fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

/// At most so many columns of a terminal, with a mark where something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = columns.saturating_sub(1);
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// Cut or filled up on the right.
pub(super) fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let missing = columns.saturating_sub(text.width());
    text + &" ".repeat(missing)
}

/// Filled up on the left.
pub(super) fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(text.width())) + text
}

/// `1,234,567`.
pub(super) fn grouped(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A bar as long as `whole` is of `longest`, filled as far as `part` goes. What is there at all has a
/// mark.
pub(super) fn bar(part: usize, whole: usize, longest: usize, columns: usize) -> String {
    let scaled = |count: usize| match count * columns / longest.max(1) {
        0 if count > 0 => 1,
        scaled => scaled,
    };
    let length = scaled(whole);
    // All of it is full, less than that is not.
    let filled =
        scaled(part).min(if part < whole { length.saturating_sub(1).max(1) } else { length });
    let filled = if part == 0 { 0 } else { filled };
    "█".repeat(filled) + &"░".repeat(length - filled)
}

/// Per cent with one digit, rounded down: 100.0 is all of them.
pub(super) fn percent(part: usize, whole: usize) -> String {
    let thousandths = part.saturating_mul(1_000) / whole.max(1);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// Short: `0.4s`, `41s`, `12m`, `3.2h`.
pub(super) fn seconds(lang: Lang, seconds: f64) -> String {
    let (second, minute, hour) = match lang {
        Lang::Ja => ("秒", "分", "時間"),
        Lang::En => ("s", "m", "h"),
    };
    match seconds {
        it if it < 9.95 => format!("{it:.1}{second}"),
        it if it < 119.5 => format!("{it:.0}{second}"),
        it if it < 7_170.0 => format!("{:.0}{minute}", it / 60.0),
        it => format!("{:.1}{hour}", it / 3_600.0),
    }
}

pub(super) const fn pick(lang: Lang, ja: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// One line of a CSV file (RFC 4180).
pub(super) fn csv(cells: &[String]) -> String {
    cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",")
}

/// A spreadsheet takes what begins like a formula for one, and names are other people's text.
fn csv_cell(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_wide_as_they_are_shown() {
        assert_eq!(left("商店", 6), "商店  ");
        assert_eq!(left("サンプル商店", 8), "サンプ… ");
        assert_eq!(right("12", 5), "   12");
        assert_eq!(printable("a\u{1b}[31m\u{202e}b"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!([0_u64, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn bars_show_what_is_there_and_are_full_only_for_all() {
        assert_eq!(bar(50, 100, 100, 10), "█████░░░░░");
        assert_eq!(bar(100, 100, 200, 10), "█████");
        assert_eq!(bar(999, 1_000, 1_000, 10), "█████████░");
        assert_eq!(
            (bar(1, 1_000, 1_000, 10), bar(0, 1, 1_000, 10)),
            ("█░░░░░░░░░".into(), "░".into())
        );
        assert_eq!(bar(0, 0, 0, 10), "");
        assert_eq!((percent(999, 1_000), percent(1, 0)), ("99.9%".to_owned(), "100.0%".to_owned()));
    }

    #[test]
    fn what_looks_like_a_formula_is_text() {
        let cells = ["=1+1", "-5", "a,b", "say \"x\"", "@x"].map(str::to_owned);
        assert_eq!(csv(&cells), "'=1+1,-5,\"a,b\",\"say \"\"x\"\"\",'@x");
    }
}
