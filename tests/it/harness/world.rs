//! The world of a story: the stand-in PagerDuty, region processes, the claim store, scenarios.
//!
//! A story begins with [`World`], waits for states and ends with [`World::end`], which fails when
//! an incident is left without outcome, a process died, a note was posted twice, a delivery is
//! stuck, or a request of ours is not what PagerDuty's description allows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::journal::Entry;
use ams::claim::protocol::RunItem;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::{Clock, SetClock, SystemClock};
use ams::incident::{IncidentId, Outcome};
use ams::sandbox::cluster::{Cluster, Plan, RegionProcess};
use ams::sandbox::judge::{await_outcome, repeated_notes};
use ams::sandbox::pagerduty::{IncidentView, NewIncident, Settings, StandIn};
use jiff::SignedDuration;

use super::openapi::Description;

/// What a story may wait for at most; far more than it needs on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// For stories in which an owner dies: short, and still long enough for two busy cores.
pub(crate) const SHORT_LEASE: &str = "heartbeat: 200ms\nlease: 2s\nlease_margin: 500ms\n";

const REGIONS: [&str; 2] = ["tokyo", "osaka"];

pub(crate) struct World {
    pub cluster: Cluster,
    pub store: SqliteClaims,
    folder: tempfile::TempDir,
    /// Regions the story killed on purpose.
    killed: Vec<usize>,
    /// Incidents nobody is to claim.
    people_s: Vec<IncidentId>,
}

pub(crate) struct WorldBuilder {
    scenario: String,
    customers: Vec<String>,
    settings: String,
    /// Files below the story's folder that must be there before the regions.
    files: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
    pagerduty: Settings,
    clock: Arc<dyn Clock>,
    subscriptions_each: usize,
    /// What one region finds in its environment besides.
    own: Vec<(String, String, String)>,
    /// Regions that webhooks lead to.
    subscribed: Vec<String>,
}

impl World {
    /// Two regions with one scenario file.
    pub(crate) fn with(scenario: &str) -> WorldBuilder {
        WorldBuilder {
            scenario: scenario.to_owned(),
            customers: Vec::new(),
            settings: String::new(),
            files: Vec::new(),
            environment: BTreeMap::new(),
            pagerduty: Settings::default(),
            clock: Arc::new(SystemClock),
            subscriptions_each: 1,
            own: Vec::new(),
            subscribed: REGIONS.map(str::to_owned).to_vec(),
        }
    }

