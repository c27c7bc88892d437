//! Slips that would show at night only: in scripts, in looks and in what is expected.

use serde_json::Value;

use super::mistakes::HEAD;
use super::{ams, folder};

/// Name, steps behind the head of `mistakes.rs`, and the findings they give.
pub(super) const SLIPS: [(&str, &str, &[&str]); 21] = [
    (
        "undefined-variable",
        "steps:\n  - gather:\n      run: |\n        X=1\n        df \"$X\" \"${MOUTN}\"\n      env: {MOUNT: '{{ incident.id }}'}\n",
        &["8:18 undefined-variable"],
    ),
    (
        "undefined-in-small-letters",
        "steps:\n  - gather: {run: df $mount, env: {MOUNT: '/'}}\n",
        &["5:22 undefined-variable"],
    ),
    (
        "defined-variables",
        "steps:\n  - gather:\n      run: |\n        for NAMES in $NAME; do NAMED=$NAMES; echo $NAMED $HOME; done\n        awk '{ print $NAM }' \"${NAM:-x}\"; read -r NAMEX; echo $NAMEX\n      env: {NAME: x}\n",
        &[],
    ),
    (
        "undefined-in-powershell",
        "steps:\n  - gather:\n      powershell: |\n        $x = $env:SERVCIE\n        Get-Service $SERVICE\n      env: {SERVICE: x}\n",
        &["7:14 undefined-variable", "8:21 undefined-variable"],
    ),
    (
        "unused-variable",
        "steps:\n  - gather: {run: df -h | tail -n 3, env: {MOUNT: '/'}}\n",
        &["5:44 unused-variable"],
    ),
    (
        "variables-of-programs",
        "steps:\n  - gather: {run: aws s3 ls, env: {AWS_PROFILE: x}}\n  - gather: {exec: [df], env: {X: x}}\n  - gather: {run: 'ls -l', env: {TZ: UTC}}\n",
        &[],
    ),
    (
        "never-true",
        "steps:\n  - check: {id: a, run: df}\n  - wait: {when: steps.a.result == 'not-met', for: 1s}\n",
        &["6:18 never-true"],
    ),
    (
        "never-true-weekday",
        "steps:\n  - branch:\n      - {when: \"now.weekday in ['sat', 'Sun']\", steps: [{gather: {run: df}}]}\n      - otherwise: continue\n",
        &["6:16 never-true"],
    ),
    (
        "never-true-that",
        "steps:\n  - check: {http: 'http://x', expect: {that: no_answer != 'tiemout'}}\n",
        &["5:46 never-true"],
    ),
    (
        "looks-once",
        "steps:\n  - check:\n      run: df\n      values: {n: number}\n      expect: {that: n < previous.n}\n",
        &["8:22 looks-once"],
    ),
    (
        "looks-too-rarely",
        "steps:\n  - check:\n      run: df\n      in_a_row: 2\n      values: {n: number}\n      expect: {that: n < previous.n}\n",
        &["9:22 looks-once"],
    ),
    ("every-alone", "steps:\n  - check: {run: df, every: 10s}\n", &["5:29 looks-once"]),
    (
        "longer-than-deadline",
        "steps:\n  - check: {run: df, within: 30m, every: 1m}\n  - gather: {run: df, timeout: 1h}\n",
        &["5:30 longer-than-deadline", "6:32 longer-than-deadline"],
    ),
    (
        "never-in-a-row",
        "steps:\n  - check: {run: df, in_a_row: 5, every: 1m, within: 2m}\n",
        &["5:12 never-in-a-row"],
    ),
    (
        "pipe-hides-failure",
        "steps:\n  - check:\n      when_healthy: resolve\n      run: |\n        df | tail -n 1 # all\n        systemctl status x | grep -q running\n",
        &["9:28 pipe-hides-failure"],
    ),
    (
        "pipe-that-decides-nothing",
        "steps:\n  - check: {run: df | tail, when_healthy: resolve, expect: {contains: x}}\n  - check: {run: df | tail}\n  - check: {run: 'set -o pipefail; df | tail', when_healthy: resolve}\n",
        &[],
    ),
    (
        "same-name-twice",
        "steps:\n  - gather: {name: a, run: df}\n  - branch:\n      - {when: now.hour < 9, steps: [{gather: {name: b, run: df}}]}\n      - otherwise:\n          - gather: {name: b, run: df}\n          - gather: {name: a, run: df}\n",
        &["10:13 same-name-twice"],
    ),
    (
        "met-and-unclear",
        "steps:\n  - check: {run: df, expect: {unclear: [0, 3]}}\n",
        &["5:40 met-and-unclear"],
    ),
    (
        "unclear-of-nothing",
        "steps:\n  - check: {tcp: 'x:25', expect: {unclear: 3}}\n",
        &["5:44 expectation-of-other-action"],
    ),
    (
        "unclear",
        "steps:\n  - check: {run: df, expect: {exit_code: 0, unclear: [2, 3..9]}}\n  - check: {http: 'http://x', expect: {unclear: 500..599}}\n",
        &[],
    ),
    (
        "unclear-word",
        "steps:\n  - check: {run: df, expect: {unclear: many}}\n",
        &["5:40 wrong-type"],
    ),
];

/// Name, steps, and what to write instead of the name that is not defined.
const UNDEFINED: [(&str, &str, &str); 6] = [
    (
        "own-value",
        "  - check: {id: a, run: df, values: {n: number}, expect: {that: steps.a.n < 9}}\n",
        "here in the step itself, write n",
    ),
    (
        "near-value",
        "  - check: {id: a, run: df, values: {used: number}}\n  - wait: {when: steps.a.usde > 9, for: 1s}\n",
        "did you mean 'steps.a.used'?",
    ),
    (
        "far-value",
        "  - check: {id: a, run: df, values: {used: number}}\n  - wait: {when: steps.a.nope > 9, for: 1s}\n",
        "the step 'a' has used, began, exit_code, no_answer, output, result, status",
    ),
    (
        "bare-parameter",
        "  - check: {id: a, run: df, values: {n: number}, expect: {that: n < limit}}\n  - wait: {when: parameters.limit > 1, for: 1s}\n",
        "write parameters.limit",
    ),
    (
        "bare-value",
        "  - check: {id: a, run: df, values: {used: number}}\n  - wait: {when: used > parameters.limit, for: 1s}\n",
        "write steps.a.used",
    ),
    (
        "later-value",
        "  - wait: {when: steps.a.used > parameters.limit, for: 1s}\n  - check: {id: a, run: df, values: {used: number}}\n",
        "the step that reads it is not certain to have run before; read it earlier, or in the same \
         branch",
    ),
];

#[test]
fn an_undefined_name_is_told_how_to_be_written() {
    let head = format!("{HEAD}parameters: {{limit: number}}\nsteps:\n");
    let files: Vec<(String, String)> = UNDEFINED
        .iter()
        .map(|(name, steps, _)| (format!("{name}.yaml"), head.replace("NAME", name) + steps))
        .collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    let dir = folder(&files);
    let ran = ams(dir.path(), &["validate", "--format", "json", "."]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    for (name, _, remedy) in UNDEFINED {
        let file = format!("./{name}.yaml");
        let findings = report["findings"].as_array().unwrap().iter();
        let of_file: Vec<&str> = findings
            .filter(|finding| finding["file"] == file && finding["id"] == "undefined-value")
            .map(|finding| finding["remedy"].as_str().unwrap())
            .collect();
        assert_eq!(of_file, [remedy], "{name}: {report}");
    }
}
