//! Messages in Slack.

use ams::claim::told::{ToldResult, ToldWhat};
use ams::incident::Outcome;
use ams::sandbox::pagerduty::ENGINEER;
use serde_json::Value;

use super::backlog::Backlog;
use super::slack::{CHANNEL, Fault, Slack};
use super::{BROKEN, told, world};
use crate::harness::wait;
use crate::harness::world::SHORT_LEASE;

fn channel() -> String {
    format!("slack: {{channel: {CHANNEL}}}\n")
}

#[tokio::test]
async fn a_hand_off_is_told_in_the_channel_with_the_ticket_and_nobody_is_called_by_its_title() {
    let (backlog, slack) = (Backlog::start().await, Slack::start().await);
    let customer = format!("{}backlog: {{project: SHOP}}\n", channel());
    let settings = format!("{}{}", backlog.settings(), slack.settings());
    let world = world(BROKEN, &customer, &settings).start().await;
    let incident = world.fire("service web down <!channel>");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let [message] = &slack.messages()[..] else { panic!("{}", world.everything(&incident)) };
    let said = message["blocks"].to_string();
    assert!(said.contains("service web down &lt;!channel&gt;") && !said.contains("<!"), "{said}");
    assert!(message["text"].as_str().unwrap().ends_with("service web down &lt;!channel&gt;"));
    for part in
        ["起動しても応答が戻りません", "担当チームへ電話する", "情報システム部 03-0000-0000"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains(&format!("<{}/view/SHOP-1|チケット SHOP-1>", backlog.url)), "{said}");
    assert!(world.last_note(&incident).contains(&format!("Slack: {CHANNEL}\n")));
    let both =
        [(ToldWhat::Ticket, ToldResult::Sent, true), (ToldWhat::Chat, ToldResult::Sent, true)];
    assert_eq!(told(&run), both);
    assert_eq!(slack.problems(), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn a_reopened_incident_goes_on_in_its_thread() {
    let slack = Slack::start().await;
    let world = world(BROKEN, &channel(), &slack.settings()).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    world.until_run(&incident, |it| it.run.number == 2 && it.outcome.is_some()).await;
    let other = world.fire("service db down");
    world.expect(&other, Outcome::HandedOff).await;
    let messages = slack.messages();
    let threads: Vec<&Value> = messages.iter().map(|it| &it["thread_ts"]).collect();
    assert_eq!(threads, [&Value::Null, &messages[0]["ts"], &Value::Null]);
    world.end().await;
}

#[tokio::test]
async fn where_the_thread_was_deleted_a_new_one_begins() {
    let slack = Slack::start().await;
    let world = world(BROKEN, &channel(), &slack.settings()).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    slack.delete_all();
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    let again = world.until_run(&incident, |it| it.run.number == 2 && it.outcome.is_some()).await;
    assert_eq!(told(&again), [(ToldWhat::Chat, ToldResult::Sent, true)]);
    assert_eq!(slack.messages().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_message_whose_sender_died_before_the_answer_is_found_and_not_repeated() {
    let slack = Slack::start().await;
    let settings = format!("{}{SHORT_LEASE}", slack.settings());
    let mut world = world(BROKEN, &channel(), &settings).start().await;
    slack.fail(Fault::NeverAnswered);
    let incident = world.fire("service web down");
    wait::until("the message", || slack.messages().len() == 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!((run.epoch, slack.messages().len()), (2, 1));
    assert_eq!(told(&run), [(ToldWhat::Chat, ToldResult::Sent, true)]);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_looked_for_is_not_repeated_and_the_note_says_so() {
    let slack = Slack::start().await;
    slack.hide_history();
    slack.fail(Fault::AnswerLost);
    let world = world(BROKEN, &channel(), &slack.settings()).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(slack.messages().len(), 1);
    assert_eq!(told(&run), [(ToldWhat::Chat, ToldResult::Unknown, false)]);
    let note = world.last_note(&incident);
    assert!(note.contains("Slack: 届いたかどうか不明です。再送していません"), "{note}");
    assert!(note.contains("channels:history"), "what to do: {note}");
    world.end().await;
}

#[tokio::test]
async fn a_busy_slack_and_a_lost_answer_end_in_one_message_in_the_customers_words() {
    let slack = Slack::start().await;
    slack.fail(Fault::RateLimited);
    slack.fail(Fault::AnswerLost);
    let customer = format!(
        "slack: {{channel: {CHANNEL}, text: \"<!here> {{{{ incident.title }}}} {{{{ ticket.shown }}}}\"}}\n"
    );
    let world = world(BROKEN, &customer, &slack.settings()).start().await;
    let incident = world.fire("service web down <!channel>");
    world.expect(&incident, Outcome::HandedOff).await;
    let [message] = &slack.messages()[..] else { panic!("{}", world.everything(&incident)) };
    let said = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert_eq!(said, "<!here> service web down &lt;!channel&gt; -", "the author's calls are calls");
    world.end().await;
}
