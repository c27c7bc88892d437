//! Writing a run's story down for `ams explain`: once when it begins or is taken over, once at its
//! end. Beside the run: it never waits for the first, and nothing fails with either.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::begun::Begun;
use crate::claim::journal::{Entry, StepAt};
use crate::customer::Customer;
use crate::evidence::Places;
use crate::execute::actuator::Output;
use crate::execute::end::End;
use crate::execute::run::StepReport;
use crate::history::History;
use crate::history::story::{
    Carrier, Cleared, ClearedBy, Ended, Known, Near, Paged, RunStory, ScenarioKnown, StepTold,
    Words,
};
use crate::incident::{Incident, Outcome, RunId, Status};
use crate::lang::Lang;
use crate::limits;
use crate::mask::Mask;
use crate::matching::{Choice, Index};
use crate::pipeline::Pipeline;
use crate::report::text;
use crate::report::{Way, guards, packet, reasons, title};
use crate::scenario::model::{Mode, Scenario};
use crate::tally;

/// The story as it was written when the run began here.
pub(crate) struct Beginning(JoinHandle<RunStory>);

impl Pipeline {
    /// Writes, without being waited for, what the run is and who carries it out from now on.
    pub(crate) fn keep_beginning(&self, begun: &Begun) -> Beginning {
        let Begun { scenario, captures, incident, taken_over, .. } = begun;
        let claim = begun.claim();
        let mask = begun.mask();
        let mut story = known(mask, incident, begun.customer.as_deref());
        let mode = Mode::WORDS.iter().find(|(_, mode)| *mode == begun.mode());
        story.mode = mode.map(|(word, _)| (*word).to_owned());
        story.scenario = Some(ScenarioKnown::of(scenario));
        story.keywords = keywords(scenario, &incident.title);
        story.captures =
            captures.iter().map(|(name, value)| (name.clone(), mask.apply(value))).collect();
        story.came_at = came_at(claim.run(), incident);
        story.opened_at = Some(claim.opened_at());
        story.carriers = vec![Carrier {
            owner: claim.owner().clone(),
            region: self.region.clone(),
            epoch: claim.epoch(),
            since: self.executor.clock.now(),
        }];
        let (history, run, taken_over) =
            (Arc::clone(&self.executor.history), claim.run().clone(), *taken_over);
        Beginning(tokio::spawn(async move {
            if taken_over {
                go_on(&mut story, earlier(&*history, &run).await);
            }
            write(&*history, &run, &story).await;
            story
        }))
    }

    /// Writes how it ended and what people were told.
    pub(crate) async fn keep_end(&self, beginning: Beginning, begun: &Begun, end: &End) {
        let Ok(mut story) = beginning.0.await else { return };
        if !begun.incident.title.is_empty() {
            // PagerDuty was asked again meanwhile.
            let known = known(begun.mask(), &begun.incident, begun.customer.as_deref());
            (story.title, story.service) = (known.title, known.service);
        }
        let places = self.evidence.places(begun.evidence(), Duration::ZERO).await;
        story.end = Some(self.ended(begun, end, &places));
        write(&*self.executor.history, begun.claim().run(), &story).await;
        self.count(begun, end, &story).await;
    }

    /// Writes, without being waited for, what no scenario is meant for.
    pub(crate) fn keep_unmatched(
        &self,
        run: RunId,
        incident: &Incident,
        customer: Option<&Customer>,
    ) {
        let near = self.near(incident, customer);
        let now = self.executor.clock.now();
        let mask = self.reporter_of(customer).style.mask.clone();
        let known = known(&mask, incident, customer);
        let carrier = Carrier {
            owner: self.claims().owner().clone(),
            region: self.region.clone(),
            epoch: 0,
            since: now,
        };
        let (came_at, carriers) = (came_at(&run, incident), vec![carrier]);
        let story = RunStory { near, carriers, came_at, opened_at: Some(now), ..known };
        let figure = tally::unmatched(&run, &story, now);
        let history = Arc::clone(&self.executor.history);
        self.runs.spawn(async move {
            write(&*history, &run, &story).await;
            tally::write(&*history, &figure).await;
        });
    }

