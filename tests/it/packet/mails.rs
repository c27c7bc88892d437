//! Mails by SMTP.

use ams::claim::told::{ToldResult, ToldWhat};
use ams::incident::Outcome;
use base64::Engine as _;

use super::backlog::Backlog;
use super::smtp::{MailServer, PASSWORD, Received};
use super::{BROKEN, told, world};

const MAIL: &str = "email: {to: [ops@shop.example, night@shop.example]}\n";

impl Received {
    pub(super) fn head(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let line = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    }

    /// With its encoded words (RFC 2047) read.
    pub(super) fn subject(&self) -> String {
        // What stands between two encoded words is nothing.
        let subject = self.head("Subject").replace("?= =?", "?==?");
        let decode = |word: &regex::Captures<'_>| {
            let bytes = base64::engine::general_purpose::STANDARD.decode(&word[1]).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        regex::Regex::new(r"=\?utf-8\?b\?([^?]*)\?=")
            .unwrap()
            .replace_all(&subject, decode)
            .into_owned()
    }

    pub(super) fn body(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").unwrap();
        let bytes = match self.head("Content-Transfer-Encoding").as_str() {
            "base64" => {
                let body: String = body.split_whitespace().collect();
                base64::engine::general_purpose::STANDARD.decode(body).unwrap()
            }
            "quoted-printable" => quoted_printable(body),
            other => panic!("Content-Transfer-Encoding: {other}"),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let body = body.replace("=\r\n", "");
    let mut rest = body.as_str();
    while let Some((plain, coded)) = rest.split_once('=') {
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(&coded[..2], 16).unwrap());
        rest = &coded[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[tokio::test]
async fn a_hand_off_goes_out_as_one_mail_to_all_and_names_the_ticket() {
    let (backlog, server) = (Backlog::start().await, MailServer::start().await);
    let customer = format!("{MAIL}backlog: {{project: SHOP}}\n");
    let settings = format!("{}{}", backlog.settings(), server.settings());
    let world = world(BROKEN, &customer, &settings).start().await;
    let incident = world.fire("service web down\r\nBcc: thief@evil.example");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let [mail] = &server.mails()[..] else { panic!("{}", world.everything(&incident)) };
    assert_eq!(mail.from, "ams@msp.example");
    assert_eq!(mail.to, ["ops@shop.example", "night@shop.example"]);
    assert!(mail.head("Bcc").is_empty(), "{}", mail.data);
    assert_eq!(mail.head("Message-ID"), format!("<ams.{incident}.1.hand-off@msp.example>"));
    assert_eq!(mail.head("References"), format!("<ams.{incident}@msp.example>"));
    assert_eq!(mail.head("Auto-Submitted"), "auto-generated");
    let body = mail.body();
    assert!(body.starts_with("AMS 引継ぎ: ") && body.contains("1. ログを見る"), "{body}");
    assert!(body.contains("DB_PASSWORD=****") && !body.contains("hunter2"), "{body}");
    assert!(body.contains(&format!("チケット: SHOP-1 {}/view/SHOP-1", backlog.url)), "{body}");
    assert!(world.last_note(&incident).contains("メール: ops@shop.example, night@shop.example\n"));
    assert_eq!(server.logins(), ["ams"]);
    assert_eq!(told(&run)[1], (ToldWhat::Mail, ToldResult::Sent, false));
    world.end().await;
}

#[tokio::test]
async fn an_english_customer_gets_english_words_or_its_own() {
    let server = MailServer::start().await;
    let customer = "language: en\nemail: {to: ops@shop.example, subject: \
        \"{{ run.outcome }} {{ scenario.id }} {{ customer.contact }}\"}\n";
    let world = world(BROKEN, customer, &server.settings()).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    let [mail] = &server.mails()[..] else { panic!("{}", world.everything(&incident)) };
    assert!(mail.head("Subject").starts_with("handed_off service-down "), "{}", mail.data);
    assert!(mail.body().starts_with("AMS hand-off: please decide."), "{}", mail.body());
    assert!(mail.body().contains("Sent by AMS; nobody reads replies."));
    assert!(world.last_note(&incident).contains("■ Also told\nE-mail: ops@shop.example\n"));
    world.end().await;
}

#[tokio::test]
async fn a_mail_whose_taking_was_not_confirmed_is_not_sent_again_and_the_note_says_so() {
    let server = MailServer::start().await;
    server.lose_answers(1);
    let world = world(BROKEN, MAIL, &server.settings()).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(server.mails().len(), 1);
    assert_eq!(told(&run), [(ToldWhat::Mail, ToldResult::Unknown, false)]);
    let note = world.last_note(&incident);
    assert!(note.contains("メール: 届いたかどうか不明です。再送していません"), "{note}");
    world.end().await;
}

#[tokio::test]
async fn a_mail_server_that_hangs_up_before_the_mail_is_tried_again() {
    let server = MailServer::start().await;
    server.close_connections(2);
    let world = world(BROKEN, MAIL, &server.settings()).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(server.mails().len(), 1);
    assert_eq!(told(&run), [(ToldWhat::Mail, ToldResult::Sent, false)]);
    world.end().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_is_named_in_the_note() {
    let server = MailServer::start().await;
    let customer = "email: {to: nobody@shop.example}\n";
    let world = world(BROKEN, customer, &server.settings()).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(told(&run), [(ToldWhat::Mail, ToldResult::Refused, false)]);
    assert!(world.last_note(&incident).contains("メール: 受け付けられませんでした（SMTP: "));
    world.end().await;
}

#[tokio::test]
async fn without_encryption_that_was_asked_for_neither_mail_nor_password_leaves() {
    let server = MailServer::start().await;
    let settings = server.settings().replace("tls: none", "tls: starttls");
    let world = world(BROKEN, MAIL, &settings).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    assert!(server.mails().is_empty() && server.logins().is_empty());
    assert!(world.last_note(&incident).contains("offers no STARTTLS"));
    assert!(!world.last_note(&incident).contains(PASSWORD));
    world.end().await;
}
