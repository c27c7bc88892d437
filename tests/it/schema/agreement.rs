use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use ams::customer;
use ams::fields::{Asked, listen};
use ams::finding::Finding;
use ams::rehearse;
use ams::scenario;
use ams::scenario::capture::CaptureKind;
use ams::scenario::model::{Mode, StepKind};
use ams::schema::json::value;
use ams::schema::steps::STEP;
use ams::schema::tables::mappings;
use ams::schema::{CUSTOMERS, Document, Field, Kind, MODES, Mapping, SCENARIOS, TESTS, TYPES};
use ams::yaml::{Kind as Shape, Node, Place, parse};

use super::{errors, validator};

/// Mistakes in the shape of a file; what the schema allows has none of them.
const SHAPE: [&str; 9] = [
    "unknown-key",
    "wrong-type",
    "missing-field",
    "unknown-word",
    "unknown-step",
    "bad-duration",
    "several-actions",
    "step-with-several-kinds",
    "several-sources",
];

type Read = fn(&str) -> Vec<Finding>;

fn documents() -> [(&'static Document, Read); 3] {
    [
        (&SCENARIOS, |text| {
            scenario::file::read(Path::new("x.yaml"), text, None).err().unwrap_or_default()
        }),
        (&CUSTOMERS, |text| {
            customer::file::read(Path::new("x.yaml"), text).err().unwrap_or_default()
        }),
        (&TESTS, |text| rehearse::file::read(Path::new("x.yaml"), text).err().unwrap_or_default()),
    ]
}

/// A field added to a reader and not to the schema fails here, and the other way round.
#[test]
fn readers_ask_for_exactly_the_fields_of_the_schema() {
    for (document, read) in documents() {
        let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut wrong = BTreeSet::new();
        for file in samples(document.root) {
            let text = file.to_string();
            let node = parse(&text).unwrap();
            let mut known = BTreeMap::new();
            place_mapping(&node, document.root, &mut known);
            let shapes = places_of_mappings(&node);
            let (_, asked) = listen(|| read(&text));
            for asked in asked {
                let Some(mapping) = known.get(&start(asked.place)) else {
                    if shapes.contains(&start(asked.place)) {
                        wrong.insert(format!("'{}' in what is no mapping: {text}", asked.key));
                    }
                    continue;
                };
                seen.entry(mapping.name).or_default().insert(asked.key);
                wrong.extend(difference(mapping, &asked));
            }
        }
        for mapping in mappings(document) {
            // Its one word is looked for by hand.
            let own: BTreeSet<&str> = mapping.fields().map(|field| field.name).collect();
            let asked = seen.remove(mapping.name).unwrap_or_default();
            if !std::ptr::eq(mapping, &raw const STEP) && own != asked {
                wrong.insert(format!("{}: schema {own:?}, readers {asked:?}", mapping.name));
            }
        }
        assert!(wrong.is_empty(), "{}: {:#?}", document.title, first(&wrong));
    }
}

/// One mistake in the schema is in very many files.
fn first<'a>(wrong: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
    wrong.into_iter().take(20).collect()
}

fn difference(mapping: &Mapping, asked: &Asked) -> Option<String> {
    let name = format!("{}.{}", mapping.name, asked.key);
    let Some(field) = mapping.field(asked.key) else {
        return Some(format!("the schema does not know {name}"));
    };
    let fits = match (asked.wanted, &field.kind) {
        ("", _)
        | ("a whole number", Kind::Number(..))
        | ("a length of time", Kind::Duration)
        | ("texts", Kind::OneOrMany(..))
        | ("a word", Kind::Bool) => true,
        ("a word", Kind::Word(words)) => words.iter().eq(&asked.words),
        _ => false,
    };
    (!fits).then(|| format!("{name} is read as {} {:?}", asked.wanted, asked.words))
}

#[test]
fn words_of_the_schema_are_those_of_the_language() {
    let steps: Vec<&str> = STEP.own.iter().map(|field| field.name).collect();
    assert_eq!(steps, StepKind::WORDS);
    assert_eq!(TYPES, CaptureKind::WORDS.map(|(word, _)| word));
    assert_eq!(MODES, Mode::WORDS.map(|(word, _)| word));
}

