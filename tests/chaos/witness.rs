//! What the recoveries themselves say that they did: one line each, written in one go.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ams::incident::IncidentId;

/// A recovery that was really carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) run: u32,
    /// The step's name.
    pub(crate) step: String,
    /// `-` where the step is not one of several hosts'.
    pub(crate) host: String,
    pub(crate) nonce: String,
}

/// By incident, in the order they happened.
pub(crate) type Effects = BTreeMap<IncidentId, Vec<Effect>>;

/// Reads the witness's file. A line that is not whole is an error: then a write was not one.
pub(crate) fn read(path: &Path) -> io::Result<Effects> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut effects = Effects::new();
    for line in text.lines() {
        let (incident, effect) = parse(line)
            .ok_or_else(|| io::Error::other(format!("the witness has half a line: '{line}'")))?;
        effects.entry(incident).or_default().push(effect);
    }
    Ok(effects)
}

fn parse(line: &str) -> Option<(IncidentId, Effect)> {
    let [incident, run, step, host, nonce] = line.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let effect = Effect {
        run: run.parse().ok()?,
        step: step.to_owned(),
        host: host.to_owned(),
        nonce: nonce.to_owned(),
    };
    Some((IncidentId::parse(incident)?, effect))
}
