//! What `ams plan` prints.

use serde_json::{Value, json};

use crate::commands::plan::{Planned, sources};
use crate::commands::print;
use crate::fields::duration_words;
use crate::scenario::model::{
    ActionTemplate, Effect, On, Probe, Question, Shell, Step, StepKind, Wait,
};
use crate::scenario::template::Template;
use crate::scenario::value::{Values, written};

pub(super) fn text(planned: &Planned) {
    let scenario = &planned.meant.scenario;
    print::out(format_args!("{} - {}", scenario.id, scenario.about));
    print::out(format_args!("  file      {}", scenario.file.display()));
    if let Some(customer) = &planned.customer {
        print::out(format_args!("  customer  {} ({})", customer.name, customer.id));
    }
    for line in sources::lines(scenario, &planned.preview) {
        print::out(format_args!("  target    {line}"));
    }
    for root in ["capture", "parameters", "target", "lookup"] {
        for (name, value) in leaves(&planned.values, root) {
            print::out(format_args!("  {name} = {value}"));
        }
    }
    print::out(format_args!("  deadline  {}\n", duration_words(scenario.deadline)));
    block(&scenario.steps, 0, &planned.values);
    if !scenario.always.is_empty() {
        print::out("always, whatever the end is:");
        block(&scenario.always, 1, &planned.values);
    }
}

/// Every value below a first name, as `target.host = web01`.
fn leaves(values: &Values, root: &str) -> Vec<(String, String)> {
    fn below(name: String, value: &Value, all: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    below(format!("{name}.{key}"), value, all);
                }
            }
            value => all.push((name, written(value, ", "))),
        }
    }
    let mut all = Vec::new();
    if let Some(value) = values.tree().get(root) {
        below(root.to_owned(), value, &mut all);
    }
    all
}

fn block(steps: &[Step], depth: usize, values: &Values) {
    for step in steps {
        line(depth, &head(step));
        for detail in details(step, values) {
            line(depth + 2, &detail);
        }
        match &step.kind {
            StepKind::Branch { cases, otherwise } => {
                for case in cases {
                    line(depth + 1, &format!("when {}", case.when.source()));
                    block(&case.steps, depth + 2, values);
                }
                line(depth + 1, "otherwise");
                block(otherwise, depth + 2, values);
            }
            StepKind::Ladder { rungs, .. } => {
                for rung in rungs {
                    line(depth + 1, &format!("{} (tries: {})", rung.name, rung.tries));
                    block(&rung.steps, depth + 2, values);
                }
            }
            StepKind::Parallel { steps } => block(steps, depth + 1, values),
            StepKind::Each(each) => block(&each.steps, depth + 1, values),
            _ => {}
        }
    }
}

fn line(depth: usize, text: &str) {
    for part in text.lines() {
        print::out(format_args!("{}{part}", "  ".repeat(depth)));
    }
}

fn head(step: &Step) -> String {
    let word = step.kind.word();
    let name = if step.name == word { String::new() } else { format!(" {}", step.name) };
    let when = step.when.as_ref().map(|when| format!("  (when {})", when.source()));
    format!("{}. [{word}]{name}{}", step.number + 1, when.unwrap_or_default())
}

fn details(step: &Step, values: &Values) -> Vec<String> {
    let filled =
        |template: &Template| template.render_with_gaps(values, &|name| format!("<{name}>"));
    let mut details = Vec::new();
    if let Some(probe) = step.kind.probe() {
        details.extend(action(probe, &filled));
        if step.kind.effect() == Effect::Once {
            details.push("once: never repeated after a crash".to_owned());
        }
        details.extend(probe.expect.that.iter().map(|that| format!("expects {}", that.source())));
    }
    match &step.kind {
        StepKind::Wait(Wait::For(duration)) => details.push(duration_words(*duration)),
        StepKind::Wait(Wait::Until { hour, minute, .. }) => {
            details.push(format!("until {hour:02}:{minute:02}"));
        }
        StepKind::Approve { ask, within, .. } => {
            details.push(format!("{} (within {})", filled(ask), duration_words(*within)));
        }
        StepKind::Each(each) => details.push(format!(
            "{} in {}, {} at once, at most {}",
            each.item,
            each.of.source(),
            each.at_once,
            each.at_most
        )),
        StepKind::Resolve { message: Some(message), .. } => details.push(filled(message)),
        StepKind::HandOff(hand_off) => {
            details.extend(hand_off.to.as_ref().map(|to| format!("to {}", filled(to))));
            details.extend(hand_off.message.as_ref().map(filled));
        }
        _ => {}
    }
    details
}

