//! Past incidents against the scenarios of today: what they cover, and what is worth a scenario next.
//! Pure but for `fetch.rs`, which asks `PagerDuty`, and `file.rs`.

pub mod fetch;
pub mod file;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::incident::{Incident, Status};
use crate::matching::{Choice, Index, form};
use crate::report::{PastIncident, title};
use crate::rules::RuleSet;
use crate::scenario::model::Mode;

/// Services that are named of a kind of title.
const SERVICES: usize = 3;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Backtest {
    pub incidents: usize,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub scenarios: usize,
    /// One scenario is meant, and this is what it may do.
    pub auto: usize,
    pub approve: usize,
    pub shadow: usize,
    /// Several are meant equally: people get it.
    pub ambiguous: usize,
    pub uncovered: usize,
    pub by_scenario: Vec<Covered>,
    pub by_tie: Vec<Tie>,
    /// The largest first.
    pub kinds: Vec<Kind>,
    /// Scenarios that none of the incidents is for.
    pub idle: Vec<String>,
    /// What people would have been spared at most: that a scenario is meant does not say that it helps.
    pub minutes_at_most: u64,
}

impl Backtest {
    pub const fn covered(&self) -> usize {
        self.auto + self.approve + self.shadow
    }
}

/// What one scenario is meant for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Covered {
    pub scenario: String,
    pub incidents: usize,
    pub open: Open,
}

/// Scenarios that are meant equally.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tie {
    pub scenarios: Vec<String>,
    pub incidents: usize,
    pub example: String,
}

/// Titles of one form that no scenario is meant for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kind {
    /// The title with hosts, numbers, addresses and quoted parts taken out.
    pub form: String,
    pub incidents: usize,
    /// Of all incidents, those that would be covered if this kind and all before it were.
    pub covered_then: f64,
    pub open: Open,
    pub example: String,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The services most of them come from.
    pub services: Vec<Service>,
    /// Scenarios that one thing keeps from matching, of the largest kinds.
    pub close: Vec<String>,
}

/// A service of `PagerDuty`, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    pub name: String,
    pub incidents: usize,
}

/// How incidents ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Open {
    pub resolved: usize,
    /// Of these, by people; the others by monitoring.
    pub by_people: usize,
    /// From the beginning until it was resolved, by nearest rank.
    pub p50_seconds: Option<i64>,
    pub p90_seconds: Option<i64>,
}

/// One group while it is counted.
struct Group<'a> {
    incidents: usize,
    by_people: usize,
    seconds: Vec<i64>,
    example: &'a str,
    first: Timestamp,
    last: Timestamp,
    services: BTreeMap<&'a str, usize>,
}

impl<'a> Group<'a> {
    fn of(past: &'a PastIncident) -> Self {
        Self {
            incidents: 0,
            by_people: 0,
            seconds: Vec::new(),
            example: title::original(&past.title),
            first: past.created_at,
            last: past.created_at,
            services: BTreeMap::new(),
        }
    }

    fn add(&mut self, past: &'a PastIncident) {
        self.incidents += 1;
        self.first = self.first.min(past.created_at);
        self.last = self.last.max(past.created_at);
        if let Some(at) = past.resolved_at {
            self.by_people += usize::from(past.by_person);
            self.seconds.push(at.duration_since(past.created_at).as_secs().max(0));
        }
        if let Some(service) = &past.service {
            *self.services.entry(&service.name).or_default() += 1;
        }
    }

    fn open(&mut self) -> Open {
        let seconds = &mut self.seconds;
        seconds.sort_unstable();
        let rank = |percent: usize| {
            let place = (seconds.len() * percent).div_ceil(100).max(1) - 1;
            seconds.get(place).copied()
        };
        Open {
            resolved: seconds.len(),
            by_people: self.by_people,
            p50_seconds: rank(50),
            p90_seconds: rank(90),
        }
    }

    fn most_services(&self) -> Vec<Service> {
        let each = self.services.iter();
        let mut all: Vec<Service> = each
            .map(|(name, incidents)| Service { name: (*name).to_owned(), incidents: *incidents })
            .collect();
        all.sort_by_key(|service| Reverse(service.incidents));
        all.truncate(SERVICES);
        all
    }
}

/// Kinds whose nearest scenarios are looked for: that looks at every scenario.
const LOOKED_CLOSER: usize = 100;
const CLOSE: usize = 3;

