//! One test file: `NAME.test.yaml` beside `NAME.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fields::{At, Fields, read_file, text, wrong_type};
use crate::finding::{Finding, Findings};
use crate::incident::{Outcome, Urgency};
use crate::lang::Lang;
use crate::rehearse::look_up::{self, Tagged};
use crate::rehearse::result::{Given, read_results};
use crate::yaml::{Kind, Node, Place};

#[derive(Clone, Debug)]
pub struct TestFile {
    pub file: PathBuf,
    /// The customer the incidents belong to.
    pub customer: Option<PathBuf>,
    pub vars: BTreeMap<String, String>,
    /// Language of the notes.
    pub lang: Lang,
    pub tests: Vec<Test>,
}

#[derive(Clone, Debug)]
pub struct Test {
    pub name: String,
    pub place: Place,
    pub title: String,
    /// Local time of the customer.
    pub at: Option<jiff::civil::DateTime>,
    pub urgency: Urgency,
    pub service: Option<String>,
    pub alerts: Vec<serde_json::Value>,
    /// What the customer's AWS accounts hold.
    pub look_up: Tagged,
    pub open_incidents: Vec<String>,
    pub results: BTreeMap<String, Vec<Given>>,
    pub people: Vec<Person>,
    pub expect: Expected,
}

/// What a person does while the run goes on.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub after: Duration,
    pub does: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Approve,
    Deny,
    Stop,
    Acknowledge,
}

const DEEDS: [(&str, Deed); 4] = [
    ("approve", Deed::Approve),
    ("deny", Deed::Deny),
    ("stop", Deed::Stop),
    ("acknowledge", Deed::Acknowledge),
];

/// What must come of it; only what is said is compared.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    pub outcome: Option<Outcome>,
    pub path: Option<Vec<String>>,
    pub note: Vec<String>,
    pub note_lacks: Vec<String>,
    /// Field of the hand-off → its value as written.
    pub hand_off: BTreeMap<String, String>,
    /// Texts in what stakeholders are told.
    pub stakeholders: Vec<String>,
    pub at_least: Option<Duration>,
    pub at_most: Option<Duration>,
    /// Step → what it was given: dotted name → text.
    pub given: BTreeMap<String, BTreeMap<String, String>>,
}

/// The scenario a test file stands beside.
pub fn scenario_of(test: &Path) -> PathBuf {
    let name = test.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    test.with_file_name(name.replace(".test.yaml", ".yaml"))
}

pub fn read(path: &Path, content: &str) -> Result<TestFile, Vec<Finding>> {
    let read = read_file(path, content, |node, findings| read_tests(path, node, findings));
    read.map(|(file, _)| file)
}

fn read_tests(path: &Path, node: &Node, findings: &mut Findings) -> Option<TestFile> {
    let fields = Fields::of(node, "the file", findings)?;
    let customer = fields.text("customer", findings).map(|at| path.with_file_name(at.value));
    let lang = fields.word("lang", &Lang::WORDS, findings).map_or(Lang::Ja, |at| at.value);
    let vars = fields.get("vars").map(|node| texts_by_name(node, "vars", findings));
    let tests = fields.required("tests", "[{name: …, title: …, expect: {…}}]", findings)?;
    let Kind::List(items) = &tests.kind else {
        wrong_type(findings, tests.place, "tests", "a list (`- name:` …)", &tests.kind);
        return None;
    };
    let tests: Vec<Test> = items.iter().filter_map(|item| read_test(item, findings)).collect();
    if items.is_empty() {
        findings.add("no-tests", node.place, "the file has no test in it", "add one under 'tests'");
    }
    fields.finish(findings);
    let (file, vars) = (path.to_owned(), vars.unwrap_or_default());
    Some(TestFile { file, customer, vars, lang, tests })
}

fn read_test(node: &Node, findings: &mut Findings) -> Option<Test> {
    let fields = Fields::of(node, "a test", findings)?;
    let name = fields.required_text("name", "再起動で復旧する", findings);
    let title = fields.required_text("title", "\"HTTP 応答なし web01\"", findings);
    let urgencies = [("high", Urgency::High), ("low", Urgency::Low)];
    let expect = fields
        .required("expect", "{outcome: resolved}", findings)
        .and_then(|node| read_expected(node, findings));
    let test = Test {
        name: name.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        place: node.place,
        title: title.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        at: fields.text("at", findings).and_then(|at| read_time(&at, findings)),
        urgency: fields.word("urgency", &urgencies, findings).map_or(Urgency::High, |at| at.value),
        service: fields.text("service", findings).map(|at| at.value),
        alerts: json_list(fields.get("alerts")),
        look_up: fields
            .get("look_up")
            .map(|node| look_up::read(node, findings))
            .unwrap_or_default(),
        open_incidents: fields
            .texts("open_incidents", findings)
            .into_iter()
            .map(|at| at.value)
            .collect(),
        results: fields.get("results").map(|node| by_step(node, findings)).unwrap_or_default(),
        people: fields.get("people").map(|node| people(node, findings)).unwrap_or_default(),
        expect: expect.unwrap_or_default(),
    };
    fields.finish(findings);
    name.and(title).map(|_| test)
}

