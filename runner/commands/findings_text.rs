//! Findings as people read them: the place in its line, underlined.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{
    AnnotationKind, Element, Group, Level as Shown, Origin, Renderer, Snippet,
    normalize_untrusted_str,
};

use crate::finding::{Finding, Level};

/// Columns of what is shown; the renderer cuts longer lines around the place.
const COLUMNS: usize = 120;
/// Characters that are underlined, so that what is cut keeps its beginning.
const UNDERLINED: usize = 50;

/// One finding with its line of the source, if there is any.
pub(super) fn show(finding: &Finding, source: Option<&str>, colour: bool) -> String {
    let Finding { id, level, file, place, message, remedy } = finding;
    let level = match level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let title = level.primary_title(normalize_untrusted_str(message)).id(*id);
    let excerpt = source.and_then(|source| Excerpt::of(source, finding));
    let line = as_index(place.line);
    let place: Element<'_> = match &excerpt {
        Some(Excerpt { text, underlined }) => {
            let underline = AnnotationKind::Primary.span(underlined.clone());
            let snippet = Snippet::source(text.as_str()).path(name(file));
            snippet.line_start(line).annotation(underline).into()
        }
        None => Origin::path(name(file)).line(line).char_column(as_index(place.column)).into(),
    };
    let group = Group::with_title(title).element(place);
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

/// A line, and the bytes of it to underline.
struct Excerpt {
    text: String,
    underlined: Range<usize>,
}

impl Excerpt {
    fn of(source: &str, finding: &Finding) -> Option<Self> {
        let place = finding.place;
        let source = source.trim_start_matches('\u{feff}');
        let line = lines(source).nth(as_index(place.line).checked_sub(1)?)?;
        let column = as_index(place.column).checked_sub(1)?;
        let length = as_index(place.length).clamp(1, UNDERLINED);
        let byte = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
        let (start, end) = (byte(column), byte(column.saturating_add(length)));
        // What is missing at the end of a line is missing behind it.
        let text = if start == end { format!("{line} ") } else { line.to_owned() };
        Some(Self { text, underlined: start..end.max(start + 1) })
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
        insta::assert_snapshot!(shown(text, Place::at(2, 20).with_length(4)), @r"
        error[some-id]: something is wrong
         --> web.yaml:2:20
          |
        2 | 監視対象: {ホスト: ｗｅｂ０１, port: x}
          |                                ^^^^
          |
          = help: write it right
        ");
        insta::assert_snapshot!(shown(text, Place::at(2, 13).with_length(5)), @r"
        error[some-id]: something is wrong
         --> web.yaml:2:13
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
        let long = format!("{}WRONG{}", "字".repeat(50_000), "字".repeat(50_000));
        let text = shown(&long, Place::at(1, 50_001).with_length(5));
        assert!(text.lines().all(|line| line.chars().count() < 150), "{text}");
        assert!(text.contains("字WRONG字") && text.contains(" ^^^^^\n"), "{text}");
        let all = shown(&long, Place::at(1, 1).with_length(100_005));
        assert!(all.lines().all(|line| line.chars().count() < 150), "{all}");
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
