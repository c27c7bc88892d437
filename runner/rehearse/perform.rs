//! One test: the pipeline of production on a stage, in paused time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::begun::{Begun, Witness};
use crate::claim::Claims;
use crate::claim::heartbeat::{LeaseTerms, Pulse};
use crate::claim::memory::MemoryClaims;
use crate::claim::protocol::{Opening, StandDownReason};
use crate::clock::Clock;
use crate::customer::catalog::Customers;
use crate::early::EarlyEnds;
use crate::evidence::Evidence;
use crate::execute::end::{End, Told};
use crate::execute::run::Executor;
use crate::execute::sources::Sources;
use crate::guard::Guards;
use crate::guard::rules::Rules as Limits;
use crate::handoff::Paging;
use crate::handoff::ways::Ways;
use crate::history::Forgetful;
use crate::incident::{Incident, IncidentId, Named, Outcome, Owner, Region, Status};
use crate::limits;
use crate::mask::Mask;
use crate::metrics::Metrics;
use crate::paging::Acknowledge;
use crate::pipeline::{Pipeline, PipelineIntake};
use crate::receive::http::{Intake as _, Taken};
use crate::receive::{Delivery, Event};
use crate::rehearse::compare::{Actual, Difference, compare};
use crate::rehearse::file::{Deed, Test, TestFile};
use crate::rehearse::stage::{Kept, PausedClock, RecordedPlatform, Script};
use crate::report::note::Style;
use crate::report::questions::PlatformQuestions;
use crate::report::reporter::Reporter;
use crate::rules::{RuleSet, Rules};
use crate::runs::Runs;
use crate::scenario::catalog::Catalog;
use crate::scenario::model::Scenario;

/// A test that waits for days is a test of the deadline.
const LONGEST: Duration = Duration::from_hours(24 * 31);

/// How a run went, seen from inside.
#[derive(Default)]
struct Seen(Mutex<Option<(Vec<String>, Option<Told>)>>);

