//! What is read from a step's output. Pure.

use serde_json::{Map, Value};

use crate::execute::actuator::{Ending, Observation, Output};
use crate::execute::verdict::Why;
use crate::mask;
use crate::scenario::expression::NoResult;
use crate::scenario::model::{From, Take};
use crate::scenario::value::{Type, Values, typed, typed_json};

/// Characters of an output that a later step may look at as text, up to the end of a word: half a
/// secret is not known for one.
const OUTPUT_CHARS: usize = 4_000;

/// The step's values, or why one of them could not be read. Without a result there are none.
pub fn take(
    takes: &[Take],
    seen: &Observation,
    values: &Values,
) -> (Map<String, Value>, Option<Why>) {
    let mut taken = built_in(seen);
    let ended =
        matches!(seen.ending, Ending::Exited(_) | Ending::Answered { .. } | Ending::Connected);
    let mut unreadable = None;
    // Parsed once for all values that come from it.
    let json =
        ended.then(|| serde_json::from_str::<Value>(whole(&seen.stdout).trim()).ok()).flatten();
    for take in takes {
        let found = if ended { read(take, seen, json.as_ref(), values, &taken) } else { Ok(None) };
        let value = found.unwrap_or_else(|reason| {
            let why = Why::BadValue { name: take.name.clone(), reason };
            unreadable.get_or_insert(why);
            None
        });
        let value = value.or_else(|| take.default.clone()).unwrap_or(Value::Null);
        taken.insert(take.name.clone(), value);
    }
    (taken, unreadable)
}

fn built_in(seen: &Observation) -> Map<String, Value> {
    let mut values = Map::new();
    let mut set = |name: &str, value: Value| values.insert(name.to_owned(), value);
    match &seen.ending {
        Ending::Exited(code) => {
            set("exit_code", Value::from(*code));
        }
        // An answer came, so the word for silence is there and empty: it can be compared.
        Ending::Answered { status } => {
            set("status", Value::from(*status));
            set("no_answer", Value::from(""));
        }
        Ending::Connected => {
            set("no_answer", Value::from(""));
        }
        Ending::NoAnswer { reason } => {
            set("no_answer", Value::from(kind_of_silence(reason)));
        }
        Ending::TimedOut => {
            set("no_answer", Value::from("timeout"));
        }
        _ => {}
    }
    let output = whole(&seen.stdout);
    set("output", Value::from(mask::first_chars(output.trim(), OUTPUT_CHARS)));
    values
}

/// One word for why there was no answer.
fn kind_of_silence(reason: &str) -> &'static str {
    const KINDS: [(&str, &str); 6] = [
        ("name not found", "dns"),
        ("TLS", "tls"),
        ("refused", "refused"),
        ("timed out", "timeout"),
        ("unreachable", "unreachable"),
        ("reset", "reset"),
    ];
    KINDS.iter().find(|(words, _)| reason.contains(words)).map_or("other", |(_, kind)| kind)
}

fn whole(output: &Output) -> String {
    if output.is_whole() {
        output.head.clone()
    } else {
        format!("{}\n{}", output.head, output.tail)
    }
}

fn read(
    take: &Take,
    seen: &Observation,
    json: Option<&Value>,
    values: &Values,
    taken: &Map<String, Value>,
) -> Result<Option<Value>, String> {
    let text = whole(&seen.stdout);
    match &take.from {
        From::Output => match take.kind {
            Type::List(kind) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let typed = lines.map(|line| typed(line, kind).map_err(|error| error.to_string()));
                Ok(Some(Value::Array(typed.collect::<Result<_, _>>()?)))
            }
            _ if text.trim().is_empty() => Ok(None),
            kind => one(text.trim(), kind).map(Some),
        },
        From::Pattern(regex) => {
            let found: Vec<&str> = regex
                .captures_iter(&text)
                .filter_map(|found| found.get(1).or_else(|| found.get(0)))
                .map(|group| group.as_str())
                .collect();
            match take.kind {
                Type::List(kind) => {
                    let typed =
                        found.into_iter().map(|it| typed(it, kind).map_err(|it| it.to_string()));
                    Ok(Some(Value::Array(typed.collect::<Result<_, _>>()?)))
                }
                kind => found.first().map(|text| one(text, kind)).transpose(),
            }
        }
        From::Json(pointer) => {
            let json = json.ok_or("the output is not JSON")?;
            from_json(json, pointer, take.kind)
        }
        From::Calc(calc) => {
            let mut own = values.clone();
            for (name, value) in taken {
                own.set(name, value.clone());
            }
            match calc.evaluate(&own) {
                Ok(value) => Ok(Some(value)),
                // A sum with a value that is not there is not there either.
                Err(NoResult::Missing(_)) => Ok(None),
                Err(NoResult::Failed(reason)) => Err(reason),
            }
        }
    }
}

fn one(text: &str, kind: Type) -> Result<Value, String> {
    match kind {
        Type::One(kind) => typed(text, kind).map_err(|error| error.to_string()),
        Type::Bool => match text.to_lowercase().as_str() {
            "true" => Ok(Value::from(true)),
            "false" => Ok(Value::from(false)),
            _ => Err(format!("'{text}' is neither true nor false")),
        },
        _ => Ok(Value::from(text)),
    }
}

fn from_json(json: &Value, pointer: &str, kind: Type) -> Result<Option<Value>, String> {
    let mut found = Vec::new();
    follow(json, pointer.trim_start_matches('/'), &mut found);
    let error = |error: crate::scenario::value::WrongType| error.to_string();
    if let Type::List(_) = kind {
        // One list, or the entries that `*` has found; each once, in order.
        let entries: Vec<Value> = match found.as_slice() {
            [Value::Array(entries)] => entries.clone(),
            several => several.iter().map(|value| (*value).clone()).collect(),
        };
        let mut unique: Vec<Value> = Vec::new();
        for entry in entries.into_iter().filter(|entry| !entry.is_null()) {
            if !unique.contains(&entry) {
                unique.push(entry);
            }
        }
        return typed_json(&Value::Array(unique), kind).map(Some).map_err(error);
    }
    let mut different: Vec<&Value> = found.into_iter().filter(|value| !value.is_null()).collect();
    different.dedup();
    match different.as_slice() {
        [] => Ok(None),
        [value] => typed_json(value, kind).map(Some).map_err(error),
        several => {
            Err(format!("there are {} different values; read them with 'list:'", several.len()))
        }
    }
}

fn follow<'a>(json: &'a Value, pointer: &str, found: &mut Vec<&'a Value>) {
    if pointer.is_empty() {
        found.push(json);
        return;
    }
    let (key, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
    match json {
        Value::Array(entries) if key == "*" => {
            for entry in entries {
                follow(entry, rest, found);
            }
        }
        Value::Array(entries) => {
            if let Some(entry) = key.parse::<usize>().ok().and_then(|index| entries.get(index)) {
                follow(entry, rest, found);
            }
        }
        Value::Object(fields) => {
            if let Some(value) = fields.get(&key.replace("~1", "/").replace("~0", "~")) {
                follow(value, rest, found);
            }
        }
        _ => {}
    }
}
