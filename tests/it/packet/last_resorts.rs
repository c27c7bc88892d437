//! Slack and mail as last resorts: nobody can be paged, and people are told all the same.

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::{BOT_ONLY, NewIncident};

use super::slack::{CHANNEL, Fault, Slack};
use super::smtp::MailServer;
use super::{BROKEN, world};
use crate::harness::world::{SHORT_LEASE, World};

/// On a policy by which only AMS itself would be paged.
fn fire(world: &World) -> IncidentId {
    let policy = Some(BOT_ONLY.to_owned());
    let new = NewIncident { policy, ..NewIncident::titled("service web down <!channel>") };
    world.pagerduty().trigger(new).unwrap()
}

#[tokio::test]
async fn people_are_told_in_the_channel_and_by_mail_each_once() {
    let (slack, server) = (Slack::start().await, MailServer::start().await);
    let last = format!(
        "last_resort: {{slack: {{channel: {CHANNEL}}}, email: {{to: [ops@msp.example]}}}}\n"
    );
    let settings = format!("{SHORT_LEASE}{}{}{last}", slack.settings(), server.settings());
    let world = world(BROKEN, "", &settings).start().await;
    let incident = fire(&world);
    world.expect(&incident, Outcome::HandedOff).await;
    let [message] = &slack.messages()[..] else { panic!("{}", world.everything(&incident)) };
    let headline = format!("[AMS 呼出不能] {incident} service web down <!channel>");
    assert_eq!(message["blocks"][0]["text"]["text"], headline.as_str(), "plain text");
    assert_eq!(message["blocks"][1]["text"]["text"], "<!channel>", "everybody there is called");
    let said = message["blocks"][2]["text"]["text"].as_str().unwrap();
    assert!(said.contains("呼び出せませんでした"), "{said}");
    let facts = message["blocks"][3]["text"]["text"].as_str().unwrap();
    assert!(facts.starts_with(&format!("サンプル商店 / {incident} / service-down / ")), "{facts}");
    let [mail] = &server.mails()[..] else { panic!("{}", world.everything(&incident)) };
    assert_eq!(mail.to, ["ops@msp.example"]);
    assert_eq!(mail.head("Message-ID"), format!("<ams.{incident}.1.unpaged@msp.example>"));
    assert!(mail.body().contains("エスカレーションポリシー"), "{}", mail.body());
    let note = world.last_note(&incident);
    assert!(note.contains("最後の手段（slack, email）で知らせました"), "{note}");
    assert_eq!(slack.problems(), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_looked_for() {
    let slack = Slack::start().await;
    let last = format!("last_resort: {{slack: {{channel: {CHANNEL}}}}}\n");
    let settings = format!("{SHORT_LEASE}{}{last}", slack.settings());
    let world = world(BROKEN, "", &settings).start().await;
    slack.fail(Fault::AnswerLost);
    let incident = fire(&world);
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(slack.messages().len(), 1, "{}", world.everything(&incident));
    world.end().await;
}
