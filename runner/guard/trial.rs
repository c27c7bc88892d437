//! For tests: one record, a clock, and answers in a line.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::judge::judge;
use super::record::{Ended, Record};
use super::rules::Rules;
use super::{Answer, Ask, Said, Scope, Target};
use crate::incident::{IncidentId, RunId};

pub(super) const fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

pub(super) struct Trial {
    pub(super) record: Record,
    pub(super) now: Timestamp,
    rules: Rules,
}

impl Trial {
    /// It is noon.
    pub(super) fn under(rules: Rules) -> Self {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        Self { record: Record::default(), now, rules }
    }

    pub(super) fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += SignedDuration::try_from(time).unwrap();
        self
    }

    /// The first run of an incident asks for `restart-web` on a host.
    pub(super) fn ask(&mut self, incident: &str, host: &str) -> String {
        let ask = self.asked(incident, "restart-web", &[host]);
        self.put(&ask)
    }

    /// `web01` is in the group `web`, and so on.
    pub(super) fn asked(&self, incident: &str, scenario: &str, hosts: &[&str]) -> Ask {
        let target = |host: &&str| Target {
            name: (*host).to_owned(),
            groups: vec![host.trim_end_matches(|it: char| it.is_ascii_digit()).to_owned()],
        };
        Ask {
            run: run(incident),
            customer: Some("example-shop".to_owned()),
            scenario: scenario.to_owned(),
            targets: hosts.iter().map(target).collect(),
            rules: self.rules.clone(),
            over: Vec::new(),
        }
    }

    /// As the ledger does it: what is written is read back.
    pub(super) fn put(&mut self, ask: &Ask) -> String {
        let (answer, record) = judge(ask, &self.record, self.now);
        if let Some(record) = record {
            self.record = Record::parse(Some(&record.text().unwrap())).unwrap();
        }
        told(&answer)
    }

    pub(super) fn ended(&mut self, incident: &str, ended: Ended) -> &mut Self {
        self.record.settle(&run(incident), ended);
        self
    }
}

pub(super) fn run(incident: &str) -> RunId {
    RunId { incident: IncidentId::parse(incident).unwrap(), number: 1 }
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Granted(all) => {
            let all: Vec<String> = all.iter().map(line).collect();
            format!("yes: {}", all.join(", ")).trim_end_matches(": ").to_owned()
        }
        Answer::Refused(said) => format!("no: {}", line(said)),
        Answer::Busy { said, holders } => {
            let holders: Vec<String> = holders.iter().map(ToString::to_string).collect();
            format!("busy: {}, held by {}", line(said), holders.join(" "))
        }
    }
}

fn line(said: &Said) -> String {
    let scope = match &said.scope {
        Scope::Target(name) => name.clone(),
        Scope::ScenarioOnTarget(name) => format!("scenario on {name}"),
        Scope::Scenario => "scenario".to_owned(),
        Scope::Group(name) => format!("group {name}"),
        Scope::Customer => "customer".to_owned(),
    };
    let until = said.until.map(|until| format!(" until {}", until.strftime("%H:%M")));
    let first = said.run.as_ref().map(|run| format!(" ({run})")).unwrap_or_default();
    let (word, count, limit) = (said.guard.word(), said.count, said.limit);
    format!("{word} {count}/{limit} {scope}{}{first}", until.unwrap_or_default())
}
