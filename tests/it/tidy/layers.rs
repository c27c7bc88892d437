//! Direction of imports, technology in its files, rules without I/O.

use super::{code, read, sources};

/// What may use what: a module and everything it may import of ours, beside itself and the nouns.
const DIRECTION: [(&str, &[&str]); 48] = [
    ("sqlite", &[]),
    ("dynamodb", &[]),
    ("reload", &["scenario", "config", "customer", "matching", "rules"]),
    (
        "rehearse",
        &[
            "scenario", "claim", "customer", "execute", "guard", "history", "receive", "report",
            "rules", "runs", "begun", "early", "evidence", "handoff", "pipeline",
        ],
    ),
    ("customer", &["scenario", "claim", "guard"]),
    ("history", &["scenario", "claim", "sqlite", "dynamodb"]),
    ("rules", &["scenario", "customer", "matching"]),
    ("rotate", &["aws"]),
    ("mirror", &["aws", "config"]),
    ("begun", &["scenario", "claim", "customer", "execute", "report", "runs"]),
    ("early", &["claim"]),
    ("aws", &["customer"]),
    ("evidence", &["scenario", "claim", "customer", "aws", "execute"]),
    ("scenario", &["guard"]),
    ("schema", &[]),
    ("claim", &["sqlite", "dynamodb"]),
    ("guard", &["claim"]),
    ("matching", &["scenario"]),
    ("receive", &["claim", "aws"]),
    ("execute", &["scenario", "aws", "claim", "customer", "guard", "history", "rules"]),
    ("report", &["scenario", "claim", "execute", "guard", "history"]),
    ("pausing", &["claim", "history"]),
    ("shadow", &["scenario", "claim", "execute", "history", "report", "begun", "pipeline"]),
    ("handoff", &["scenario", "claim", "execute", "report"]),
    (
        "packet",
        &[
            "scenario", "claim", "customer", "execute", "report", "handoff", "pipeline", "begun",
            "respond",
        ],
    ),
    ("runs", &["claim", "execute"]),
    ("config", &["aws", "claim", "dynamodb", "execute", "guard", "handoff", "report"]),
    (
        "pipeline",
        &[
            "scenario", "claim", "customer", "matching", "receive", "execute", "report", "runs",
            "rules", "begun", "early", "evidence", "handoff",
        ],
    ),
    (
        "respond",
        &[
            "scenario", "claim", "execute", "evidence", "guard", "report", "pipeline", "begun",
            "shadow",
        ],
    ),
    ("joined", &["scenario", "matching", "execute", "report", "pipeline", "begun", "respond"]),
    (
        "tell",
        &[
            "scenario", "claim", "execute", "report", "handoff", "pipeline", "begun", "respond",
            "joined", "customer",
        ],
    ),
    ("settle", &["claim", "execute", "handoff", "report", "pipeline", "begun", "respond", "tell"]),
    ("page", &["claim", "report", "handoff", "pipeline", "begun", "respond"]),
    (
        "resume",
        &["scenario", "claim", "matching", "execute", "report", "pipeline", "runs", "begun"],
    ),
    (
        "chronicle",
        &[
            "scenario", "claim", "customer", "matching", "execute", "evidence", "history",
            "report", "begun", "pipeline", "tally",
        ],
    ),
    ("tally", &["scenario", "claim", "execute", "history", "begun", "pipeline"]),
    ("figures", &["claim", "history"]),
    ("backtest", &["scenario", "matching", "report", "rules"]),
    ("explain", &["scenario", "claim", "execute", "history", "report"]),
    ("sweep", &["claim", "peers", "pipeline", "resume", "rules"]),
    ("peers", &["claim"]),
    ("watched", &["execute", "pipeline", "report"]),
    ("reconcile", &["claim", "pipeline", "report"]),
    ("sandbox", &["claim", "receive", "report"]),
    (
        "app",
        &[
            "aws",
            "scenario",
            "claim",
            "matching",
            "receive",
            "execute",
            "guard",
            "report",
            "handoff",
            "runs",
            "config",
            "pipeline",
            "respond",
            "sweep",
            "customer",
            "history",
            "reload",
            "rules",
            "dynamodb",
            "aws",
            "early",
            "evidence",
            "reconcile",
            "rotate",
            "mirror",
            "shadow",
            "watched",
        ],
    ),
    ("doctor", &["scenario", "claim", "customer", "receive", "report", "rules", "config", "app"]),
    (
        "commands",
        &[
            "scenario", "claim", "customer", "matching", "execute", "report", "rules", "rehearse",
            "schema", "begun", "app", "config", "sandbox", "history", "explain", "pausing",
            "figures", "backtest", "receive", "doctor", "aws", "rotate", "mirror",
        ],
    ),
    ("main", &["commands"]),
];

/// Nouns and rules that everything may use, and that use only each other.
const NOUNS: [&str; 18] = [
    "clock",
    "digest",
    "fields",
    "finding",
    "folding",
    "full_width",
    "incident",
    "lang",
    "limits",
    "mask",
    "metrics",
    "paging",
    "plain",
    "prefix",
    "secret",
    "shorten",
    "spans",
    "yaml",
];

