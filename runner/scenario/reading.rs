//! What all readers of a scenario file share.

use std::time::Duration;

use crate::fields::{At, Fields, text};
use crate::finding::Findings;
use crate::scenario::expression::{Expression, Mistake};
use crate::scenario::template::Template;
use crate::yaml::{Node, Place};

/// A file being read: its findings, and what could not be read.
pub(super) struct Reading<'a> {
    pub findings: &'a mut Findings,
    /// The whole file, for places inside of what it says.
    text: &'a str,
    /// Times that the deadline must leave room for: place, field and length.
    pub times: Vec<(Place, &'static str, Duration)>,
    /// First parts of names whose definitions have findings of their own: using them is no further
    /// mistake.
    pub unread: Vec<String>,
    /// Some step could not be read, so what is missing may stand in it.
    pub incomplete: bool,
}

impl<'a> Reading<'a> {
    pub(super) const fn of(findings: &'a mut Findings, text: &'a str) -> Self {
        Self { findings, text, times: Vec::new(), unread: Vec::new(), incomplete: false }
    }

    /// Where `piece` first stands in a text of so many lines that begins at `start`; as a whole
    /// word, so that `$NAME` is not found in `$NAMES`.
    pub(super) fn place_of(
        &self,
        start: Place,
        lines: usize,
        piece: &str,
        whole_word: bool,
    ) -> Option<Place> {
        let first = usize::try_from(start.line.checked_sub(1)?).ok()?;
        let column = usize::try_from(start.column.checked_sub(1)?).ok()?;
        for (index, line) in self.text.lines().enumerate().skip(first).take(lines + 1) {
            let skipped = if index == first { column } else { 0 };
            let from = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
            let ends = |at: usize| {
                let behind = line[at + piece.len()..].chars().next();
                !behind.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            let mut found = line[from..].match_indices(piece).map(|(at, _)| from + at);
            if let Some(at) = found.find(|at| !whole_word || ends(*at)) {
                let column = line[..at].chars().count() as u64 + 1;
                let length = piece.chars().count() as u64;
                return Some(Place::at(index as u64 + 1, column).with_length(length));
            }
        }
        None
    }

    pub(super) fn mistake(&mut self, place: Place, mistake: Mistake) {
        self.findings.add(mistake.id, place, mistake.message, mistake.remedy);
    }

    /// An expression under `key`, if there is one.
    pub(super) fn expression(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
    ) -> Option<Expression> {
        let node = fields.get(key)?;
        self.expression_at(node, key)
    }

    pub(super) fn expression_at(&mut self, node: &Node, key: &str) -> Option<Expression> {
        let At { place, value } = text(node, key, self.findings)?;
        Expression::parse(&value, place).map_err(|mistake| self.mistake(place, mistake)).ok()
    }

    /// A template under `key`, if there is one.
    pub(super) fn template(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<Template> {
        let node = fields.get(key)?;
        self.template_at(node, key)
    }

    pub(super) fn template_at(&mut self, node: &Node, key: &str) -> Option<Template> {
        let written = text(node, key, self.findings)?;
        Template::parse(&written.value)
            .map(|template| template.at(written.place))
            .map_err(|error| {
                self.findings.add(
                    "bad-template",
                    written.place,
                    format!("'{key}' cannot be filled in: {error}"),
                    "write values as {{ capture.host }}, {{ parameters.name }} or {{ incident.id }}",
                );
            })
            .ok()
    }
}

/// A name that others refer to: small letters, digits, `_`.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 40
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

pub(super) fn bad_name(name: &str, place: Place, findings: &mut Findings) {
    findings.add(
        "bad-name",
        place,
        format!("'{name}' cannot be referred to"),
        "use small letters, digits and '_', beginning with a letter, at most 40 characters, and \
         no name that every scenario has",
    );
}
