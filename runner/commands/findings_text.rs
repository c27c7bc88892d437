//! Findings as people read them: the place in its line, underlined.

use std::path::Path;

use annotate_snippets::{
    AnnotationKind, Group, Level as Shown, Origin, Renderer, Snippet, normalize_untrusted_str,
};

use crate::finding::{Finding, Level};

/// Characters of a line that are shown; a longer one is cut around the place.
const LINE_CHARS: usize = 100;
/// Of these, what is shown before the place.
const CHARS_BEFORE: usize = 40;
/// Columns of what is shown: wide characters take two. Nothing is cut a second time.
const COLUMNS: usize = 2 * LINE_CHARS + 40;

/// One finding with its line of the source, if there is any.
pub(super) fn show(finding: &Finding, source: Option<&str>, colour: bool) -> String {
    let Finding { id, level, file, place, message, remedy } = finding;
    let level = match level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let (line, column) = (as_index(place.line), as_index(place.column));
    let origin = Origin::path(name(file)).line(line).char_column(column);
    let title = level.primary_title(normalize_untrusted_str(message)).id(*id);
    let mut group = Group::with_title(title).element(origin);
    let excerpt = source.and_then(|source| Excerpt::of(source, finding));
    if let Some(Excerpt { text, start, end }) = &excerpt {
        let underline = AnnotationKind::Primary.span(*start..*end);
        let snippet = Snippet::source(text.as_str()).line_start(line).annotation(underline);
        group = group.element(snippet);
    }
    let help = Shown::HELP.message(normalize_untrusted_str(remedy));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(COLUMNS).render(&[group.element(help)])
}

/// A file's name may hold anything, too.
fn name(file: &Path) -> String {
    normalize_untrusted_str(&file.display().to_string())
}

fn as_index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What of a line is shown, and the bytes of it to underline.
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
}

impl Excerpt {
    fn of(source: &str, finding: &Finding) -> Option<Self> {
        let place = finding.place;
        let source = source.trim_start_matches('\u{feff}');
        let line = lines(source).nth(as_index(place.line).checked_sub(1)?)?;
        let column = as_index(place.column).checked_sub(1)?;
        let length = as_index(place.length).max(1);

        let skipped = if column > LINE_CHARS - CHARS_BEFORE { column - CHARS_BEFORE } else { 0 };
        let mut text = String::new();
        if skipped > 0 {
            text.push('…');
        }
        let (mut start, mut end) = (None, 0);
        let mut rest = line.chars().enumerate().skip(skipped);
        for (index, c) in rest.by_ref().take(LINE_CHARS) {
            if index == column {
                start = Some(text.len());
            }
            text.push(c);
            if index >= column && index - column < length {
                end = text.len();
            }
        }
        if rest.next().is_some() {
            text.push('…');
        }
        // What is missing at the end of a line is missing behind it.
        let start = start.unwrap_or_else(|| {
            text.push(' ');
            text.len() - 1
        });
        let end = end.max(start + 1);
        (!line.is_empty() || column == 0).then_some(Self { text, start, end })
    }
}

/// Lines as YAML counts them: a lone carriage return ends one, too.
fn lines(source: &str) -> impl Iterator<Item = &str> {
    source.split_inclusive('\n').flat_map(|line| {
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line).split('\r')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Findings;
    use crate::yaml::Place;

    fn shown(source: &str, place: Place) -> String {
        let mut findings = Findings::of(Path::new("web.yaml"));
        findings.add("some-id", place, "something is wrong", "write it right");
        show(&findings.into_sorted()[0], Some(source), false)
    }

    #[test]
    fn the_underline_is_below_what_it_means_in_any_script() {
        let text = "\u{feff}a: 1\r\n監視対象: {ホスト: ｗｅｂ０１, port: x}\r\n";
        insta::assert_snapshot!(shown(text, Place::at(2, 18).with_length(4)), @r"
        error[some-id]: something is wrong
         --> web.yaml:2:18
          |
        2 | 監視対象: {ホスト: ｗｅｂ０１, port: x}
          |                                ^^^^
          |
          = help: write it right
        ");
        insta::assert_snapshot!(shown(text, Place::at(2, 12).with_length(5)), @r"
        error[some-id]: something is wrong
         --> web.yaml:2:12
          |
        2 | 監視対象: {ホスト: ｗｅｂ０１, port: x}
          |                    ^^^^^^^^^^
          |
          = help: write it right
        ");
    }

    #[test]
    fn what_is_missing_is_shown_behind_the_line() {
        insta::assert_snapshot!(shown("steps:\n", Place::at(1, 7)), @"
        error[some-id]: something is wrong
         --> web.yaml:1:7
          |
        1 | steps: 
          |       ^
          |
          = help: write it right
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let long = format!("{}WRONG{}", "字".repeat(50_000), "b".repeat(50_000));
        let text = shown(&long, Place::at(1, 50_001).with_length(5));
        assert!(text.lines().all(|line| line.chars().count() < 120), "{text}");
        assert!(text.contains("字WRONGb") && text.contains("^^^^^"), "{text}");
        let all = shown(&long, Place::at(1, 1).with_length(100_005));
        assert!(all.lines().all(|line| line.chars().count() < 220), "{all}");
    }

    #[test]
    fn nothing_of_a_file_reaches_the_terminal_as_a_command() {
        let text = shown("a: \u{1b}[31mred\u{202e}\n", Place::at(1, 4).with_length(3));
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }

    #[test]
    fn a_place_that_is_not_there_has_no_excerpt() {
        let text = shown("", Place::at(7, 3));
        assert!(text.contains("web.yaml:7:3") && !text.contains('^'), "{text}");
    }
}
