//! What this process wrote last, so that its next write needs no read. Being wrong costs one.

use std::collections::HashMap;

use super::item::Stored;
use crate::incident::IncidentId;
use crate::limits;

/// Two generations: what was not written again while a whole one filled up is forgotten.
#[derive(Default)]
pub(super) struct Remembered {
    young: HashMap<IncidentId, Stored>,
    old: HashMap<IncidentId, Stored>,
}

impl Remembered {
    pub(super) fn get(&self, incident: &IncidentId) -> Option<Stored> {
        self.young.get(incident).or_else(|| self.old.get(incident)).cloned()
    }

    /// Takes note of an item as it was just written. Nobody here writes to a run any more that is
    /// over or given up.
    pub(super) fn note(&mut self, stored: &Stored) {
        let incident = &stored.item.run.incident;
        if self.get(incident).is_some_and(|known| known.version > stored.version) {
            // Two writes of ours, told in the other order.
            return;
        }
        self.old.remove(incident);
        if stored.item.outcome.is_some() || stored.item.released {
            self.young.remove(incident);
            return;
        }
        if self.young.len() >= limits::DYNAMODB_REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(incident.clone(), stored.clone());
    }
}
