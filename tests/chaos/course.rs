//! From the start of two regions to the report on what came of everything.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ams::incident::IncidentId;
use ams::sandbox::cluster::RegionProcess;
use ams::sandbox::pagerduty::{NewIncident, StandIn};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::budget;
use crate::checks::CHECKS;
use crate::courier::Courier;
use crate::evidence::{Case, Doubts, Figures, endings};
use crate::ground::{Ground, Site, witness};
use crate::observer::Observer;
use crate::options::Options;
use crate::people;
use crate::report::{self, Held, Report, progress};
use crate::schedule::{Planned, REGIONS, Schedule, Touch};
use crate::trouble::{self, Done};
use crate::witness;

/// A short lease, so that a run of minutes has many take-overs in it.
/// Without limits: thousands of incidents in minutes would be a storm.
const SETTINGS: &str =
    "heartbeat: 200ms\nlease: 2s\nlease_margin: 500ms\nshutdown_grace: 1s\nlimits: {}\n";

/// Of PagerDuty's own answers to webhooks it has not got through with: never reached, the courier
/// takes all at once.
const RETRY_EVERY: Duration = Duration::from_millis(200);

/// When all troubles are over, every run must have ended within this: the scenarios' deadline and
/// what telling it may take.
const SETTLES_WITHIN: Duration = Duration::from_mins(4);

/// What late copies might start would have begun by then.
const AFTER_LATE_COPIES: Duration = Duration::from_secs(3);

/// Did everything hold? Prints the tables.
pub(crate) async fn run(options: &Options, schedule: &Schedule, folder: &Path) -> io::Result<bool> {
    let site = Site {
        ams: &options.place.ams,
        store: options.store,
        seed: options.seed,
        processes: &[(REGIONS[0], 0), (REGIONS[1], 1)],
        settings: SETTINGS,
        retry_every: RETRY_EVERY,
    };
    let mut ground = Ground::prepare(&site, folder).await?;
    let receivers = ground.cluster.regions.iter().map(RegionProcess::webhook_url).collect();
    let courier = Courier::start(options.seed, ground.pagerduty(), receivers).await?;
    ground.cluster.pagerduty.subscribe(&courier.url);
    let observer = Observer::of(ground.store.clone());
    let began = Instant::now();
    let fired = AtomicUsize::new(0);
    let looks_on = tokio::spawn({
        let observer = observer.clone();
        async move { observer.look_on().await }
    });
    let pagerduty = ground.pagerduty();
    let fires = fire(&pagerduty, &schedule.incidents, &observer, (began, &fired));
    let tells = tell(&observer, schedule.incidents.len(), (began, &fired));
    let troubles = trouble::make((&mut ground, &courier), &schedule.troubles, began);
    let both = async { tokio::join!(fires, troubles) };
    let (ids, done) = tokio::select! {
        both = both => both,
        never = tells => match never {},
    };
    let (ids, mut done, firing) = (ids?, done?, began.elapsed());
    progress(&format!("{:>6.0} s  the troubles are over", firing.as_secs_f64()));
    let is_delivered = || ground.cluster.pagerduty.undelivered() == 0 && courier.under_way() == 0;
    progress(&match settle(&observer, SETTLES_WITHIN, is_delivered).await {
        Ok(took) => format!("          all is over {:.1} s later", took.as_secs_f64()),
        Err(open) => format!("          {open} are still open"),
    });
    let late = late_copies((&ground, &courier), &observer, folder).await?;
    looks_on.abort();
    done.misbehaved.extend(panics(&ground));
    let delivered = courier.delivered();
    let cases = cases(&ground, &schedule.incidents, &ids, &observer)?;
    let held = hold(&cases, &observer, &done, (&late, delivered.refused));
    let report = Report {
        options,
        incidents: cases.len(),
        firing,
        took: began.elapsed(),
        done,
        delivered,
        late: late.copies,
        doubts: Doubts::of(&ground.logs()),
        figures: Figures::of(&cases),
        held,
    };
    tell_all(&report, &ground, &cases);
    let died = ground.cluster.stop().await;
    for region in &died {
        progress(&format!("violated: region {region} did not stop in good order"));
    }
    Ok(report.violations() == 0 && died.is_empty())
}

/// Fires every incident at its time, and lets people touch it. Answers with their ids, in order.
pub(crate) async fn fire(
    pagerduty: &StandIn,
    planned: &[Planned],
    observer: &Observer,
    (began, count): (Instant, &AtomicUsize),
) -> io::Result<Vec<IncidentId>> {
    let (mut ids, mut touches) = (Vec::<IncidentId>::new(), JoinSet::new());
    for one in planned {
        sleep_until(began + one.at).await;
        let new = NewIncident { urgency: one.urgency, ..NewIncident::titled(&one.title) };
        let id = pagerduty.trigger(new).map_err(|refusal| io::Error::other(refusal.message))?;
        let reopens = one.touched.is_some_and(|(_, touch)| touch == Touch::Reopen);
        observer.watch(&id, reopens);
        if let Some(touched) = one.touched {
            let other = ids.last().cloned();
            touches.spawn(people::touch(pagerduty.clone(), id.clone(), touched, other));
        }
        ids.push(id);
        count.fetch_add(1, Ordering::SeqCst);
    }
    while let Some(touched) = touches.join_next().await {
        touched.map_err(io::Error::other)?;
    }
    Ok(ids)
}

/// A line every few seconds.
async fn tell(
    observer: &Observer,
    of: usize,
    (began, fired): (Instant, &AtomicUsize),
) -> std::convert::Infallible {
    loop {
        sleep(Duration::from_secs(10)).await;
        let fired = fired.load(Ordering::SeqCst);
        progress(&report::state(fired, of, observer.open().len(), began.elapsed()));
    }
}

