//! What the roles of the templates allow is what AMS's code does in AWS, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use regex::Regex;

type Actions = BTreeSet<String>;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every Rust file below a folder, and the folder itself if it is one, in one text.
fn code(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if root.is_file() {
        return std::fs::read_to_string(root).unwrap();
    }
    let mut text = String::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() || entry.path().extension().is_some_and(|it| it == "rs") {
            text += &code(&name);
        }
    }
    text
}

/// `put_item` is `PutItem`.
fn camel(operation: &str) -> String {
    let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
    operation.split('_').map(upper).collect()
}

/// Operations that clients of AWS's SDK are asked for.
fn sdk_calls(service: &str, paths: &[&str]) -> Actions {
    let call = Regex::new(r"\b(?:client|sts)\s*\.\s*([a-z]+(?:_[a-z]+)*)\(\)").unwrap();
    let code: String = paths.iter().map(|path| code(path)).collect();
    let names: Actions = call.captures_iter(&code).map(|it| it[1].to_owned()).collect();
    names.iter().map(|name| format!("{service}:{}", camel(name))).collect()
}

/// Operations of the requests that AMS signs itself.
fn signed_calls(service: &str, path: &str, name: &str) -> Actions {
    let name = Regex::new(name).unwrap();
    name.captures_iter(&code(path)).map(|it| format!("{service}:{}", &it[1])).collect()
}

/// What a part of a template allows.
fn allowed(template: &str, from: &str, to: &str) -> Actions {
    let text = read(template);
    let (_, rest) = text.split_once(from).unwrap();
    let (part, _) = rest.split_once(to).unwrap();
    let action = Regex::new(r"\b([a-z0-9]+:[A-Z][A-Za-z]+)\b").unwrap();
    let arns = Regex::new(r"arn:[^\s]*").unwrap();
    let part = arns.replace_all(part, "");
    action
        .captures_iter(&part)
        .map(|it| it[1].to_owned())
        .filter(|it| !it.starts_with("aws:"))
        .collect()
}

#[test]
fn the_process_may_do_what_it_does_itself() {
    let mut used = sdk_calls(
        "dynamodb",
        &["runner/dynamodb", "runner/claim/dynamodb", "runner/history/dynamodb.rs"],
    );
    used.extend(sdk_calls("sts", &["runner/aws/sessions.rs"]));
    // Sessions carry tags, which is a permission of its own.
    assert!(code("runner/aws/sessions.rs").contains("Tag::builder()"));
    used.insert("sts:TagSession".to_owned());
    // Evidence is put into a bucket.
    assert!(code("runner/aws/s3.rs").contains("Method::PUT"));
    used.insert("s3:PutObject".to_owned());
    // A batch needs the permission of its single request.
    let queue = signed_calls("sqs", "runner/aws/sqs.rs", "\"AmazonSQS\\.([A-Za-z]+?)(?:Batch)?\"");
    assert_eq!(queue.len(), 3, "{queue:?}");
    used.extend(queue);
    let role = allowed("infra/region.yaml", "PolicyName: ams\n", "  StartRole:");
    assert_eq!(role, used);
}

#[test]
fn a_customers_role_allows_what_runs_do_there() {
    let mut used = sdk_calls("ssm", &["runner/execute/ssm"]);
    assert!(used.contains("ssm:SendCommand"), "{used:?}");
    let output = code("runner/execute/ssm/output.rs");
    assert!(output.contains("signed::Get {") && output.contains("service: \"s3\""), "long outputs");
    used.insert("s3:GetObject".to_owned());
    let services = [
        ("ec2", "runner/execute/aws_api/instances.rs"),
        ("ec2", "runner/execute/aws_api/volumes.rs"),
        ("ec2", "runner/execute/instances.rs"),
        ("rds", "runner/execute/aws_api/databases.rs"),
        ("elasticloadbalancing", "runner/execute/aws_api/balancing.rs"),
        ("autoscaling", "runner/execute/aws_api/scaling.rs"),
    ];
    let verbs = "\"((?:Describe|Start|Stop|Reboot|Modify|Register|Deregister|Set)[A-Z][A-Za-z]+)\"";
    for (service, path) in services {
        let calls = signed_calls(service, path, verbs);
        assert!(!calls.is_empty(), "{path} calls nothing that is known here");
        used.extend(calls);
    }
    let role = allowed("infra/customer.yaml", "PolicyName: commands\n", "\nOutputs:");
    assert_eq!(role, used);
}

/// The scripts with a program in place of AWS's, which writes down how it was called.
struct Scripts {
    folder: tempfile::TempDir,
}

impl Scripts {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let aws = folder.path().join("aws");
        let program = "#!/bin/sh\necho \"$*\" >> \"$LOG\"\ncase \"$*\" in\n\
            *scan*) echo \"$OPEN\" ;;\n*LoadBalancer*) echo arn:of:balancer ;;\nesac\n";
        std::fs::write(&aws, program).unwrap();
        let may_run = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(aws, may_run).unwrap();
        Self { folder }
    }

    /// Its exit code, and what it asked AWS for.
    fn run(&self, script: &str, words: &[&str], open_runs: &str) -> (Option<i32>, Vec<String>) {
        let log = self.folder.path().join("log");
        drop(std::fs::remove_file(&log));
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path().display());
        let output = Command::new(format!("{root}/infra/{script}"))
            .args(words)
            .current_dir(root)
            .env_clear()
            .env("PATH", path)
            .env("LOG", &log)
            .env("OPEN", open_runs)
            .output()
            .unwrap();
        let calls = std::fs::read_to_string(log).unwrap_or_default();
        (output.status.code(), calls.lines().map(str::to_owned).collect())
    }
}

