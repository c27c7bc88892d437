//! A long run's start note, brought up to date in its place: the reporter of production against the
//! stand-in, over HTTP.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::journal::StepAt;
use ams::clock::SystemClock;
use ams::execute::end::Told;
use ams::execute::run::{Passes, StepReport};
use ams::execute::so_far::SoFar;
use ams::execute::verdict::Verdict;
use ams::incident::{IncidentId, Region, RunId};
use ams::lang::Lang;
use ams::metrics::Metrics;
use ams::paging::Acknowledge;
use ams::report::IncidentPlatform;
use ams::report::accompany::Signs;
use ams::report::note::{Story, Style};
use ams::report::pagerduty::{PagerDuty, Settings};
use ams::report::reporter::Reporter;
use ams::sandbox::pagerduty::{
    Fault, IncidentView, NewIncident, Settings as StandInSettings, StandIn,
};
use ams::scenario::model::Scenario;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

const NOTE: &str = "/incidents/{id}/notes/{note_id}";

const SCENARIO: &str = "\
scenario: long
about: 時間のかかる復旧
match: {all: [long]}
progress: 5m
steps:
  - check: {name: 応答, run: 'false'}
  - gather: {name: ログ, run: 'true'}
  - recover: {name: 再構築, run: 'true'}
  - verify: {name: 確認, run: 'true'}
";

struct Stage {
    pagerduty: StandIn,
    client: Arc<PagerDuty>,
    incident: IncidentId,
    so_far: watch::Sender<SoFar>,
    ended: CancellationToken,
    telling: Option<tokio::task::JoinHandle<bool>>,
}

impl Stage {
    /// A run that has told its start, or whose earlier owner has.
    async fn start(taken_over: bool) -> Self {
        let settings = StandInSettings::default();
        let (token, email) = (settings.token.clone(), settings.bot_email.clone());
        let pagerduty = StandIn::start(settings, Arc::new(SystemClock)).await.unwrap();
        let mut settings = Settings::new(pagerduty.url(), token.into(), email);
        settings.pace.first_wait = Duration::from_millis(1);
        settings.pace.longest_wait = Duration::from_millis(4);
        let client = Arc::new(PagerDuty::new(settings).unwrap());
        let incident = pagerduty.trigger(NewIncident::titled("long outage")).unwrap();
        let (so_far, watched) = watch::channel(SoFar::default());
        let ended = CancellationToken::new();
        let telling = tokio::spawn(tell(
            Arc::clone(&client) as Arc<dyn IncidentPlatform>,
            incident.clone(),
            (watched, ended.clone()),
            taken_over,
        ));
        Self { pagerduty, client, incident, so_far, ended, telling: Some(telling) }
    }

    async fn until(&self, what: impl Fn(&IncidentView) -> bool) -> IncidentView {
        let within = Duration::from_secs(20);
        let seen = |state: &ams::sandbox::pagerduty::State| {
            state.incident(&self.incident).is_some_and(&what)
        };
        assert!(self.pagerduty.wait_for(within, seen).await, "{:#?}", self.view().notes);
        self.view()
    }

    async fn end(&mut self) -> bool {
        self.ended.cancel();
        self.telling.take().unwrap().await.unwrap()
    }

    fn view(&self) -> IncidentView {
        self.pagerduty.incident(&self.incident).unwrap()
    }

    /// The step ends well.
    fn ends(&self, step: usize) {
        let report = StepReport {
            at: StepAt::plain(step),
            entry: None,
            verdict: Verdict::Met,
            seen: None,
            attempts: 1,
            began_at: at(60 * i64::try_from(step).unwrap()),
            took: Duration::from_secs(30),
            passes: Passes::default(),
        };
        self.so_far.send_modify(|it| it.steps.push(report));
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_763_800_000 + seconds).unwrap()
}

