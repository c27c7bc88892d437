//! Reads what a step does (`run`, `exec` or `http`) and what its result should be (`expect`).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::fields::{At, Fields, text, wrong_type};
use crate::finding::Findings;
use crate::limits;
use crate::scenario::model::{ActionTemplate, Expect, Probe};
use crate::scenario::template::Template;
use crate::yaml::{Kind, Node, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
}

const METHODS: [(&str, Method); 4] =
    [("GET", Method::Get), ("HEAD", Method::Head), ("POST", Method::Post), ("PUT", Method::Put)];

/// The action, timeout and expectation of one step.
pub fn read_probe(step: &Fields<'_>, findings: &mut Findings) -> Option<Probe> {
    let action = read_action(step, findings);
    let timeout = step.duration("timeout", findings).map_or(limits::STEP_TIMEOUT, |at| at.value);
    let is_http = matches!(action, Some(ActionTemplate::Http { .. }));
    let expect = match step.get("expect") {
        Some(node) => read_expect(node, is_http, findings)?,
        None => Expect::default(),
    };
    Some(Probe { action: action?, timeout, expect })
}

fn read_action(step: &Fields<'_>, findings: &mut Findings) -> Option<ActionTemplate> {
    let (run, exec, http) = (step.get("run"), step.get("exec"), step.get("http"));
    let env = read_templates(step, "env", findings);
    if [run, exec, http].into_iter().flatten().count() > 1 {
        findings.add(
            "several-actions",
            step.place(),
            "the step has more than one of 'run', 'exec' and 'http'",
            "make it one step per action",
        );
        return None;
    }
    if let Some(node) = run {
        let script = text(node, "run", findings)?;
        forbid_templates(&script, findings);
        if script.value.trim().is_empty() {
            empty_command(node, "run", findings);
            return None;
        }
        return Some(ActionTemplate::Script { text: script.value, env });
    }
    if let Some(node) = exec {
        let before = findings.len();
        let argv = step.texts("exec", findings);
        for argument in &argv {
            forbid_templates(argument, findings);
        }
        if findings.len() == before && argv.first().is_none_or(|at| at.value.trim().is_empty()) {
            empty_command(node, "exec", findings);
            return None;
        }
        let argv: Vec<String> = argv.into_iter().map(|at| at.value).collect();
        return Some(ActionTemplate::Exec { argv, env });
    }
    if let Some(node) = http {
        if let Some(env_node) = step.get("env") {
            findings.add(
                "env-without-command",
                env_node.place,
                "'env' is for commands; an HTTP request has none",
                "put the value into url, headers or body",
            );
        }
        return read_http(node, findings);
    }
    step.missing("run", "systemctl is-active httpd", findings);
    None
}

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
    for root in ["capture", "vars", "incident"] {
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

fn read_http(node: &Node, findings: &mut Findings) -> Option<ActionTemplate> {
    if let Kind::Text(_) = node.kind {
        let url = read_url(node, findings)?;
        let (method, headers, body) = (Method::Get, BTreeMap::new(), None);
        return Some(ActionTemplate::Http { method, url, headers, body });
    }
    let fields = Fields::of(node, "http", findings)?;
    let method = fields.word("method", &METHODS, findings).map_or(Method::Get, |at| at.value);
    let url = fields
        .required("url", "http://127.0.0.1/health", findings)
        .and_then(|node| read_url(node, findings));
    let headers = read_templates(&fields, "headers", findings);
    let body = fields.get("body").and_then(|node| read_template(node, "body", findings));
    fields.finish(findings);
    Some(ActionTemplate::Http { method, url: url?, headers, body })
}

/// Where a request goes is the operator's to say: the scheme and host part may not come from a
/// title as free text.
fn read_url(node: &Node, findings: &mut Findings) -> Option<Template> {
    let template = read_template(node, "url", findings)?;
    let written = text(node, "url", findings)?.value;
    let begins_well = ["http://", "https://", "{{ vars.", "{{vars."]
        .iter()
        .any(|start| written.starts_with(start));
    if !begins_well {
        findings.add(
            "bad-url",
            node.place,
            format!("'{written}' is not an address a request can go to"),
            "begin with http://, https:// or a variable of yours: {{ vars.… }}",
        );
        return None;
    }
    Some(template)
}

/// A mapping of the author's own names to templates.
fn read_templates(
    fields: &Fields<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> BTreeMap<String, Template> {
    let Some(node) = fields.get(key) else {
        return BTreeMap::new();
    };
    let Some(own) = Fields::of(node, key, findings) else {
        return BTreeMap::new();
    };
    let mut templates = BTreeMap::new();
    for (name, value) in own.all() {
        if key == "env" && !is_variable_name(&name.name) {
            findings.add(
                "bad-variable-name",
                name.place,
                format!("'{}' cannot be an environment variable of a step", name.name),
                "use capital letters, digits and _, not beginning with a digit or AMS_",
            );
            continue;
        }
        if let Some(template) = read_template(value, &name.name, findings) {
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

fn read_template(node: &Node, key: &str, findings: &mut Findings) -> Option<Template> {
    let written = text(node, key, findings)?;
    Template::parse(&written.value)
        .map(|template| template.at(written.place))
        .map_err(|error| {
            findings.add(
                "bad-template",
                written.place,
                format!("'{key}' cannot be filled in: {error}"),
                "write values as {{ capture.host }}, {{ vars.name }} or {{ incident.id }}",
            );
        })
        .ok()
}

fn read_expect(node: &Node, is_http: bool, findings: &mut Findings) -> Option<Expect> {
    let fields = Fields::of(node, "expect", findings)?;
    let mut expect = Expect::default();
    if let Some(node) = fields.get("exit_code") {
        expect.exit_codes = numbers(node, "exit_code", findings)
            .into_iter()
            .flat_map(|range| range.map(i32::from))
            .collect();
        misplaced(is_http, node, "exit_code", "status", findings);
    }
    if let Some(node) = fields.get("status") {
        expect.statuses = numbers(node, "status", findings);
        misplaced(!is_http, node, "status", "exit_code", findings);
    }
    let mut some_text = |key| {
        let at = fields.text(key, findings)?;
        if at.value.is_empty() {
            impossible(at.place, key, findings);
        }
        Some(at.value)
    };
    expect.contains = some_text("contains");
    expect.lacks = some_text("lacks");
    fields.finish(findings);
    Some(expect)
}

fn impossible(place: Place, key: &str, findings: &mut Findings) {
    findings.add(
        "empty-expectation",
        place,
        format!("'{key}' is empty, so it says nothing about the result"),
        "write what is expected, or remove the line",
    );
}

fn misplaced(wrong: bool, node: &Node, key: &str, instead: &str, findings: &mut Findings) {
    if wrong {
        findings.add(
            "expectation-of-other-action",
            node.place,
            format!("this step's action gives no {key}"),
            format!("use '{instead}'"),
        );
    }
}

/// `200`, `200..299`, or a list of both.
fn numbers(node: &Node, key: &str, findings: &mut Findings) -> Vec<RangeInclusive<u16>> {
    let single = std::slice::from_ref(node);
    let items = if let Kind::List(items) = &node.kind { items.as_slice() } else { single };
    if items.is_empty() {
        impossible(node.place, key, findings);
    }
    items.iter().filter_map(|item| number_range(item, key, findings)).collect()
}

fn number_range(node: &Node, key: &str, findings: &mut Findings) -> Option<RangeInclusive<u16>> {
    let range = match &node.kind {
        Kind::Int(number) => u16::try_from(*number).ok().map(|n| n..=n),
        Kind::Text(text) => text.split_once("..").and_then(|(from, to)| {
            let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            (from <= to).then_some(from..=to)
        }),
        _ => None,
    };
    if range.is_none() {
        wrong_type(
            findings,
            node.place,
            key,
            "a number, a range such as 200..299, or a list",
            &node.kind,
        );
    }
    range
}
