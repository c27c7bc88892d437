//! `ams report` over records of known times: what an analyst reads, to the letter.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Instant;

use ams::claim::protocol::StandDownReason;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::SystemClock;
use ams::history::History as _;
use ams::history::figure::Figure;
use ams::history::sqlite::SqliteHistory;
use ams::history::story::Known;
use ams::incident::{IncidentId, Outcome, RunId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A store without any run, and a configuration that names it.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        SqliteClaims::open(&folder.path().join("claims.db"), Arc::new(SystemClock)).unwrap();
        let settings =
            "time_zone: Asia/Tokyo\nstore: {sqlite: claims.db}\nreport: {by_hand: 12m}\n";
        std::fs::write(folder.path().join("ams.yaml"), settings).unwrap();
        Self { folder }
    }

    fn history(&self) -> SqliteHistory {
        SqliteHistory::open(&self.history_file(), Arc::new(SystemClock)).unwrap()
    }

    fn history_file(&self) -> PathBuf {
        self.folder.path().join("claims.history.db")
    }

    async fn keep(&self, figures: &[Figure]) {
        let history = self.history();
        for figure in figures {
            let (shelf, name) = (Figure::shelf(figure.claimed_at), figure.name());
            history.put_page(&shelf, &name, figure.to_text().unwrap(), None).await.unwrap();
        }
    }

    /// Without any secret in its environment.
    fn report(&self, words: &[&str]) -> Output {
        report(&self.folder.path().join("ams.yaml"), words)
    }

    fn json(&self, words: &[&str]) -> Value {
        let told = self.report(&[words, &["--format", "json"]].concat());
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_slice(&told.stdout).unwrap()
    }

    fn said(&self, words: &[&str]) -> String {
        let told = self.report(words);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap()
    }
}

fn report(config: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command.arg("report").args(words).arg("--config").arg(config);
    command.env_remove("AMS_PAGERDUTY_TOKEN").env_remove("AMS_WEBHOOK_SECRET");
    command.output().unwrap()
}

fn known(id: &str, name: &str) -> Known {
    Known { id: id.to_owned(), name: name.to_owned() }
}

/// A run of the example month: they come every six hours from the first of October on.
fn example(number: u32) -> Figure {
    let start: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    let came_at = start + SignedDuration::from_hours(6 * i64::from(number));
    let at = |millis: i64| came_at + SignedDuration::from_millis(millis);
    let outcome = match number % 10 {
        0..=3 => Outcome::Resolved,
        4 => Outcome::RecoveredItself,
        5 => Outcome::HandedOff,
        6 => Outcome::Escalated,
        7 => Outcome::StoodDown,
        _ => Outcome::Unmatched,
    };
    let took = 20_000 + 1_500 * i64::from(number);
    let run = RunId { incident: IncidentId::parse(&format!("Q{number:06}")).unwrap(), number: 1 };
    let is_matched = outcome != Outcome::Unmatched;
    let customers = [
        Some(known("shop", "サンプル商店")),
        Some(known("example-shipping", "Example Shipping and Logistics K.K.")),
        None,
    ];
    let scenarios = ["restart-web", "clean-disk"];
    let told = !matches!(outcome, Outcome::StoodDown | Outcome::Unmatched);
    let by_monitoring = StandDownReason::ResolvedByMonitoring;
    Figure {
        customer: customers[number as usize % 3].clone(),
        service: Some(known("PSVC01", "Web 監視")),
        scenario: is_matched.then(|| scenarios[number as usize % 2].to_owned()),
        stood_down: (outcome == Outcome::StoodDown).then_some(by_monitoring),
        came_at: Some(came_at),
        acted_at: is_matched.then(|| at(700)),
        told_at: told.then(|| at(took)),
        by_hand_seconds: number.is_multiple_of(2).then_some(25 * 60),
        ..Figure::of(&run, outcome, at(300), at(took + 400))
    }
}

const OCTOBER: [&str; 4] = ["--from", "2026-10", "--to", "2026-10"];

async fn october() -> Archive {
    let archive = Archive::new();
    archive.keep(&(0..60).map(example).collect::<Vec<_>>()).await;
    archive
}

#[tokio::test]
async fn the_table_that_an_analyst_reads() {
    let archive = october().await;
    let words = [&OCTOBER[..], &["--by", "week,customer,scenario", "--lang"]].concat();
    for lang in ["en", "ja"] {
        let table = archive.said(&[&words[..], &[lang]].concat());
        insta::assert_snapshot!(format!("table_{lang}"), table);
        assert!(!table.contains('\u{1b}'), "no colour");
    }
    let few =
        archive.said(&[&OCTOBER[..], &["--by", "customer", "--top", "1", "--lang", "en"]].concat());
    assert!(few.contains("2 more with 40 alerts"), "{few}");
}

