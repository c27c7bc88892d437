use serde_json::Value;

use super::slips::SLIPS;
use super::{GOOD, ams, folder};

/// Three good lines, for mistakes from line 4 on.
pub(super) const HEAD: &str = "scenario: NAME\nabout: x\nmatch: {all: [disk]}\n";
const STEPS: &str = "steps:\n  - gather: {run: df}\n";

/// Name, content behind [`HEAD`], and the findings it gives.
const STEP_MISTAKES: [(&str, &str, &[&str]); 32] = [
    ("unknown-key", "steps:\n  - gather: {run: df, timeot: 5s}\n", &["5:23 unknown-key"]),
    ("unknown-top", "stepz: []\nsteps:\n  - gather: {run: df}\n", &["4:1 unknown-key"]),
    ("duplicate-key", "about: y\nsteps:\n  - gather: {run: df}\n", &["4:1 syntax"]),
    ("tab", "steps:\n\t- gather: {run: df}\n", &["5:2 syntax"]),
    ("no-run", "steps:\n  - gather:\n      timeout: 5s\n", &["6:7 missing-field"]),
    ("empty-step", "steps:\n  - gather:\n", &["5:11 missing-field"]),
    ("recover", "steps:\n  - recover: {run: reboot}\n", &["5:5 recover-without-verify"]),
    ("unknown-step", "steps:\n  - recvoer: {run: reboot}\n", &["5:5 unknown-step"]),
    ("unknown-text-step", "steps:\n  - restart: httpd\n", &["5:5 unknown-step"]),
    ("text-step", "steps:\n  - restart httpd\n", &["5:5 wrong-type"]),
    (
        "two-kinds",
        "steps:\n  - check: {run: df}\n    gather: {run: df}\n",
        &["5:5 step-with-several-kinds"],
    ),
    ("two-actions", "steps:\n  - check: {run: df, exec: [df]}\n", &["5:12 several-actions"]),
    ("bad-duration", "deadline: soon\nsteps:\n  - gather: {run: df}\n", &["4:11 bad-duration"]),
    ("no-unit", "steps:\n  - wait: {for: 30}\n", &["5:17 bad-duration"]),
    ("ages", "steps:\n  - wait: {for: 9000000h}\n", &["5:17 bad-duration"]),
    (
        "shadow",
        "steps:\n  - gather: {run: df, values: {target: {pattern: '(\\d+)'}}}\n",
        &["5:32 bad-name"],
    ),
    ("no-steps", "steps: []\n", &["4:8 no-steps"]),
    ("null-steps", "steps:\n", &["4:6 wrong-type"]),
    ("empty-exec", "steps:\n  - gather: {exec: []}\n", &["5:20 empty-command"]),
    ("empty-run", "steps:\n  - check:\n      run: ' '\n", &["6:12 empty-command"]),
    ("word", "steps:\n  - check: {run: df, when_healthy: resolved}\n", &["5:36 unknown-word"]),
    (
        "status-of-command",
        "steps:\n  - check: {run: df, expect: {status: 200}}\n",
        &["5:39 expectation-of-other-action"],
    ),
    (
        "never-met",
        "steps:\n  - check: {run: df, expect: {exit_code: []}}\n",
        &["5:42 empty-expectation"],
    ),
    (
        "says-nothing",
        "steps:\n  - check: {run: df, expect: {lacks: ''}}\n",
        &["5:38 empty-expectation"],
    ),
    (
        "changing-check",
        "steps:\n  - check: {http: {method: POST, url: 'http://x/restart'}}\n",
        &["5:5 change-outside-recover"],
    ),
    (
        "resolving-check",
        "steps:\n  - recover: {run: x}\n  - check: {run: y, when_healthy: resolve}\n  \
         - verify: {run: z}\n",
        &["6:5 check-resolves-after-recover"],
    ),
    (
        "host-from-title",
        "steps:\n  - check: {http: 'http://{{ incident.title }}/x'}\n",
        &["5:19 host-from-title"],
    ),
    (
        "filter",
        "steps:\n  - gather: {run: df, env: {A: '{{ incident.id | upper }}'}}\n",
        &["5:32 bad-template"],
    ),
    ("bad-url", "steps:\n  - check: {http: www.example.jp}\n", &["5:19 bad-url"]),
    (
        "env-of-http",
        "steps:\n  - check: {http: 'http://x', env: {A: b}}\n",
        &["5:36 env-without-command"],
    ),
    (
        "env-name",
        "steps:\n  - gather:\n      run: df\n      env: {PATH: /tmp, dir: /var}\n",
        &["7:13 bad-variable-name", "7:25 bad-variable-name"],
    ),
    ("float", "steps:\n  - gather: {run: df, env: {V: 1.50}}\n", &["5:32 wrong-type"]),
];

