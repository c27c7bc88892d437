//! `ams backtest`: past incidents out of PagerDuty and out of files, against scenarios of today.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use ams::backtest::fetch::{Asked, Position, fetch};
use ams::clock::{Clock as _, SetClock, SystemClock};
use ams::limits::PAGERDUTY_LIST_REACH;
use ams::report::PastIncident;
use ams::report::pagerduty::{PagerDuty, Settings as Client};
use ams::sandbox::pagerduty::{ENGINEER, NewIncident, Settings, StandIn};
use ams::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;

const RESTART: &str = "scenario: restart-web\nabout: 再起動\nby_hand: 30m\n\
    match: {all: [HTTP, down]}\nsteps:\n  - gather: {run: 'true'}\n";
const SHADOW: &str = "scenario: clean-disk\nabout: 掃除\nmode: shadow\n\
    match: {all: [disk], any: [full, '90%']}\nsteps:\n  - gather: {run: 'true'}\n";
const OTHER_S: &str = "scenario: for-others\nabout: 他社\n\
    match: {all: [latency], customers: [other]}\nsteps:\n  - gather: {run: 'true'}\n";
const CUSTOMER: &str = "customer: other\nname: 別のお客様\nbelongs: {title: {any: [other-]}}\n";

/// A stand-in whose clock the story sets, and a folder with rules.
struct Past {
    pagerduty: StandIn,
    clock: Arc<SetClock>,
    folder: tempfile::TempDir,
}

impl Past {
    async fn since(days: i64) -> Self {
        let clock = Arc::new(SetClock::at(ago(days)));
        let settings = Settings::default();
        let pagerduty = StandIn::start(settings, Arc::<SetClock>::clone(&clock)).await.unwrap();
        let folder = rules();
        let url = pagerduty.url();
        let settings = format!(
            "lang: en\ntime_zone: UTC\nscenarios: scenarios\ncustomers: customers\n\
             pagerduty: {{url: '{url}', token: 'file:token', from: ams-bot@sandbox.example, bot_user: PAMSBOT}}\n"
        );
        std::fs::write(folder.path().join("ams.yaml"), settings).unwrap();
        std::fs::write(folder.path().join("token"), "sandbox-token").unwrap();
        Self { pagerduty, clock, folder }
    }

    fn set(&self, at: Timestamp) {
        self.clock.advance(at.duration_since(self.clock.now()));
    }

    /// So many days ago, open for so many minutes; until now without any.
    fn had(&self, days: i64, title: &str, minutes: Option<(i64, bool)>) {
        let came_at = ago(days);
        self.set(came_at);
        let id = self.pagerduty.trigger(NewIncident::titled(title)).unwrap();
        let Some((minutes, by_person)) = minutes else { return };
        self.set(came_at + SignedDuration::from_mins(minutes));
        if by_person {
            self.pagerduty.resolve_as(ENGINEER, &id).unwrap();
        } else {
            self.pagerduty.monitoring_resolves(&id).unwrap();
        }
    }

    async fn backtest(&self, words: &[&str]) -> Output {
        let fast = ["--requests-per-minute", "900", "--config", "ams.yaml"];
        backtest(self.folder.path(), &[words, &fast].concat()).await
    }
}

fn ago(days: i64) -> Timestamp {
    SystemClock.now() - SignedDuration::from_hours(24 * days)
}

fn rules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("scenarios/restart-web.yaml", RESTART),
        ("scenarios/clean-disk.yaml", SHADOW),
        ("scenarios/for-others.yaml", OTHER_S),
        ("customers/other.yaml", CUSTOMER),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

async fn backtest(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command.arg("backtest").args(words).current_dir(folder).kill_on_drop(true);
    command.env_remove("AMS_PAGERDUTY_TOKEN").env_remove("AMS_WEBHOOK_SECRET");
    command.output().await.unwrap()
}

fn said(told: &Output) -> String {
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout.clone()).unwrap()
}

