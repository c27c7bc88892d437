//! Host names in the details of an incident's alerts, wherever the monitoring tool has put them. Pure.
//!
//! `details` may be an object, a text that holds JSON, or lines of `key: value`; it may stand below
//! `body` or beside it, as `custom_details` or in `cef_details` (PagerDuty's REST description, Alerts,
//! and its change log of 2022-05-09). All of it is text from outside: what is no host name is no name.

use core::net::IpAddr;
use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::folding::fold;
use crate::limits;
use crate::scenario::capture::CaptureKind;

/// More than may be looked through: what is not seen might say something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the alerts' details have more than {} entries", limits::ALERT_ENTRIES)]
pub struct TooMuch;

/// The names under each of these keys (folded), in the order of the keys. Alerts that are resolved
/// count only where none is open.
pub fn names(alerts: &[Value], keys: &[String]) -> Result<Vec<Vec<String>>, TooMuch> {
    let is_open = |alert: &&Value| alert["status"] != "resolved";
    let some_open = alerts.iter().any(|alert| is_open(&alert));
    let mut search = Search { keys, found: BTreeMap::new(), entries: 0 };
    for alert in alerts.iter().filter(|alert| !some_open || is_open(alert)) {
        for below in [alert, &alert["body"]] {
            for place in ["details", "custom_details", "cef_details"] {
                search.whole(&below[place])?;
            }
        }
    }
    let Search { mut found, .. } = search;
    Ok((0..keys.len()).map(|key| found.remove(&key).unwrap_or_default()).collect())
}

struct Search<'a> {
    keys: &'a [String],
    /// Position of the key → names, each once.
    found: BTreeMap<usize, Vec<String>>,
    entries: usize,
}

impl Search<'_> {
    /// All of one alert's details.
    fn whole(&mut self, details: &Value) -> Result<(), TooMuch> {
        match json_of(details) {
            Cow::Borrowed(Value::String(text)) => self.lines(text),
            details => self.below(&details, 0),
        }
    }

    fn below(&mut self, value: &Value, depth: usize) -> Result<(), TooMuch> {
        if depth > limits::ALERT_DEPTH {
            return Ok(());
        }
        match &*json_of(value) {
            Value::Object(fields) => self.fields(fields, depth),
            Value::Array(items) => items.iter().try_for_each(|item| {
                self.count()?;
                self.below(item, depth + 1)
            }),
            _ => Ok(()),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, depth: usize) -> Result<(), TooMuch> {
        for (key, value) in fields {
            self.count()?;
            if let Some(at) = self.position(key) {
                match value {
                    Value::String(text) => self.keep(at, text),
                    Value::Array(items) => {
                        items.iter().filter_map(Value::as_str).for_each(|it| self.keep(at, it));
                    }
                    _ => {}
                }
            }
            self.below(value, depth + 1)?;
        }
        Ok(())
    }

    /// `Event host: web01` or `HOST=web01`, line by line.
    fn lines(&mut self, text: &str) -> Result<(), TooMuch> {
        for line in text.lines() {
            self.count()?;
            let Some((key, value)) = line.split_once([':', '=']) else { continue };
            if let Some(at) = self.position(key) {
                self.keep(at, value);
            }
        }
        Ok(())
    }

    fn position(&self, key: &str) -> Option<usize> {
        // Folding a key of a megabyte is work for nothing.
        let key = (key.len() <= LONGEST_KEY).then(|| fold(key))?;
        self.keys.iter().position(|wanted| *wanted == key)
    }

    fn keep(&mut self, at: usize, text: &str) {
        let found = self.found.entry(at).or_default();
        for name in host_names(text) {
            if !found.contains(&name) && found.len() <= limits::TARGET_HOSTS {
                found.push(name);
            }
        }
    }

    fn count(&mut self) -> Result<(), TooMuch> {
        self.entries += 1;
        if self.entries > limits::ALERT_ENTRIES { Err(TooMuch) } else { Ok(()) }
    }
}

/// Bytes of a key that authors may mean, with room for full-width letters.
const LONGEST_KEY: usize = 1_024;

/// Bytes of a text that holds names.
const LONGEST_NAMES: usize = 16 * 1_024;

/// What a text holds, if it is JSON.
fn json_of(value: &Value) -> Cow<'_, Value> {
    let Value::String(text) = value else { return Cow::Borrowed(value) };
    let is_json = text.trim_start().starts_with(['{', '[']);
    match is_json.then(|| serde_json::from_str(text)) {
        Some(Ok(inside)) => Cow::Owned(inside),
        _ => Cow::Borrowed(value),
    }
}

/// `web01`, `web01:9100`, `web01, web02`. A text of which some part is no name has none.
fn host_names(text: &str) -> Vec<String> {
    if text.len() > LONGEST_NAMES {
        return Vec::new();
    }
    let names: Option<Vec<String>> = text.trim().split(',').map(host_name).collect();
    names.unwrap_or_default()
}

