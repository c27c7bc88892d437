//! What is made wrong on purpose while everything runs, and whether the proof finds it and nothing
//! else.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use ams::incident::IncidentId;
use tokio::time::{Instant, sleep};

use super::facts::Facts;
use super::options::{Options, Sabotage};
use super::proof::{ALL_THERE, ONCE};
use crate::evidence::Case;
use crate::observer::Observer;
use crate::report::Held;
use crate::schedule::Planned;
use crate::witness;

/// The first one some time after the cut, by the word of its title that no other has.
fn lost_one<'a>(options: &Options, mut planned: impl Iterator<Item = &'a Planned>) -> &'a str {
    let after = options.pace.calm + Duration::from_secs(2);
    let one = planned.find(|one| one.at >= after);
    one.and_then(|one| one.title.rsplit(' ').next()).unwrap_or_default()
}

pub(super) fn lost(options: &Options, planned: &[Planned]) -> String {
    lost_one(options, planned.iter()).to_owned()
}

/// Until one incident at most is open.
pub(super) async fn settle(observer: &Observer, within: Duration) {
    let began = Instant::now();
    while began.elapsed() < within && observer.open().len() > 1 {
        sleep(Duration::from_millis(200)).await;
    }
}

/// What the witness writes when the first recovery that must never be repeated runs again.
pub(super) fn repeat_one(path: &Path, planned: &[Planned], ids: &[IncidentId]) -> io::Result<()> {
    let effects = witness::read(path)?;
    let mut pairs = planned.iter().zip(ids);
    let once = pairs.find(|(planned, _)| planned.kind.name == "once").map(|(_, id)| id);
    let effect = once.and_then(|id| Some((id, effects.get(id)?.first()?)));
    let (id, effect) =
        effect.ok_or_else(|| io::Error::other("nothing ran that could run again"))?;
    let mut file = std::fs::File::options().append(true).open(path)?;
    writeln!(file, "{id} {} {} {} {}", effect.run, effect.step, effect.host, effect.nonce)
}

/// Is what was made wrong found, each by its rule, and does nothing else seem wrong?
pub(super) fn is_found(options: &Options, facts: &Facts<'_>, held: &[Held]) -> bool {
    let culprit = |case: &Case<'_>, sabotage: Sabotage| match sabotage {
        Sabotage::Webhook => {
            let planned = facts.cases.iter().map(|case| case.planned);
            case.planned.title.ends_with(lost_one(options, planned))
        }
        Sabotage::Recovery => case.planned.kind.name == "once",
    };
    let mut expected = Vec::new();
    for sabotage in &options.sabotage {
        let case = facts.cases.iter().find(|case| culprit(case, *sabotage));
        let rule = match sabotage {
            Sabotage::Webhook => ALL_THERE,
            Sabotage::Recovery => ONCE,
        };
        expected.extend(case.map(|case| (rule, case.id())));
    }
    let wrong = || {
        let all =
            held.iter().flat_map(|held| held.wrong.iter().map(|it| (held.rule, it.0.as_ref())));
        all.collect::<Vec<_>>()
    };
    let all_found = expected.iter().all(|(rule, id)| wrong().contains(&(*rule, Some(*id))));
    let is_expected =
        |incident: Option<&IncidentId>| expected.iter().any(|(_, id)| Some(*id) == incident);
    expected.len() == options.sabotage.len()
        && all_found
        && wrong().into_iter().all(|(_, incident)| is_expected(incident))
}