fn why(told: &Output) -> String {
    String::from_utf8(told.stderr.clone()).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Half a year: seven windows, and 150 incidents on one day, which are two pages.
#[tokio::test]
async fn half_a_year_out_of_pagerduty_and_again_out_of_the_file() {
    let past = Past::since(200).await;
    past.had(170, "before the time: CPU 99% on old1", None);
    for host in 0..150 {
        past.had(140, &format!("CPU 9{}% on web{host:02}", host % 10), Some((20, host % 3 == 0)));
    }
    past.had(95, "[AMS 復旧] HTTP is down on web01", Some((4, true)));
    past.had(61, "HTTP is down on web02 key=AKIAIOSFODNN7EXAMPLE", Some((6, true)));
    past.had(60, "disk /var is full on db01", Some((300, true)));
    past.had(32, "latency of other-api", None);
    past.had(31, "latency of own-api key=AKIAIOSFODNN7EXAMPLE", None);
    past.had(2, "backup is late", Some((90, true)));

    let words = ["--since", "150d", "--save", "past.jsonl", "--format", "json"];
    let told = parsed(&said(&past.backtest(&words).await));
    let counts = ["incidents", "auto", "shadow", "ambiguous", "uncovered", "minutes_at_most"];
    let counts = counts.map(|name| told[name].as_u64().unwrap());
    assert_eq!(counts, [156, 3, 1, 0, 152, 30 + 30 + 15 + 15], "{told:#}");
    assert_eq!(told["by_scenario"][0]["scenario"], "restart-web");
    assert_eq!(told["by_scenario"][0]["incidents"], 2);
    let kind = &told["kinds"][0];
    assert_eq!((&kind["form"], &kind["incidents"]), (&"CPU <n>% on <host>".into(), &150.into()));
    assert_eq!(
        (&kind["open"]["by_people"], &kind["open"]["p50_seconds"]),
        (&50.into(), &1_200.into())
    );
    assert_eq!(kind["covered_then"], 0.9872, "154 of 156");
    let close: Vec<&Value> =
        told["kinds"].as_array().unwrap().iter().map(|kind| &kind["close"]).collect();
    assert_eq!(close.len(), 3);
    assert!(!told.to_string().contains("AKIAIOSFODNN7EXAMPLE"), "{told:#}");
    let asked = past.pagerduty.recorded_requests();
    assert!(asked.len() >= 7, "windows of at most six months: {}", asked.len());

    // What was saved tells the same without PagerDuty, and holds no secret.
    let saved = std::fs::read_to_string(past.folder.path().join("past.jsonl")).unwrap();
    assert_eq!(saved.lines().count(), 156);
    assert!(!saved.contains("AKIAIOSFODNN7EXAMPLE"), "{saved}");
    let again = ["--file", "past.jsonl", "--format", "json"];
    let mut again = parsed(&said(&past.backtest(&again).await));
    // Titles were covered before they were saved.
    for kind in again["kinds"].as_array_mut().unwrap() {
        assert!(kind["incidents"].is_u64());
    }
    for name in ["incidents", "auto", "shadow", "uncovered", "by_scenario", "minutes_at_most"] {
        assert_eq!(again[name], told[name], "{name}");
    }
}

fn fixed() -> String {
    let entry = |number: usize, title: &str, minutes: i64| {
        let at: Timestamp = "2026-09-01T00:00:00Z".parse().unwrap();
        let at = at + SignedDuration::from_hours(8 * i64::try_from(number).unwrap());
        let ended = at + SignedDuration::from_mins(minutes);
        let by = if number.is_multiple_of(4) { "service_reference" } else { "user_reference" };
        json!({
            "id": format!("Q{number:05}"), "title": title, "urgency": "high",
            "created_at": at.to_string(), "status": "resolved",
            "last_status_change_at": ended.to_string(), "last_status_change_by": {"type": by},
            "service": {"id": "PSVC", "summary": "Web 監視"},
        })
    };
    let titles = [
        "HTTP is down on web01",
        "CPU 93% on web01",
        "CPU 97% on db-2.example.jp",
        "disk /var is full on db01",
        "【障害】web01のディスク「/var」",
        "HTTP is slow on web03",
    ];
    let all = (0..90).map(|number| {
        entry(number, titles[number % titles.len()], 5 + i64::try_from(number).unwrap())
    });
    json!({ "incidents": all.collect::<Vec<_>>() }).to_string()
}

#[tokio::test]
async fn what_people_read_and_what_spreadsheets_get() {
    let folder = rules();
    std::fs::write(folder.path().join("past.json"), fixed()).unwrap();
    let base = ["--file", "past.json", "--scenarios", "scenarios", "--customers", "customers"];
    for lang in ["en", "ja"] {
        let words = [&base[..], &["--lang", lang]].concat();
        insta::assert_snapshot!(
            format!("table_{lang}"),
            said(&backtest(folder.path(), &words).await)
        );
    }
    let words = [&base[..], &["--format", "csv"]].concat();
    insta::assert_snapshot!("csv", said(&backtest(folder.path(), &words).await));
    let words = [&base[..], &["--top", "1", "--lang", "en", "--since", "2026-09-10"]].concat();
    let few = said(&backtest(folder.path(), &words).await);
    assert!(few.contains("64 incidents from 2026-09-10"), "{few}");
    assert!(few.contains("2 more with"), "{few}");
}

#[tokio::test]
async fn files_of_any_shape_and_what_is_wrong_with_them() {
    let folder = rules();
    let one = r#"{"id": "Q1", "title": "HTTP is down", "created_at": "2026-09-01T00:00:00Z"}"#;
    let two = one.replace("Q1", "Q2");
    let no_time = r#"{"id": "Q3", "title": "x"}"#;
    let base = ["--scenarios", "scenarios", "--format", "json", "--file", "past.json"];
    for (text, incidents) in [
        (format!("[{one}, {two}]"), 2),
        (format!("\u{feff}{{\"incidents\": [{one}]}}\n{{\"incidents\": [{one}, {two}]}}"), 2),
        (format!("{one}\n{two}\n{no_time}\n"), 2),
        (format!("{{\"incident\": {one}}}"), 1),
    ] {
        std::fs::write(folder.path().join("past.json"), &text).unwrap();
        let told = backtest(folder.path(), &base).await;
        assert_eq!(parsed(&said(&told))["incidents"], incidents, "{text}");
        assert_eq!(why(&told).contains("1 entries without id"), text.contains("Q3"), "{text}");
    }
    for (text, reason) in [
        ("id,title\nQ1,x\n", "is no JSON of incidents"),
        ("[{\"id\": \"Q1\"", "EOF while parsing"),
        ("[]", "each needs id, title and created_at"),
    ] {
        std::fs::write(folder.path().join("past.json"), text).unwrap();
        let told = backtest(folder.path(), &base).await;
        assert_eq!(told.status.code(), Some(2));
        assert!(why(&told).contains(reason), "{}", why(&told));
    }
    let gone = backtest(folder.path(), &["--scenarios", "scenarios", "--file", "gone"]).await;
    assert!(why(&gone).contains("cannot read incidents from gone"), "{}", why(&gone));
    let nobody = backtest(folder.path(), &["--since", "2d"]).await;
    assert!(why(&nobody).contains("the configuration cannot be read"), "{}", why(&nobody));
}

#[tokio::test]
async fn an_account_that_refuses_or_has_nothing() {
    let past = Past::since(10).await;
    let none = past.backtest(&["--since", "5d"]).await;
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0));
    assert!(why(&none).contains("there was no incident in that time"), "{}", why(&none));
    std::fs::write(past.folder.path().join("token"), "wrong").unwrap();
    let refused = past.backtest(&["--since", "5d"]).await;
    assert_eq!(refused.status.code(), Some(2));
    let reason = why(&refused);
    assert!(reason.contains("401") && !reason.contains("wrong"), "{reason}");
    std::fs::remove_file(past.folder.path().join("token")).unwrap();
    let unknown = past.backtest(&["--since", "5d"]).await;
    assert!(why(&unknown).contains("'pagerduty.token' cannot be used"), "{}", why(&unknown));
}