/// Until every webhook is delivered and every run is over; with the number of those that are open
/// where it takes too long.
pub(crate) async fn settle(
    observer: &Observer,
    within: Duration,
    is_delivered: impl Fn() -> bool,
) -> Result<Duration, usize> {
    let began = Instant::now();
    while began.elapsed() < within {
        let delivered = is_delivered();
        observer.look(delivered).await;
        if delivered && observer.open().is_empty() {
            return Ok(began.elapsed());
        }
        sleep(Duration::from_millis(200)).await;
    }
    Err(observer.open().len())
}

/// What one more copy of every webhook did, which must be nothing.
struct Late {
    copies: usize,
    wrong: Vec<(Option<IncidentId>, String)>,
}

async fn late_copies(
    (ground, courier): (&Ground, &Courier),
    observer: &Observer,
    folder: &Path,
) -> io::Result<Late> {
    let pagerduty = &ground.cluster.pagerduty;
    let state = || -> io::Result<_> {
        let views = pagerduty.incidents().into_iter();
        let views: BTreeMap<IncidentId, (String, usize)> =
            views.map(|view| (view.id, (view.title, view.log.len()))).collect();
        Ok((witness::read(&witness(folder))?, views))
    };
    let (effects, views) = state()?;
    let copies = courier.repeat_all().await;
    sleep(AFTER_LATE_COPIES).await;
    observer.look(true).await;
    let (effects_now, views_now) = state()?;
    let mut wrong = Vec::new();
    for (incident, view) in views_now {
        if views.get(&incident) != Some(&view) {
            wrong.push((Some(incident), "it was changed in PagerDuty".to_owned()));
        }
    }
    for (incident, all) in effects_now {
        if effects.get(&incident) != Some(&all) {
            wrong.push((Some(incident), "something was done to it".to_owned()));
        }
    }
    Ok(Late { copies, wrong })
}

/// Tasks that ended by a bug.
pub(crate) fn panics(ground: &Ground) -> Vec<String> {
    let logs = ground.logs();
    let lines = logs.iter().flat_map(|log| log.lines());
    lines.filter(|line| line.contains("panicked at")).map(str::to_owned).collect()
}

/// What is known of each, in the order they were fired.
pub(crate) fn cases<'a>(
    ground: &'a Ground,
    planned: &'a [Planned],
    ids: &[IncidentId],
    observer: &Observer,
) -> io::Result<Vec<Case<'a>>> {
    let mut runs = observer.runs();
    let mut effects = witness::read(&witness(&ground.folder))?;
    let mut endings = endings(&ground.logs());
    let mut cases = Vec::new();
    for (planned, id) in planned.iter().zip(ids) {
        let view = ground.cluster.pagerduty.incident(id);
        let view = view.ok_or_else(|| io::Error::other(format!("incident {id} is gone")))?;
        cases.push(Case {
            planned,
            view,
            runs: runs.remove(id).unwrap_or_default(),
            effects: effects.remove(id).unwrap_or_default(),
            endings: endings.remove(id.as_str()).unwrap_or_default(),
            acts: &ground.acts,
        });
    }
    Ok(cases)
}

/// What must hold for every incident by itself.
pub(crate) fn hold_each(cases: &[Case<'_>], changed: &[(IncidentId, String)]) -> Vec<Held> {
    let mut held: Vec<Held> = CHECKS
        .iter()
        .map(|(rule, check)| {
            let wrong = cases.iter().flat_map(|case| {
                check(case).into_iter().map(|what| (Some(case.id().clone()), what))
            });
            Held { rule, looked_at: cases.len(), wrong: wrong.collect() }
        })
        .collect();
    let changed = changed.iter().map(|(incident, what)| (Some(incident.clone()), what.clone()));
    held.push(Held {
        rule: "runs, epochs, outcomes and journals only go forward",
        looked_at: cases.len(),
        wrong: changed.collect(),
    });
    held
}

/// Every rule against everything.
fn hold(
    cases: &[Case<'_>],
    observer: &Observer,
    done: &Done,
    (late, refused): (&Late, u64),
) -> Vec<Held> {
    let mut held = hold_each(cases, &observer.wrong());
    held.push(Held {
        rule: "late copies of webhooks change nothing",
        looked_at: late.copies,
        wrong: late.wrong.clone(),
    });
    held.push(Held {
        rule: "budgets are kept, and a no is a no",
        looked_at: cases.iter().filter(|case| case.planned.kind.name == "budget").count(),
        wrong: budget::wrong(cases),
    });
    let refused = (refused > 0).then(|| (None, format!("{refused} were answered 4xx")));
    held.push(Held {
        rule: "no signed webhook is refused",
        looked_at: late.copies,
        wrong: refused.into_iter().collect(),
    });
    held.push(Held {
        rule: "no region ends by itself, all end when told",
        looked_at: done.counts.values().sum::<u64>().try_into().unwrap_or(0),
        wrong: done.misbehaved.iter().map(|what| (None, what.clone())).collect(),
    });
    held
}

fn tell_all(report: &Report<'_>, ground: &Ground, cases: &[Case<'_>]) {
    if report.options.markdown {
        report::print(&report.markdown());
    } else {
        report::print(&report.text());
    }
    for offender in report.offenders() {
        if let Some(case) = cases.iter().find(|case| *case.id() == offender) {
            progress(&report::story(ground, case));
        }
    }
    progress(&report.wrong());
    let violations = report.violations();
    progress(&if violations == 0 {
        "everything held".to_owned()
    } else {
        format!("{violations} violations; to replay: {}", report.options.command())
    });
}