const VALUE_MISTAKES: [(&str, &str, &[&str]); 5] = [
    (
        "undefined-value",
        "steps:\n  - gather:\n      run: df $A $B\n      env: {A: '{{ incident.id }}', B: '{{ capture.h }}'}\n",
        &["7:40 undefined-value"],
    ),
    (
        "bad-template",
        "steps:\n  - gather: {run: df, env: {A: '{{ capture.'}}\n",
        &["5:32 bad-template"],
    ),
    (
        "value-in-run",
        "steps:\n  - gather:\n      run: ping {{ capture.host }}\n",
        &["6:12 value-in-command"],
    ),
    (
        "value-in-exec",
        "steps:\n  - gather:\n      exec: [ping, '{{   incident.title}}']\n",
        &["6:20 value-in-command"],
    ),
    (
        "several",
        "deadline: never\nhand_off: {manuel: x}\nsteps:\n  - gather: {run: df $A, env: {A: '{{ vars }}'}}\n  - wait: {}\n",
        &["4:11 bad-duration", "5:12 unknown-key", "7:35 undefined-value", "8:11 missing-field"],
    ),
];

/// Name, the whole beginning, and the findings it gives; the steps are right.
const TOP_MISTAKES: [(&str, &str, &[&str]); 15] = [
    ("wrong-type", "scenario: wrong-type\nabout: [a, b]\nmatch: {all: [x]}\n", &["2:8 wrong-type"]),
    ("missing-about", "scenario: missing-about\nmatch: {all: [x]}\n", &["1:1 missing-field"]),
    ("bad-id", "scenario: Web Down\nabout: x\nmatch: {all: [x]}\n", &["1:11 bad-scenario-id"]),
    ("unclosed", "scenario: unclosed\nabout: 'x\nmatch: {all: [x]}\n", &["2:8 syntax"]),
    (
        "keyword",
        "scenario: keyword\nabout: x\nmatch: {all: ['', x, '　']}\n",
        &["3:15 empty-keyword", "3:22 empty-keyword"],
    ),
    ("only-empty", "scenario: only-empty\nabout: x\nmatch: {any: ['']}\n", &["3:15 empty-keyword"]),
    ("no-keyword", "scenario: no-keyword\nabout: x\nmatch: {none: [x]}\n", &["3:8 no-keywords"]),
    (
        "pattern",
        "scenario: pattern\nabout: x\nmatch: {all: [x], pattern: '(a'}\n",
        &["3:28 bad-pattern"],
    ),
    (
        "not-in-pattern",
        "scenario: not-in-pattern\nabout: x\nmatch:\n  all: [x]\n  captures: {host: word}\n",
        &["5:14 capture-not-in-pattern"],
    ),
    (
        "unused",
        "scenario: unused\nabout: x\nmatch:\n  all: [x]\n  pattern: '(?<host>a)'\n",
        &["5:12 unused-capture"],
    ),
    (
        "capture-type",
        "scenario: capture-type\nabout: x\nmatch:\n  all: [x]\n  pattern: a\n  captures: {a: host}\n",
        &["6:17 unknown-word"],
    ),
    (
        "captures-list",
        "scenario: captures-list\nabout: x\nmatch:\n  all: [x]\n  pattern: a\n  captures: [a]\n",
        &["6:13 wrong-type"],
    ),
    ("no-colon", "scenario no-colon\nabout: x\n", &["2:6 syntax"]),
    (
        "big-number",
        "scenario: big-number\nabout: 99999999999999999999\nmatch: {all: [x]}\n",
        &["2:8 wrong-type"],
    ),
    ("just-text", "restart the web server\n", &["1:1 wrong-type"]),
];