fn client(pagerduty: &StandIn) -> PagerDuty {
    let token = Secret::from("sandbox-token");
    PagerDuty::new(Client::new(pagerduty.url(), token, "ams-bot@sandbox.example")).unwrap()
}

fn asked(days: i64, reach: usize) -> Asked {
    let (since, until) = (ago(days), SystemClock.now());
    let page_every = Duration::from_millis(1);
    Asked { since, until, services: Vec::new(), page_every, reach }
}

#[expect(clippy::unnecessary_wraps, reason = "as `fetch` wants it")]
fn unsaved(_: Position, _: &[PastIncident]) -> std::io::Result<()> {
    Ok(())
}

/// A storm: more incidents in a few hours than PagerDuty lists.
#[tokio::test]
async fn a_list_that_is_longer_than_pagerduty_tells_is_read_to_its_end() {
    const INCIDENTS: usize = PAGERDUTY_LIST_REACH + 450;
    let past = Past::since(20).await;
    for number in 0..INCIDENTS {
        past.set(ago(20) + SignedDuration::from_secs(i64::try_from(number).unwrap()));
        let title = format!("storm {number}");
        past.pagerduty.trigger(NewIncident::titled(&title)).unwrap();
    }
    let mut told = 0;
    let count = |_: Position, new: &[PastIncident]| {
        told += new.len();
        Ok(())
    };
    let fetched = fetch(&client(&past.pagerduty), &asked(21, PAGERDUTY_LIST_REACH), count).await;
    let fetched = fetched.unwrap();
    assert_eq!((fetched.incidents.len(), told), (INCIDENTS, INCIDENTS));
    assert!(fetched.incomplete.is_empty() && !fetched.is_cut);
    let most = INCIDENTS / 100 + 5;
    assert!(fetched.requests <= most, "{} requests", fetched.requests);
}

/// All in one second: nothing leads past the end of the list, and that is said.
#[tokio::test]
async fn what_cannot_be_listed_is_named() {
    let past = Past::since(20).await;
    for number in 0..450 {
        let title = format!("storm {number}");
        past.pagerduty.trigger(NewIncident::titled(&title)).unwrap();
    }
    let day = past.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    past.had(3, "after it", None);
    let fetched = fetch(&client(&past.pagerduty), &asked(21, 300), unsaved).await.unwrap();
    assert_eq!((fetched.incidents.len(), fetched.incomplete), (301, vec![day]));
}