    /// The scenarios that were nearly chosen, as the rules say once more.
    fn near(&self, incident: &Incident, customer: Option<&Customer>) -> Vec<Near> {
        let whole = title::original(&incident.title);
        match self.rules().current().choose(whole, incident, customer) {
            Choice::None { near } => near
                .into_iter()
                .map(|miss| Near::Capture {
                    scenario: miss.scenario.id.clone(),
                    capture: miss.capture,
                    kind: miss.kind.word().to_owned(),
                })
                .collect(),
            Choice::Ambiguous { several, .. } => several
                .into_iter()
                .map(|meant| Near::Equal { scenario: meant.scenario.id.clone() })
                .collect(),
            Choice::Scenario { .. } => Vec::new(),
        }
    }

    fn ended(&self, begun: &Begun, end: &End, places: &Places) -> Ended {
        let told = &begun.told;
        let mask = begun.mask();
        let masked = |text: &Option<String>| text.as_deref().map(|text| mask.apply(text));
        let wants_people = matches!(end.outcome(), Outcome::HandedOff | Outcome::Escalated);
        let contact = begun.destination().and_then(|it| it.contact.clone());
        Ended {
            at: self.executor.clock.now(),
            outcome: end.outcome(),
            headline: words(mask, |lang| text::headline(lang, end).to_owned()),
            reason: words(mask, |lang| reasons::reason(lang, end, &begun.scenario)),
            steps: begun.reports.iter().map(|report| self.step(begun, report, places)).collect(),
            in_doubt: begun.journal.in_doubt().into_iter().map(|doubt| doubt.step).collect(),
            message: masked(&told.message),
            manual: masked(&told.manual).filter(|_| wants_people),
            contact: masked(&contact),
            priority: told.priority.clone(),
            beside: begun
                .beside
                .iter()
                .map(|it| words(mask, |lang| packet::line(lang, it)))
                .collect(),
            paged: paged(begun, end),
            cleared: begun.cleared.map(|it| Cleared {
                at: it.at,
                by: if it.by_person { ClearedBy::Person } else { ClearedBy::Monitoring },
            }),
        }
    }

    fn step(&self, begun: &Begun, report: &StepReport, places: &Places) -> StepTold {
        let StepReport { at, entry, verdict, seen, attempts, began_at, took, passes } = report;
        let StepAt { step, .. } = at;
        let outputs = seen.iter().flat_map(|seen| [&seen.stdout, &seen.stderr]);
        let evidence = outputs.clone().find_map(|output| output.evidence.as_ref());
        let here = |path: &Path| format!("{}:{}", self.region, path.display());
        let place = |path: &PathBuf| places.get(path).cloned().unwrap_or_else(|| here(path));
        let result = |lang| {
            let result = match begun.scenario.step(*step) {
                Some(step) => text::verdict(lang, &step.kind, verdict, seen.as_ref()),
                None => text::result(lang, "", verdict.result()).to_owned(),
            };
            match guards::passes(lang, passes) {
                words if words.is_empty() => result,
                words => format!("{result} ({})", words.join(", ")),
            }
        };
        StepTold {
            at: at.clone(),
            entry: entry.as_deref().map(|entry| begun.mask().apply(entry)),
            result: words(begun.mask(), result),
            attempts: *attempts,
            began_at: *began_at,
            took_ms: (!took.is_zero()).then(|| millis(*took)),
            output: first_lines(begun.mask(), outputs),
            evidence: evidence.map(place),
        }
    }
}

/// What a run is counted from: a further one from the incident's reopening.
fn came_at(run: &RunId, incident: &Incident) -> Option<Timestamp> {
    if run.number == 1 { incident.created_at } else { incident.reopened_at }
}

