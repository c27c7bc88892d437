//! What a script makes of its variables and of its exit code: slips that would show at night only.

use std::collections::BTreeMap;

use crate::fields::Fields;
use crate::finding::did_you_mean;
use crate::scenario::model::{ActionTemplate, Probe, Shell};
use crate::scenario::reading::Reading;
use crate::scenario::shell;
use crate::scenario::template::Template;
use crate::yaml::{Key, Kind, Node, Place};

/// Variables that are there without the author's doing.
const KNOWN: [&str; 36] = [
    "AMS_INCIDENT",
    "AMS_NONCE",
    "AMS_RUN",
    "AMS_STEP",
    "APPDATA",
    "COLUMNS",
    "COMPUTERNAME",
    "EUID",
    "HOME",
    "HOSTNAME",
    "IFS",
    "LANG",
    "LANGUAGE",
    "LINENO",
    "LINES",
    "LOGNAME",
    "NF",
    "NR",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "PATH",
    "PPID",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMPDIR",
    "USER",
    "USERNAME",
];

/// Beginnings of names that the plainest programs act on.
const ACTED_ON: [&str; 16] = [
    "BLOCK",
    "COLUMNS",
    "DF_",
    "DU_",
    "GREP_",
    "HOME",
    "LANG",
    "LC_",
    "LINES",
    "LS_",
    "POSIX",
    "PS_",
    "SYSTEMD_",
    "S_",
    "TIME_STYLE",
    "TZ",
];

/// A script and where it stands.
struct Script<'a> {
    text: &'a str,
    place: Place,
    /// Names under `env`, those with mistakes of their own among them.
    env: Vec<&'a Key>,
    /// The others.
    values: &'a BTreeMap<String, Template>,
}

/// Variables that are not defined, and those that are for nothing.
pub(super) fn look(step: &Fields<'_>, action: &ActionTemplate, reading: &mut Reading<'_>) {
    let ActionTemplate::Script { shell, text, env: values } = action else { return };
    let word = match shell {
        Shell::Sh => "run",
        Shell::PowerShell => "powershell",
    };
    let Some(Node { place, .. }) = step.get(word) else { return };
    let Some(Node { kind: Kind::Map(env), .. }) = step.get("env") else { return };
    let env: Vec<&Key> = env.iter().map(|(key, _)| key).collect();
    let script = Script { text, place: *place, env, values };
    let meant = match shell {
        Shell::Sh if shell::is_beyond_us(text) => return,
        Shell::Sh => undefined_in_sh(&script, reading),
        Shell::PowerShell => undefined_in_powershell(&script, reading),
    };
    if *shell == Shell::Sh {
        report_unused(&script, &meant, reading);
    }
}

/// The defined names that were meant.
fn undefined_in_sh<'a>(script: &Script<'a>, reading: &mut Reading<'_>) -> Vec<&'a str> {
    let mut meant = Vec::new();
    for name in shell::variables(script.text) {
        if is_there(name, script) || shell::stands_bare(script.text, name) {
            continue;
        }
        let Some(near) = near(name, script) else { continue };
        meant.push(near);
        let written = [format!("${name}"), format!("${{{name}"), format!("${{#{name}")];
        undefined(script, &written, &format!("${near}"), reading);
    }
    meant
}

