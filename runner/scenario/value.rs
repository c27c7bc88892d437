//! Values a scenario refers to by name: what they may hold and where they are kept.

use serde_json::{Map, Number, Value};

use crate::scenario::capture::CaptureKind;

/// What a named value holds. Known before anything runs, so that a comparison of a number with a
/// text is a finding and not a surprise at night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    One(CaptureKind),
    Bool,
    List(CaptureKind),
    /// Rows by name, each with fields of its own.
    Table,
    /// As it stands in JSON: text, a number, true, false or null.
    Any,
}

impl Type {
    pub const NUMBER: Self = Self::One(CaptureKind::Number);
    pub const TEXT: Self = Self::One(CaptureKind::Text);

    /// In words, for findings.
    pub fn words(self) -> String {
        match self {
            Self::One(CaptureKind::Number) => "a number".to_owned(),
            Self::One(_) => "text".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::List(kind) => format!("a list of {}s", kind.word()),
            Self::Table => "a table".to_owned(),
            Self::Any => "any value".to_owned(),
        }
    }
}

/// A value is not what its type says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is no {wanted}")]
pub struct WrongType {
    value: String,
    wanted: &'static str,
}

/// `text` as a value of this kind. Numbers lose leading zeros: `042` is 42.
pub fn typed(text: &str, kind: CaptureKind) -> Result<Value, WrongType> {
    let wrong = || WrongType { value: text.chars().take(80).collect(), wanted: kind.word() };
    if kind == CaptureKind::Number {
        return number(text.trim()).ok_or_else(wrong);
    }
    if kind.accepts(text) { Ok(Value::from(text)) } else { Err(wrong()) }
}

/// What JSON or YAML gave, as a value of this type.
pub fn typed_json(value: &Value, kind: Type) -> Result<Value, WrongType> {
    let wrong = |wanted: &'static str| WrongType {
        value: value.to_string().chars().take(80).collect(),
        wanted,
    };
    match (kind, value) {
        (_, Value::Null)
        | (Type::Bool, Value::Bool(_))
        | (Type::Any, Value::Bool(_) | Value::Number(_) | Value::String(_)) => Ok(value.clone()),
        (Type::One(kind), Value::String(text)) => typed(text, kind),
        (Type::One(kind), Value::Number(number)) => typed(&number.to_string(), kind),
        (Type::One(CaptureKind::Text | CaptureKind::Word), Value::Bool(value)) => {
            Ok(Value::from(value.to_string()))
        }
        (Type::List(kind), Value::Array(items)) => {
            let typed = items.iter().map(|item| typed_json(item, Type::One(kind)));
            Ok(Value::Array(typed.collect::<Result<_, _>>()?))
        }
        (Type::One(kind), _) => Err(wrong(kind.word())),
        (Type::Bool, _) => Err(wrong("truth value")),
        (Type::List(_), _) => Err(wrong("list")),
        (Type::Table | Type::Any, _) => Err(wrong("single value")),
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::from(whole));
    }
    // Words such as `inf` and `1e9` parse too, but nobody means them.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let number = text.parse::<f64>().ok().filter(|_| plain)?;
    Number::from_f64(number).map(Value::Number)
}

/// Everything a step may refer to: one tree of dotted names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Map<String, Value>);

impl Values {
    /// Sets everything below a first name: `capture`, `steps`.
    pub fn set(&mut self, root: &str, below: Value) {
        self.0.insert(root.to_owned(), below);
    }

    /// `None` for what is not there; null counts as not there.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let mut found = self.0.get(first)?;
        for part in rest.split('.').filter(|part| !part.is_empty()) {
            found = found.get(part)?;
        }
        (!found.is_null()).then_some(found)
    }

    pub const fn tree(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// A value as people and commands read it; list entries are joined by `between`.
pub fn written(value: &Value, between: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| written(item, between)).collect::<Vec<_>>().join(between)
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_people_write() {
        assert_eq!(typed("042", CaptureKind::Number), Ok(Value::from(42)));
        assert_eq!(typed(" 2.26\n", CaptureKind::Number), Ok(Value::from(2.26)));
        assert_eq!(typed("-0.003", CaptureKind::Number), Ok(Value::from(-0.003)));
        for hostile in ["inf", "1e9", "NaN", "93%", "", "12 13"] {
            assert!(typed(hostile, CaptureKind::Number).is_err(), "{hostile}");
        }
    }

    #[test]
    fn names_lead_into_the_tree_and_null_is_absence() {
        let mut values = Values::default();
        values.set("steps", serde_json::json!({ "disk": { "used": 93, "free": null } }));
        assert_eq!(values.get("steps.disk.used"), Some(&Value::from(93)));
        assert_eq!(values.get("steps.disk.free"), None);
        assert_eq!(values.get("steps.cpu.used"), None);
    }
}