fn host_name(text: &str) -> Option<String> {
    let text = text.trim_matches(' ');
    if text.parse::<IpAddr>().is_ok() {
        return Some(text.to_owned());
    }
    let name = match text.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()) => {
            host
        }
        _ => text,
    };
    CaptureKind::Hostname.accepts(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(alerts: &Value, keys: &[&str]) -> Vec<Vec<String>> {
        let keys: Vec<String> = keys.iter().map(|key| fold(key)).collect();
        names(alerts.as_array().unwrap(), &keys).unwrap()
    }

    fn one(alert: &Value) -> Vec<String> {
        found(&json!([alert]), &["host"]).remove(0)
    }

    #[test]
    fn names_are_found_in_every_shape_that_details_have() {
        for alert in [
            json!({ "body": { "details": { "host": "web01" } } }),
            json!({ "body": { "details": "{\"host\": \"web01\"}" } }),
            json!({ "body": { "details": { "custom_details": { "host": "web01" } } } }),
            json!({ "body": { "details": { "custom_details": "{\"a\": [{\"host\": \"web01\"}]}" } } }),
            json!({ "body": { "details": "\n{\"inner\": \"{\\\"host\\\": \\\"web01\\\"}\"}" } }),
            json!({ "body": { "custom_details": { "host": "web01:9100" } } }),
            json!({ "body": { "cef_details": { "details": { "Host": " web01 " } } } }),
            json!({ "body": { "cef_details": { "ｈｏｓｔ": "web01" } } }),
            json!({ "details": { "host": ["web01"] } }),
            json!({ "details": [{ "x": 1 }, { "host": "web01, web01" }] }),
            json!({ "body": { "details": "State: DOWN\nHost: web01\n" } }),
            json!({ "body": { "details": "HOST=web01" } }),
        ] {
            assert_eq!(one(&alert), ["web01"], "{alert}");
        }
        assert_eq!(one(&json!({ "details": { "host": "2001:db8::1" } })), ["2001:db8::1"]);
        assert_eq!(one(&json!({ "details": { "host": "web01,web02" } })), ["web01", "web02"]);
    }

    #[test]
    fn what_is_no_host_name_is_no_name() {
        for value in [
            "$(reboot)",
            "`reboot`",
            "web01; reboot",
            "web01\nweb02",
            "web01\"",
            "'web01'",
            "{{ x }}",
            "-oProxyCommand=x",
            "web01 web02",
            "..",
            "/etc/passwd",
            "\u{202e}10bew",
            "web\u{200b}01",
            "web01, $(reboot)",
            "ｗｅｂ０１",
            "",
            ",",
            ":22",
            "web01:",
            "web01:x",
            "*",
            &"a".repeat(254),
            &"a,".repeat(10_000),
        ] {
            assert_eq!(one(&json!({ "details": { "host": value } })), [""; 0], "{value}");
        }
        for odd in [json!(null), json!(7), json!(true), json!({ "name": "web01" }), json!([[1]])] {
            assert_eq!(one(&json!({ "details": { "host": odd } })), [""; 0]);
        }
    }

    #[test]
    fn keys_are_asked_in_the_order_they_are_written_and_open_alerts_first() {
        let alert = |status: &str, host: &str| {
            let details = json!({ "host": host, "Event host": "db01" });
            json!({ "status": status, "details": details })
        };
        let both = json!([alert("triggered", "web01"), alert("resolved", "web02")]);
        assert_eq!(found(&both, &["event host", "host"]), [vec!["db01"], vec!["web01"]]);
        let over = json!([alert("resolved", "web02")]);
        assert_eq!(found(&over, &["none", "host"]), [vec![], vec!["web02"]]);
        let several = json!([alert("triggered", "web01"), alert("triggered", "web03")]);
        assert_eq!(found(&several, &["host"]), [["web01", "web03"]]);
    }

    #[test]
    fn details_are_looked_through_so_far_and_no_farther() {
        let nested = |depth: usize| {
            (0..depth).fold(json!({ "host": "web01" }), |below, _| json!({ "in": below }))
        };
        assert_eq!(one(&json!({ "details": nested(limits::ALERT_DEPTH) })), ["web01"]);
        assert_eq!(one(&json!({ "details": nested(limits::ALERT_DEPTH + 1) })), [""; 0]);
        assert_eq!(one(&json!({ "details": nested(50) })), [""; 0]);
        assert_eq!(one(&json!({ "details": "[".repeat(100_000) })), [""; 0]);
        assert_eq!(
            one(&json!({ "details": { "log": "x".repeat(1024 * 1024), "host": "web01" } })),
            ["web01"]
        );
        let keys = |count: usize| -> Value {
            (0..count).map(|it| (format!("key{it}"), json!("x"))).collect::<Map<_, _>>().into()
        };
        let mut many = keys(10_000);
        many["host"] = json!("web01");
        assert_eq!(one(&json!({ "details": many })), ["web01"]);
        let alerts = [json!({ "details": keys(limits::ALERT_ENTRIES + 1) })];
        assert_eq!(names(&alerts, &["host".to_owned()]), Err(TooMuch));
    }

    /// JSON of any shape, with the key somewhere in it.
    fn shapes() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            Just(Value::Null),
            Just(json!("web01")),
            Just(json!("$(reboot)")),
            Just(json!("{\"host\": \"web02\"}")),
        ];
        leaf.prop_recursive(12, 200, 8, |inner| {
            let key = prop_oneof![Just("host".to_owned()), Just("details".to_owned()), "\\PC{0,8}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((key, inner.clone()), 0..8)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
                inner.prop_map(|value| Value::from(value.to_string())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_details_are_only_host_names_come_out(details in shapes()) {
            let alerts = [json!({ "body": { "details": details } }), details];
            for name in names(&alerts, &["host".to_owned()]).unwrap().concat() {
                prop_assert!(
                    CaptureKind::Hostname.accepts(&name) || name.parse::<IpAddr>().is_ok(),
                    "{name}"
                );
            }
        }
    }
}