/// Where a technology may be imported.
const TECHNOLOGY: [(&str, &[&str]); 23] = [
    ("aws_config", &["dynamodb/", "aws/"]),
    ("aws_sdk_dynamodb", &["dynamodb/", "claim/dynamodb/", "history/dynamodb.rs"]),
    ("aws_sdk_ssm", &["aws/", "execute/ssm/calls.rs", "execute/ssm/desk.rs"]),
    ("aws_sdk_sts", &["aws/"]),
    ("aws_sigv4", &["aws/signed.rs"]),
    ("aws_smithy_xml", &["aws/xml.rs"]),
    ("aho_corasick", &["matching/keywords.rs"]),
    ("annotate_snippets", &["commands/findings_text.rs"]),
    ("base64", &["execute/host_program.rs"]),
    ("axum", &["receive/http.rs", "app/", "sandbox/"]),
    ("clap", &["commands/", "main.rs", "sandbox/demo_service.rs"]),
    ("hmac", &["receive/signature.rs"]),
    ("lettre", &["handoff/email.rs"]),
    ("minijinja", &["scenario/template.rs", "scenario/expression"]),
    ("prometheus_client", &["metrics/"]),
    ("opentelemetry", &["commands/traces.rs", "spans.rs"]),
    ("opentelemetry_otlp", &["commands/traces.rs"]),
    ("opentelemetry_sdk", &["commands/traces.rs"]),
    ("regex_automata", &["scenario/title_regex.rs"]),
    (
        "reqwest",
        &[
            "report/pagerduty/",
            "doctor/http.rs",
            "handoff/last_resort/events.rs",
            "execute/http.rs",
            "handoff/http.rs",
            "handoff/backlog/",
            "handoff/slack/",
            "execute/ssm/mod.rs",
            "aws/",
            "app/",
            "sandbox/pagerduty/",
        ],
    ),
    ("rusqlite", &["sqlite.rs", "claim/sqlite/", "history/sqlite.rs"]),
    (
        "rustix",
        &[
            "execute/process_group.rs",
            "execute/detached.rs",
            "execute/follow.rs",
            "sandbox/cluster.rs",
        ],
    ),
    ("serde_saphyr", &["yaml.rs"]),
];

/// `runner/claim/mod.rs` → `claim`.
fn module(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("runner/")?;
    Some(inside.split(['/', '.']).next().unwrap_or(inside))
}

#[test]
fn imports_point_in_one_direction() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(module) = module(&file).filter(|module| *module != "lib") else { continue };
        let allowed: Vec<&str> = match DIRECTION.iter().find(|(name, _)| *name == module) {
            Some((_, allowed)) => allowed.iter().chain(&NOUNS).copied().collect(),
            None if NOUNS.contains(&module) => NOUNS.to_vec(),
            None => panic!("layers.rs does not know the module {module}: say what it may use"),
        };
        for line in code(&text) {
            for used in line.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != module && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{file} may not use {used}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn technology_stays_in_files_named_after_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(inside) = file.strip_prefix("runner/") else { continue };
        for (technology, homes) in TECHNOLOGY {
            let used = code(&text).any(|line| line.contains(&format!("{technology}::")));
            if used && !homes.iter().any(|home| inside.starts_with(home)) {
                wrong.push(format!("{file} imports {technology}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Files that decide.
const RULES: [&str; 83] = [
    "backtest/mod.rs",
    "claim/answers.rs",
    "claim/journal.rs",
    "claim/paged.rs",
    "claim/pauses.rs",
    "claim/protocol.rs",
    "claim/reason.rs",
    "claim/told.rs",
    "customer/approval.rs",
    "customer/aws.rs",
    "customer/calendar.rs",
    "customer/instance.rs",
    "customer/packet.rs",
    "customer/rest.rs",
    "customer/ssh.rs",
    "doctor/escalation.rs",
    "doctor/matter.rs",
    "doctor/services.rs",
    "doctor/subscriptions.rs",
    "doctor/text/mod.rs",
    "execute/alert_names.rs",
    "execute/describe.rs",
    "execute/host_probe.rs",
    "execute/host_program.rs",
    "execute/plan.rs",
    "execute/prepare.rs",
    "execute/preview.rs",
    "execute/ssh/config.rs",
    "execute/ssh/refused.rs",
    "execute/ssh/wire.rs",
    "execute/ssm/refused.rs",
    "execute/ssm/status.rs",
    "execute/target.rs",
    "execute/verdict.rs",
    "fields.rs",
    "figures/mod.rs",
    "figures/period.rs",
    "figures/spread.rs",
    "finding.rs",
    "folding.rs",
    "guard/breaker.rs",
    "guard/budget.rs",
    "guard/cool_down.rs",
    "guard/file.rs",
    "guard/judge.rs",
    "guard/record.rs",
    "guard/rules.rs",
    "guard/storm.rs",
    "guard/turn.rs",
    "handoff/slack/blocks.rs",
    "history/figure.rs",
    "history/shadow.rs",
    "incident.rs",
    "mask/cover.rs",
    "mask/file.rs",
    "mask/mod.rs",
    "mask/patterns.rs",
    "matching/choose.rs",
    "matching/close.rs",
    "matching/coverage.rs",
    "matching/keywords.rs",
    "matching/overlap.rs",
    "matching/similar.rs",
    "matching/wording.rs",
    "paging.rs",
    "plain.rs",
    "prefix.rs",
    "receive/eventbridge.rs",
    "receive/pagerduty.rs",
    "report/account.rs",
    "report/note.rs",
    "report/packet.rs",
    "report/pagerduty/budget/allowance.rs",
    "report/pagerduty/budget/lane.rs",
    "report/pagerduty/budget/queue.rs",
    "report/pagerduty/budget/storm.rs",
    "report/pagerduty/budget/window.rs",
    "report/text.rs",
    "report/title.rs",
    "scenario/file.rs",
    "scenario/steps.rs",
    "scenario/target.rs",
    "shorten.rs",
];

/// Rules do no I/O: what decides can be read, tested and model-checked without a runtime.
#[test]
fn rules_are_pure() {
    for file in RULES {
        let text = read(&format!("runner/{file}"));
        let impure = code(&text).find(|line| {
            ["async ", "tokio::", "std::fs", "std::net"].iter().any(|word| line.contains(word))
        });
        assert_eq!(impure, None, "{file} is a rule");
    }
}