fn read_time(at: &At<String>, findings: &mut Findings) -> Option<jiff::civil::DateTime> {
    let parsed = at.value.parse().ok();
    if parsed.is_none() {
        findings.add(
            "bad-time",
            at.place,
            format!("'{}' is not a local time", at.value),
            "write it as \"2026-11-24 03:00\", in quotes",
        );
    }
    parsed
}

fn json_list(node: Option<&Node>) -> Vec<serde_json::Value> {
    match node.map(Node::to_json) {
        Some(serde_json::Value::Array(items)) => items,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn by_step(node: &Node, findings: &mut Findings) -> BTreeMap<String, Vec<Given>> {
    let Some(own) = Fields::of(node, "results", findings) else { return BTreeMap::new() };
    own.all()
        .iter()
        .map(|(key, node)| (key.name.clone(), read_results(node, &key.name, findings)))
        .collect()
}

fn people(node: &Node, findings: &mut Findings) -> Vec<Person> {
    let Kind::List(items) = &node.kind else {
        wrong_type(findings, node.place, "people", "a list (`- after:` …)", &node.kind);
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            let fields = Fields::of(item, "a person", findings)?;
            let after = fields.duration("after", findings);
            let does = fields.word("say", &DEEDS, findings);
            if fields.get("after").is_none() {
                fields.missing("after", "5m", findings);
            }
            if fields.get("say").is_none() {
                fields.missing("say", "approve", findings);
            }
            fields.finish(findings);
            Some(Person { after: after?.value, does: does?.value })
        })
        .collect()
}

fn read_expected(node: &Node, findings: &mut Findings) -> Option<Expected> {
    let fields = Fields::of(node, "expect", findings)?;
    let outcomes = Outcome::ALL.map(|outcome| (outcome.word(), outcome));
    let list = |key| -> Option<Vec<At<String>>> { fields.get(key).map(|_| Vec::new()) };
    let took = fields.get("took").and_then(|node| Fields::of(node, "took", findings));
    let mut expected = Expected {
        outcome: fields.word("outcome", &outcomes, findings).map(|at| at.value),
        path: list("path").map(|_| plain(fields.texts("path", findings))),
        note: plain(fields.texts("note", findings)),
        note_lacks: plain(fields.texts("note_lacks", findings)),
        stakeholders: plain(fields.texts("stakeholders", findings)),
        hand_off: fields
            .get("hand_off")
            .map(|node| texts_by_name(node, "hand_off", findings))
            .unwrap_or_default(),
        ..Expected::default()
    };
    if let Some(took) = took {
        expected.at_least = took.duration("at_least", findings).map(|at| at.value);
        expected.at_most = took.duration("at_most", findings).map(|at| at.value);
        took.finish(findings);
    }
    if let Some(node) = fields.get("given") {
        let own = Fields::of(node, "given", findings)?;
        for (key, value) in own.all() {
            let mut flat = BTreeMap::new();
            flatten(value, "", &mut flat, findings);
            expected.given.insert(key.name.clone(), flat);
        }
    }
    if fields.get("outcome").is_none() {
        fields.missing("outcome", "resolved", findings);
    }
    fields.finish(findings);
    Some(expected)
}

fn plain(written: Vec<At<String>>) -> Vec<String> {
    written.into_iter().map(|at| at.value).collect()
}

pub(super) fn texts_by_name(
    node: &Node,
    what: &str,
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let Some(own) = Fields::of(node, what, findings) else { return BTreeMap::new() };
    own.all()
        .iter()
        .filter_map(|(key, node)| Some((key.name.clone(), text(node, &key.name, findings)?.value)))
        .collect()
}

/// `{env: {SERVICE: httpd}}` as `env.SERVICE`.
fn flatten(
    node: &Node,
    before: &str,
    flat: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    if let Kind::Map(entries) = &node.kind {
        for (key, node) in entries {
            let name =
                if before.is_empty() { key.name.clone() } else { format!("{before}.{}", key.name) };
            flatten(node, &name, flat, findings);
        }
    } else if let Some(at) = text(node, before, findings) {
        flat.insert(before.to_owned(), at.value);
    }
}