impl Backtest {
    /// As the rules in force would choose today, filters by customer, service and urgency included.
    pub fn of(past: &[PastIncident], rules: &RuleSet, by_hand: Duration) -> Self {
        let mut told = Self {
            incidents: past.len(),
            first: past.iter().map(|it| it.created_at).min(),
            last: past.iter().map(|it| it.created_at).max(),
            scenarios: rules.catalog.scenarios.len(),
            ..Self::default()
        };
        let mut scenarios: HashMap<String, Group<'_>> = HashMap::new();
        let mut ties: HashMap<Vec<String>, Group<'_>> = HashMap::new();
        let mut kinds: HashMap<String, Group<'_>> = HashMap::new();
        let mut spared = Duration::ZERO;
        for one in past {
            let (incident, original) = (as_incident(one), title::original(&one.title));
            let customer = rules.customer_of(&incident, original);
            let group = match rules.choose(original, &incident, customer.as_deref()) {
                Choice::Scenario { meant, .. } => {
                    let scenario = &meant.scenario;
                    let own = scenario.mode;
                    match customer.as_ref().map_or(own, |it| it.mode(&scenario.id, own)) {
                        Mode::Auto => told.auto += 1,
                        Mode::Approve => told.approve += 1,
                        Mode::Shadow | Mode::Off => told.shadow += 1,
                    }
                    spared += scenario.by_hand.unwrap_or(by_hand);
                    scenarios.entry(scenario.id.clone()).or_insert_with(|| Group::of(one))
                }
                Choice::Ambiguous { several, .. } => {
                    told.ambiguous += 1;
                    let ids = several.iter().map(|meant| meant.scenario.id.clone()).collect();
                    ties.entry(ids).or_insert_with(|| Group::of(one))
                }
                Choice::None { .. } => {
                    told.uncovered += 1;
                    kinds.entry(form(original)).or_insert_with(|| Group::of(one))
                }
            };
            group.add(one);
        }
        told.minutes_at_most = spared.as_secs() / 60;
        let ids = rules.catalog.scenarios.iter().map(|scenario| &scenario.id);
        told.idle = ids.filter(|id| !scenarios.contains_key(*id)).cloned().collect();
        told.by_scenario = covered(scenarios);
        told.by_tie = tied(ties);
        told.kinds = told.kinds_of(kinds);
        told.look_closer(rules);
        told
    }

    fn kinds_of(&self, groups: HashMap<String, Group<'_>>) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = groups
            .into_iter()
            .map(|(form, mut group)| Kind {
                form,
                incidents: group.incidents,
                covered_then: 0.0,
                open: group.open(),
                example: group.example.to_owned(),
                first: group.first,
                last: group.last,
                services: group.most_services(),
                close: Vec::new(),
            })
            .collect();
        kinds.sort_by(|one, other| {
            (Reverse(one.incidents), &one.form).cmp(&(Reverse(other.incidents), &other.form))
        });
        let mut covered = self.covered();
        for kind in &mut kinds {
            covered += kind.incidents;
            // As the shares beside it are rounded.
            let all = self.incidents.max(1);
            let parts = (covered * 10_000 + all / 2) / all;
            kind.covered_then = f64::from(u32::try_from(parts).unwrap_or(10_000)) / 10_000.0;
        }
        kinds
    }

    fn look_closer(&mut self, rules: &RuleSet) {
        let index = Index::of(&rules.catalog.scenarios);
        for kind in self.kinds.iter_mut().take(LOOKED_CLOSER) {
            let close = index.close(&kind.example, CLOSE);
            kind.close = close.iter().map(|close| close.scenario.id.clone()).collect();
        }
    }
}

fn covered(groups: HashMap<String, Group<'_>>) -> Vec<Covered> {
    let each = groups.into_iter().map(|(scenario, mut group)| Covered {
        scenario,
        incidents: group.incidents,
        open: group.open(),
    });
    let mut all: Vec<Covered> = each.collect();
    all.sort_by(|one, other| {
        (Reverse(one.incidents), &one.scenario).cmp(&(Reverse(other.incidents), &other.scenario))
    });
    all
}

fn tied(groups: HashMap<Vec<String>, Group<'_>>) -> Vec<Tie> {
    let each = groups.into_iter().map(|(scenarios, group)| Tie {
        scenarios,
        incidents: group.incidents,
        example: group.example.to_owned(),
    });
    let mut all: Vec<Tie> = each.collect();
    all.sort_by(|one, other| {
        (Reverse(one.incidents), &one.scenarios).cmp(&(Reverse(other.incidents), &other.scenarios))
    });
    all
}

/// As it was when it came.
fn as_incident(past: &PastIncident) -> Incident {
    Incident {
        id: past.id.clone(),
        title: past.title.clone(),
        status: Status::Triggered,
        urgency: past.urgency,
        number: None,
        created_at: Some(past.created_at),
        status_by: None,
        reopened_at: None,
        service: past.service.clone(),
        escalation_policy: None,
        acknowledged_by: Vec::new(),
        assignees: Vec::new(),
        html_url: None,
        seen_at: past.created_at,
    }
}