/// Name, file, and what `ams validate` should say about it.
pub(crate) fn all_mistakes() -> Vec<(String, Vec<u8>, Vec<String>)> {
    let mut files = Vec::new();
    let mut add = |name: &str, content: &[u8], findings: &[&str]| {
        let findings = findings.iter().map(|finding| (*finding).to_owned()).collect();
        files.push((format!("{name}.yaml"), content.to_vec(), findings));
    };
    for (name, content, findings) in STEP_MISTAKES.iter().chain(&VALUE_MISTAKES) {
        let head = HEAD.replace("NAME", name);
        add(name, format!("{head}{content}").as_bytes(), findings);
    }
    for (name, content, findings) in TOP_MISTAKES {
        let steps =
            if content.contains("match") || findings == ["1:1 syntax"] { STEPS } else { "" };
        add(name, format!("{content}{steps}").as_bytes(), findings);
    }
    add("empty", b"", &["1:1 missing-field"; 4]);
    add("sjis", b"scenario: sjis\nabout: ok \x83f\x83B\n", &["2:11 unreadable-file"]);
    let large = format!("{GOOD}# {}\n", "x".repeat(1024 * 1024));
    add("large", large.as_bytes(), &["1:1 unreadable-file"]);
    add("bomb", bomb().as_bytes(), &["5:10 syntax"]);
    add("deep", "[".repeat(5_000).as_bytes(), &["1:256 syntax"]);
    files
}

/// The same, and those that only a reader of the whole file can see.
fn mistakes_and_slips() -> Vec<(String, Vec<u8>, Vec<String>)> {
    let slips = SLIPS.iter().map(|(name, content, findings)| {
        // Titles of their own: two that mean the same would be found as well.
        let head = HEAD.replace("NAME", name).replace("disk", name);
        let findings = findings.iter().map(|finding| (*finding).to_owned()).collect();
        (format!("{name}.yaml"), format!("{head}{content}").into_bytes(), findings)
    });
    all_mistakes().into_iter().chain(slips).collect()
}

/// A hundred thousand million words in nine lines.
fn bomb() -> String {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&["a", &level.to_string(), ": &a", &level.to_string()].concat());
        bomb.push_str(&[" [", &list, "]\n"].concat());
    }
    bomb
}

#[test]
fn every_mistake_is_found_at_its_place() {
    let mistakes = mistakes_and_slips();
    let files: Vec<(&str, &[u8])> =
        mistakes.iter().map(|(name, content, _)| (name.as_str(), content.as_slice())).collect();
    let dir = folder(&files);

    let ran = ams(dir.path(), &["validate", "--format", "json", "."]);

    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let mut wrong = Vec::new();
    for (name, _, expected) in &mistakes {
        let found = findings_of(&report, name);
        if found != *expected {
            wrong.push(format!("{name}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n\n{}", wrong.join("\n"), ran.out);
}

/// `LINE:COLUMN id` of each finding of a file.
fn findings_of(report: &Value, file: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["file"] == format!("./{file}"))
        .map(|it| format!("{}:{} {}", it["line"], it["column"], it["id"].as_str().unwrap()))
        .collect()
}

#[test]
fn every_finding_has_a_remedy() {
    let mistakes = mistakes_and_slips();
    let files: Vec<(&str, &[u8])> =
        mistakes.iter().map(|(name, content, _)| (name.as_str(), content.as_slice())).collect();
    let dir = folder(&files);
    let ran = ams(dir.path(), &["validate", "."]);
    let mut blocks: Vec<&str> = ran.out.split("\n\n").collect();
    let summary = blocks.pop().unwrap();
    assert!(summary.contains(" findings: ") && summary.ends_with(" warnings\n"), "{summary}");
    for block in blocks {
        let lines: Vec<&str> = block.lines().collect();
        let is_named = ["error[", "warning["].iter().any(|it| lines[0].starts_with(it));
        assert!(is_named && lines[0].contains("]: "), "{block}");
        assert!(lines[1].trim_start().starts_with("--> ./"), "{block}");
        let remedy = lines.last().unwrap().trim_start().strip_prefix("= help: ");
        assert!(remedy.is_some_and(|it| it.len() > 5), "{block}");
    }
}