fn undefined_in_powershell<'a>(script: &Script<'a>, reading: &mut Reading<'_>) -> Vec<&'a str> {
    let small = script.text.to_ascii_lowercase();
    let assigned = |variable: &str| {
        small.match_indices(variable).any(|(at, _)| {
            let behind = small[at + variable.len()..].trim_start();
            behind.starts_with(['=', '+']) || behind.starts_with("in ")
        })
    };
    let mut meant = Vec::new();
    for (at, start) in small.match_indices("$env:") {
        let rest = &script.text[at + start.len()..];
        let name =
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
        let variable = format!("$env:{}", name.to_ascii_lowercase());
        let there = script.env.iter().any(|key| key.name.eq_ignore_ascii_case(name));
        if there || is_there(&name.to_ascii_uppercase(), script) || assigned(&variable) {
            continue;
        }
        if let Some(near) =
            near(&name.to_ascii_uppercase(), script).filter(|it| !meant.contains(it))
        {
            meant.push(near);
            let written = [script.text[at..at + start.len() + name.len()].to_owned()];
            undefined(script, &written, &format!("$env:{near}"), reading);
        }
    }
    // `$SERVICE` is another variable than `$env:SERVICE`, and nobody has given it a value.
    if small.contains("param") {
        return meant;
    }
    for key in &script.env {
        let variable = format!("${}", key.name.to_ascii_lowercase());
        let used = small.match_indices(&variable).find(|(at, _)| {
            let behind = &small[at + variable.len()..];
            !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        });
        if let Some((at, _)) = used.filter(|_| !assigned(&variable)) {
            let written = [script.text[at..at + variable.len()].to_owned()];
            undefined(script, &written, &format!("$env:{}", key.name), reading);
        }
    }
    meant
}

fn undefined(script: &Script<'_>, written: &[String], meant: &str, reading: &mut Reading<'_>) {
    let lines = script.text.lines().count();
    let places = written.iter().filter_map(|it| reading.place_of(script.place, lines, it, true));
    let (place, variable) = (places.min().unwrap_or(script.place), &written[0]);
    reading.findings.add(
        "undefined-variable",
        place,
        format!("the script uses {variable}, to which nothing gives a value"),
        format!("did you mean {meant}? Otherwise give it its value under 'env'"),
    );
}

fn is_there(name: &str, script: &Script<'_>) -> bool {
    script.env.iter().any(|key| key.name == name)
        || KNOWN.contains(&name)
        || ["LC_", "BASH"].iter().any(|start| name.starts_with(start))
}

/// The name under `env` that was meant. Small letters are the script's own variables, unless they
/// are such a name but for its case.
fn near<'a>(written: &str, script: &Script<'a>) -> Option<&'a str> {
    let mut names = script.env.iter().map(|key| key.name.as_str());
    if let Some(same) = names.clone().find(|name| name.eq_ignore_ascii_case(written)) {
        return Some(same);
    }
    if written.len() < 3 || written.contains(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let small: Vec<String> = names.clone().map(str::to_lowercase).collect();
    let found = did_you_mean(written, small.iter().map(String::as_str))?;
    names.find(|name| name.to_lowercase() == found)
}

fn report_unused(script: &Script<'_>, meant: &[&str], reading: &mut Reading<'_>) {
    if !shell::is_plain(script.text) {
        return;
    }
    for key in script.env.iter().filter(|key| script.values.contains_key(&key.name)) {
        let name = key.name.as_str();
        let has_use = script.text.contains(name)
            || meant.contains(&name)
            || ACTED_ON.iter().any(|start| name.starts_with(start));
        if !has_use {
            reading.findings.warn(
                "unused-variable",
                key.place,
                format!("the script never uses {name}"),
                format!("write \"${name}\" where the value belongs, or remove the line"),
            );
        }
    }
}

/// The exit code of `a | b` is that of `b`, whatever becomes of `a`.
pub(super) fn hidden_failure(step: &Fields<'_>, probe: &Probe, reading: &mut Reading<'_>) {
    let ActionTemplate::Script { shell: Shell::Sh, text, .. } = &probe.action else { return };
    let expect = &probe.expect;
    let code_decides =
        expect.that.is_empty() && expect.contains.is_none() && expect.lacks.is_none();
    let Some(at) = shell::deciding_pipe(text).filter(|_| code_decides) else { return };
    let script = step.get("run").map_or(step.place(), |node| node.place);
    let behind: String = text[at..].lines().next().unwrap_or("").chars().take(20).collect();
    let place = reading.place_of(script, text.lines().count(), &behind, false);
    reading.findings.warn(
        "pipe-hides-failure",
        place.map_or(script, |place| place.with_length(1)),
        "only the last program's exit code decides; when the one before '|' fails, this check \
         does not notice",
        "let the script print what it finds and decide with expect: {contains: …} or 'that' over \
         'values'; or begin it with 'set -o pipefail' where the shell knows that",
    );
}
