//! One hand-off as everybody sees it, in Japanese and in English (docs/recorded-hand-off.md).

use ams::incident::Outcome;
use serde_json::Value;

use super::backlog::Backlog;
use super::of;
use super::slack::{CHANNEL, Slack};
use super::smtp::MailServer;
use crate::recorded::{keep, masked, timeline};

struct Words {
    heading: &'static str,
    customer: &'static str,
    scenario: &'static str,
    title: &'static str,
}

const JAPANESE: Words = Words {
    heading: "日本語",
    customer: "\
customer: shop
name: サンプル商店
contact: 情報システム部 03-0000-0000
services: [Sandbox web shop]
language: ja
acknowledge: on_start
",
    scenario: "\
scenario: web-down
about: Web サーバーの停止を起動で復旧する
match: {all: [web01, 応答なし]}
deadline: 2m
steps:
  - check: {name: 応答, run: 'false'}
  - gather: {name: エラーログ, run: 'echo \"db: too many connections\"'}
  - recover: {name: 再起動, run: 'true', effect: once}
  - verify: {name: 応答の確認, run: 'false', within: 2s, every: 500ms}
hand_off:
  message: 再起動しても応答が戻りません。データベースの接続数を確認してください
  priority: P2
  stakeholders: \"{{ customer.name }} 様のサイトが停止しています。担当者が対応します\"
  manual: |
    1. データベースの接続数を見る
    2. 上限に達していれば、担当チームへ電話する
",
    title: "web01 HTTP 応答なし",
};

const ENGLISH: Words = Words {
    heading: "English",
    customer: "\
customer: shop
name: Example Shop Ltd.
contact: IT department +44 20 0000 0000
services: [Sandbox web shop]
language: en
acknowledge: on_start
",
    scenario: "\
scenario: web-down
about: A web server that is down is restarted
match: {all: [web01, unreachable]}
deadline: 2m
steps:
  - check: {name: Response, run: 'false'}
  - gather: {name: Error log, run: 'echo \"db: too many connections\"'}
  - recover: {name: Restart, run: 'true', effect: once}
  - verify: {name: Does it respond again, run: 'false', within: 2s, every: 500ms}
hand_off:
  message: It does not respond after the restart. Look at the database's connections
  priority: P2
  stakeholders: \"The site of {{ customer.name }} is down. People are on it\"
  manual: |
    1. Look at the number of connections of the database
    2. At its limit, call the team on duty
",
    title: "web01 HTTP unreachable",
};

#[tokio::test]
async fn one_hand_off_in_japanese_and_one_in_english() {
    let (japanese, english) = tokio::join!(record(JAPANESE), record(ENGLISH));
    keep("docs/recorded-hand-off.md", &format!("{japanese}{english}"));
}

async fn record(words: Words) -> String {
    let (backlog, slack, server) =
        (Backlog::start().await, Slack::start().await, MailServer::start().await);
    let places = format!(
        "backlog: {{project: SHOP}}\nslack: {{channel: {CHANNEL}}}\nemail: {{to: [ops@shop.example]}}\n"
    );
    let settings = format!("{}{}{}", backlog.settings(), slack.settings(), server.settings());
    let own = format!("{}{places}", words.customer);
    let world = of(words.scenario, &own, &settings);
    let fields = ["outcome", "scenario", "seconds", "first_action_seconds", "ticket"];
    let world = fields.iter().fold(world, |world, field| {
        let variable = format!("AMS_PAGERDUTY_CUSTOM_FIELDS_{}", field.to_uppercase());
        world.environment(&variable, &format!("ams_{field}"))
    });
    let world = world.start().await;
    let incident = world.fire(words.title);
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    let shown = format!(
        "title     {}\nstatus    {}\npriority  {}\nfields    {}",
        view.title,
        view.status.word(),
        view.priority.as_deref().unwrap_or("none"),
        Value::Object(view.fields.clone().into_iter().map(timeless).collect()),
    );
    let [ticket] = &backlog.issues()[..] else { panic!("{}", world.everything(&incident)) };
    let [message] = &slack.messages()[..] else { panic!("{}", world.everything(&incident)) };
    let [mail] = &server.mails()[..] else { panic!("{}", world.everything(&incident)) };
    let text = format!(
        "\n## {}\n\nThe customer:\n\n```yaml\n{}```\n\nThe scenario:\n\n```yaml\n{}```\n\nWhat people \
         see in PagerDuty:\n\n```text\n{}\n```\n\nand of the incident itself:\n\n```text\n{shown}\n```\n\nThe \
         ticket in Backlog:\n\n```text\n{}\n\n{}\n```\n\nThe message in Slack:\n\n```text\n{}\n```\n\nThe \
         mail:\n\n```text\nTo: {}\nSubject: {}\n\n{}\n```\n",
        words.heading,
        own,
        words.scenario,
        timeline(&world, &incident),
        ticket.summary,
        ticket.description,
        said(message).join("\n"),
        mail.to.join(", "),
        mail.subject(),
        mail.body().trim_end(),
    );
    world.end().await;
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    masked(&text, &incident)
}

/// Seconds are others every time.
fn timeless((name, value): (String, Value)) -> (String, Value) {
    let value = if value.is_number() { Value::from(0) } else { value };
    (name, value)
}

/// Every text of a message, from top to bottom.
fn said(message: &Value) -> Vec<String> {
    fn collect(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(text) = fields.get("text").and_then(Value::as_str) {
                    all.push(text.to_owned());
                }
                fields.values().for_each(|it| collect(it, all));
            }
            Value::Array(list) => list.iter().for_each(|it| collect(it, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    collect(&message["blocks"], &mut all);
    all
}
