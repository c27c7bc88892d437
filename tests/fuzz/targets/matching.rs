//! Any title against a few scenarios: one is meant, or none, and the same one when asked again.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use ams::matching::{Choice, Index};
use ams::scenario::file;
use libfuzzer_sys::fuzz_target;

const RULES: [&str; 4] = [
    "{all: [HTTP, 応答なし], none: [メンテナンス]}",
    "{all: [disk], any: [critical, ディスク, 'ﾃﾞｨｽｸ'], priority: 1}",
    r"{all: [host], pattern: 'host=(?<host>\S+)', captures: {host: hostname}}",
    r"{any: [a, é, 'ß', 'ｱ'], pattern: '(?<text>.*)', captures: {text: text}}",
];

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let scenarios: Vec<_> = RULES
        .iter()
        .enumerate()
        .map(|(number, rule)| {
            let name = if rule.contains("<host>") {
                "capture.host"
            } else if rule.contains("<text>") {
                "capture.text"
            } else {
                "incident.id"
            };
            let text = format!(
                "scenario: s{number}\nabout: x\nmatch: {rule}\nsteps:\n  \
                 - gather: {{run: 'true', env: {{X: '{{{{ {name} }}}}'}}}}\n"
            );
            match file::read(Path::new("fuzz.yaml"), &text, None) {
                Ok((scenario, _)) => Arc::new(scenario),
                Err(findings) => panic!("{findings:?}"),
            }
        })
        .collect();
    Index::of(&scenarios)
});

fn summary(choice: &Choice) -> String {
    match choice {
        Choice::Scenario(meant) => format!("{} {:?}", meant.scenario.id, meant.captures),
        Choice::None { near } => format!("none of {}", near.len()),
        Choice::Ambiguous(several) => {
            several.iter().map(|scenario| format!("{} ", scenario.id)).collect()
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(title) = std::str::from_utf8(bytes) else { return };
    assert_eq!(summary(&INDEX.choose(title)), summary(&INDEX.choose(title)), "{title:?}");
});
