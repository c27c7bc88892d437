//! Reads what a step does (`run`, `exec` or `http`) and what its result should be (`expect`).

use std::collections::BTreeMap;

use crate::fields::{At, Fields, text};
use crate::finding::Findings;
use crate::limits;
use crate::scenario::expect::read_expect;
use crate::scenario::model::{ActionTemplate, Expect, Look, On, Probe, Question, Shell};
use crate::scenario::reading::Reading;
use crate::scenario::takes::{Default as LookDefault, read_look, read_takes};
use crate::scenario::template::Template;
use crate::scenario::{aws_call, script, secrets};
use crate::yaml::{Kind, Node};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
}

const METHODS: [(&str, Method); 4] =
    [("GET", Method::Get), ("HEAD", Method::Head), ("POST", Method::Post), ("PUT", Method::Put)];

/// The action of one step, what its result should be, and what is read from it.
pub(super) fn read_probe(
    step: &Fields<'_>,
    look: LookDefault,
    reading: &mut Reading<'_>,
) -> Option<Probe> {
    let action = read_action(step, reading);
    if let Some(action) = &action {
        script::look(step, action, reading);
    }
    let on = read_on(step, action.as_ref(), reading);
    let timeout = step.duration("timeout", reading.findings);
    reading.times.extend(timeout.as_ref().map(|at| (at.place, "timeout", at.value)));
    let timeout = timeout.map_or(limits::STEP_TIMEOUT, |at| at.value);
    let look = read_look(step, look, reading);
    let takes = step.get("values").map(|node| read_takes(node, reading)).unwrap_or_default();
    let expect = match step.get("expect") {
        Some(node) => read_expect(node, action.as_ref(), reading),
        None => Some(Expect::default()),
    };
    if let (Some(look), Some(expect)) = (&look, &expect) {
        compares_with_nothing(look, expect, reading);
    }
    Some(Probe { action: action?, on: on?, timeout, expect: expect?, look: look?, takes })
}

/// The first look has none before it to compare with.
fn compares_with_nothing(look: &Look, expect: &Expect, reading: &mut Reading<'_>) {
    if look.tries.is_none_or(|tries| tries > look.in_a_row) {
        return;
    }
    let compares = |name: &str| name.starts_with("previous.");
    for condition in expect.that.iter().filter(|it| it.needs().any(compares)) {
        reading.findings.add(
            "looks-once",
            condition.place(),
            format!(
                "'{}' compares with the look before, but there is none to compare the first with",
                condition.source()
            ),
            format!("let the step look more often: tries: {}, or within: 5m", look.in_a_row + 1),
        );
    }
}

/// `on: runner`, or a host; without it the scenario's target, which `scope` knows.
fn read_on(
    step: &Fields<'_>,
    action: Option<&ActionTemplate>,
    reading: &mut Reading<'_>,
) -> Option<On> {
    let Some(node) = step.get("on") else { return Some(On::Target) };
    let runs = action.is_none_or(|action| {
        matches!(action, ActionTemplate::Script { .. } | ActionTemplate::Exec { .. })
    });
    if !runs {
        reading.findings.add(
            "on-without-command",
            node.place,
            "'on' is for commands; requests and connections start at AMS itself",
            "remove it",
        );
        return None;
    }
    let template = reading.template_at(node, "on")?;
    Some(if template.source() == "runner" { On::Runner } else { On::Host(template) })
}

const ACTIONS: [&str; 7] = ["run", "exec", "powershell", "http", "tcp", "aws", "pagerduty"];