impl Witness for Seen {
    fn ended(&self, begun: &Begun, _end: &End) {
        let path = begun.reports.iter().map(|report| {
            let name = begun.scenario.step(report.at.step).map_or("?", |step| step.name.as_str());
            match &report.entry {
                Some(entry) => format!("{name} ({entry})"),
                None => name.to_owned(),
            }
        });
        let seen = (path.collect(), Some(begun.told.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

/// Carries the test out; what differs from what its author expects.
///
/// Must run in a runtime whose time is paused.
pub async fn perform(
    file: &TestFile,
    test: &Test,
    scenario: &Arc<Scenario>,
    customers: Customers,
) -> Result<Vec<Difference>, String> {
    let customer = customers.first().cloned();
    let zone = customer.as_ref().map_or(TimeZone::UTC, |customer| customer.zone.clone());
    let start = test.at.unwrap_or(DateTime::constant(2026, 1, 5, 10, 0, 0, 0));
    let start = start.to_zoned(zone.clone()).map_err(|error| error.to_string())?.timestamp();
    let clock: Arc<dyn Clock> = Arc::new(PausedClock::at(start));
    let services =
        customer.as_ref().and_then(|customer| customer.belongs.services.first().cloned());
    let service = test.service.clone().or(services);
    let incident = incident(test, service, start)?;
    let platform = Arc::new(RecordedPlatform {
        incident: Mutex::new(incident.clone()),
        alerts: test.alerts.clone(),
        open_incidents: test.open_incidents.clone(),
        notes: Mutex::default(),
    });
    let script = Arc::new(Script {
        scenario: Arc::clone(scenario),
        platform: Arc::clone(&platform),
        kept: Mutex::new(Kept {
            results: test.results.clone(),
            looks: BTreeMap::new(),
            given: BTreeMap::new(),
            without_result: Vec::new(),
            used: Vec::new(),
        }),
    });
    let seen = Arc::new(Seen::default());
    let catalog = Catalog { scenarios: vec![Arc::clone(scenario)], ..Catalog::default() };
    let rules = Rules::new(RuleSet::new(catalog, customers));
    let sources = Sources {
        alerts: Arc::new(PlatformQuestions(Arc::clone(&platform) as _)),
        look_up: Arc::new(test.look_up.clone()),
    };
    let place = Place { clock, zone, sources };
    let pipeline = pipeline(rules, file, &script, place, Arc::clone(&seen)).await;
    let began = Instant::now();
    let taken = run(&pipeline, &platform, test, incident.clone()).await?;
    let took = began.elapsed();
    let outcome = if taken == Taken::Unmatched {
        Some(Outcome::Unmatched)
    } else {
        let item = pipeline.claims().store().read(&incident.id).await;
        item.map_err(|error| error.to_string())?.and_then(|item| item.outcome)
    };
    let (path, hand_off) =
        seen.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    let kept = script.kept();
    let notes = platform.notes();
    Ok(compare(
        test,
        &Actual {
            outcome,
            path,
            note: notes.last().map(|note| note.content.clone()).unwrap_or_default(),
            hand_off,
            took,
            given: kept.given.clone(),
            without_result: kept.without_result.clone(),
            unused: unused(&test.results, &kept.used),
        },
    ))
}

fn unused(results: &BTreeMap<String, Vec<super::result::Given>>, used: &[String]) -> Vec<String> {
    results.keys().filter(|key| !used.contains(key)).cloned().collect()
}

fn incident(test: &Test, service: Option<String>, at: Timestamp) -> Result<Incident, String> {
    Ok(Incident {
        id: IncidentId::parse("PREHEARSAL").ok_or("no incident id")?,
        title: test.title.clone(),
        status: Status::Triggered,
        urgency: test.urgency,
        number: Some(1),
        created_at: None,
        status_by: None,
        reopened_at: None,
        service: service.map(|name| Named { id: name.clone(), name }),
        escalation_policy: Some("PPOLICY".to_owned()),
        acknowledged_by: Vec::new(),
        assignees: vec!["PAMS".to_owned()],
        html_url: Some("https://example.pagerduty.com/incidents/PREHEARSAL".to_owned()),
        seen_at: at,
    })
}

/// When, where, and whom it asks.
struct Place {
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    sources: Sources,
}

/// A region on a stage: everything but what touches the world is what production runs.
async fn pipeline(
    rules: Rules,
    file: &TestFile,
    script: &Arc<Script>,
    Place { clock, zone, sources }: Place,
    seen: Arc<Seen>,
) -> Arc<Pipeline> {
    let region = Region::new("rehearsal");
    let store = Arc::new(MemoryClaims::new(Arc::clone(&clock)));
    let guards = Guards::new(Arc::clone(&store) as _, Arc::clone(&store) as _);
    let claims = Claims::new(store, Owner::of_new_process(&region), Arc::clone(&clock));
    // Nobody else is there to take over.
    let terms = LeaseTerms { lease: LONGEST * 2, ..LeaseTerms::default() };
    let pulse = Pulse::new(terms);
    pulse.beat(&claims, 1).await;
    pulse.in_force().hear(Ok(None), Instant::now());
    let metrics = Metrics::default();
    let reporter = Reporter {
        platform: Arc::clone(&script.platform) as Arc<_>,
        style: Arc::new(Style { lang: file.lang, zone, mask: Mask::default() }),
        fields: Arc::default(),
        metrics: metrics.clone(),
        acknowledge: Acknowledge::Never,
    };
    let history = Arc::new(Forgetful::default());
    let actuator = Arc::clone(script) as Arc<_>;
    Arc::new(Pipeline {
        region,
        vars: file.vars.clone(),
        executor: Executor {
            guards,
            limits: Limits::default(),
            rules,
            claims,
            pulse,
            actuator,
            clock,
            history,
            sources,
        },
        reporter,
        paging: Paging::default(),
        bot_user: "PAMS".to_owned(),
        runs: Runs::new(metrics.clone()),
        early_ends: EarlyEnds::default(),
        // Nothing is written, and nothing swept.
        evidence: Evidence::new(PathBuf::new(), limits::EVIDENCE_KEPT, Metrics::default()),
        // Nobody is told.
        ways: Ways::default(),
        metrics,
        witness: Some(seen),
    })
}

/// Somebody who may answer, whoever the customer is.
fn person_of(pipeline: &Pipeline) -> String {
    let rules = pipeline.rules().current();
    let named = rules.customers.all().iter().find_map(|it| it.approval.approver());
    named.unwrap_or("PPERSON").to_owned()
}

/// From the webhook to the outcome, with people in between.
async fn run(
    pipeline: &Arc<Pipeline>,
    platform: &Arc<RecordedPlatform>,
    test: &Test,
    incident: Incident,
) -> Result<Taken, String> {
    let intake = Arc::new(PipelineIntake(Arc::clone(pipeline)));
    let id = incident.id.clone();
    let opened = Event::Opened { incident: Box::new(incident), opening: Opening::Triggered };
    let taken = intake.take(delivery(opened)).await;
    for person in test.people.clone() {
        let (intake, id, platform) = (Arc::clone(&intake), id.clone(), Arc::clone(platform));
        let pipeline = Arc::clone(pipeline);
        tokio::spawn(async move {
            tokio::time::sleep(person.after).await;
            let by = Some(person_of(&pipeline));
            let answerer = by.clone();
            let taken = |reason| Event::TakenFromUs { incident: id.clone(), reason, by, at: None };
            let at = pipeline.executor.clock.now();
            let answered = |approved| Event::Answered {
                incident: id.clone(),
                approved,
                by: answerer.clone(),
                at,
            };
            let event = match person.does {
                Deed::Approve => answered(true),
                Deed::Deny => answered(false),
                Deed::Stop => taken(StandDownReason::StopNote),
                Deed::Acknowledge => {
                    let mut incident = platform.incident();
                    incident.status = Status::Acknowledged;
                    incident.assignees = vec!["PPERSON".to_owned()];
                    drop(incident);
                    taken(StandDownReason::Acknowledged)
                }
            };
            intake.take(delivery(event)).await;
        });
    }
    let ended = pipeline.runs.ended();
    if tokio::time::timeout(LONGEST, ended).await.is_err() {
        return Err("the run did not end within 31 days".to_owned());
    }
    Ok(taken)
}

fn delivery(event: Event) -> Delivery {
    Delivery { event_id: "rehearsal".to_owned(), event_type: "rehearsal".to_owned(), event }
}

/// The customer a test file names, read from its own file.
pub fn customers_of(file: &TestFile) -> Result<Customers, String> {
    let Some(path) = &file.customer else { return Ok(Customers::default()) };
    let customers = load(path)?;
    match customers.findings.first() {
        Some(finding) => Err(finding.to_string()),
        None => Ok(customers),
    }
}

fn load(path: &Path) -> Result<Customers, String> {
    Customers::load(path)
        .map_err(|error| format!("the customer file {} cannot be read: {error}", path.display()))
}
