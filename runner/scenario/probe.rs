//! What a step does to the world, what its result should be and what is read from it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::scenario::action::Method;
use crate::scenario::aws_call::AwsTemplate;
use crate::scenario::expression::Expression;
use crate::scenario::template::Template;
use crate::scenario::value::Type;
use crate::yaml::Place;

/// An action, what its result should be and what is read from it.
#[derive(Clone, Debug)]
pub struct Probe {
    pub action: ActionTemplate,
    /// Which machine a command runs on.
    pub on: On,
    pub timeout: Duration,
    pub expect: Expect,
    pub look: Look,
    pub takes: Vec<Take>,
}

/// Which machine a command runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum On {
    /// The machine of AMS.
    #[default]
    Runner,
    /// The one host of the scenario's `target`.
    Target,
    /// A host by name, found in the customer's inventory.
    Host(Template),
}

/// How often a step looks before its result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Attempts at most; without a limit `within` ends it.
    pub tries: Option<u32>,
    pub within: Option<Duration>,
    pub every: Duration,
    /// Looks that must be met one after the other.
    pub in_a_row: u32,
}

impl Look {
    /// Between two looks where nothing else is said.
    pub const EVERY: Duration = Duration::from_secs(5);

    pub const ONCE: Self = Self { tries: Some(1), within: None, every: Self::EVERY, in_a_row: 1 };
}

/// One value read from a step's output.
#[derive(Clone, Debug)]
pub struct Take {
    pub name: String,
    pub from: From,
    pub kind: Type,
    pub default: Option<serde_json::Value>,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub enum From {
    /// All of it, without white space around it.
    Output,
    /// The first group, or the whole match.
    Pattern(regex::Regex),
    /// A JSON pointer; `*` is every entry of a list.
    Json(String),
    /// Calculated from other values.
    Calc(Expression),
}

/// An action before its values are filled in.
#[derive(Clone, Debug)]
pub enum ActionTemplate {
    /// A script for `/bin/sh` or PowerShell, never filled in: values reach it through `env`.
    Script { shell: Shell, text: String, env: BTreeMap<String, Template> },
    /// Program and arguments, without a shell and never filled in.
    Exec { argv: Vec<String>, env: BTreeMap<String, Template> },
    Http {
        method: Method,
        url: Template,
        headers: BTreeMap<String, Template>,
        body: Option<Template>,
    },
    /// Connects and reads what the other side says first.
    Tcp { address: Template },
    /// Asks AWS, in one of the customer's accounts.
    Aws(AwsTemplate),
    /// Asks PagerDuty.
    Ask(Question),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Sh,
    PowerShell,
}

/// What PagerDuty can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The incident's alerts, as JSON.
    Alerts,
    /// Other open incidents whose titles hold all of these words.
    OpenIncidents { all: Vec<String> },
}

/// When a result counts as met. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// For commands.
    pub exit_codes: Vec<i32>,
    /// The author names exit codes or statuses.
    pub codes_said: bool,
    /// For HTTP.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// Exit codes or statuses that say nothing about the thing that was looked at.
    pub unclear: Vec<RangeInclusive<u16>>,
    /// The output (standard output, or the HTTP body) has this text in it.
    pub contains: Option<String>,
    /// The output does not have this text in it.
    pub lacks: Option<String>,
    /// Over the step's own values and everything before.
    pub that: Vec<Expression>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            exit_codes: vec![0],
            codes_said: false,
            statuses: vec![200..=299],
            unclear: Vec::new(),
            contains: None,
            lacks: None,
            that: Vec::new(),
        }
    }
}

impl Expect {
    /// Values decide, and the author has not said what other codes mean: then a command that
    /// failed measured nothing. A request that failed is an answer about the service.
    pub const fn measures(&self) -> bool {
        !self.that.is_empty() && !self.codes_said
    }
}
