//! The same race with real processes: this test binary starts itself twice.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ams::claim::protocol::Opening;
use ams::claim::sqlite::SqliteClaims;
use ams::claim::{ClaimAnswer, ClaimStore as _, Claims, Which};
use ams::clock::SystemClock;
use ams::incident::Owner;

use super::{StoreFile, incident, try_claim};

const INCIDENTS: usize = 100;

/// Where the racing process finds the file, and under which name it races.
const FILE: &str = "AMS_TEST_CLAIMS";
const NAME: &str = "AMS_TEST_RUNNER";

#[tokio::test]
async fn of_two_real_processes_each_incident_has_exactly_one() {
    let file = StoreFile::new();
    let racers = ["tokyo-1", "osaka-1"].map(|name| start_racer(&file.path(), name));
    let mut wins = Vec::new();
    for racer in racers {
        let output = racer.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        wins.extend(text.lines().filter_map(|line| Some(line.split_once("won ")?.1.to_owned())));
    }
    wins.sort();
    let expected: Vec<String> = (0..INCIDENTS).map(|number| format!("P{number:04}")).collect();
    assert_eq!(wins, expected);
    assert_eq!(file.open().open_runs(&Which::All).await.unwrap().len(), INCIDENTS);
}

fn start_racer(file: &Path, name: &str) -> Child {
    let story = "claim_store::two_processes::one_of_two_processes";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", story, "--ignored", "--nocapture"])
        .env(FILE, file)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "one half of the story above, which starts it"]
#[expect(clippy::disallowed_methods, reason = "told by the process that started this one")]
async fn one_of_two_processes() {
    let (Ok(file), Ok(name)) = (std::env::var(FILE), std::env::var(NAME)) else { return };
    let store = SqliteClaims::open(Path::new(&file), Arc::new(SystemClock)).unwrap();
    let runner = Claims::new(Arc::new(store), Owner::new(name), Arc::new(SystemClock));
    for number in 0..INCIDENTS {
        let id = incident(&format!("P{number:04}"));
        if let ClaimAnswer::Won(_) = try_claim(&runner, &id, Opening::Triggered).await {
            println!("won {id}");
        }
    }
}