    /// Writes a scenario file beside the one the world began with.
    pub(crate) fn write_scenario(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("scenarios").join(name), text).unwrap();
    }

    /// Writes a customer file, also over the one before.
    pub(crate) fn write_customer(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join("customers").join(name), text).unwrap();
    }

    pub(crate) fn pagerduty(&self) -> &StandIn {
        &self.cluster.pagerduty
    }

    /// Where the story's scenarios and commands find files; `vars.folder` in scenarios.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn fire(&self, title: &str) -> IncidentId {
        self.pagerduty().trigger(NewIncident::titled(title)).unwrap()
    }

    pub(crate) fn view(&self, incident: &IncidentId) -> IncidentView {
        self.pagerduty().incident(incident).unwrap()
    }

    /// Waits until PagerDuty shows the incident so.
    pub(crate) async fn until(
        &self,
        incident: &IncidentId,
        what: impl Fn(&IncidentView) -> bool,
    ) -> IncidentView {
        let shown = self
            .pagerduty()
            .wait_for(PATIENCE, |state| state.incident(incident).is_some_and(&what))
            .await;
        assert!(shown, "PagerDuty never showed it: {}", self.everything(incident));
        self.view(incident)
    }

    /// Waits until the incident's title says that AMS is at it.
    pub(crate) async fn until_working(&self, incident: &IncidentId) {
        self.until(incident, |view| view.title.starts_with("[AMS 対応中]")).await;
    }

    /// Waits for a file of the story to have this many lines.
    pub(crate) async fn until_lines(&self, name: &str, lines: usize) {
        let path = self.path(name);
        super::wait::until("the file to have its lines", || {
            std::fs::read_to_string(&path).unwrap_or_default().lines().count() >= lines
        })
        .await;
    }

    /// Waits for the run's outcome.
    pub(crate) async fn outcome(&self, incident: &IncidentId) -> RunItem {
        let item = await_outcome(&self.store, incident, PATIENCE).await;
        item.unwrap_or_else(|| panic!("no outcome: {}", self.everything(incident)))
    }

    pub(crate) async fn expect(&self, incident: &IncidentId, outcome: Outcome) -> RunItem {
        let item = self.outcome(incident).await;
        assert_eq!(item.outcome, Some(outcome), "{}", self.everything(incident));
        item
    }

    /// Waits until so many effects are recorded as done.
    pub(crate) async fn until_done(&self, incident: &IncidentId, effects: usize) {
        let is_done = |entry: &&Entry| matches!(entry, Entry::Done { .. });
        self.until_run(incident, |item| {
            item.journal.entries().iter().filter(is_done).count() >= effects
        })
        .await;
    }

    /// Waits until the run was taken over so often.
    pub(crate) async fn until_epoch(&self, incident: &IncidentId, epoch: u64) {
        self.until_run(incident, |item| item.epoch >= epoch).await;
    }

    pub(crate) async fn until_run(
        &self,
        incident: &IncidentId,
        is_so: impl Fn(&RunItem) -> bool,
    ) -> RunItem {
        let began = tokio::time::Instant::now();
        loop {
            if let Some(item) = self.store.read(incident).await.unwrap().filter(&is_so) {
                return item;
            }
            assert!(began.elapsed() < PATIENCE, "{}", self.everything(incident));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a region has written this to its log.
    pub(crate) async fn until_logged(&self, region: usize, text: &str) {
        let log = &self.cluster.regions[region].log;
        super::wait::until(text, || read(log).contains(text)).await;
    }

    /// Waits until somebody has asked PagerDuty for such a change, whatever came of it.
    pub(crate) async fn until_asked(&self, what: impl Fn(&serde_json::Value) -> bool) {
        let asked = || self.pagerduty().recorded_requests().iter().any(|it| what(&it.body));
        super::wait::until("the request to PagerDuty", asked).await;
    }

    /// The region that owns the incident's run.
    pub(crate) async fn owner(&self, incident: &IncidentId) -> usize {
        let item = self.store.read(incident).await.unwrap().unwrap();
        let is_owner = |region: &RegionProcess| item.owner.as_str().starts_with(&region.name);
        self.cluster.regions.iter().position(is_owner).unwrap()
    }

    pub(crate) async fn kill(&mut self, region: usize) {
        self.cluster.regions[region].kill().await.unwrap();
        self.killed.push(region);
    }

    pub(crate) async fn restart(&mut self, region: usize) {
        self.cluster.restart(region).await.unwrap();
        self.killed.retain(|killed| *killed != region);
    }

    /// This incident is people's from the beginning.
    pub(crate) fn leave_to_people(&mut self, incident: &IncidentId) {
        self.people_s.push(incident.clone());
    }

    /// The last note of the incident.
    pub(crate) fn last_note(&self, incident: &IncidentId) -> String {
        self.view(incident).notes.last().map(|note| note.content.clone()).unwrap_or_default()
    }

    /// What can be said about an incident when a story fails.
    pub(crate) fn everything(&self, incident: &IncidentId) -> String {
        let timeline = self.pagerduty().timeline(incident);
        let logs: Vec<String> = self
            .cluster
            .regions
            .iter()
            .map(|region| std::fs::read_to_string(&region.log).unwrap_or_default())
            .collect();
        format!("{incident}: {timeline:#?}\n{}", logs.join("\n----\n"))
    }

    /// Every story's ending.
    pub(crate) async fn end(self) {
        assert!(self.pagerduty().deliveries_settled(PATIENCE).await, "deliveries are stuck");
        for view in self.pagerduty().incidents() {
            if self.people_s.contains(&view.id) {
                assert!(self.store.read(&view.id).await.unwrap().is_none());
                continue;
            }
            let item = self.outcome(&view.id).await;
            let told = match item.outcome {
                Some(Outcome::Unmatched) => false,
                // A run that was over before it began leaves no note.
                Some(Outcome::StoodDown) => !view.notes.is_empty(),
                _ => true,
            };
            let problems = repeated_notes(&view, &item.run, !told);
            assert!(problems.is_empty(), "{problems:?} {}", self.everything(&view.id));
        }
        check_requests(self.pagerduty());
        let killed: Vec<String> =
            self.killed.iter().map(|region| self.cluster.regions[*region].name.clone()).collect();
        let logs: Vec<PathBuf> = self.cluster.regions.iter().map(|r| r.log.clone()).collect();
        let died = self.cluster.stop().await;
        assert_eq!(died, killed, "{:?}", logs.iter().map(|log| read(log)).collect::<Vec<_>>());
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Everything we sent is what PagerDuty's own description allows; skipped without it.
fn check_requests(pagerduty: &StandIn) {
    let Some(description) = Description::load() else { return };
    let writes =
        pagerduty.recorded_requests().into_iter().filter(|request| !request.body.is_null());
    // The Events API is no part of that description.
    let writes = writes.filter(|request| request.template != "/v2/enqueue");
    for request in writes {
        let problems = description.check_request(&request.method, &request.template, &request.body);
        assert!(problems.is_empty(), "{} {}: {problems:?}", request.method, request.path);
    }
}

impl WorldBuilder {
    /// Further lines for every region's configuration.
    pub(crate) fn settings(mut self, lines: &str) -> Self {
        self.settings.push_str(lines);
        self
    }

    /// What every region finds in its environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What one region finds in its environment.
    pub(crate) fn environment_of(mut self, region: &str, name: &str, value: &str) -> Self {
        self.own.push((region.to_owned(), name.to_owned(), value.to_owned()));
        self
    }

    /// Webhooks lead to this region alone.
    pub(crate) fn subscribed_alone(mut self, region: &str) -> Self {
        self.subscribed = vec![region.to_owned()];
        self
    }

    /// One more customer file: `0.yaml`, `1.yaml` and so on.
    pub(crate) fn customer(mut self, text: &str) -> Self {
        self.customers.push(text.to_owned());
        self
    }

    /// A file below the story's folder that settings and customers may refer to.
    pub(crate) fn secret(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// A PagerDuty that is set up so.
    pub(crate) fn pagerduty(mut self, settings: Settings) -> Self {
        self.pagerduty = settings;
        self
    }

    /// When PagerDuty says that things happened.
    pub(crate) fn pagerduty_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What PagerDuty shows is ten minutes old, by the clock that comes along, and open incidents are
    /// asked for all the time: webhooks that were lost are missed at once.
    pub(crate) fn reconciled(self) -> (Self, Arc<SetClock>) {
        let clock = Arc::new(SetClock::at(SystemClock.now() - SignedDuration::from_mins(10)));
        let often = self.settings(SHORT_LEASE).settings("reconcile_every: 500ms\n");
        (often.pagerduty_clock(clock.clone()), clock)
    }

    /// Every webhook comes this many times to each region.
    pub(crate) fn subscriptions_each(mut self, count: usize) -> Self {
        self.subscriptions_each = count;
        self
    }

    pub(crate) async fn start(self) -> World {
        let folder = tempfile::tempdir().unwrap();
        let scenarios = folder.path().join("scenarios");
        std::fs::create_dir(&scenarios).unwrap();
        std::fs::write(scenarios.join("scenario.yaml"), &self.scenario).unwrap();
        let mut settings = self.settings;
        // Stories fire what they like, as often as they like.
        if !settings.contains("limits:") {
            settings.push_str("limits: {}\n");
        }
        if !self.customers.is_empty() {
            let customers = folder.path().join("customers");
            std::fs::create_dir(&customers).unwrap();
            for (number, text) in self.customers.iter().enumerate() {
                std::fs::write(customers.join(format!("{number}.yaml")), text).unwrap();
            }
            settings += "customers: ";
            settings += &customers.display().to_string();
            settings += "\n";
        }
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let vars = BTreeMap::from([("folder".to_owned(), folder.path().display().to_string())]);
        let mut environment: BTreeMap<_, _> =
            REGIONS.map(|region| (region.to_owned(), self.environment.clone())).into();
        for (region, name, value) in self.own {
            environment.entry(region).or_default().insert(name, value);
        }
        let plan = Plan {
            exe: PathBuf::from(env!("CARGO_BIN_EXE_ams")),
            folder: folder.path().join("cluster"),
            scenarios,
            regions: REGIONS.map(str::to_owned).to_vec(),
            vars,
            lang: "ja".to_owned(),
            settings,
            environment,
            stores: BTreeMap::new(),
            subscribes: false,
            pagerduty: Settings { retry_every: Duration::from_millis(200), ..self.pagerduty },
            clock: self.clock,
        };
        let cluster = Cluster::start(plan).await.unwrap();
        for _ in 0..self.subscriptions_each {
            for region in cluster.regions.iter().filter(|it| self.subscribed.contains(&it.name)) {
                cluster.pagerduty.subscribe(&region.webhook_url());
            }
        }
        let store = SqliteClaims::open(&cluster.claims(), Arc::new(SystemClock)).unwrap();
        World { cluster, store, folder, killed: Vec::new(), people_s: Vec::new() }
    }
}
