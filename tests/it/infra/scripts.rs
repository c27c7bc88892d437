//! What infra/deploy, infra/remove and infra/doctor ask AWS for, and in which order.

use std::process::Command;

use regex::Regex;

use super::{Names, entries, read};

/// The scripts with a program in place of AWS's, which writes down how it was called.
struct Scripts {
    folder: tempfile::TempDir,
}

/// What a script did.
struct Done {
    code: Option<i32>,
    said: String,
    /// What it asked AWS for.
    calls: Vec<String>,
}

/// AWS, as far as the scripts ask.
const AWS: &str = r#"#!/bin/sh
echo "$*" >> "$LOG"
case "$*" in
    *scan*) echo "$OPEN" ;;
    *no-execute-changeset*) echo "to see it: arn:aws:cloudformation:here:111122223333:changeSet/awscli/1 " ;;
    *LoadBalancer*) echo arn:of:balancer ;;
    *desiredCount*) [ "$SERVES" != gone ] || exit 254; echo "$SERVES" ;;
    *services*networkConfiguration*) echo '{"awsvpcConfiguration": {}}' ;;
    *run-task*) echo arn:of:task/ams/0123 ;;
    *get-log-events*) echo "what the doctor found" ;;
    *exitCode*) echo "$CODE" ;;
esac
"#;

const EXAMPLE: &str = "infra/example.env";
const TOKYO: &str = "ap-northeast-1";
const OSAKA: &str = "ap-northeast-3";

impl Scripts {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let aws = folder.path().join("aws");
        std::fs::write(&aws, AWS).unwrap();
        let may_run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(aws, may_run).unwrap();
        Self { folder }
    }

    /// With what AWS answers: `OPEN` runs, `SERVES` as wanted and running, `CODE` of a task.
    fn run(&self, script: &str, words: &[&str], answers: &[(&str, &str)]) -> Done {
        let log = self.folder.path().join("log");
        drop(std::fs::remove_file(&log));
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path().display());
        let output = Command::new(format!("{root}/infra/{script}"))
            .args(words)
            .current_dir(root)
            .env_clear()
            .envs([("PATH", path.as_str()), ("OPEN", "0"), ("SERVES", "2\t2"), ("CODE", "0")])
            .env("LOG", &log)
            .envs(answers.iter().copied())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let calls = std::fs::read_to_string(log).unwrap_or_default();
        Done {
            code: output.status.code(),
            said: String::from_utf8(said).unwrap(),
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }

    /// The example with other lines.
    fn settings(&self, lines: &str) -> String {
        let file = self.folder.path().join("my.env");
        std::fs::write(&file, format!("{}{lines}", read(EXAMPLE))).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Done {
    fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{} {:?}", self.said, self.calls);
        self
    }

    /// In which regions something was asked for.
    fn regions(&self, of: &str) -> Vec<&str> {
        let region = Regex::new(r"--region (\S+)").unwrap();
        let meant = self.calls.iter().filter(|call| call.contains(of));
        meant.map(|call| region.captures(call).unwrap().get(1).unwrap().as_str()).collect()
    }
}

#[test]
fn a_deployment_changes_one_region_after_the_other() {
    let scripts = Scripts::new();
    let done = scripts.run("deploy", &[EXAMPLE], &[]);
    assert_eq!(done.ended(0).regions("cloudformation deploy"), [TOKYO, TOKYO, OSAKA]);
    let place = |of: &str| done.calls.iter().position(|call| call.contains(of)).unwrap();
    assert!(
        place("services-stable") < place("RegionName=osaka"),
        "the first region serves before the second one is changed: {:?}",
        done.calls
    );
    let hint = Regex::new("infra/([a-z]+) infra/example.env first").unwrap();
    let next = hint.captures(&done.said).unwrap()[1].to_owned();
    scripts.run(&next, &[EXAMPLE, "first"], &[]).ended(0);

    let done = scripts.run("deploy", &[EXAMPLE, "--look"], &[]);
    done.ended(0);
    let looks = |call: &String| call.contains("--no-execute-changeset");
    let (looked, shown): (Vec<_>, Vec<_>) = done.calls.iter().cloned().partition(looks);
    let shows = |call: &String| {
        call.contains("describe-change-set") && call.contains(":changeSet/awscli/1 ")
    };
    assert!(looked.len() == 3 && shown.len() == 3 && shown.iter().all(shows), "{:?}", done.calls);
    assert!(!done.said.contains("infra/doctor"), "nothing runs yet: {}", done.said);
    for words in [&[][..], &["nowhere.env"]] {
        assert!(scripts.run("deploy", words, &[]).ended(2).calls.is_empty());
    }
    let lacks = scripts.settings("SECOND_SECRETS=\n");
    let done = scripts.run("deploy", &[&lacks], &[]);
    assert!(done.ended(2).said.contains("lacks SECOND_SECRETS"), "{}", done.said);
}

