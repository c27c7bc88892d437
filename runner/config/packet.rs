//! `backlog:`, `slack:`, `email:`: how people are told beside PagerDuty.

use super::source::Source;
use crate::fields::At;
use crate::finding::Findings;
use crate::handoff::email::{self, Tls};
use crate::handoff::ways::Settings;
use crate::handoff::{backlog, slack};
use crate::secret::{Form, Secret};

const SLACK: &str = "https://slack.com/api";

/// What cannot be used is a finding, with which nothing starts.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Settings {
    let backlog = source.says("backlog").then(|| {
        source.section("backlog", "BACKLOG_", findings, |own, findings| {
            let key = secret(own, "key", "env:AMS_BACKLOG_KEY", findings);
            own.required("url", "https://example.backlog.com", findings);
            let url = own.address("url", findings);
            Some(backlog::Settings { url: url?.value, key: key? })
        })
    });
    let slack = source.says("slack").then(|| {
        source.section("slack", "SLACK_", findings, |own, findings| {
            let token = secret(own, "token", "env:AMS_SLACK_TOKEN", findings);
            let url = own.address("url", findings).map_or_else(|| SLACK.to_owned(), |at| at.value);
            Some(slack::Settings { url, token: token? })
        })
    });
    let email =
        source.says("email").then(|| source.section("email", "EMAIL_", findings, read_email));
    Settings { backlog: backlog.flatten(), slack: slack.flatten(), email: email.flatten() }
}

/// All secrets of it, to be masked.
pub(super) fn secrets(settings: &Settings) -> impl Iterator<Item = &Secret> {
    let Settings { backlog, slack, email } = settings;
    let password = email.as_ref().and_then(|email| email.login.as_ref());
    let keys = backlog.iter().map(|it| &it.key).chain(slack.iter().map(|it| &it.token));
    keys.chain(password.map(|(_, password)| password))
}

fn secret(
    source: &Source<'_>,
    key: &'static str,
    default: &str,
    findings: &mut Findings,
) -> Option<Secret> {
    let written = source.fields.text(key, findings);
    let place = source.fields.place();
    let at = written.unwrap_or_else(|| At { place, value: default.to_owned() });
    source.secret(key, &at, Form::One, findings)
}

fn read_email(source: &Source<'_>, findings: &mut Findings) -> Option<email::Settings> {
    let smtp = source.required("smtp", "smtp.example.com:587", findings);
    let tls = source.word("tls", &Tls::WORDS, findings).unwrap_or(Tls::Upgraded);
    let from = source.required("from", "AMS <ams@example.com>", findings);
    let user = source.text("user", findings);
    let login = match (user, source.fields.get("password")) {
        (Some(user), _) => {
            let password = secret(source, "password", "env:AMS_EMAIL_PASSWORD", findings);
            Some((user, password?))
        }
        (None, Some(_)) => {
            let place = source.place("password");
            let remedy = "add a line 'user: …', or leave out 'password'";
            source.bad((place, "password"), "has no user", remedy, findings);
            return None;
        }
        (None, None) => None,
    };
    let (smtp, from) = (smtp?, from?);
    let server = smtp.value.rsplit_once(':');
    let server = server.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let Some((host, port)) = server.filter(|(host, _): &(String, u16)| !host.is_empty()) else {
        let message = format!("is '{}', which is no host and port", smtp.value);
        source.bad(
            (smtp.place, "smtp"),
            &message,
            "write for example smtp.example.com:587",
            findings,
        );
        return None;
    };
    if !email::is_address(&from.value) {
        let message = format!("is '{}', which is no mail address", from.value);
        source.bad((from.place, "from"), &message, "write for example ams@example.com", findings);
        return None;
    }
    let is_here = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str());
    if let Some((user, _)) = login.as_ref().filter(|_| tls == Tls::None && !is_here) {
        let remedy = "set tls: starttls or tls: tls, or use a relay on this machine";
        let message = "would be sent in the clear, with its password";
        source.bad((user.place, "user"), message, remedy, findings);
        return None;
    }
    let login = login.map(|(user, password)| (user.value, password));
    Some(email::Settings { host, port, tls, from: from.value, login })
}