fn known(mask: &Mask, incident: &Incident, customer: Option<&Customer>) -> RunStory {
    let service = incident.service.as_ref();
    let known = |id: &str, name: &str| Known { id: id.to_owned(), name: name.to_owned() };
    RunStory {
        title: mask.apply(title::original(&incident.title)),
        customer: customer.map(|customer| known(&customer.id, &customer.name)),
        service: service.map(|service| known(&service.id, &service.name)),
        ..RunStory::default()
    }
}

fn first_lines<'a>(mask: &Mask, outputs: impl Iterator<Item = &'a Output>) -> Vec<String> {
    let text: String = outputs.map(|output| output.head.trim_end()).collect::<Vec<_>>().join("\n");
    let text = mask.apply(text.trim());
    let cut: String = text.chars().take(limits::STORY_OUTPUT_CHARS).collect();
    cut.lines().take(limits::STORY_OUTPUT_LINES).map(|line| line.trim_end().to_owned()).collect()
}

fn words(mask: &Mask, say: impl Fn(Lang) -> String) -> Words {
    Words { ja: mask.apply(&say(Lang::Ja)), en: mask.apply(&say(Lang::En)) }
}

/// The scenario's keywords that are in the title.
fn keywords(scenario: &Arc<Scenario>, whole: &str) -> Vec<String> {
    match Index::of(std::slice::from_ref(scenario)).choose(title::original(whole)) {
        Choice::Scenario { meant, .. } => meant.keywords,
        Choice::None { .. } | Choice::Ambiguous { .. } => Vec::new(),
    }
}

fn paged(begun: &Begun, end: &End) -> Paged {
    let goes_to_people = matches!(end.outcome(), Outcome::HandedOff | Outcome::Escalated);
    let is_left = begun.told.page == Some(false) || begun.incident.status == Status::Resolved;
    if !goes_to_people || is_left {
        return Paged::Nobody;
    }
    match begun.paged.clone() {
        Some(Way::Level(level)) => return Paged::Level(level),
        Some(Way::Policy(policy)) => return Paged::Policy(policy),
        Some(Way::Users(users)) => return Paged::Users(users),
        Some(Way::Responders) => return Paged::Responders,
        Some(Way::LastResort(way)) => return Paged::LastResort(way),
        // An owner before us has paged.
        None => {}
    }
    if let Some(policy) = begun.hand_off_policy() {
        return Paged::Policy(policy);
    }
    let level = begun.journal.entries().iter().rev().find_map(|entry| match entry {
        Entry::Closing { escalate_to, .. } => *escalate_to,
        _ => None,
    });
    level.map_or(Paged::Next, Paged::Level)
}

async fn earlier(history: &dyn History, run: &RunId) -> Option<RunStory> {
    let text = history.read_story(run).await.ok()??;
    RunStory::of_text(&text).ok()
}

/// Whoever takes a run over adds itself, and knows of the incident what PagerDuty says now; what
/// made the scenario the right one was seen by the first.
fn go_on(story: &mut RunStory, earlier: Option<RunStory>) {
    let Some(earlier) = earlier else { return };
    let own = std::mem::take(&mut story.carriers);
    story.carriers = earlier.carriers;
    story.carriers.extend(own);
    if !earlier.keywords.is_empty() {
        (story.keywords, story.captures) = (earlier.keywords, earlier.captures);
    }
    if story.title.is_empty() {
        (story.title, story.service) = (earlier.title, earlier.service);
    }
    story.came_at = earlier.came_at.or(story.came_at);
    story.customer = story.customer.take().or(earlier.customer);
    let is_bare = story.scenario.as_ref().is_none_or(|scenario| scenario.steps.is_empty());
    if is_bare {
        story.scenario = earlier.scenario;
    }
}

/// A story that is not kept is missed by whoever asks later, and by no run.
async fn write(history: &dyn History, run: &RunId, story: &RunStory) {
    let kept = match story.to_text() {
        Ok(text) => history.write_story(run, text).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = kept {
        tracing::warn!(%run, %error, "the story of run {run} is not kept for ams explain");
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
