//! Where the plan's target is named, source by source.

use std::path::Path;

use serde_json::{Value, json};

use crate::execute::preview::{Preview, Said};
use crate::lang::Lang;
use crate::report::reasons;
use crate::scenario::model::{Scenario, Source, Target};

/// The alerts of a file: a list, or PagerDuty's answer with one in it.
pub(super) fn alerts(path: &Path) -> Result<Vec<Value>, String> {
    let cannot = |error: String| format!("{} cannot be read: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| cannot(error.to_string()))?;
    match (json, "alerts") {
        (Value::Array(alerts), _) => Ok(alerts),
        (Value::Object(mut answer), key) => match answer.remove(key) {
            Some(Value::Array(alerts)) => Ok(alerts),
            _ => Err(cannot("it has no list of alerts".to_owned())),
        },
        _ => Err(cannot("it is no list of alerts".to_owned())),
    }
}

/// A line per source, where there is more to say than the title's own host.
pub(super) fn lines(scenario: &Scenario, preview: &Preview) -> Vec<String> {
    let Some(target) = scenario.target.as_ref() else { return Vec::new() };
    if !target.is_outside() && target.sources().len() < 2 {
        return Vec::new();
    }
    let said = target.sources().iter().zip(&preview.said);
    (1..)
        .zip(said)
        .map(|(number, (source, said))| {
            let answer = match said {
                Said::Taken(hosts) => format!("names {}: taken", hosts.join(", ")),
                Said::Nobody(lack) => format!("names nobody: {}", reasons::lack(Lang::En, lack)),
                Said::Doubtful(lack) => {
                    format!("goes to people: {}", reasons::lack(Lang::En, lack))
                }
                Said::Unknown => "is asked when a step needs the host".to_owned(),
                Said::NotAsked => "is not asked any more".to_owned(),
            };
            format!("{number}. {} {answer}", words(source))
        })
        .collect()
}

pub(super) fn json(scenario: &Scenario, preview: &Preview) -> Value {
    let sources = scenario.target.as_ref().map(Target::sources).unwrap_or_default();
    let one = |(source, said): (&Source, &Said)| {
        let (word, hosts, why) = match said {
            Said::Taken(hosts) => ("taken", hosts.as_slice(), None),
            Said::Nobody(lack) => ("nobody", &[][..], Some(lack)),
            Said::Doubtful(lack) => ("hand_off", &[][..], Some(lack)),
            Said::Unknown => ("asked_later", &[][..], None),
            Said::NotAsked => ("not_asked", &[][..], None),
        };
        let why = why.map(|lack| reasons::lack(Lang::En, lack));
        json!({ "source": words(source), "answer": word, "hosts": hosts, "why": why })
    };
    sources.iter().zip(&preview.said).map(one).collect()
}

fn words(source: &Source) -> String {
    match source {
        Source::Named(template) => format!("\"{}\"", template.source().trim()),
        Source::Alert(keys) => format!("alert details ({})", keys.join(", ")),
        Source::LookUp { tag, is } => format!("AWS tag {tag} = \"{}\"", is.source().trim()),
    }
}
