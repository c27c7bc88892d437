//! What the sources of a target say before a run begins, for `ams plan`. Pure.

use serde_json::Value;

use crate::execute::end::Lack;
use crate::execute::target::{Heard, Located, LocatedHost, in_alerts};
use crate::execute::world::World;
use crate::scenario::model::{Scenario, Source};
use crate::scenario::value::Values;

/// Their answers, as far as they can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// One for each source.
    pub said: Vec<Said>,
    /// Set where it is known which source will be taken, or that none will.
    pub located: Option<Located>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Taken(Vec<String>),
    Nobody(Lack),
    Doubtful(Lack),
    /// Only the run itself will ask.
    Unknown,
    /// Something before it ends the search.
    NotAsked,
}

impl World {
    /// What the sources say as far as nobody outside must be asked; `alerts`, if they are at hand.
    pub fn preview(
        &self,
        scenario: &Scenario,
        values: &Values,
        alerts: Option<&[Value]>,
    ) -> Preview {
        let mut preview = Preview::default();
        let (Some(customer), Some(target)) = (&self.customer, &scenario.target) else {
            return preview;
        };
        let (mut lacks, mut is_open) = (Vec::new(), true);
        for (number, source) in target.sources().iter().enumerate() {
            let heard = match (source, alerts) {
                _ if !is_open => Err(Said::NotAsked),
                (Source::Named(template), _) => Ok(self.named(scenario, values, template)),
                (Source::Alert(keys), Some(alerts)) => Ok(in_alerts(customer, alerts, keys)),
                (Source::Alert(_) | Source::LookUp { .. }, _) => Err(Said::Unknown),
            };
            preview.said.push(match heard {
                Ok(Heard::Hosts(hosts)) => {
                    is_open = false;
                    let names = hosts.iter().map(LocatedHost::name).collect();
                    // One before it that is still to be asked may be taken instead.
                    if !preview.said.contains(&Said::Unknown) {
                        preview.located =
                            Some(Located { source: Some(number), hosts, strange: None });
                    }
                    Said::Taken(names)
                }
                Ok(Heard::Nobody(lack)) => {
                    lacks.push(lack.clone());
                    Said::Nobody(lack)
                }
                Ok(Heard::Doubtful(lack)) => {
                    is_open = false;
                    Said::Doubtful(lack)
                }
                Err(said) => said,
            });
        }
        if is_open && !preview.said.contains(&Said::Unknown) {
            preview.located = Some(Located::nobody(&lacks));
        }
        preview
    }
}
