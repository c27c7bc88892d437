//! YAML text to a tree that knows where everything stands.
//!
//! The one file that imports the YAML library (docs/decisions/0002-crates.md). Configuration and
//! scenario files are read from this tree by [`crate::fields`], which reports every mistake of a
//! file at once; a syntax error stops here, since nothing after it can be trusted.

use std::collections::HashSet;
use std::fmt;

use crate::full_width;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

/// Line and column, both from 1; columns count characters, as editors do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
    /// Characters to underline, never beyond the end of the line. Zero for what has no extent of
    /// its own, such as a value that is not there.
    pub length: u64,
}

impl Place {
    /// The beginning of a file.
    pub const START: Self = Self::at(1, 1);

    pub const fn at(line: u64, column: u64) -> Self {
        Self { line, column, length: 0 }
    }

    #[must_use]
    pub const fn with_length(self, length: u64) -> Self {
        Self { length, ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub place: Place,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub place: Place,
    pub name: String,
}

/// The text is not YAML, or more of it than a file that people write has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub place: Place,
    pub message: String,
    pub remedy: &'static str,
}

impl Node {
    /// The node below these keys, for places; what it means is for [`crate::fields`] to say.
    pub fn below(&self, keys: &[&str]) -> Option<&Self> {
        let Some((key, rest)) = keys.split_first() else { return Some(self) };
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(name, _)| name.name == *key)?.1.below(rest)
    }
}

impl Node {
    /// The same tree without places, for values the author made up.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::from(*value),
            Kind::Int(value) => Value::from(*value),
            Kind::Float(value) => Value::from(*value),
            Kind::Text(text) => Value::from(text.as_str()),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect()
            }
        }
    }
}

/// Nodes of one file; aliases that unfold count each time (YAML bombs end here).
const MAX_NODES: usize = 20_000;
/// Nesting of one file.
const MAX_DEPTH: usize = 32;
/// Bytes of one file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Parses one document. An empty one is `Null` at 1:1.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_FILE_BYTES}", text.len());
        return Err(SyntaxError { place: Place::START, message, remedy: "split it" });
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        duplicate_keys: DuplicateKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            max_aliases: 100,
            max_total_scalar_bytes: MAX_FILE_BYTES,
        },
    };
    let root: Option<Spanned<Tree>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let error = syntax(&error, text);
            full_width::mistake(text, error.place.line).unwrap_or(error)
        })?;
    let empty = Node { place: Place::START, kind: Kind::Null };
    Ok(root.map_or(empty, |tree| node(tree, text)))
}

fn syntax(error: &serde_saphyr::Error, text: &str) -> SyntaxError {
    let place = error.location().map_or(Place::START, |location| place(location, text));
    let bare = error.without_snippet().to_string();
    // The library appends the place to its text; findings carry it apart.
    let message = bare.split(" at line ").next().unwrap_or(&bare).lines().next().unwrap_or("");
    let (message, remedy) = in_plain_words(message);
    SyntaxError { place, message, remedy }
}

/// The mistakes people make most, in their words; everything else as the library says it.
fn in_plain_words(message: &str) -> (String, &'static str) {
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(", set ").next().unwrap_or(rest);
        return (format!("the key '{key}' stands twice"), "remove one of the two");
    }
    let known = [
        ("tabs disallowed", "a tab stands where only spaces may", "indent with spaces"),
        (
            "unclosed quote",
            "the quote that begins here is never closed",
            "close it with the same quote character",
        ),
        (
            "mapping values are not allowed",
            "a 'key: value' stands where none can be",
            "look for a ':' missing in the line above or for wrong indentation; \
             text with ': ' in it needs quotes",
        ),
        (
            "multiple YAML documents",
            "a second document begins here",
            "put it into a file of its own, or remove the line '---'",
        ),
        (
            "unexpected character",
            "text cannot begin with this character, or may not contain it",
            "put the text in quotes, or remove the character",
        ),
        (
            "alias references unknown anchor",
            "'*name' repeats what '&name' marks, and no such mark stands above",
            "put the text in quotes if it is meant to begin with '*'",
        ),
        (
            "expected string scalar",
            "the name of a field must be text",
            "write 'name: value'; text that begins with '[' or '{' needs quotes",
        ),
        (
            "budget breached",
            "the file unfolds to more than a file that people write has",
            "write it without so many aliases (*name) and levels",
        ),
        (
            "recursion limit",
            "the file is nested more deeply than a file that people write is",
            "write it without so many levels",
        ),
    ];
    known.into_iter().find(|(start, ..)| message.starts_with(start)).map_or_else(
        || (message.to_owned(), "correct the YAML at this place"),
        |(_, message, remedy)| (message.to_owned(), remedy),
    )
}

/// Places end with their line: text over several lines is underlined in its first.
fn place(location: Location, text: &str) -> Place {
    let span = location.span();
    let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
        let start = usize::try_from(offset).ok()?;
        text.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    });
    let length = bytes.map_or(span.len(), |spanned| {
        let line = spanned.split(['\n', '\r']).next().unwrap_or(spanned);
        line.trim_end().chars().count() as u64
    });
    Place::at(location.line(), location.column()).with_length(length)
}

