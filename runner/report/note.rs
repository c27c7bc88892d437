//! Notes as a whole: what a person reads at 3 a.m. on a phone. Pure.
//!
//! The first line says what is asked of the reader; details follow; the marker in the last line
//! lets a retry recognise a note that was posted already.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::claim::journal::StepAt;
use crate::execute::actuator::Output;
use crate::execute::end::{End, Told};
use crate::execute::run::{Question, StepReport};
use crate::execute::verdict::Verdict;
use crate::incident::{Outcome, Region, RunId};
use crate::lang::Lang;
use crate::limits;
use crate::mask::Mask;
use crate::plain;
use crate::report::packet::{self, Beside};
use crate::report::text::{self, labels};
use crate::report::{guards, reasons};
use crate::scenario::model::{Effect, Scenario, Step, StepKind};
use crate::shorten;

/// How notes are written; the same for all runs of a process.
#[derive(Clone)]
pub struct Style {
    pub lang: Lang,
    pub zone: TimeZone,
    pub mask: Mask,
}

/// A run as it is told.
pub struct Story<'a> {
    pub run: &'a RunId,
    pub region: &'a Region,
    pub scenario: &'a Scenario,
    /// The original title.
    pub title: &'a str,
    pub reports: &'a [StepReport],
    /// The step that was begun and whose result nobody knows.
    pub in_doubt: &'a [StepAt],
    /// What the author says at the end.
    pub told: &'a Told,
    /// Evidence that is no longer where it was written.
    pub places: &'a BTreeMap<PathBuf, String>,
    /// Where else people were told.
    pub beside: &'a [Beside],
    /// Where all of a note is kept that PagerDuty does not take whole.
    pub whole: Option<&'a str>,
    /// Whom to call, where the hand-off goes to a destination of the customer's.
    pub contact: Option<&'a str>,
    /// Whose incident it is, as people call them, and whom to tell there.
    pub customer: Option<(&'a str, Option<&'a str>)>,
    pub began_at: Timestamp,
    pub now: Timestamp,
    pub taken_over: bool,
}

/// Which note of a run; one of each at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    Start,
    /// The run's questions, counted from 1.
    Ask(u32),
    /// To somebody who answered one and may not.
    Stranger(&'a str),
    End,
    /// What was under way at the end.
    Late,
}

/// Unique per run and kind.
pub fn marker(run: &RunId, kind: Kind<'_>) -> String {
    let kind = match kind {
        Kind::Start => "start".to_owned(),
        Kind::Ask(number) => format!("ask-{number}"),
        Kind::Stranger(by) => format!("not-{by}"),
        Kind::End => "end".to_owned(),
        Kind::Late => "late".to_owned(),
    };
    format!("[ams:{run}:{kind}]")
}

/// Characters of an output shown from its start and from its end.
const EXCERPT_CHARS: usize = 800;

impl Style {
    pub fn start_note(&self, story: &Story<'_>) -> String {
        let labels = labels(self.lang);
        let mut note = String::new();
        line(&mut note, text::start_headline(self.lang));
        line(&mut note, &format!("{}: {}", labels.scenario, story.scenario.about));
        line(&mut note, &format!("\n{}", labels.will_do));
        for step in story.scenario.acting_steps() {
            line(&mut note, &named(step));
        }
        line(&mut note, "");
        line(&mut note, labels.to_stop);
        self.close(&note, story, Kind::Start)
    }

