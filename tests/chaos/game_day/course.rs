//! From the start of four processes to the proof.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ams::clock::{Clock as _, SystemClock};
use ams::incident::{IncidentId, Outcome};
use ams::limits::WEBHOOK_PATH;
use tokio::time::{Instant, sleep_until};

use super::facts::{Facts, Moments, take_overs};
use super::front::Front;
use super::options::{Options, Sabotage};
use super::watch::{Process, Watch};
use super::words::pick;
use super::{Verdict, judge, load, sabotage, tell};
use crate::course::{cases, fire, panics, settle};
use crate::evidence::Doubts;
use crate::fault_proxy::Cut;
use crate::ground::{Ground, Site, witness};
use crate::observer::Observer;
use crate::report::{print, progress};
use crate::schedule::Planned;

/// Heartbeat and lease are production's. Without limits: this load would be a storm.
const SETTINGS: &str = "shutdown_grace: 1s\nlimits: {}\n";

/// With a sabotage nobody may ask PagerDuty for what was lost.
const NOBODY_ASKS: &str = "reconcile_every: 1h\n";

/// PagerDuty's first pauses are about as short.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// What PagerDuty says of its own timer must arrive within this.
const DELIVERED_WITHIN: Duration = Duration::from_secs(10);

const PROCESSES: [(&str, usize); 4] =
    [("tokyo-1", 0), ("tokyo-2", 0), ("osaka-1", 1), ("osaka-2", 1)];

pub(super) async fn run(options: &Options, folder: &Path) -> io::Result<Verdict> {
    let planned = load::incidents(options);
    print(&tell::plan(options, planned.len()));
    let settings = if options.sabotage.is_empty() {
        SETTINGS.to_owned()
    } else {
        format!("{SETTINGS}{NOBODY_ASKS}")
    };
    let site = Site {
        ams: &options.place.ams,
        store: options.store,
        seed: options.seed,
        processes: &PROCESSES,
        settings: &settings,
        retry_every: RETRY_EVERY,
    };
    let mut ground = Ground::prepare(&site, folder).await?;
    let facts = play(options, &planned, &mut ground).await?;
    let facts = gather(&ground, &planned, facts)?;
    Ok(judge::judge(options, &ground, &facts))
}

/// What is known before the incidents are looked at one by one.
struct Played {
    moments: Moments,
    loses_power: bool,
    ids: Vec<IncidentId>,
    observer: Observer,
    watch: Watch,
    fronts: [Front; 2],
    subscriptions: Vec<String>,
    undelivered: usize,
    misbehaved: Vec<String>,
}

async fn play(options: &Options, planned: &[Planned], ground: &mut Ground) -> io::Result<Played> {
    let processes: Vec<Process> = ground.cluster.regions.iter().map(Process::of).collect();
    let watch = Watch::start(&processes, ground.store.clone());
    let lost = options.has(Sabotage::Webhook).then(|| sabotage::lost(options, planned));
    let fronts = [
        Front::open(processes[..2].to_vec(), lost.clone()).await?,
        Front::open(processes[2..].to_vec(), lost).await?,
    ];
    let subscribe = |front: &Front| {
        ground.pagerduty().subscribe(&format!("{}{WEBHOOK_PATH}", front.door.url()))
    };
    let subscriptions = fronts.iter().map(subscribe).collect();
    let observer = Observer::of(ground.store.clone());
    let looks_on = tokio::spawn({
        let observer = observer.clone();
        async move { observer.look_on().await }
    });
    let (pagerduty, began) = (ground.pagerduty(), Instant::now());
    let count = AtomicUsize::new(0);
    let fires = fire(&pagerduty, planned, &observer, (began, &count));
    let fails = fail(options, ground, &fronts, began);
    let (ids, mut moments) = tokio::try_join!(fires, fails)?;
    let is_delivered = || pagerduty.undelivered() == 0;
    if options.has(Sabotage::Webhook) {
        // The lost one would be waited for in vain.
        sabotage::settle(&observer, options.pace.settles_within).await;
    } else if settle(&observer, options.pace.settles_within, is_delivered).await.is_err() {
        progress(pick(options.lang, "時間内に終わりません", "it does not end in time"));
    }
    moments.over = SystemClock.now();
    looks_on.abort();
    time_out(ground, &ids, &observer);
    ground.cluster.pagerduty.deliveries_settled(DELIVERED_WITHIN).await;
    if options.has(Sabotage::Recovery) {
        sabotage::repeat_one(&witness(&ground.folder), planned, &ids)?;
    }
    let undelivered = pagerduty.undelivered();
    let misbehaved = stop(ground).await;
    let loses_power = options.loses_power();
    Ok(Played {
        moments,
        loses_power,
        ids,
        observer,
        watch,
        fronts,
        subscriptions,
        undelivered,
        misbehaved,
    })
}