#[test]
fn readers_take_what_the_schema_allows() {
    for (document, read) in documents() {
        let validator = validator(document);
        let mut wrong = Vec::new();
        let samples = samples(document.root);
        assert!(samples.len() > 20, "{}", samples.len());
        for file in samples {
            let found = errors(&validator, &file);
            wrong.extend(found.into_iter().map(|it| format!("the schema refuses {file}: {it}")));
            let findings = read(&file.to_string());
            let of_shape = findings.iter().filter(|finding| SHAPE.contains(&finding.id));
            wrong.extend(of_shape.map(|it| format!("the reader refuses {file}: {it}")));
        }
        assert!(wrong.is_empty(), "{}: {:#?}", document.title, first(&wrong));
    }
}

/// Both refuse an unknown field wherever fields stand.
#[test]
fn unknown_fields_are_refused_by_both() {
    for (document, read) in documents() {
        let validator = validator(document);
        let mut wrong = Vec::new();
        for file in samples(document.root) {
            let mut spoilt = Vec::new();
            spoil(&file, document.root, &mut |it| spoilt.push(it));
            for file in spoilt {
                let findings = read(&file.to_string());
                if validator.is_valid(&file) || findings.is_empty() {
                    wrong.push(format!("{file}: {findings:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}: {:#?}", document.title, first(&wrong));
    }
}

/// The same file with one field too many in its outermost mapping.
fn spoil(file: &Value, root: &Mapping, found: &mut dyn FnMut(Value)) {
    assert!(root.field("zzz").is_none());
    let mut more = file.clone();
    more["zzz"] = json!("x");
    found(more);
    // And in each step.
    for at in 0..file["steps"].as_array().map_or(0, Vec::len) {
        let mut more = file.clone();
        let step = more["steps"][at].as_object_mut().unwrap();
        if let Some(Value::Object(fields)) = step.values_mut().next() {
            fields.insert("zzz".to_owned(), json!("x"));
            found(more);
        }
    }
}

// --- places ------------------------------------------------------------------------------------

type At = (u64, u64);

const fn start(place: Place) -> At {
    (place.line, place.column)
}

/// Where each mapping of the schema stands in a file.
fn place_mapping(
    node: &Node,
    mapping: &'static Mapping,
    found: &mut BTreeMap<At, &'static Mapping>,
) {
    let Shape::Map(entries) = &node.kind else { return };
    if !std::ptr::eq(mapping, &raw const STEP) {
        found.insert(start(node.place), mapping);
    }
    for (key, value) in entries {
        if let Some(field) = mapping.field(&key.name) {
            place_kind(value, &field.kind, found);
        }
    }
}

fn place_kind(node: &Node, kind: &'static Kind, found: &mut BTreeMap<At, &'static Mapping>) {
    match (kind, &node.kind) {
        (Kind::Map(mapping), _) => place_mapping(node, mapping, found),
        (Kind::List(kind) | Kind::OneOrMany(_, kind), Shape::List(items)) => {
            for item in items {
                place_kind(item, kind, found);
            }
        }
        (Kind::OneOrMany(_, kind), _) => place_kind(node, kind, found),
        (Kind::ByName(_, kind), Shape::Map(entries)) => {
            for (_, value) in entries {
                place_kind(value, kind, found);
            }
        }
        (Kind::Either(kinds), _) => {
            for kind in *kinds {
                place_kind(node, kind, found);
            }
        }
        (Kind::Steps(..), Shape::List(items)) => {
            for item in items {
                place_mapping(item, &STEP, found);
            }
        }
        _ => {}
    }
}

fn places_of_mappings(node: &Node) -> BTreeSet<At> {
    let mut found = BTreeSet::new();
    match &node.kind {
        Shape::Map(entries) => {
            found.insert(start(node.place));
            found.extend(entries.iter().flat_map(|(_, value)| places_of_mappings(value)));
        }
        Shape::List(items) => found.extend(items.iter().flat_map(places_of_mappings)),
        _ => {}
    }
    found
}

// --- samples -----------------------------------------------------------------------------------

/// Files that together have every field and every form of it, one at a time.
fn samples(root: &'static Mapping) -> Vec<Value> {
    variants(root, &mut Vec::new())
}

/// The mapping with what must be there, and each field in turn, in each of its forms.
fn variants(mapping: &'static Mapping, inside: &mut Vec<*const Mapping>) -> Vec<Value> {
    let here: *const Mapping = mapping;
    if inside.contains(&here) {
        return vec![Value::Object(least(mapping))];
    }
    inside.push(here);
    let mut all = Vec::new();
    for field in mapping.fields() {
        for form in forms(&field.kind, field, inside) {
            let mut one = base_for(mapping, field);
            one.insert(field.name.to_owned(), form);
            all.push(Value::Object(one));
        }
    }
    inside.pop();
    all
}

/// What must be there beside a field.
fn base_for(mapping: &'static Mapping, field: &Field) -> Map<String, Value> {
    let mut base = least(mapping);
    let sets = mapping.one_of;
    if let Some(own) = sets.iter().find(|set| set.contains(&field.name)) {
        for name in sets.iter().flat_map(|set| set.iter()) {
            base.remove(*name);
        }
        fill(mapping, own, &mut base);
    }
    if std::ptr::eq(mapping, &raw const STEP) {
        base.clear();
    }
    base
}

/// The smallest that may stand there.
fn least(mapping: &'static Mapping) -> Map<String, Value> {
    let mut fields = Map::new();
    if std::ptr::eq(mapping, &raw const STEP) {
        return Map::from_iter([("gather".to_owned(), json!({ "run": "uptime" }))]);
    }
    for field in mapping.fields().filter(|field| field.required) {
        fields.insert(field.name.to_owned(), example(field));
    }
    if let Some(first) = mapping.one_of.first() {
        fill(mapping, first, &mut fields);
    }
    if let Some(first) = mapping.any_of.first() {
        fill(mapping, &[first], &mut fields);
    }
    fields
}

fn fill(mapping: &'static Mapping, names: &[&str], fields: &mut Map<String, Value>) {
    for name in names {
        fields.insert((*name).to_owned(), example(mapping.field(name).unwrap()));
    }
}

fn example(field: &Field) -> Value {
    let written = field.example.or(field.default);
    value(written.unwrap_or_else(|| panic!("{} has no example", field.name)))
}

fn forms(kind: &'static Kind, field: &Field, inside: &mut Vec<*const Mapping>) -> Vec<Value> {
    let name = if field.name == "env" { "NAME" } else { "to" };
    let mut all: Vec<Value> = field.example.map(value).into_iter().collect();
    all.extend(forms_inside(kind, name, inside));
    if all.is_empty() {
        all.push(example(field));
    }
    all
}

/// Of what has no field, and so no example, around it. `name` is for what the author names.
fn forms_inside(kind: &'static Kind, name: &str, inside: &mut Vec<*const Mapping>) -> Vec<Value> {
    match kind {
        Kind::Word(words) => words.iter().map(|word| json!(word)).collect(),
        Kind::Bool => vec![json!(true), json!(false)],
        Kind::Map(mapping) => variants(mapping, inside),
        Kind::List(kind) => lists(forms_inside(kind, name, inside)),
        Kind::OneOrMany(_, kind) => {
            let one = forms_inside(kind, name, inside);
            one.iter().cloned().chain(lists(one.clone())).collect()
        }
        Kind::ByName(_, kind) => {
            let values = forms_inside(kind, name, inside).into_iter();
            values.map(|value| json!({ name: value })).collect()
        }
        Kind::Either(kinds) => {
            kinds.iter().flat_map(|kind| forms_inside(kind, name, inside)).collect()
        }
        Kind::Steps(words, _) => {
            let steps = variants(&STEP, inside).into_iter();
            let fits = |step: &Value| {
                words.is_empty() || words.iter().any(|word| step.get(word).is_some())
            };
            lists(steps.filter(fits).collect())
        }
        Kind::Number(from, to) => {
            let sensible = [from, to].into_iter().filter(|it| it.unsigned_abs() < 100_000);
            sensible.map(|it| json!(it)).collect()
        }
        _ => Vec::new(),
    }
}

fn lists(of: Vec<Value>) -> Vec<Value> {
    of.into_iter().map(|it| json!([it])).collect()
}
