//! What is known of a run while it goes on, for who tells people meanwhile.

use crate::claim::journal::DoneResult;
use crate::execute::end::End;
use crate::execute::memory::Memory;
use crate::execute::run::{Progress, RunPlan, StepReport};
use crate::incident::Outcome;
use crate::scenario::model::{Scenario, StepKind};
use crate::scenario::step::Severity;

/// Grows with each step that ends.
#[derive(Clone, Debug, Default)]
pub struct SoFar {
    /// Without what the steps printed.
    pub steps: Vec<StepReport>,
    pub severity: Severity,
}

/// What the findings make of the incident. Of several that say the same thing, the one further down
/// in the file holds.
pub fn severity(scenario: &Scenario, memory: &Memory) -> Severity {
    let found = memory.results().filter(|(_, seen)| seen.result == DoneResult::NotMet);
    let steps = found.filter_map(|(at, _)| scenario.step(at.step));
    steps.fold(Severity::default(), |known, step| step.if_broken.clone().or(known))
}

impl Progress<'_> {
    /// What the findings say, where the end itself says nothing.
    pub(super) fn priority(&self, end: &End) -> Option<String> {
        let RunPlan { scenario, memory, .. } = &self.plan;
        let is_handed_off = matches!(end.outcome(), Outcome::HandedOff | Outcome::Escalated);
        let says_it_itself = match end {
            End::HandedOffByStep { step } => scenario.step(*step).is_some_and(
                |step| matches!(&step.kind, StepKind::HandOff(own) if own.priority.is_some()),
            ),
            _ => false,
        };
        let found = severity(scenario, memory).priority;
        found.filter(|_| is_handed_off && !says_it_itself)
    }

    /// Shows whoever watches what has ended since the first `known` reports.
    pub(super) fn show(&self, known: usize) {
        let RunPlan { scenario, memory, signals, .. } = &self.plan;
        let severity = severity(scenario, memory);
        let new = self.reports.get(known..).unwrap_or_default();
        signals.so_far.send_modify(|so_far| so_far.hear(new, severity));
    }
}

impl SoFar {
    /// Takes in what has ended since.
    fn hear(&mut self, reports: &[StepReport], severity: Severity) {
        let light = |report: &StepReport| StepReport { seen: None, ..report.clone() };
        self.steps.extend(reports.iter().map(light));
        self.severity = severity;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Map;

    use super::*;
    use crate::claim::journal::StepAt;
    use crate::execute::memory::Seen;

    const SCENARIO: &str = "\
scenario: severe
about: 重さ
match: {all: [severe]}
steps:
  - check: {name: 応答, run: 'true', if_broken: {priority: P3, urgency: low}}
  - check: {name: 全台, run: 'true', if_broken: {priority: P1}}
  - gather: {name: 記録, run: 'true'}
";

    #[test]
    fn what_is_found_later_in_the_file_holds() {
        let read = crate::scenario::file::read(Path::new("severe.yaml"), SCENARIO, None);
        let scenario = read.unwrap().0;
        let mut memory = Memory::default();
        let mut see = |step: usize, result| {
            let (at, values) = (StepAt::plain(step), Map::new());
            memory.keep(at, Seen { result, values });
            let Severity { priority, urgency } = severity(&scenario, &memory);
            (priority.unwrap_or_default(), urgency.map(crate::incident::Urgency::word))
        };
        // Not found out is not found broken.
        assert_eq!(see(0, DoneResult::Unclear), (String::new(), None));
        assert_eq!(see(2, DoneResult::NotMet), (String::new(), None));
        assert_eq!(see(0, DoneResult::NotMet), ("P3".to_owned(), Some("low")));
        assert_eq!(see(1, DoneResult::NotMet), ("P1".to_owned(), Some("low")));
        assert_eq!(see(1, DoneResult::Met), ("P3".to_owned(), Some("low")));
    }
}
