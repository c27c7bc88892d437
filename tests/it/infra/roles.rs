//! What the roles of the templates allow is what AMS's code does in AWS, and nothing else.

use regex::Regex;

use super::{Names as Actions, all, code, entries, read};

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

/// Evidence is put into a bucket; scenarios are listed in one and read.
fn bucket_calls() -> Actions {
    let code = code("runner/aws/s3.rs");
    let signs = [
        ("Method::PUT", "s3:PutObject"),
        ("Method::GET", "s3:GetObject"),
        ("list-type=2", "s3:ListBucket"),
    ];
    let used = signs.into_iter().filter(|(sign, _)| code.contains(sign));
    used.map(|(_, action)| action.to_owned()).collect()
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
    used.extend(bucket_calls());
    used.extend(signed_calls(
        "secretsmanager",
        "runner/aws/secrets.rs",
        "\"secretsmanager\\.([A-Za-z]+)\"",
    ));
    used.extend(signed_calls("ssm", "runner/aws/secrets.rs", "\"AmazonSSM\\.([A-Za-z]+)\""));
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

/// A star in a parameter would be one in the role.
#[test]
fn secrets_are_named_one_by_one() {
    let parameters = entries("infra/region.yaml", "Parameters");
    let matches = |name: &str, value: &str| {
        let (_, text) = parameters.iter().find(|(it, _)| it == name).unwrap();
        let pattern = all("AllowedPattern: \"(.+)\"", text).remove(0);
        let whole = pattern.split('|').map(|it| it.trim_matches(['^', '$']).to_owned());
        whole.into_iter().any(|it| Regex::new(&format!("^(?:{it})$")).unwrap().is_match(value))
    };
    let (secret, parameter) = (
        "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:",
        "arn:aws:ssm:ap-northeast-1",
    );
    assert!(matches("Secrets", &format!("{secret}ams/webhook-AbCdEf")));
    assert!(!matches("Secrets", &format!("{secret}ams/*")) && !matches("Secrets", ""));
    assert!(matches("SecretParameters", &format!("{parameter}:111122223333:parameter/ams/token")));
    assert!(!matches("SecretParameters", &format!("{parameter}:111122223333:parameter/*")));
    assert!(matches("SecretParameters", ""));
    let role = read("infra/region.yaml");
    assert!(
        ["Secrets", "SecretParameters"]
            .iter()
            .all(|name| role.contains(&format!(" Resource: !Ref {name}\n")))
    );
}