    /// What stands in the start note's place while a long run goes on: the same note, edited.
    pub fn progress_note(&self, story: &Story<'_>, so_far: &[StepReport]) -> String {
        let labels = labels(self.lang);
        let mut note = String::new();
        line(&mut note, text::start_headline(self.lang));
        line(&mut note, &format!("{}: {}", labels.scenario, story.scenario.about));
        line(&mut note, labels.to_stop);
        let all: Vec<&StepReport> = story.reports.iter().chain(so_far).collect();
        let newest = &all[all.len().saturating_sub(limits::PROGRESS_STEPS)..];
        let took = |report: &StepReport| SignedDuration::try_from(report.took).unwrap_or_default();
        let ends = newest.iter().map(|report| report.began_at + took(report));
        let at = self.time(ends.max().unwrap_or(story.began_at));
        let lines = newest
            .iter()
            .filter_map(|report| Some(self.step(report, story.scenario.step(report.at.step)?)));
        let mut lines: Vec<String> = lines.collect();
        if all.len() > newest.len() {
            lines.insert(0, "…".to_owned());
        }
        section(&mut note, &text::so_far(self.lang, &at), &lines, labels.nothing);
        let last = all.iter().map(|report| report.at.step).max();
        let left = story
            .scenario
            .acting_steps()
            .filter(|step| last.is_none_or(|last| step.number > last))
            .map(named);
        section(&mut note, labels.will_do, &left.collect::<Vec<_>>(), labels.nothing);
        self.close(&note, story, Kind::Start)
    }

    /// Asks people for permission.
    pub fn ask_note(&self, story: &Story<'_>, question: &Question) -> String {
        let labels = labels(self.lang);
        let mut note = String::new();
        line(&mut note, labels.approve);
        let Question { number, text, does, within } = question;
        line(&mut note, &format!("\n{text}\n"));
        line(&mut note, &format!("{}: {}", labels.scenario, story.scenario.about));
        if !does.is_empty() {
            line(&mut note, &format!("\n{}\n{}\n", labels.will_do, does.join("\n")));
        }
        let within = text::duration(self.lang, *within);
        line(&mut note, &format!("{} ({within})", labels.to_approve));
        self.close(&note, story, Kind::Ask(*number))
    }

    /// Somebody answered who may not.
    pub fn stranger_note(&self, story: &Story<'_>, by: Option<&str>) -> String {
        let mut note = String::new();
        line(&mut note, &text::not_an_approver(self.lang, by.unwrap_or("?")));
        self.close(&note, story, Kind::Stranger(by.unwrap_or("unknown")))
    }

    /// The last note of a run, whatever its end.
    pub fn end_note(&self, story: &Story<'_>, end: &End) -> String {
        let note = self.end_text(story, end, limits::NOTE_PART_BYTES);
        self.close(&note, story, Kind::End)
    }

    /// All of the last note, where PagerDuty does not take it whole.
    pub fn uncut_end_note(&self, story: &Story<'_>, end: &End) -> Option<String> {
        let said = [&story.told.message, &story.told.manual].into_iter().flatten();
        let long = said.into_iter().any(|text| text.len() > limits::NOTE_PART_BYTES);
        let text = self.end_text(story, end, usize::MAX);
        // Masks make a text little longer: one that is short is not cleaned only to be measured.
        if !long && text.len() < limits::NOTE_BYTES / 4 {
            return None;
        }
        let whole = self.clean(&text);
        let foot = self.foot(story, Kind::End);
        (long || whole.len() + foot.len() > limits::NOTE_BYTES).then(|| whole + &foot)
    }

    /// The last note without its signature, as tickets and mails have it; not masked yet. `part`: bytes
    /// of each text of the author's, so that one with a whole log in it leaves room for the rest.
    pub fn end_text(&self, story: &Story<'_>, end: &End, part: usize) -> String {
        let labels = labels(self.lang);
        let for_people =
            matches!(end.outcome(), Outcome::HandedOff | Outcome::Escalated | Outcome::StoodDown);
        let mut note = String::new();
        let reason = reasons::reason(self.lang, end, story.scenario);
        line(&mut note, &format!("{}\n{reason}", text::headline(self.lang, end)));
        if let Some(said) = &story.told.message {
            line(&mut note, &self.cut(said, part, story));
        }
        line(&mut note, "");
        let title = shorten::in_the_middle(&plain::line(story.title), limits::TITLE_CHARS);
        line(&mut note, &format!("{}: {title}", labels.alert));
        if let Some((name, contact)) = story.customer {
            let contact = contact.filter(|_| for_people).map(|it| format!(" ({it})"));
            let contact = contact.unwrap_or_default();
            line(&mut note, &format!("{}: {name}{contact}", labels.customer));
        }
        line(&mut note, &format!("{}: {}", labels.scenario, story.scenario.about));
        if story.taken_over {
            line(&mut note, labels.taken_over);
        }
        if for_people && !matches!(end, End::StoodDown(_)) {
            let manual = story.told.manual.as_deref().map_or(labels.no_manual, str::trim);
            let manual = self.cut(manual, part, story);
            line(&mut note, &format!("\n{}\n{manual}", labels.next));
            if let Some(contact) = story.contact {
                line(&mut note, &format!("{}: {contact}", labels.contact));
            }
        }
        self.steps(&mut note, story);
        if for_people {
            self.not_done(&mut note, story);
        }
        if !story.beside.is_empty() {
            let lines: Vec<String> =
                story.beside.iter().map(|beside| packet::line(self.lang, beside)).collect();
            section(&mut note, packet::heading(self.lang), &lines, "");
        }
        self.facts(&mut note, story, end.outcome() == Outcome::RecoveredItself);
        note
    }

