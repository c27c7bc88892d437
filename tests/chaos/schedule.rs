//! What will happen and when: made from the seed alone, before anything starts.

use std::fmt;
use std::time::Duration;

use ams::incident::Urgency;

use crate::dice::Dice;
use crate::kinds::{KINDS, Kind};
use crate::options::{Options, Store};

/// All of a run.
pub(crate) struct Schedule {
    pub(crate) incidents: Vec<Planned>,
    pub(crate) troubles: Vec<Trouble>,
    /// From the first incident to the last trouble's end.
    pub(crate) lasts: Duration,
}

/// An incident to come.
pub(crate) struct Planned {
    pub(crate) at: Duration,
    pub(crate) kind: &'static Kind,
    pub(crate) title: String,
    pub(crate) urgency: Urgency,
    /// What is done to it, and how long after it began.
    pub(crate) touched: Option<(Duration, Touch)>,
}

/// What people, or the monitoring, do to an incident meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touch {
    Acknowledge,
    Reassign,
    Stop,
    Resolve,
    Merge,
    Clear,
    /// Opened again after it was resolved.
    Reopen,
}

/// Something that goes wrong for a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) at: Duration,
    pub(crate) lasts: Duration,
    pub(crate) what: What,
}

/// Regions are numbers: 0 tokyo, 1 osaka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// `kill -9`, then a restart.
    Kill(usize),
    /// `kill -9` of the region and of every command it runs, as when a machine loses power.
    PowerCut(usize),
    /// `SIGSTOP` for longer than the lease, then `SIGCONT`.
    Stop(usize),
    /// SIGTERM, then a restart.
    Terminate(usize),
    /// No way to the store for these regions.
    CutStore([bool; 2]),
    /// Writes take effect, and their answers get lost.
    LoseStoreAnswers(usize),
    /// Throttling, conflicts between replicas, errors before and after the effect.
    StoreErrors(usize),
    SlowStore(usize),
    /// Another process holds the claim file.
    LockClaims,
    /// Another process holds the history file.
    LockHistory,
    /// No way to PagerDuty: connections are refused, or nothing is ever answered.
    CutPagerDuty {
        region: usize,
        silent: bool,
    },
    RateLimit,
    PagerDutyErrors,
    SlowPagerDuty,
    /// Requests take effect, and their answers get lost.
    LosePagerDutyAnswers(usize),
    /// No webhook arrives anywhere.
    HoldWebhooks,
}

impl What {
    /// The region whose process it concerns.
    pub(crate) const fn region(self) -> Option<usize> {
        match self {
            Self::Kill(region)
            | Self::PowerCut(region)
            | Self::Stop(region)
            | Self::Terminate(region) => Some(region),
            _ => None,
        }
    }

    /// For counting: without the region.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill -9",
            Self::PowerCut(_) => "kill -9 with all its commands",
            Self::Stop(_) => "SIGSTOP beyond the lease",
            Self::Terminate(_) => "SIGTERM",
            Self::CutStore([true, true]) => "store cut off from both regions",
            Self::CutStore(_) => "store cut off from one region",
            Self::LoseStoreAnswers(_) => "store loses answers",
            Self::StoreErrors(_) => "store throttles and fails",
            Self::SlowStore(_) => "store is slow",
            Self::LockClaims => "claim file locked",
            Self::LockHistory => "history file locked",
            Self::CutPagerDuty { silent: false, .. } => "PagerDuty refuses connections",
            Self::CutPagerDuty { silent: true, .. } => "PagerDuty never answers",
            Self::RateLimit => "PagerDuty answers 429",
            Self::PagerDutyErrors => "PagerDuty answers 500",
            Self::SlowPagerDuty => "PagerDuty is slow",
            Self::LosePagerDutyAnswers(_) => "PagerDuty's answers get lost",
            Self::HoldWebhooks => "webhooks held back",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Kill(region)
            | Self::PowerCut(region)
            | Self::Stop(region)
            | Self::Terminate(region)
            | Self::LoseStoreAnswers(region)
            | Self::StoreErrors(region)
            | Self::SlowStore(region)
            | Self::CutPagerDuty { region, .. }
            | Self::LosePagerDutyAnswers(region) => write!(f, " ({})", REGIONS[*region]),
            Self::CutStore([true, false]) => write!(f, " ({})", REGIONS[0]),
            Self::CutStore([false, true]) => write!(f, " ({})", REGIONS[1]),
            _ => Ok(()),
        }
    }
}

pub(crate) const REGIONS: [&str; 2] = ["tokyo", "osaka"];

/// Trouble goes on this long after the last incident, so that it gets its share.
const AFTERWARDS: Duration = Duration::from_secs(8);

/// A lane of troubles that do not overlap: its cards are dealt again and again, so that a short run
/// meets each kind before any comes twice.
struct Lane {
    name: &'static str,
    cards: Vec<What>,
    /// Milliseconds of peace before each.
    gap: (u64, u64),
    lasts: (u64, u64),
}

