//! All that is known when a game day is over.

use ams::claim::protocol::RunItem;
use ams::incident::IncidentId;
use ams::sandbox::pagerduty::DeliveryStats;
use jiff::Timestamp;

use super::front::Answer;
use super::watch::Seen;
use crate::evidence::{Case, Doubts};
use crate::schedule::REGIONS;

/// When the parts of the day began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pub(crate) began: Timestamp,
    pub(crate) cut: Timestamp,
    pub(crate) shut: Timestamp,
    pub(crate) back: Timestamp,
    /// The last incident.
    pub(crate) fired: Timestamp,
    pub(crate) over: Timestamp,
}

/// A run that went from one owner to the next.
#[derive(Clone, Debug)]
pub(crate) struct TakeOver {
    pub(crate) at: Timestamp,
    pub(crate) incident: IncidentId,
    /// The owner before.
    pub(crate) from: String,
    /// The process.
    pub(crate) by: String,
}

#[derive(Clone)]
pub(crate) struct Facts<'a> {
    pub(crate) moments: Moments,
    pub(crate) loses_power: bool,
    /// Incidents there should be.
    pub(crate) fired: usize,
    /// Incidents that PagerDuty has.
    pub(crate) known: usize,
    pub(crate) cases: Vec<Case<'a>>,
    pub(crate) take_overs: Vec<TakeOver>,
    /// By region.
    pub(crate) answers: [Vec<Answer>; 2],
    pub(crate) deliveries: [DeliveryStats; 2],
    /// Webhooks that still waited at the end.
    pub(crate) undelivered: usize,
    pub(crate) seen: Seen,
    /// What came of recoveries that were under way at a take-over.
    pub(crate) doubts: Doubts,
    /// What the observer found to go backwards.
    pub(crate) backwards: Vec<(IncidentId, String)>,
    /// Processes that ended by themselves, or not when told.
    pub(crate) misbehaved: Vec<String>,
}

pub(crate) fn is_of(owner: &str, region: usize) -> bool {
    owner.strip_prefix(REGIONS[region]).is_some_and(|rest| rest.starts_with('-'))
}

impl Facts<'_> {
    /// Who claimed the incident, before any take-over.
    pub(crate) fn claimed_by<'a>(&'a self, item: &'a RunItem) -> &'a str {
        let incident = &item.run.incident;
        let first = self.take_overs.iter().find(|it| it.incident == *incident);
        first.map_or(item.owner.as_str(), |it| it.from.as_str())
    }

    /// The first run of each incident, with when the incident began.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (Timestamp, &RunItem)> {
        let firsts = self.cases.iter().map(|case| (case.view.created_at, case.runs.get(&1)));
        firsts.filter_map(|(began, item)| Some((began, item?)))
    }

    /// The first claim of a region from then on.
    pub(crate) fn first_claim(&self, region: usize, from: Timestamp) -> Option<Timestamp> {
        let claims = self.claims().filter(|(_, item)| is_of(self.claimed_by(item), region));
        claims.map(|(_, item)| item.opened_at).filter(|at| *at >= from).min()
    }

    /// When the process turns ready, or not ready, for the first time from then on.
    pub(crate) fn turns(&self, process: &str, ready: bool, from: Timestamp) -> Option<Timestamp> {
        let turns =
            self.seen.ready.iter().filter(|(_, name, now)| name == process && *now == ready);
        turns.map(|(at, _, _)| *at).find(|at| *at >= from)
    }
}

/// `… run Q…/1 is taken over from tokyo-…`, wherever a process logged it.
pub(crate) fn take_overs(logs: &[(String, String)]) -> Vec<TakeOver> {
    let lines = logs.iter().flat_map(|(process, log)| log.lines().map(move |line| (process, line)));
    let mut all: Vec<TakeOver> = lines
        .filter_map(|(process, line)| {
            let (before, after) = line.split_once(" is taken over from ")?;
            let run = before.rsplit("run ").next()?;
            Some(TakeOver {
                at: before.split_whitespace().next()?.parse().ok()?,
                incident: IncidentId::parse(run.split_once('/')?.0)?,
                from: after.split_whitespace().next()?.to_owned(),
                by: process.clone(),
            })
        })
        .collect();
    all.sort_by_key(|it| it.at);
    all
}