    /// What was seen, and what was done.
    fn steps(&self, note: &mut String, story: &Story<'_>) {
        let labels = labels(self.lang);
        let (mut seen, mut done) = (Vec::new(), Vec::new());
        for report in story.reports {
            let Some(step) = story.scenario.step(report.at.step) else { continue };
            let changes = step.kind.effect() != Effect::Read;
            let lines = if changes { &mut done } else { &mut seen };
            lines.push(self.step(report, step));
        }
        for step in story.in_doubt.iter().filter_map(|at| story.scenario.step(at.step)) {
            done.push(format!("{} → {}", named(step), text::in_doubt(self.lang)));
        }
        section(note, labels.seen, &seen, labels.nothing);
        section(note, labels.done, &done, labels.nothing);
    }

    fn step(&self, report: &StepReport, step: &Step) -> String {
        let mut details = Vec::new();
        if report.attempts > 1 {
            details.push(text::attempts(self.lang, report.attempts));
        }
        details.push(text::duration(self.lang, report.took));
        details.extend(guards::passes(self.lang, &report.passes));
        format!(
            "{} {} → {} ({})",
            self.time(report.began_at),
            match &report.entry {
                Some(entry) => format!("{} ({entry})", named(step)),
                None => named(step),
            },
            text::verdict(self.lang, &step.kind, &report.verdict, report.seen.as_ref()),
            details.join(", "),
        )
    }

    /// The steps behind the last one that anything is known of. Where the way branches, only what
    /// stands in no branch: other branches were never meant to be gone.
    fn not_done(&self, note: &mut String, story: &Story<'_>) {
        let known = story.reports.iter().map(|report| &report.at).chain(story.in_doubt);
        let known: Vec<usize> = known.map(|at| at.step).collect();
        let last = known.iter().max();
        let branches = story.scenario.walk().iter().any(|step| step.kind.is_flow());
        let left: Vec<String> = story
            .scenario
            .acting_steps()
            .filter(|step| last.is_none_or(|last| step.number > *last))
            .filter(|step| {
                !branches || story.scenario.steps.iter().any(|it| it.number == step.number)
            })
            .map(named)
            .chain(story.told.untouched.iter().filter_map(|(step, entries)| {
                Some(format!("{}: {}", named(story.scenario.step(*step)?), entries.join(", ")))
            }))
            .collect();
        if !left.is_empty() {
            section(note, labels(self.lang).not_done, &left, "");
        }
    }

