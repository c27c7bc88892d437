use std::time::Duration;

use ams::paging::Acknowledge;
use secrecy::ExposeSecret as _;

use super::{SECRETS, SMALL, folder, load, problems, with};

fn below_pagerduty(lines: &str) -> String {
    let flow = "pagerduty: {from: ams@example.com, bot_user: PAMSBOT}\n";
    assert!(SMALL.contains(flow));
    let block = "pagerduty:\n  from: ams@example.com\n  bot_user: PAMSBOT\n";
    SMALL.replace(flow, &format!("{block}{lines}"))
}

#[test]
fn nobody_is_acknowledged_and_nothing_is_a_last_resort_by_default() {
    let config = load(&folder(SMALL), &with(&[])).unwrap();
    let paging = config.pagerduty.paging;
    assert_eq!(paging.acknowledge, Acknowledge::Never);
    assert_eq!((paging.fallback.policy, paging.within), (None, Duration::from_mins(1)));
    assert!(config.last_resort.events.is_none());
}

#[test]
fn ways_to_page_are_read_from_the_file_and_the_environment() {
    let written = "  acknowledge: where_timeout\n  page_within: 30s\n  \
                   fallback: {users: [PUSER01], responders: {policies: [PPOL001]}}\n";
    let dir = folder(&(below_pagerduty(written) + "last_resort: {events: {}}\n"));
    let key = ("AMS_LAST_RESORT_ROUTING_KEY", "the-routing-key");
    let env = with(&[key, ("AMS_PAGERDUTY_FALLBACK_POLICY", "PPOL002")]);
    let config = load(&dir, &env).unwrap();
    let paging = &config.pagerduty.paging;
    assert_eq!(paging.acknowledge, Acknowledge::WhereTimeout);
    assert_eq!(paging.within, Duration::from_secs(30));
    assert_eq!(paging.fallback.policy.as_deref(), Some("PPOL002"));
    assert_eq!(paging.fallback.users, ["PUSER01"]);
    assert_eq!(paging.fallback.responders.policies, ["PPOL001"]);
    let events = config.last_resort.events.as_ref().unwrap();
    assert_eq!(events.url, "https://events.pagerduty.com/v2/enqueue");
    assert_eq!(events.routing_key.now().expose_secret(), "the-routing-key");
    assert_eq!(config.masks().apply("key the-routing-key"), "key ****");
}

#[test]
fn mistakes_of_paging_are_told() {
    for (lines, said) in [
        ("  acknowledge: always\n", "always"),
        ("  page_within: 10ms\n", "too short"),
        ("  fallback: {user: PUSER01}\n", "user"),
        ("  fallback: {policy: PPOL001}\n  fallback_policy: PPOL002\n", "fallback.policy"),
    ] {
        let found = problems(&below_pagerduty(lines), &SECRETS);
        assert!(found.iter().any(|it| it.contains(said)), "{lines}: {found:?}");
    }
    for (lines, said) in [
        ("last_resort: {}\n", "none of events, slack and email"),
        ("last_resort: {slack: {channel: C01}}\n", "the settings have no 'slack'"),
        ("last_resort: {email: {to: [ops@a.example]}}\n", "the settings have no 'email'"),
        (
            "email: {smtp: 'localhost:25', tls: none, from: a@b.example}\nlast_resort: {email: {to: x}}\n",
            "no mail address",
        ),
        ("last_resort: {events: {routing_key: abc}}\n", "plain text"),
        ("last_resort: {events: {url: ftp://x, routing_key: env:K}}\n", "no address"),
    ] {
        let found = problems(&format!("{SMALL}{lines}"), &SECRETS);
        assert!(found.iter().any(|it| it.contains(said)), "{lines}: {found:?}");
    }
}