async fn tell(
    platform: Arc<dyn IncidentPlatform>,
    id: IncidentId,
    (so_far, ended): (watch::Receiver<SoFar>, CancellationToken),
    taken_over: bool,
) -> bool {
    let incident = platform.incident(&id).await.unwrap();
    let read = ams::scenario::file::read(Path::new("long.yaml"), SCENARIO, None).unwrap().0;
    assert_eq!(read.progress, Some(Duration::from_mins(5)));
    // Nobody waits for minutes here.
    let scenario = Scenario { progress: Some(Duration::from_millis(100)), ..read };
    let run = RunId { incident: id, number: 1 };
    let story = Story {
        run: &run,
        region: &Region::new("tokyo"),
        scenario: &scenario,
        title: "long outage",
        reports: &[],
        in_doubt: &[],
        told: &Told::default(),
        places: &BTreeMap::new(),
        whole: None,
        beside: &[],
        contact: None,
        customer: None,
        began_at: at(0),
        now: at(0),
        taken_over,
    };
    let zone = TimeZone::get(Lang::Ja.default_zone()).unwrap();
    let style = Style { lang: Lang::Ja, zone, mask: ams::mask::Mask::default() };
    let (style, metrics) = (Arc::new(style), Metrics::default());
    let acknowledge = Acknowledge::Never;
    let reporter = Reporter { platform, style, fields: Arc::default(), metrics, acknowledge };
    let about_to_change = Notify::new();
    about_to_change.notify_one();
    let signs = Signs { about_to_change: &about_to_change, so_far, ended: &ended };
    reporter.accompany(&incident, &story, signs).await
}

#[tokio::test]
async fn a_start_note_is_brought_up_to_date_in_its_place() {
    let mut stage = Stage::start(false).await;
    stage.until(|view| view.notes.len() == 1).await;
    stage.ends(0);
    let view = stage.until(|view| view.notes[0].content.contains("1. [check] 応答 → 正常")).await;
    assert!(view.notes[0].content.contains("■ これから行うこと\n2. [gather] ログ\n"));
    // An answer that is lost is followed by the same edit, which changes nothing.
    stage.pagerduty.fail_next_of(2, Fault::DropAnswerAfterEffect, "PUT", NOTE);
    stage.ends(1);
    stage.ends(2);
    let view = stage.until(|view| view.notes[0].content.contains("再構築 → 完了")).await;
    insta::assert_snapshot!(view.notes[0].content.replace(stage.incident.as_str(), "Q1"));
    assert_eq!(view.notes.len(), 1, "one note, whatever happens to answers");
    assert!(stage.end().await, "the title is settled");
    let edits = stage.pagerduty.request_count("PUT", NOTE);
    assert!((3..=6).contains(&edits), "{edits}: nothing is written where nothing is new");
    assert_eq!(stage.pagerduty.request_count("GET", "/incidents/{id}/notes"), 1, "found once");
}

#[tokio::test]
async fn who_takes_over_finds_the_note_and_one_that_is_gone_is_not_made_anew() {
    let mut stage = Stage::start(true).await;
    // The owner before had told the start; somebody quotes it.
    let marker = format!("[ams:{}/1:start]", stage.incident);
    let quoted = format!("> {marker}\nwhat does this mean?");
    stage.client.add_note(&stage.incident, &quoted, "mean?").await.unwrap();
    let first = format!("AMS 対応中\n{marker}");
    stage.client.add_note(&stage.incident, &first, &marker).await.unwrap();
    stage.ends(0);
    let view = stage.until(|view| view.notes[1].content.contains("応答 → 正常")).await;
    assert_eq!(view.notes[0].content, quoted, "theirs stays");
    // Gone while the next edit is on its way.
    let url = format!(
        "{}/incidents/{}/notes/{}",
        stage.pagerduty.url(),
        stage.incident,
        view.notes[1].id
    );
    let token = StandInSettings::default().token;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let deleted = http.delete(url).header("Authorization", format!("Token token={token}"));
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    let before = stage.pagerduty.request_count("PUT", NOTE);
    stage.ends(1);
    let asked =
        |state: &ams::sandbox::pagerduty::State| state.requests().count("PUT", NOTE) == before + 1;
    assert!(stage.pagerduty.wait_for(Duration::from_secs(20), asked).await);
    stage.ends(2);
    assert!(stage.end().await, "the title is settled");
    assert_eq!(stage.view().notes.len(), 1, "no other note is made for it");
}