    /// `evidence`: what was looked at is why nothing was done.
    fn facts(&self, note: &mut String, story: &Story<'_>, evidence: bool) {
        let mut heading = Some(labels(self.lang).facts);
        for report in story.reports {
            let (Some(step), Some(seen)) = (story.scenario.step(report.at.step), &report.seen)
            else {
                continue;
            };
            // What a passed check printed says no more than that it passed, unless that was all.
            let looks =
                !evidence && matches!(step.kind, StepKind::Check { .. } | StepKind::Verify { .. });
            if looks && report.verdict == Verdict::Met {
                continue;
            }
            for output in [&seen.stdout, &seen.stderr] {
                if output.total_bytes == 0 {
                    continue;
                }
                if let Some(heading) = heading.take() {
                    line(note, &format!("\n{heading}"));
                }
                let entry = report.entry.iter().map(|entry| format!(" ({entry})"));
                let entry: String = entry.collect();
                line(note, &format!("--- {}. {}{entry}", step.number + 1, step.name));
                line(note, self.excerpt(output).trim_end());
                if let Some(path) = &output.evidence {
                    let full = labels(self.lang).full_output;
                    let here = || format!("{}:{}", story.region, path.display());
                    let place = story.places.get(path).cloned().unwrap_or_else(here);
                    line(note, &format!("({full}: {place})"));
                }
            }
        }
    }

    /// Head and tail of an output, masked before they are cut off: half a secret is not known for
    /// one.
    fn excerpt(&self, output: &Output) -> String {
        let masked = if output.is_whole() {
            self.clean(&output.head)
        } else {
            self.clean(&self.mask.apply_to_cut(&output.head))
        };
        if output.is_whole() && masked.chars().count() <= 2 * EXCERPT_CHARS {
            return masked;
        }
        let tail = self.clean(&output.tail);
        let end = if tail.is_empty() { &masked } else { &tail };
        let head: String = masked.chars().take(EXCERPT_CHARS).collect();
        let skip = end.chars().count().saturating_sub(EXCERPT_CHARS);
        let tail: String = end.chars().skip(skip).collect();
        format!("{head}\n{}\n{tail}", text::left_out(self.lang, output.total_bytes))
    }

    fn time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Nothing secret in it, and nothing that acts on who reads it. A secret may hold what is left
    /// out of plain text, and may become one by it.
    pub fn clean(&self, text: &str) -> String {
        let masked = self.mask.apply(text);
        let plain = plain::plain(&masked);
        // Nothing was left out, so nothing has become a secret by it.
        if plain == masked { masked } else { self.mask.apply(&plain) }
    }

    /// The first `room` bytes, and where the rest is.
    fn cut(&self, text: &str, room: usize, story: &Story<'_>) -> String {
        if text.len() <= room {
            return text.to_owned();
        }
        let mark = text::cut(self.lang, text.len(), story.whole);
        let kept = shorten::at_the_end(text, room.saturating_sub(mark.len() + 1));
        format!("{}\n{mark}", kept.trim_end())
    }

    /// Cleans, shortens and signs.
    pub(super) fn close(&self, note: &str, story: &Story<'_>, kind: Kind<'_>) -> String {
        let foot = self.foot(story, kind);
        let room = limits::NOTE_BYTES.saturating_sub(foot.len());
        self.cut(&self.clean(note), room, story) + &foot
    }

    fn foot(&self, story: &Story<'_>, kind: Kind<'_>) -> String {
        let Story { run, region, scenario, began_at, now, .. } = story;
        let began = began_at.to_zoned(self.zone.clone());
        let took = now.duration_since(*began_at).unsigned_abs();
        let lasted = match kind {
            Kind::Start | Kind::Ask(_) | Kind::Stranger(_) | Kind::Late => String::new(),
            Kind::End => format!(" ({})", text::duration(self.lang, took)),
        };
        format!(
            "\n{}: {} @{} / {run} / {region} / {}{lasted}\n{}",
            labels(self.lang).record,
            scenario.id,
            scenario.hash,
            began.strftime("%Y-%m-%d %H:%M:%S %Z"),
            marker(run, kind),
        )
    }
}

fn line(note: &mut String, text: &str) {
    note.push_str(text);
    note.push('\n');
}

/// `3. [recover] 再起動`
fn named(step: &Step) -> String {
    format!("{}. [{}] {}", step.number + 1, step.kind.word(), step.name)
}

fn section(note: &mut String, heading: &str, lines: &[String], nothing: &str) {
    let body = if lines.is_empty() { nothing.to_owned() } else { lines.join("\n") };
    line(note, &format!("\n{heading}\n{body}"));
}