/// What the library fills: the same tree with its own kind of places.
enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

fn node(spanned: Spanned<Tree>, text: &str) -> Node {
    let mut place = place(spanned.referenced, text);
    let kind = match spanned.value {
        Tree::Null => Kind::Null,
        Tree::Bool(value) => Kind::Bool(value),
        Tree::Int(value) => Kind::Int(value),
        Tree::Float(value) => Kind::Float(value),
        Tree::Text(value) => Kind::Text(value),
        Tree::List(items) => Kind::List(items.into_iter().map(|item| node(item, text)).collect()),
        Tree::Map(entries) => {
            Kind::Map(entries.into_iter().map(|entry| self::entry(entry, text)).collect())
        }
    };
    // A mapping without braces has no character of its own: its first key stands for it.
    if let (0, Kind::Map(entries)) = (place.length, &kind)
        && let Some((key, _)) = entries.first()
    {
        place.length = key.place.length;
    }
    Node { place, kind }
}

fn entry((key, value): (Spanned<String>, Spanned<Tree>), text: &str) -> (Key, Node) {
    let key = Key { place: place(key.referenced, text), name: key.value };
    (key, node(value, text))
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true or false, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        i64::try_from(value).map(Tree::Int).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map: Vec<(Spanned<String>, Spanned<Tree>)> = Vec::new();
        let mut known = HashSet::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, _>()? {
            // The library tells `1` from `'1'`; as names of fields they are one.
            if !known.insert(key.value.clone()) {
                return Err(A::Error::custom(format!("the key '{}' stands twice", key.value)));
            }
            map.push((key, value));
        }
        Ok(Tree::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_place() {
        let node = parse("name: 確認\nsteps:\n  - check:\n      run: 'true'\n").unwrap();
        let Kind::Map(top) = &node.kind else { panic!("{node:?}") };
        assert_eq!(top[0].0.place, Place::at(1, 1).with_length(4));
        assert_eq!(top[0].1.place, Place::at(1, 7).with_length(2));
        assert_eq!(top[0].1.kind, Kind::Text("確認".to_owned()));
        let Kind::List(steps) = &top[1].1.kind else { panic!("{node:?}") };
        let Kind::Map(step) = &steps[0].kind else { panic!("{node:?}") };
        assert_eq!(step[0].0.place, Place::at(3, 5).with_length(5));
        let Kind::Map(check) = &step[0].1.kind else { panic!("{node:?}") };
        assert_eq!(check[0].1.place, Place::at(4, 12).with_length(6));
        assert_eq!(steps[0].place, Place::at(3, 5).with_length(5));
    }

    #[test]
    fn words_that_yaml_1_1_took_for_booleans_and_octals_are_text() {
        let node = parse("a: NO\nb: on\nc: 0755\nd: true\n").unwrap();
        let Kind::Map(top) = node.kind else { panic!() };
        let kinds: Vec<Kind> = top.into_iter().map(|(_, node)| node.kind).collect();
        let text = |s: &str| Kind::Text(s.to_owned());
        assert_eq!(kinds, [text("NO"), text("on"), text("0755"), Kind::Bool(true)]);
    }

    #[test]
    fn broken_text_says_where() {
        let broken = |text: &str| parse(text).unwrap_err();
        assert_eq!(broken("a: 1\na: 2\n").place.line, 2);
        assert_eq!(broken("a: 'unclosed\n").place.line, 1);
        assert_eq!(broken("a:\n\t- b\n").place.line, 2);
    }

    #[test]
    fn a_file_that_unfolds_without_end_is_refused() {
        let anchors = (1..10).map(|n| {
            let list = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("a{n}: &a{n} [{list}]\n")
        });
        let bomb: Vec<String> =
            std::iter::once("a0: &a0 [x, x, x, x, x]\n".to_owned()).chain(anchors).collect();
        let bomb = bomb.concat();
        assert!(parse(&bomb).is_err());
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"a".repeat(MAX_FILE_BYTES + 1)).is_err());
    }

    #[test]
    fn full_width_signs_are_named() {
        let at = |text: &str| {
            let error = parse(text).unwrap_err();
            (error.place.line, error.place.column, error.message)
        };
        let (line, column, message) = at("a: 1\nb:\n  timeout： 10s\n  c: 2\n");
        assert_eq!((line, column), (3, 10));
        assert!(message.contains("full-width"), "{message}");
        let (line, _, message) = at("a:\n  b: 1\n　　c\n  d: 2\n");
        assert_eq!(line, 3);
        assert!(message.contains("full-width space"), "{message}");
        assert!(parse("about: 監視： HTTP\n").is_ok());
    }

    #[test]
    fn an_empty_file_is_null() {
        assert_eq!(parse("").unwrap().kind, Kind::Null);
        assert_eq!(parse("# only a comment\n").unwrap().kind, Kind::Null);
    }
}
