//! What `ams test` prints.

use std::time::Duration;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::commands::test::{Ran, is_passed};
use crate::commands::{findings_text, print};
use crate::rehearse::compare::Difference;
use crate::scenario::content;

pub(super) fn text(ran: &[Ran]) {
    for file in ran {
        if file.failed() == 0 {
            continue;
        }
        print::out(format_args!("FAIL {}", file.file.display()));
        for finding in &file.findings {
            let source = content::to_show(&finding.file);
            print::out(findings_text::show(finding, source.as_deref(), false));
        }
        if let Some(reason) = &file.unusable {
            print::out(format_args!("  {reason}"));
        }
        for (test, result) in file.tests.iter().filter(|(_, result)| !is_passed(result)) {
            print::out(format_args!("\n  {} (line {})", test.name, test.place.line));
            match result {
                Ok(differences) => differences.iter().for_each(difference),
                Err(reason) => print::out(format_args!("    {reason}")),
            }
        }
        print::out("");
    }
    let tests: usize = ran.iter().map(|ran| ran.tests.len()).sum();
    let passed = ran.iter().flat_map(|ran| &ran.tests).filter(|(_, it)| is_passed(it)).count();
    let took: Duration = ran.iter().map(|ran| ran.took).sum();
    let files = if ran.len() == 1 { "1 file".to_owned() } else { format!("{} files", ran.len()) };
    print::out(format_args!(
        "{} of {tests} tests passed in {files} ({:.1} s)",
        passed,
        took.as_secs_f64(),
    ));
}

fn difference(difference: &Difference) {
    match difference {
        Difference::Path { expected, actual } => paths(expected, actual),
        Difference::Note { wanted, present: true, note } => {
            print::out(format_args!("    the last note lacks: {wanted}"));
            indented(note);
        }
        Difference::Note { wanted, present: false, note } => {
            print::out(format_args!("    the last note must not have: {wanted}"));
            indented(note);
        }
        other => print::out(format_args!("    {}", one_line(other))),
    }
}

fn one_line(difference: &Difference) -> String {
    match difference {
        Difference::Outcome { expected, actual, why } if why.is_empty() => {
            format!("outcome: expected {expected}, was {actual}")
        }
        Difference::Outcome { expected, actual, why } => {
            format!("outcome: expected {expected}, was {actual} ({why})")
        }
        Difference::Path { .. } => "path: not as expected".to_owned(),
        Difference::Note { wanted, present: true, .. } => format!("the last note lacks: {wanted}"),
        Difference::Note { wanted, .. } => format!("the last note has: {wanted}"),
        Difference::HandOff { field, expected, actual } => {
            format!("hand_off.{field}: expected {expected}, was {actual}")
        }
        Difference::Stakeholders { wanted, told } if told.is_empty() => {
            format!("stakeholders are told nothing, expected: {wanted}")
        }
        Difference::Stakeholders { wanted, told } => {
            format!("what stakeholders are told lacks: {wanted} (it is: {told})")
        }
        Difference::Took { expected, actual } => format!("took {actual}, expected {expected}"),
        Difference::Given { step, name, expected, actual } => {
            format!("{step}: {name}: expected {expected}, was {actual}")
        }
        Difference::NoResult { step } => {
            format!("'{step}' ran, but the test gives it no result (add it under results)")
        }
        Difference::Unused { name } => {
            format!("the result of '{name}' was never asked for (no such step, or it did not run)")
        }
    }
}

/// Expected and actual path side by side.
fn paths(expected: &[String], actual: &[String]) {
    let width = expected.iter().map(|name| name.width()).max().unwrap_or(0).max("expected".len());
    let pad = |text: &str| format!("{text}{}", " ".repeat(width - text.width().min(width)));
    print::out(format_args!("    path:  {}   actual", pad("expected")));
    for index in 0..expected.len().max(actual.len()) {
        let side = |names: &[String]| names.get(index).cloned().unwrap_or_else(|| "-".to_owned());
        let (one, other) = (side(expected), side(actual));
        let mark = if one == other { ' ' } else { '!' };
        print::out(format_args!("    {mark} {:>2}.  {}   {other}", index + 1, pad(&one)));
    }
}

fn indented(note: &str) {
    for line in note.lines() {
        print::out(format_args!("      | {line}"));
    }
}

pub(super) fn json(ran: &[Ran]) {
    let files: Vec<Value> = ran.iter().map(file_json).collect();
    let tests: usize = ran.iter().map(|ran| ran.tests.len()).sum();
    let failed: usize = ran.iter().map(Ran::failed).sum();
    print::out(json!({ "tests": tests, "failed": failed, "files": files }));
}

fn file_json(ran: &Ran) -> Value {
    let tests: Vec<Value> = ran
        .tests
        .iter()
        .map(|(test, result)| {
            let differences: Vec<String> = match result {
                Ok(differences) => differences.iter().map(one_line).collect(),
                Err(reason) => vec![reason.clone()],
            };
            let path = match result {
                Ok(differences) => differences.iter().find_map(|difference| match difference {
                    Difference::Path { expected, actual } => {
                        Some(json!({ "expected": expected, "actual": actual }))
                    }
                    _ => None,
                }),
                Err(_) => None,
            };
            json!({
                "name": test.name,
                "line": test.place.line,
                "passed": is_passed(result),
                "differences": differences,
                "path": path,
            })
        })
        .collect();
    let findings: Vec<String> = ran.findings.iter().map(ToString::to_string).collect();
    json!({
        "file": ran.file.display().to_string(),
        "error": ran.unusable,
        "findings": findings,
        "tests": tests,
    })
}
