//! How people are told beside PagerDuty.

use ams::handoff::email::Tls;
use secrecy::ExposeSecret as _;

use super::{SMALL, folder, load, problems, with};

#[test]
fn without_them_nobody_is_told_beside_pagerduty() {
    let ways = load(&folder(SMALL), &with(&[])).unwrap().ways;
    assert!(ways.backlog.is_none() && ways.slack.is_none() && ways.email.is_none());
}

#[test]
fn all_three_are_read_and_their_secrets_are_masked() {
    let text = format!(
        "{SMALL}backlog: {{url: 'https://example.backlog.com'}}\nslack: {{token: 'file:long-secret'}}\n\
         email: {{smtp: 'smtp.example.com:587', from: 'AMS <ams@example.com>', user: ams, \
         password: 'env:MAIL_PASSWORD'}}\n"
    );
    let env = with(&[("AMS_BACKLOG_KEY", "key-of-backlog"), ("MAIL_PASSWORD", "word-of-mail")]);
    let config = load(&folder(&text), &env).unwrap();
    let (backlog, slack) =
        (config.ways.backlog.as_ref().unwrap(), config.ways.slack.as_ref().unwrap());
    assert_eq!(backlog.key.now().expose_secret(), "key-of-backlog");
    assert_eq!(slack.url, "https://slack.com/api");
    let email = config.ways.email.as_ref().unwrap();
    assert_eq!(
        (email.host.as_str(), email.port, email.tls),
        ("smtp.example.com", 587, Tls::Upgraded)
    );
    let said = config.masks().apply("key-of-backlog correct-horse-battery word-of-mail");
    assert_eq!(said, "**** **** ****");
}

#[test]
fn what_cannot_be_used_is_said_with_a_remedy() {
    for (lines, expected) in [
        ("backlog: {key: 'env:KEY'}", "'backlog.url' is not set"),
        ("backlog: {url: example.backlog.com, key: 'env:KEY'}", "is no address"),
        ("backlog: {url: 'https://example.backlog.com', key: hunter2}", "written in plain text"),
        ("slack: {}", "the variable AMS_SLACK_TOKEN is not set"),
        ("email: {smtp: smtp.example.com, from: a@example.com}", "is no host and port"),
        ("email: {smtp: 'smtp.example.com:25', from: AMS}", "is no mail address"),
        (
            "email: {smtp: 'smtp.example.com:25', from: a@example.com, password: 'env:KEY'}",
            "no user",
        ),
        (
            "email: {smtp: 'smtp.example.com:25', tls: none, from: a@example.com, user: a, \
             password: 'env:KEY'}",
            "in the clear",
        ),
    ] {
        let problems = problems(&format!("{SMALL}{lines}\n"), &with(&[("KEY", "key")]));
        assert!(problems.iter().any(|it| it.contains(expected)), "{lines}: {problems:?}");
    }
}