impl Schedule {
    pub(crate) fn of(options: &Options) -> Self {
        let incidents = incidents(options);
        let last = incidents.last().map_or(Duration::ZERO, |incident| incident.at);
        let until = last + AFTERWARDS;
        let mut troubles = Vec::new();
        for lane in lanes(options.store) {
            lane.deal(options.seed, until, &mut troubles);
        }
        troubles.sort_by_key(|trouble| trouble.at);
        let ends = troubles.iter().map(|trouble| trouble.at + trouble.lasts);
        let lasts = ends.max().unwrap_or(until).max(until);
        Self { incidents, troubles, lasts }
    }

    /// A line each, as they come.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seconds = |at: Duration| format!("{:>8.2} s", at.as_secs_f64());
        let mut lines: Vec<(Duration, String)> = Vec::new();
        for incident in &self.incidents {
            let touched = incident.touched.map_or_else(String::new, |(after, touch)| {
                format!(", {touch:?} after {:.1} s", after.as_secs_f64())
            });
            lines.push((incident.at, format!("incident: {}{touched}", incident.title)));
        }
        for trouble in &self.troubles {
            let lasts = trouble.lasts.as_secs_f64();
            lines.push((trouble.at, format!("trouble:  {} for {lasts:.1} s", trouble.what)));
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, line)| format!("{}  {line}", seconds(at))).collect()
    }
}

fn incidents(options: &Options) -> Vec<Planned> {
    let mut at = Duration::ZERO;
    let mut deck: Vec<&'static Kind> = Vec::new();
    let mut kinds = Dice::of(options.seed, "kinds");
    let mean = 1_000.0 / options.rate;
    (1..=options.incidents)
        .map(|number| {
            if deck.is_empty() {
                deck = KINDS.iter().collect();
                kinds.shuffle(&mut deck);
            }
            let mut dice = Dice::of(options.seed, &format!("incident {number}"));
            let share = f64::from(u32::try_from(dice.below(2_000)).unwrap_or(0)) / 1_000.0;
            at += Duration::from_secs_f64(mean * share / 1_000.0);
            let kind = deck.pop().unwrap_or(&KINDS[0]);
            let urgency = if dice.one_in(8) { Urgency::Low } else { Urgency::High };
            let host = dice.below(40) + 1;
            Planned {
                at,
                kind,
                title: format!("chaos {} host=db{host:02} c{number:05}", kind.name),
                urgency,
                touched: dice.one_in(5).then(|| touch(&mut dice)),
            }
        })
        .collect()
}

fn touch(dice: &mut Dice) -> (Duration, Touch) {
    use Touch::{Acknowledge, Clear, Merge, Reassign, Reopen, Resolve, Stop};
    let touch = *dice.pick(&[
        Acknowledge,
        Acknowledge,
        Acknowledge,
        Reassign,
        Stop,
        Resolve,
        Merge,
        Clear,
        Reopen,
        Reopen,
    ]);
    (dice.millis(100, 6_000), touch)
}

fn lanes(store: Store) -> Vec<Lane> {
    let processes = |region: usize, name| Lane {
        name,
        cards: vec![
            What::Kill(region),
            What::PowerCut(region),
            What::Stop(region),
            What::Stop(region),
            What::Terminate(region),
        ],
        gap: (1_500, 6_000),
        lasts: (2_300, 4_500),
    };
    let pagerduty = |region: usize| {
        [
            What::CutPagerDuty { region, silent: false },
            What::CutPagerDuty { region, silent: true },
            What::LosePagerDutyAnswers(region),
        ]
    };
    let general = [What::RateLimit, What::PagerDutyErrors, What::SlowPagerDuty];
    vec![
        processes(0, "tokyo"),
        processes(1, "osaka"),
        Lane {
            name: "pagerduty",
            cards: pagerduty(0).into_iter().chain(pagerduty(1)).chain(general).collect(),
            gap: (1_000, 5_000),
            lasts: (1_000, 4_000),
        },
        Lane {
            name: "webhooks",
            cards: vec![What::HoldWebhooks],
            gap: (6_000, 15_000),
            lasts: (1_000, 7_000),
        },
        Lane { name: "store", cards: store_cards(store), gap: (1_500, 6_000), lasts: (800, 4_500) },
    ]
}

fn store_cards(store: Store) -> Vec<What> {
    match store {
        Store::Sqlite => vec![What::LockClaims, What::LockClaims, What::LockHistory],
        Store::Dynamodb => vec![
            What::CutStore([true, false]),
            What::CutStore([false, true]),
            What::CutStore([true, true]),
            What::LoseStoreAnswers(0),
            What::LoseStoreAnswers(1),
            What::StoreErrors(0),
            What::StoreErrors(1),
            What::SlowStore(0),
            What::SlowStore(1),
        ],
    }
}

impl Lane {
    fn deal(&self, seed: u64, until: Duration, troubles: &mut Vec<Trouble>) {
        let mut dice = Dice::of(seed, self.name);
        let mut deck = Vec::new();
        let mut at = Duration::ZERO;
        loop {
            if deck.is_empty() {
                deck.clone_from(&self.cards);
                dice.shuffle(&mut deck);
            }
            at += dice.millis(self.gap.0, self.gap.1);
            let lasts = dice.millis(self.lasts.0, self.lasts.1);
            if at >= until {
                return;
            }
            troubles.extend(deck.pop().map(|what| Trouble { at, lasts, what }));
            at += lasts;
        }
    }
}