/// What is left out keeps its value of the last time: a setting that was emptied must be said.
#[test]
fn a_deployment_says_what_regions_take() {
    let scripts = Scripts::new();
    let file = scripts.settings("FIRST_MORE='Processes=4 MostProcesses=12'\nFIRST_QUEUE=arn:q\n");
    let done = scripts.run("deploy", &[&file], &[]);
    let given = |region: &str| -> Names {
        let name = format!("RegionName={region}");
        let call = done.calls.iter().find(|call| call.contains(&name)).unwrap();
        let (_, given) = call.split_once("--parameter-overrides ").unwrap();
        given.split(' ').map(str::to_owned).collect()
    };
    let known: Names =
        entries("infra/region.yaml", "Parameters").into_iter().map(|(name, _)| name).collect();
    for region in ["tokyo", "osaka"] {
        let names: Names =
            given(region).iter().map(|it| it.split_once('=').unwrap().0.to_owned()).collect();
        assert!(names.is_subset(&known), "{names:?}");
        let said = ["Secrets", "SecretParameters", "ScenariosBucket", "Queue", "AlarmTopic"];
        assert!(said.iter().all(|name| names.contains(*name)), "{names:?}");
    }
    assert!(given("tokyo").contains("MostProcesses=12") && given("tokyo").contains("Queue=arn:q"));
    assert!(given("osaka").contains("Queue=") && !given("osaka").contains("Processes=4"));
}

#[test]
fn nothing_is_removed_while_a_run_is_open_anywhere() {
    let scripts = Scripts::new();
    let done = scripts.run("remove", &[EXAMPLE, "both"], &[("OPEN", "2")]);
    assert_eq!(done.ended(1).calls.len(), 1, "it has only looked: {:?}", done.calls);
    let done = scripts.run("remove", &[EXAMPLE, "both"], &[]);
    assert_eq!(done.ended(0).regions("delete-stack"), [TOKYO, OSAKA]);
    scripts.run("remove", &[EXAMPLE, "all"], &[]).ended(2);
}

#[test]
fn a_region_goes_only_while_the_other_one_serves_or_no_run_is_open() {
    let scripts = Scripts::new();
    let remove = |which, open, serves| {
        let answers = [("OPEN", open), ("SERVES", serves)];
        scripts.run("remove", &[EXAMPLE, which], &answers)
    };
    let done = remove("second", "2", "2\t2");
    assert_eq!(done.ended(0).regions("delete-stack"), [OSAKA], "the other one takes over");
    assert_eq!(done.regions("describe-services"), [TOKYO]);
    assert_eq!(remove("first", "2", "3\t3").ended(0).regions("describe-services"), [OSAKA]);
    for serves in ["2\t1", "0\t0", "None", "", "gone"] {
        let done = remove("first", "2", serves);
        assert!(done.ended(1).regions("delete-stack").is_empty(), "{serves}");
        assert!(done.said.contains("ap-northeast-3 does not serve"), "{}", done.said);
        assert_eq!(remove("first", "0", serves).ended(0).regions("delete-stack"), [TOKYO]);
    }
    assert!(remove("first", "", "gone").ended(1).regions("delete-stack").is_empty(), "not known");
}

#[test]
fn the_doctor_looks_from_inside_a_region() {
    let scripts = Scripts::new();
    let done = scripts.run("doctor", &[EXAMPLE, "second"], &[("CODE", "1")]);
    assert_eq!(done.ended(1).regions(""), vec![OSAKA; done.calls.len()]);
    assert!(done.said.contains("what the doctor found"), "{}", done.said);
    let call = |of: &str| done.calls.iter().find(|call| call.contains(of)).unwrap();
    assert!(
        call("run-task")
            .contains(r#"["doctor", "--no-receivers", "--config", "/etc/ams/ams.yaml"]"#)
    );
    // Where the template has the log written to.
    assert!(call("get-log-events").contains("--log-stream-name osaka/ams/0123"));
    let not_begun = scripts.run("doctor", &[EXAMPLE, "first"], &[("CODE", "None")]);
    assert!(not_begun.ended(2).said.contains("has not begun"), "{}", not_begun.said);
    scripts.run("doctor", &[EXAMPLE, "both"], &[]).ended(2);
}
