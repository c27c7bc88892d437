//! What becomes of one title.

use serde_json::{Value, json};

use crate::commands::match_title::printable;
use crate::commands::print;
use crate::matching::close::{Close, Lacks};
use crate::matching::{Choice, Index, Lost, LostBy, Meant};
use crate::scenario::model::Scenario;

/// Scenarios of one kind that are told to people. JSON has all that matched.
const SHOWN: usize = 5;

pub(super) struct Answer<'a> {
    title: &'a str,
    choice: Choice,
    close: Vec<Close>,
}

impl<'a> Answer<'a> {
    pub(super) fn of(index: &Index, title: &'a str) -> Self {
        Self { title, choice: index.choose(title), close: index.close(title, SHOWN) }
    }

    pub(super) const fn is_matched(&self) -> bool {
        matches!(self.choice, Choice::Scenario { .. })
    }

    fn lost(&self) -> &[Lost] {
        match &self.choice {
            Choice::Scenario { lost, .. } | Choice::Ambiguous { lost, .. } => lost,
            Choice::None { .. } => &[],
        }
    }

    pub(super) fn text(&self) {
        row("title", printable(self.title));
        match &self.choice {
            Choice::Scenario { meant, .. } => {
                row("scenario", named(&meant.scenario));
                row("about", &meant.scenario.about);
                row("why", why(meant));
                rows("captured", captured(meant));
            }
            Choice::Ambiguous { several, .. } => {
                let count = several.len();
                row("scenario", format!("none: {count} are meant equally, so people decide"));
                let equal = several
                    .iter()
                    .map(|meant| format!("{}: {}", named(&meant.scenario), why(meant)));
                rows("equal", equal);
            }
            Choice::None { .. } => row("scenario", "none: the incident is left to people"),
        }
        let more = self.lost().len().saturating_sub(SHOWN);
        let lost = self.lost().iter().take(SHOWN).map(lost_text);
        rows("lost", lost.chain((more > 0).then(|| format!("and {more} more"))));
        rows("close", self.close.iter().map(close_text));
    }

    pub(super) fn json(&self) {
        let (result, scenarios) = match &self.choice {
            Choice::Scenario { meant, .. } => ("matched", std::slice::from_ref(meant)),
            Choice::Ambiguous { several, .. } => ("ambiguous", several.as_slice()),
            Choice::None { .. } => ("unmatched", [].as_slice()),
        };
        let answer = json!({
            "title": self.title,
            "result": result,
            "scenarios": scenarios.iter().map(meant_json).collect::<Vec<Value>>(),
            "lost": self.lost().iter().map(lost_json).collect::<Vec<Value>>(),
            "close": self.close.iter().map(close_json).collect::<Vec<Value>>(),
        });
        print::out(format_args!("{answer:#}"));
    }
}

fn row(name: &str, value: impl std::fmt::Display) {
    print::out(format_args!("{name:<10}{value}"));
}

/// The name stands on the first line only.
fn rows(name: &str, values: impl IntoIterator<Item = String>) {
    for (at, value) in values.into_iter().enumerate() {
        row(if at == 0 { name } else { "" }, value);
    }
}

fn named(scenario: &Scenario) -> String {
    format!("{} ({})", scenario.id, scenario.file.display())
}

/// Keywords as people read them: 'a', 'b'.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    words.join(", ")
}

fn why(meant: &Meant) -> String {
    format!(
        "{} found ({} characters), priority {}",
        quoted(&meant.keywords),
        meant.specificity,
        meant.scenario.rule.priority
    )
}

/// The word for the type of a capture.
fn kind(scenario: &Scenario, name: &str) -> &'static str {
    let kind = scenario.rule.pattern.as_ref().and_then(|pattern| pattern.kind(name));
    kind.map_or("", crate::scenario::capture::CaptureKind::word)
}

fn captured(meant: &Meant) -> impl Iterator<Item = String> {
    meant.captures.iter().map(|(name, value)| {
        format!("{name} = {} ({})", printable(value), kind(&meant.scenario, name))
    })
}

fn lost_text(lost: &Lost) -> String {
    let why = match lost.by {
        LostBy::LowerPriority => format!("its priority is {}", lost.scenario.rule.priority),
        LostBy::LessSpecific => format!("less specific ({} characters)", lost.specificity),
    };
    format!("{}: {why}", named(&lost.scenario))
}

fn close_text(close: &Close) -> String {
    let lacks = match &close.lacks {
        Lacks::Kind { capture, kind } => format!("its '{capture}' is no {}", kind.word()),
        Lacks::Pattern => "its keywords are there, its pattern does not match".to_owned(),
        Lacks::None(word) => format!("'{word}' is in the title and under 'none'"),
        Lacks::All(word) => format!("'{word}' is missing"),
        Lacks::Any(words) if words.len() > SHOWN => {
            format!("none of {} and {} more is there", quoted(&words[..SHOWN]), words.len() - SHOWN)
        }
        Lacks::Any(words) => format!("none of {} is there", quoted(words)),
    };
    format!("{}: {lacks}", named(&close.scenario))
}

fn meant_json(meant: &Meant) -> Value {
    let captures: serde_json::Map<String, Value> = meant
        .captures
        .iter()
        .map(|(name, value)| {
            (name.clone(), json!({"type": kind(&meant.scenario, name), "value": value}))
        })
        .collect();
    json!({
        "scenario": meant.scenario.id,
        "file": meant.scenario.file,
        "about": meant.scenario.about,
        "keywords": meant.keywords,
        "specificity": meant.specificity,
        "priority": meant.scenario.rule.priority,
        "captures": captures,
    })
}

fn lost_json(lost: &Lost) -> Value {
    let why = match lost.by {
        LostBy::LowerPriority => "lower_priority",
        LostBy::LessSpecific => "less_specific",
    };
    json!({
        "scenario": lost.scenario.id,
        "file": lost.scenario.file,
        "why": why,
        "specificity": lost.specificity,
        "priority": lost.scenario.rule.priority,
    })
}

fn close_json(close: &Close) -> Value {
    let mut value = match &close.lacks {
        Lacks::Kind { capture, kind } => {
            json!({"why": "capture_type", "capture": capture, "type": kind.word()})
        }
        Lacks::Pattern => json!({"why": "pattern"}),
        Lacks::None(word) => json!({"why": "excluded", "keyword": word}),
        Lacks::All(word) => json!({"why": "missing", "keyword": word}),
        Lacks::Any(words) => json!({"why": "missing_any", "keywords": words}),
    };
    value["scenario"] = json!(close.scenario.id);
    value["file"] = json!(close.scenario.file);
    value
}