/// The plan of the day. Answers with when things were done.
async fn fail(
    options: &Options,
    ground: &mut Ground,
    fronts: &[Front; 2],
    began: Instant,
) -> io::Result<Moments> {
    let pace = &options.pace;
    let start = SystemClock.now();
    sleep_until(began + pace.calm).await;
    let cut = SystemClock.now();
    if options.loses_power() {
        for process in &mut ground.cluster.regions[..2] {
            process.kill().await?;
        }
    }
    reach(ground, Some(Cut::Silent));
    sleep_until(began + pace.calm + pace.cut).await;
    let shut = SystemClock.now();
    fronts[0].door.cut(Some(Cut::Closed));
    sleep_until(began + pace.calm + pace.cut + pace.shut).await;
    let back = SystemClock.now();
    fronts[0].door.cut(None);
    reach(ground, None);
    if options.loses_power() {
        for index in 0..2 {
            ground.cluster.restart(index).await?;
        }
    }
    sleep_until(began + pace.load()).await;
    let fired = SystemClock.now();
    Ok(Moments { began: start, cut, shut, back, fired, over: fired })
}

/// The first region's ways to the store and to PagerDuty.
fn reach(ground: &Ground, cut: Option<Cut>) {
    ground.to_pagerduty[0].cut(cut);
    if let Some(tables) = &ground.tables {
        tables.proxies[0].cut(cut);
    }
}

/// PagerDuty's timer, for what no run of AMS is about: people are paged without it.
fn time_out(ground: &Ground, ids: &[IncidentId], observer: &Observer) {
    let runs = observer.runs();
    let last = |id: &IncidentId| runs.get(id).and_then(|runs| runs.values().next_back());
    let is_left =
        |id: &&IncidentId| last(id).is_none_or(|item| item.outcome == Some(Outcome::Unmatched));
    for id in ids.iter().filter(is_left) {
        // One that has ended has no timer.
        ground.cluster.pagerduty.level_times_out(id).unwrap_or(());
    }
}

/// Every process is told to end. Answers with what went wrong with them.
async fn stop(ground: &mut Ground) -> Vec<String> {
    let mut misbehaved = panics(ground);
    for process in &mut ground.cluster.regions {
        if !process.is_running() {
            misbehaved.push(format!("{} had ended by itself", process.name));
        } else if !process.stop().await {
            misbehaved.push(format!("{} did not end well when told", process.name));
        }
    }
    misbehaved
}

fn gather<'a>(ground: &'a Ground, planned: &'a [Planned], played: Played) -> io::Result<Facts<'a>> {
    let names = ground.cluster.regions.iter().map(|process| process.name.clone());
    let logs: Vec<(String, String)> = names.zip(ground.logs()).collect();
    let deliveries = [0, 1].map(|region| {
        let subscription: &String = &played.subscriptions[region];
        ground.cluster.pagerduty.deliveries(subscription).unwrap_or_default()
    });
    Ok(Facts {
        moments: played.moments,
        loses_power: played.loses_power,
        fired: planned.len(),
        known: ground.cluster.pagerduty.incidents().len(),
        cases: cases(ground, planned, &played.ids, &played.observer)?,
        take_overs: take_overs(&logs),
        answers: played.fronts.each_ref().map(Front::answers),
        deliveries,
        undelivered: played.undelivered,
        seen: played.watch.seen(),
        backwards: played.observer.wrong(),
        doubts: Doubts::of(&ground.logs()),
        misbehaved: played.misbehaved,
    })
}
