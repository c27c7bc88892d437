//! The fields as tables, for docs/scenarios/reference.md.

use crate::schema::steps::STEP;
use crate::schema::{Document, Field, Group, Kind, Mapping};

/// A table under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub text: String,
}

/// One table per mapping with fields of its own and per group, in the order they are come upon.
pub fn tables(documents: &[&Document]) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut groups: Vec<&Group> = Vec::new();
    let mut seen: Vec<&Mapping> = Vec::new();
    for mapping in documents.iter().flat_map(|document| mappings(document)) {
        // Several kinds of files may have the same fields somewhere.
        if seen.iter().any(|known| std::ptr::eq(*known, mapping)) {
            continue;
        }
        seen.push(mapping);
        if std::ptr::eq(mapping, &raw const STEP) {
            tables.push(Table { name: "steps", text: words(mapping) });
        } else if !mapping.own.is_empty() {
            tables.push(Table { name: mapping.name, text: table(mapping.own.iter()) });
        }
        for group in mapping.shared {
            if !groups.iter().any(|known| known.name == group.name) {
                groups.push(group);
                tables.push(Table { name: group.name, text: table(group.fields.iter()) });
            }
        }
    }
    tables
}

/// Every mapping of a kind of file.
pub fn mappings(document: &Document) -> Vec<&'static Mapping> {
    let mut found: Vec<&'static Mapping> = Vec::new();
    let mut ahead = vec![document.root];
    while let Some(mapping) = ahead.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, mapping)) {
            continue;
        }
        found.push(mapping);
        let mut inside = Vec::new();
        mapping.fields().for_each(|field| below(&field.kind, &mut inside));
        ahead.extend(inside.into_iter().rev());
    }
    found
}

fn below(kind: &'static Kind, found: &mut Vec<&'static Mapping>) {
    match kind {
        Kind::Map(mapping) => found.push(mapping),
        Kind::List(kind) | Kind::OneOrMany(_, kind) | Kind::ByName(_, kind) => below(kind, found),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| below(kind, found)),
        Kind::Steps(..) => found.push(&STEP),
        _ => {}
    }
}

fn table<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let head = "| field | value | what it says | default | example |\n|---|---|---|---|---|\n";
    let rows = fields.map(|field| {
        let default = match (field.required, field.default, field.without) {
            (true, ..) => "must be given".to_owned(),
            (false, Some(written), _) => code(written),
            (false, None, Some(words)) => cell(words),
            (false, None, None) => "none".to_owned(),
        };
        let example = field.example.map(code).unwrap_or_default();
        let (value, about) = (kind_words(&field.kind), cell(field.about));
        format!("| `{}` | {value} | {about} | {default} | {example} |\n", field.name)
    });
    std::iter::once(head.to_owned()).chain(rows).collect()
}

/// The words of steps: each has a table of its own.
fn words(step: &Mapping) -> String {
    let head = "| step | what it does |\n|---|---|\n";
    let rows = step.own.iter().map(|it| format!("| `{}` | {} |\n", it.name, cell(it.about)));
    std::iter::once(head.to_owned()).chain(rows).collect()
}

fn code(written: &str) -> String {
    format!("`{}`", written.replace('|', "\\|"))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn kind_words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Template => "text with values".to_owned(),
        Kind::Expression => "expression".to_owned(),
        Kind::Form(form) => form.words.to_owned(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Number(i64::MIN, _) => "whole number".to_owned(),
        Kind::Number(from, to) => format!("{from} to {to}"),
        Kind::Duration => "time".to_owned(),
        Kind::Bool => "`true`, `false`".to_owned(),
        Kind::True => "`true`".to_owned(),
        Kind::Anything => "anything".to_owned(),
        Kind::Map(_) => "fields".to_owned(),
        Kind::List(kind) => format!("list of {}", kind_words(kind)),
        Kind::OneOrMany(_, kind) => format!("{}, or a list", kind_words(kind)),
        Kind::ByName(form, kind) => format!("{} → {}", form.words, kind_words(kind)),
        Kind::Either(kinds) => {
            let mut words: Vec<String> = kinds.iter().map(kind_words).collect();
            words.dedup();
            words.join(", or ")
        }
        Kind::Steps([], _) => "steps".to_owned(),
        Kind::Steps(words, _) => format!("list of {}", words.join(", ")),
    }
}
