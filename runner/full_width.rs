//! Full-width signs that look right in an editor and are not YAML: the usual mistake of whoever
//! types Japanese.

use crate::yaml::{Place, SyntaxError};

/// A full-width space or colon up to the line of an error, which looks right and is not YAML.
pub(crate) fn mistake(text: &str, line: u64) -> Option<SyntaxError> {
    let last = usize::try_from(line).unwrap_or(usize::MAX);
    (1..).zip(text.lines().take(last)).find_map(|(number, written)| {
        let at = |column: usize| Place::at(number, column as u64).with_length(1);
        let indented = written.trim_start_matches([' ', '-']);
        if indented.starts_with('\u{3000}') {
            return Some(SyntaxError {
                place: at(written.chars().count() - indented.chars().count() + 1),
                message: "this line is indented with a full-width space".to_owned(),
                remedy: "indent with half-width spaces",
            });
        }
        let name = indented.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').count();
        let colon = indented.chars().nth(name).filter(|c| name > 0 && *c == '\u{ff1a}');
        colon.map(|_| SyntaxError {
            place: at(written.chars().count() - indented.chars().count() + name + 1),
            message: "this colon is full-width, so the line is no field".to_owned(),
            remedy: "write a half-width colon and a space behind it: name: value",
        })
    })
}

/// A field whose name begins with full-width spaces was meant to be indented.
pub(crate) fn is_indented(name: &str) -> bool {
    name.starts_with('\u{3000}')
}