fn read_action(step: &Fields<'_>, reading: &mut Reading<'_>) -> Option<ActionTemplate> {
    let given: Vec<(&'static str, &Node)> =
        ACTIONS.iter().filter_map(|word| Some((*word, step.get(word)?))).collect();
    let env = read_templates(step, "env", reading);
    match given.as_slice() {
        [] => {
            step.missing("run", "systemctl is-active httpd", reading.findings);
            None
        }
        [(word, node)] => {
            if let Some(env) =
                step.get("env").filter(|_| !["run", "exec", "powershell"].contains(word))
            {
                reading.findings.add(
                    "env-without-command",
                    env.place,
                    "'env' is for commands; this step has none",
                    "put the value into url, headers or body",
                );
            }
            read_one_action(word, node, step, env, reading)
        }
        several => {
            let words: Vec<&str> = several.iter().map(|(word, _)| *word).collect();
            reading.findings.add(
                "several-actions",
                step.place(),
                format!("the step does several things: {}", words.join(", ")),
                "make it one step per action",
            );
            None
        }
    }
}

fn read_one_action(
    word: &str,
    node: &Node,
    step: &Fields<'_>,
    env: BTreeMap<String, Template>,
    reading: &mut Reading<'_>,
) -> Option<ActionTemplate> {
    match word {
        "run" => read_script(node, "run", Shell::Sh, env, reading),
        "powershell" => read_script(node, "powershell", Shell::PowerShell, env, reading),
        "exec" => {
            let before = reading.findings.len();
            let argv = step.texts("exec", reading.findings);
            for argument in &argv {
                forbid_templates(argument, reading.findings);
            }
            let empty = argv.first().is_none_or(|at| at.value.trim().is_empty());
            if reading.findings.len() == before && empty {
                empty_command(node, "exec", reading.findings);
                return None;
            }
            let argv: Vec<String> = argv.into_iter().map(|at| at.value).collect();
            Some(ActionTemplate::Exec { argv, env })
        }
        "http" => read_http(node, reading),
        "tcp" => read_tcp(node, reading),
        "aws" => aws_call::read(node, reading).map(ActionTemplate::Aws),
        _ => read_question(node, reading).map(ActionTemplate::Ask),
    }
}

fn read_script(
    node: &Node,
    key: &str,
    shell: Shell,
    env: BTreeMap<String, Template>,
    reading: &mut Reading<'_>,
) -> Option<ActionTemplate> {
    let script = text(node, key, reading.findings)?;
    forbid_templates(&script, reading.findings);
    secrets::look_in_text(script.place, &script.value, reading.findings);
    if script.value.trim().is_empty() {
        empty_command(node, key, reading.findings);
        return None;
    }
    Some(ActionTemplate::Script { shell, text: script.value, env })
}

/// `tcp: "{{ target.address }}:25"`.
fn read_tcp(node: &Node, reading: &mut Reading<'_>) -> Option<ActionTemplate> {
    let address = reading.template_at(node, "tcp")?;
    if !address.source().contains(':') {
        reading.findings.add(
            "bad-address",
            node.place,
            format!("'{}' has no port", address.source()),
            "write it as host:port, for example \"{{ target.address }}:25\"",
        );
        return None;
    }
    Some(ActionTemplate::Tcp { address })
}

/// `pagerduty: alerts`, or `pagerduty: {open_incidents: [clock, synchronising]}`.
fn read_question(node: &Node, reading: &mut Reading<'_>) -> Option<Question> {
    if let Kind::Text(_) = node.kind {
        let word = text(node, "pagerduty", reading.findings)?;
        if word.value == "alerts" {
            return Some(Question::Alerts);
        }
        reading.findings.add(
            "unknown-word",
            word.place,
            format!("PagerDuty is not asked for '{}'", word.value),
            "write alerts, or {open_incidents: [keywords]}",
        );
        return None;
    }
    let fields = Fields::of(node, "pagerduty", reading.findings)?;
    let all: Vec<String> =
        fields.texts("open_incidents", reading.findings).into_iter().map(|at| at.value).collect();
    if all.is_empty() {
        fields.missing("open_incidents", "[clock, synchronising]", reading.findings);
    }
    fields.finish(reading.findings);
    (!all.is_empty()).then_some(Question::OpenIncidents { all })
}

/// First names of values.
pub const ROOTS: [&str; 10] = [
    "capture",
    "vars",
    "incident",
    "parameters",
    "lookup",
    "customer",
    "target",
    "steps",
    "each",
    "now",
];

/// It would end well whatever is broken.
fn empty_command(node: &Node, key: &str, findings: &mut Findings) {
    findings.add(
        "empty-command",
        node.place,
        format!("'{key}' has no command in it"),
        "write the command, or remove the step",
    );
}

/// A value pasted into a script would be executed as part of it.
fn forbid_templates(script: &At<String>, findings: &mut Findings) {
    let begun: Vec<&str> = script.value.split("{{").skip(1).map(str::trim_start).collect();
    for root in ROOTS {
        if begun.iter().any(|rest| rest.strip_prefix(root).is_some_and(|it| it.starts_with('.'))) {
            findings.add(
                "value-in-command",
                script.place,
                format!(
                    "'{{{{ {root}.… }}}}' stands inside a command; it is never filled in there"
                ),
                "give it as an environment variable: env: {NAME: \"{{ … }}\"}, and use \"$NAME\"",
            );
        }
    }
}

fn read_http(node: &Node, reading: &mut Reading<'_>) -> Option<ActionTemplate> {
    if let Kind::Text(_) = node.kind {
        let url = read_url(node, reading)?;
        let (method, headers, body) = (Method::Get, BTreeMap::new(), None);
        return Some(ActionTemplate::Http { method, url, headers, body });
    }
    let fields = Fields::of(node, "http", reading.findings)?;
    let method =
        fields.word("method", &METHODS, reading.findings).map_or(Method::Get, |at| at.value);
    let url = fields
        .required("url", "http://127.0.0.1/health", reading.findings)
        .and_then(|node| read_url(node, reading));
    let headers = read_templates(&fields, "headers", reading);
    let body = reading.template(&fields, "body");
    fields.finish(reading.findings);
    Some(ActionTemplate::Http { method, url: url?, headers, body })
}

/// Where a request goes is the operator's to say: the scheme and host part may not come from a
/// title as free text.
fn read_url(node: &Node, reading: &mut Reading<'_>) -> Option<Template> {
    let template = reading.template_at(node, "url")?;
    let written = template.source().replace("{{ ", "{{");
    let starts =
        ["http://", "https://", "{{vars.", "{{parameters.", "{{lookup.", "{{capture.", "{{steps."];
    if !starts.iter().any(|start| written.starts_with(start)) {
        reading.findings.add(
            "bad-url",
            node.place,
            format!("'{}' is not an address a request can go to", template.source()),
            "begin with http://, https:// or a value of yours: {{ parameters.… }}",
        );
        return None;
    }
    Some(template)
}

/// A mapping of the author's own names to templates.
fn read_templates(
    fields: &Fields<'_>,
    key: &'static str,
    reading: &mut Reading<'_>,
) -> BTreeMap<String, Template> {
    let Some(node) = fields.get(key) else {
        return BTreeMap::new();
    };
    let Some(own) = Fields::of(node, key, reading.findings) else {
        return BTreeMap::new();
    };
    let mut templates = BTreeMap::new();
    for (name, value) in own.all() {
        if key == "env" && !is_variable_name(&name.name) {
            reading.findings.add(
                "bad-variable-name",
                name.place,
                format!("'{}' cannot be an environment variable of a step", name.name),
                "use capital letters, digits and _, not beginning with a digit or AMS_",
            );
            continue;
        }
        if let Some(template) = reading.template_at(value, &name.name) {
            secrets::look(&name.name, &template, reading.findings);
            templates.insert(name.name.clone(), template);
        }
    }
    templates
}

/// `AMS_…` is ours, and names the loader or shell act on would let a value become code.
fn is_variable_name(name: &str) -> bool {
    let acts_on_its_own = ["LD_", "AMS_", "BASH_"].iter().any(|start| name.starts_with(start))
        || ["PATH", "IFS", "ENV", "SHELL", "SHELLOPTS", "PS4"].contains(&name);
    let well_formed = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    well_formed && !acts_on_its_own
}
