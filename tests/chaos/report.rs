//! What is printed: progress, the tables, and the stories of what went wrong.

use std::time::Duration;

use ams::incident::IncidentId;

use crate::courier::Delivered;
use crate::evidence::{Case, Doubts, Figures};
use crate::ground::Ground;
use crate::options::Options;
use crate::trouble::Done;

/// Stories printed after a failure; the folder has all.
const STORIES: usize = 5;

/// A rule, how much it was held against, and what violated it.
pub(crate) struct Held {
    pub(crate) rule: &'static str,
    pub(crate) looked_at: usize,
    pub(crate) wrong: Vec<(Option<IncidentId>, String)>,
}

/// Everything there is to say about a run.
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) incidents: usize,
    pub(crate) firing: Duration,
    pub(crate) took: Duration,
    pub(crate) done: Done,
    pub(crate) delivered: Delivered,
    pub(crate) late: usize,
    pub(crate) doubts: Doubts,
    pub(crate) figures: Figures,
    pub(crate) held: Vec<Held>,
}

#[expect(clippy::print_stderr, reason = "this is how the program tells that it lives")]
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "results")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

impl Report<'_> {
    pub(crate) fn violations(&self) -> usize {
        self.held.iter().map(|held| held.wrong.len()).sum()
    }

    fn per_minute(&self) -> f64 {
        f64::from(u32::try_from(self.incidents).unwrap_or(u32::MAX)) * 60.0
            / self.firing.as_secs_f64().max(1.0)
    }

    fn done(&self, words: &[&str]) -> u64 {
        words.iter().filter_map(|word| self.done.counts.get(word)).sum()
    }

    /// The tables, in plain text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            out.extend([format!("  {name:<52} {value:>12}\n")]);
        };
        line("seed", self.options.seed.to_string());
        line("store", self.options.store.word().to_owned());
        line("incidents", self.incidents.to_string());
        line("incidents a minute", format!("{:.0}", self.per_minute()));
        line("minutes in all", format!("{:.1}", self.took.as_secs_f64() / 60.0));
        for (word, count) in &self.done.counts {
            line(word, count.to_string());
        }
        line("starts refused while the store was locked", self.done.refused_starts.to_string());
        let Delivered { webhooks, sent, taken, put_off, unanswered, .. } = self.delivered;
        line("webhooks", webhooks.to_string());
        line("  requests", sent.to_string());
        line("  taken", taken.to_string());
        line("  answered 5xx", put_off.to_string());
        line("  without answer", unanswered.to_string());
        line("  late copies after the end", self.late.to_string());
        let figures = &self.figures;
        line("runs", figures.runs.to_string());
        for (outcome, count) in &figures.outcomes {
            line(&format!("  {outcome}"), count.to_string());
        }
        for (reason, count) in &figures.reasons {
            line(&format!("    because {reason}"), count.to_string());
        }
        line("take-overs", figures.take_overs.to_string());
        line("effects by the witness", figures.effects.to_string());
        line("  tried, not done, and told to people", figures.not_done.to_string());
        line("  idempotent ones repeated", figures.repeated.to_string());
        line("effects in doubt at a take-over", self.doubts.all().to_string());
        line("  adopted: found running or ended", self.doubts.adopted.to_string());
        line("  announced and never begun", self.doubts.never_begun.to_string());
        line("  unknown, idempotent: repeated", self.doubts.repeated.to_string());
        line("  unknown, once: to people", self.doubts.unknown.to_string());
        line("runs handed off as \"unknown whether it ran\"", figures.unknown.to_string());
        line("notes beyond the first of their kind", figures.double_notes.to_string());
        line("pages beyond the first", figures.double_pages.to_string());
        out + "\n" + &self.rules()
    }

    fn rules(&self) -> String {
        let mut out = format!("  {:<52} {:>12} {:>8}\n", "what must hold", "looked at", "wrong");
        for Held { rule, looked_at, wrong } in &self.held {
            out.extend([format!("  {rule:<52} {looked_at:>12} {:>8}\n", wrong.len())]);
        }
        out
    }

    /// A row of the table in docs/RELIABILITY.md.
    pub(crate) fn markdown(&self) -> String {
        let done = |words: &[&str]| self.done(words).to_string();
        let store: u64 = self
            .done
            .counts
            .iter()
            .filter(|(word, _)| word.contains("store") || word.contains("file"))
            .map(|(_, count)| count)
            .sum();
        let pagerduty = self.done.counts.iter().filter(|(word, _)| word.contains("PagerDuty"));
        let cells = [
            self.options.store.word().to_owned(),
            self.options.seed.to_string(),
            self.incidents.to_string(),
            format!("{:.0}", self.per_minute()),
            done(&["kill -9", "kill -9 with all its commands"]),
            done(&["SIGSTOP beyond the lease"]),
            done(&["SIGTERM"]),
            store.to_string(),
            pagerduty.map(|(_, count)| count).sum::<u64>().to_string(),
            self.delivered.sent.to_string(),
            self.figures.take_overs.to_string(),
            self.doubts.adopted.to_string(),
            self.figures.unknown.to_string(),
            self.figures.double_notes.to_string(),
            self.violations().to_string(),
            format!("`{}`", self.options.command()),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// What is wrong, a line each.
    pub(crate) fn wrong(&self) -> String {
        let mut out = String::new();
        for Held { rule, wrong, .. } in &self.held {
            for (incident, what) in wrong {
                let whose = incident.as_ref().map_or("", IncidentId::as_str);
                out.extend([format!("  violated: {rule}\n    {whose} {what}\n")]);
            }
        }
        out
    }

    /// The incidents something is wrong with, as far as they are told.
    pub(crate) fn offenders(&self) -> Vec<IncidentId> {
        let all = self.held.iter().flat_map(|held| &held.wrong);
        let mut offenders: Vec<IncidentId> =
            all.filter_map(|(incident, _)| incident.clone()).collect();
        offenders.sort();
        offenders.dedup();
        offenders.truncate(STORIES);
        offenders
    }
}

/// All that is known of one incident.
pub(crate) fn story(ground: &Ground, case: &Case<'_>) -> String {
    let mut out = format!("── {} {}\n", case.id(), case.planned.title);
    let mut tell = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    if let Some((after, touch)) = case.planned.touched {
        tell(format!("  planned: {touch:?} after {:.1} s", after.as_secs_f64()));
    }
    for entry in ground.cluster.pagerduty.timeline(case.id()) {
        let text = entry.text.replace('\n', "\n      ");
        tell(format!("  {}  {}: {text}", entry.at, entry.agent));
    }
    for item in case.runs.values() {
        let outcome = item.outcome.map_or("open", ams::incident::Outcome::word);
        tell(format!(
            "  run {}: {outcome}, {} epoch {}, opened {}, changed {}, {:?}",
            item.run, item.owner, item.epoch, item.opened_at, item.changed_at, item.stand_down
        ));
        for entry in item.journal.entries() {
            tell(format!("    {entry:?}"));
        }
    }
    for effect in &case.effects {
        tell(format!("  witness: {effect:?}"));
    }
    for (region, log) in ground.cluster.regions.iter().zip(ground.logs()) {
        for line in log.lines().filter(|line| line.contains(case.id().as_str())) {
            tell(format!("  {}: {line}", region.name));
        }
    }
    out
}

/// A short word on how far it is.
pub(crate) fn state(fired: usize, of: usize, open: usize, elapsed: Duration) -> String {
    format!("{:>6.0} s  {fired} of {of} fired, {open} open", elapsed.as_secs_f64())
}