fn action(probe: &Probe, filled: &dyn Fn(&Template) -> String) -> Vec<String> {
    let on = match &probe.on {
        On::Runner => "on the machine of AMS".to_owned(),
        On::Target => String::new(),
        On::Host(host) => format!("on {}", filled(host)),
    };
    let env = |env: &std::collections::BTreeMap<String, Template>| -> Vec<String> {
        env.iter().map(|(name, value)| format!("{name}={}", filled(value))).collect()
    };
    let mut lines = match &probe.action {
        ActionTemplate::Script { shell, text, env: variables } => {
            let word = if *shell == Shell::Sh { "run" } else { "powershell" };
            let script = text.trim_end().lines().map(|line| format!("  {line}"));
            let mut lines = vec![format!("{word}:")];
            lines.extend(script);
            lines.extend(env(variables));
            lines
        }
        ActionTemplate::Exec { argv, env: variables } => {
            let mut lines = vec![format!("exec: {}", argv.join(" "))];
            lines.extend(env(variables));
            lines
        }
        ActionTemplate::Http { method, url, .. } => {
            vec![format!("http: {method:?} {}", filled(url)).replace("Get", "GET")]
        }
        ActionTemplate::Tcp { address } => vec![format!("tcp: {}", filled(address))],
        ActionTemplate::Aws(call) => {
            let fields = call.fields.iter().map(|(name, it)| format!("{name}={}", filled(it)));
            let place = [("account", &call.account), ("region", &call.region)];
            let place = place.into_iter().filter_map(|(name, it)| Some((name, it.as_ref()?)));
            let place = place.map(|(name, it)| format!("{name}={}", filled(it)));
            let given: Vec<String> = fields.chain(place).collect();
            vec![format!("aws: {} {}", call.word.word, given.join(" "))]
        }
        ActionTemplate::Ask(Question::Alerts) => vec!["asks PagerDuty for the alerts".to_owned()],
        ActionTemplate::Ask(Question::OpenIncidents { all }) => {
            vec![format!("asks PagerDuty for open incidents with {}", all.join(", "))]
        }
    };
    if !on.is_empty() {
        lines.push(on);
    }
    lines
}

pub(super) fn json(planned: &Planned) -> Value {
    let scenario = &planned.meant.scenario;
    let values: serde_json::Map<String, Value> = ["capture", "parameters", "target", "lookup"]
        .into_iter()
        .filter_map(|root| Some((root.to_owned(), planned.values.tree().get(root)?.clone())))
        .collect();
    json!({
        "scenario": scenario.id,
        "hash": scenario.hash,
        "file": scenario.file.display().to_string(),
        "customer": planned.customer.as_ref().map(|customer| customer.id.clone()),
        "values": values,
        "target_sources": sources::json(scenario, &planned.preview),
        "deadline_seconds": scenario.deadline.as_secs(),
        "steps": steps_json(&scenario.steps, &planned.values),
        "always": steps_json(&scenario.always, &planned.values),
    })
}

fn steps_json(steps: &[Step], values: &Values) -> Value {
    let one = |step: &Step| {
        let blocks: Vec<Value> =
            step.kind.blocks().into_iter().map(|block| steps_json(block, values)).collect();
        json!({
            "number": step.number + 1,
            "step": step.kind.word(),
            "name": step.name,
            "when": step.when.as_ref().map(|when| when.source().to_owned()),
            "details": details(step, values),
            "blocks": blocks,
        })
    };
    steps.iter().map(one).collect()
}