#[tokio::test]
async fn csv_has_every_group_and_json_every_number() {
    let archive = october().await;
    let by = ["--by", "service,month", "--format", "csv"];
    insta::assert_snapshot!("csv", archive.said(&[&OCTOBER[..], &by].concat()));
    let told = archive.json(&[&OCTOBER[..], &["--by", "scenario", "--customer", "shop"]].concat());
    insta::assert_snapshot!("json", format!("{told:#}"));
}

/// Records of other versions, of no run, and names that mean to be more than names.
#[tokio::test]
async fn odd_records_are_told_and_hostile_names_are_names() {
    let archive = Archive::new();
    let hostile =
        Figure { service: Some(known("PX", "=HYPERLINK(\"http://x\")\u{1b}[2J")), ..example(0) };
    archive.keep(&[hostile]).await;
    let shelf = Figure::shelf(example(0).claimed_at);
    let newer = example(1).to_text().unwrap().replace("\"version\":1", "\"version\":7");
    for (name, text) in [("newer", newer.as_str()), ("damaged", "{")] {
        archive.history().put_page(&shelf, name, text.to_owned(), None).await.unwrap();
    }
    let told = archive.report(&[&OCTOBER[..], &["--format", "csv", "--by", "service"]].concat());
    let (said, why) =
        (String::from_utf8(told.stdout).unwrap(), String::from_utf8(told.stderr).unwrap());
    assert!(said.contains("\"'=HYPERLINK(\"\"http://x\"\")\u{fffd}[2J\""), "{said}");
    assert!(why.contains("2件は数えていません"), "{why}");
    assert_eq!(archive.json(&OCTOBER)["unreadable"], 2);
}

#[tokio::test]
async fn what_cannot_be_told_is_said() {
    let archive = Archive::new();
    let none = archive.report(&["--lang", "en"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8(none.stderr).unwrap().contains("no run began from"));
    for (words, why) in [
        (["--from", "2026-11-02", "--to", "2026-11-01"], "--from comes first"),
        (["--from", "2024-01", "--to", "2026-01"], "more than 400 days"),
        (["--from", "last week", "--to", "2026-01"], "write for example 2026-10-01"),
    ] {
        let refused = archive.report(&words);
        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(why), "{said}");
    }
    let nowhere = archive.folder.path().join("nowhere.yaml");
    std::fs::write(&nowhere, "store: {sqlite: gone/claims.db}\nreport: {by_hand: 15}\n").unwrap();
    let said = String::from_utf8(report(&nowhere, &[]).stderr).unwrap();
    assert!(said.contains("'report.by_hand'") && said.contains("no length of time"), "{said}");
    // Nobody is kept from pausing AMS by it.
    let mut pause = Command::new(env!("CARGO_BIN_EXE_ams"));
    let pause = pause.args(["pause", "--list", "--config"]).arg(&nowhere).output().unwrap();
    let said = String::from_utf8(pause.stderr).unwrap();
    assert!(said.contains("there is no claim store") && !said.contains("by_hand"), "{said}");
    std::fs::write(&nowhere, "store: {sqlite: gone/claims.db}\n").unwrap();
    let said = String::from_utf8(report(&nowhere, &[]).stderr).unwrap();
    assert!(said.contains("there is no claim store at"), "{said}");
    assert!(!archive.folder.path().join("gone").exists(), "looking makes nothing");
}

/// `cargo nextest run --run-ignored only hundred_thousand --no-capture`, for docs/BENCHMARKS.md.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures the time of this machine")]
fn a_hundred_thousand_runs() {
    let archive = Archive::new();
    drop(archive.history());
    let mut connection = rusqlite::Connection::open(archive.history_file()).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut bytes = 0;
    for number in 0..100_000_u32 {
        // Three thousand a day and a little more, in one month.
        let example = example(number);
        let shift = SignedDuration::from_secs(i64::from(number) * (6 * 3_600 - 26));
        let earlier = |at: Timestamp| at - shift;
        let figure = Figure {
            came_at: example.came_at.map(earlier),
            claimed_at: earlier(example.claimed_at),
            acted_at: example.acted_at.map(earlier),
            told_at: example.told_at.map(earlier),
            ended_at: earlier(example.ended_at),
            customer: Some(known(&format!("c{}", number % 2_500), "お客様")),
            ..example
        };
        let text = figure.to_text().unwrap();
        bytes += text.len();
        let sql = "INSERT INTO page (shelf, name, page) VALUES (?1, ?2, ?3)";
        let row = (Figure::shelf(figure.claimed_at), figure.name(), text);
        transaction.prepare_cached(sql).unwrap().execute(row).unwrap();
    }
    transaction.commit().unwrap();
    println!("{} bytes each", bytes / 100_000);
    for format in ["table", "csv", "json"] {
        let began = Instant::now();
        let words = ["--by", "customer,service,scenario,week", "--format", format];
        let said = archive.said(&[&OCTOBER[..], &words].concat());
        println!("{format}: {} bytes in {:?}", said.len(), began.elapsed());
    }
    let told = archive.json(&OCTOBER);
    assert!(told["total"]["alerts"].as_u64().unwrap() > 99_000, "{}", told["total"]);
}