const EXAMPLE: &str = "infra/example.env";

fn regions(calls: &[String], of: &str) -> Vec<String> {
    let region = Regex::new(r"--region (\S+)").unwrap();
    let meant = calls.iter().filter(|call| call.contains(of));
    meant.map(|call| region.captures(call).unwrap()[1].to_owned()).collect()
}

#[test]
fn a_deployment_changes_one_region_after_the_other() {
    let scripts = Scripts::new();
    let (code, calls) = scripts.run("deploy", &[EXAMPLE], "0");
    assert_eq!(code, Some(0), "{calls:?}");
    let (tokyo, osaka) = ("ap-northeast-1", "ap-northeast-3");
    assert_eq!(regions(&calls, "cloudformation deploy"), [tokyo, tokyo, osaka]);
    let waits = calls.iter().position(|call| call.contains("services-stable")).unwrap();
    let second = calls.iter().position(|call| call.contains("RegionName=osaka")).unwrap();
    assert!(waits < second, "the first region serves before the second one is changed: {calls:?}");
    let parameters: Actions = parameters("infra/region.yaml");
    let region = calls.iter().find(|call| call.contains("RegionName=tokyo")).unwrap();
    let (_, given) = region.split_once("--parameter-overrides ").unwrap();
    let given = given.split(' ').map(|it| it.split_once('=').unwrap().0.to_owned());
    assert!(given.clone().all(|name| parameters.contains(&name)), "{region}");
    let (code, calls) = scripts.run("deploy", &[EXAMPLE, "--look"], "0");
    assert_eq!(code, Some(0));
    assert!(calls.iter().all(|call| call.contains("--no-execute-changeset")), "{calls:?}");
    assert_eq!(scripts.run("deploy", &[], "0"), (Some(2), Vec::new()));
    assert_eq!(scripts.run("deploy", &["nowhere.env"], "0"), (Some(2), Vec::new()));
}

/// Names of a template's parameters.
fn parameters(template: &str) -> Actions {
    let text = read(template);
    let (_, rest) = text.split_once("\nParameters:\n").unwrap();
    let name = Regex::new(r"^  ([A-Za-z]+):$").unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with(' '));
    lines.filter_map(|line| Some(name.captures(line)?[1].to_owned())).collect()
}

#[test]
fn nothing_is_removed_while_a_run_is_open_anywhere() {
    let scripts = Scripts::new();
    let (code, calls) = scripts.run("remove", &[EXAMPLE, "both"], "2");
    assert_eq!((code, calls.len()), (Some(1), 1), "it has only looked: {calls:?}");
    let (code, calls) = scripts.run("remove", &[EXAMPLE, "both"], "0");
    assert_eq!(code, Some(0));
    assert_eq!(regions(&calls, "delete-stack"), ["ap-northeast-1", "ap-northeast-3"]);
    let (code, calls) = scripts.run("remove", &[EXAMPLE, "second"], "2");
    assert_eq!(
        (code, regions(&calls, "delete-stack")),
        (Some(0), vec!["ap-northeast-3".to_owned()])
    );
    assert_eq!(scripts.run("remove", &[EXAMPLE, "all"], "0"), (Some(2), Vec::new()));
}

/// People come to an alarm's chapter by its description.
#[test]
fn every_alarm_has_its_chapter() {
    let page = read("docs/operations/alarms.md");
    let mut count = 0;
    let link = Regex::new(r"docs/operations/alarms\.md#([a-z-]+)").unwrap();
    for template in ["infra/global.yaml", "infra/region.yaml"] {
        let text = read(template);
        let alarms = text.matches("Type: AWS::CloudWatch::Alarm").count();
        let links: Vec<String> = link.captures_iter(&text).map(|it| it[1].to_owned()).collect();
        assert_eq!(links.len(), alarms, "{template}");
        for name in links {
            assert!(page.contains(&format!("\n## {name}\n")), "{name} has no chapter");
            count += 1;
        }
    }
    assert_eq!(page.matches("\n## ").count(), count, "a chapter without its alarm");
}

/// No container engine is needed to see that everything the program wants is in its image.
#[test]
fn the_program_runs_in_the_images_root_as_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let made = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/infra/image/root"))
        .args([Path::new(env!("CARGO_BIN_EXE_ams")), &root])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let inside = |words: &[&str]| {
        let mut chroot = Command::new("chroot");
        chroot.args(["--userspec=65532:65532"]).arg(&root).args(words).output().unwrap()
    };
    let version = inside(&["/usr/bin/ams", "--version"]);
    let refused = String::from_utf8_lossy(&version.stderr).contains("Operation not permitted");
    if refused {
        eprintln!("skipped: only root may change the root of a process");
        return;
    }
    let said = String::from_utf8(version.stdout).unwrap();
    assert!(said.starts_with("ams "), "{said} {}", String::from_utf8_lossy(&version.stderr));
    let shell = inside(&["/bin/sh", "-c", "echo \"$0 runs\""]);
    assert!(String::from_utf8(shell.stdout).unwrap().starts_with("/bin/sh runs\n"));
    let schema = inside(&["/usr/bin/ams", "schema"]);
    assert!(schema.status.success(), "{}", String::from_utf8_lossy(&schema.stderr));
}
