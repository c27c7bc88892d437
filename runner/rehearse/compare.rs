//! What a run did against what its author expects. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::execute::end::Told;
use crate::fields::duration_words;
use crate::incident::Outcome;
use crate::rehearse::file::Test;

/// How a run went.
#[derive(Clone, Debug)]
pub struct Actual {
    pub outcome: Option<Outcome>,
    pub path: Vec<String>,
    /// The last one.
    pub note: String,
    pub hand_off: Option<Told>,
    pub took: Duration,
    pub given: BTreeMap<String, BTreeMap<String, String>>,
    pub without_result: Vec<String>,
    /// Results that no step asked for.
    pub unused: Vec<String>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    Outcome {
        expected: String,
        actual: String,
        /// The reason the last note gives.
        why: String,
    },
    /// Both ways, step by step.
    Path {
        expected: Vec<String>,
        actual: Vec<String>,
    },
    /// The whole last note, for reading.
    Note {
        wanted: String,
        present: bool,
        note: String,
    },
    /// What stakeholders were told, for reading.
    Stakeholders {
        wanted: String,
        told: String,
    },
    HandOff {
        field: String,
        expected: String,
        actual: String,
    },
    Took {
        expected: String,
        actual: String,
    },
    Given {
        step: String,
        name: String,
        expected: String,
        actual: String,
    },
    /// A step ran that the test gives no result.
    NoResult {
        step: String,
    },
    /// The test gives a result to what is no step, or did not run.
    Unused {
        name: String,
    },
}

pub fn compare(test: &Test, actual: &Actual) -> Vec<Difference> {
    let expect = &test.expect;
    let mut found: Vec<Difference> = actual
        .without_result
        .iter()
        .map(|step| Difference::NoResult { step: step.clone() })
        .collect();
    if expect.outcome != actual.outcome {
        let word = |outcome: Option<Outcome>| outcome.map_or("nothing", Outcome::word).to_owned();
        let why = actual.note.lines().nth(1).unwrap_or_default().to_owned();
        let (expected, actual) = (word(expect.outcome), word(actual.outcome));
        found.push(Difference::Outcome { expected, actual, why });
    }
    if let Some(path) = expect.path.as_ref().filter(|path| **path != actual.path) {
        found.push(Difference::Path { expected: path.clone(), actual: actual.path.clone() });
    }
    for (wanted, present) in expect
        .note
        .iter()
        .map(|it| (it, true))
        .chain(expect.note_lacks.iter().map(|it| (it, false)))
    {
        if actual.note.contains(wanted.as_str()) != present {
            let (wanted, note) = (wanted.clone(), actual.note.clone());
            found.push(Difference::Note { wanted, present, note });
        }
    }
    let told = actual.hand_off.as_ref().and_then(|it| it.stakeholders.clone()).unwrap_or_default();
    let lacking = expect.stakeholders.iter().filter(|wanted| !told.contains(wanted.as_str()));
    found.extend(
        lacking
            .map(|wanted| Difference::Stakeholders { wanted: wanted.clone(), told: told.clone() }),
    );
    hand_off(test, actual, &mut found);
    took(test, actual, &mut found);
    for (step, names) in &expect.given {
        for (name, expected) in names {
            let got = actual.given.get(step).and_then(|given| given.get(name));
            if got != Some(expected) {
                let actual = got.cloned().unwrap_or_else(|| "nothing".to_owned());
                let (step, name, expected) = (step.clone(), name.clone(), expected.clone());
                found.push(Difference::Given { step, name, expected, actual });
            }
        }
    }
    // Where a step lacks its result, the rest follows from that.
    if !actual.without_result.is_empty() {
        return found;
    }
    found.extend(actual.unused.iter().map(|name| Difference::Unused { name: name.clone() }));
    found
}

fn hand_off(test: &Test, actual: &Actual, found: &mut Vec<Difference>) {
    for (field, expected) in &test.expect.hand_off {
        let hand_off = actual.hand_off.as_ref();
        let got = hand_off.and_then(|it| match field.as_str() {
            "to" => it.to.clone(),
            "priority" => it.priority.clone(),
            "urgency" => it.urgency.map(|urgency| urgency.word().to_owned()),
            "page" => Some(it.page.unwrap_or(true).to_string()),
            _ => None,
        });
        if got.as_ref() != Some(expected) {
            let actual = got.unwrap_or_else(|| "nothing".to_owned());
            let (field, expected) = (field.clone(), expected.clone());
            found.push(Difference::HandOff { field, expected, actual });
        }
    }
}

fn took(test: &Test, actual: &Actual, found: &mut Vec<Difference>) {
    let (least, most) = (test.expect.at_least, test.expect.at_most);
    let wrong = least.is_some_and(|least| actual.took < least)
        || most.is_some_and(|most| actual.took > most);
    if wrong {
        let expected = match (least.map(duration_words), most.map(duration_words)) {
            (Some(least), Some(most)) => format!("between {least} and {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => String::new(),
        };
        found.push(Difference::Took { expected, actual: duration_words(actual.took) });
    }
}
