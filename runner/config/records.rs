//! The part of the configuration that looking into the store needs: no token and no secret, so
//! that people may ask what happened who must not act.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::source::Source;
use super::{StoreConfig, figures, mask, read, store};
use crate::claim::heartbeat::LeaseTerms;
use crate::fields::Fields;
use crate::finding::{Finding, Findings};
use crate::lang::Lang;
use crate::mask::Mask;

/// Where runs are recorded, and how to tell them.
#[derive(Clone, Debug)]
pub struct Records {
    pub store: StoreConfig,
    pub lang: Lang,
    pub zone: TimeZone,
    pub scenarios: Option<PathBuf>,
    pub customers: Option<PathBuf>,
    pub lease: LeaseTerms,
    pub mask: Mask,
    /// How long people need for the first response to an alert. A mistake in it must not keep anybody
    /// from pausing AMS.
    pub by_hand: Result<Duration, Vec<Finding>>,
}

impl Records {
    /// Reads these settings only; what is wrong with others is `ams serve`'s business.
    pub fn load(path: &Path, env: &BTreeMap<String, String>) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::of(path);
        let Some(node) = read(path, &mut findings) else { return Err(findings.into_sorted()) };
        let records = Fields::of(&node, "the file", &mut findings).and_then(|fields| {
            let base = path.parent().unwrap_or_else(|| Path::new("."));
            let source = Source { fields, section: "", env, base };
            source.records(&mut findings, Findings::of(path))
        });
        match records {
            Some(records) if findings.is_empty() => Ok(records),
            _ => Err(findings.into_sorted()),
        }
    }
}

impl Source<'_> {
    fn records(&self, findings: &mut Findings, mut aside: Findings) -> Option<Records> {
        let store = self.section("store", "STORE_", findings, store::read);
        let lang = self.word("lang", &Lang::WORDS, findings).unwrap_or(Lang::Ja);
        let zone = self.zone(lang, findings);
        let scenarios = self.rules_at_hand("scenarios", findings);
        let customers = self.rules_at_hand("customers", findings);
        let lease = self.lease(findings);
        let rules = mask::read_leniently(self, findings);
        let mask = Mask::default().and(rules.known, &rules.patterns);
        let by_hand = figures::by_hand(self, &mut aside);
        let mistakes = aside.into_sorted();
        Some(Records {
            store: store?,
            lang,
            zone: zone?,
            scenarios,
            customers,
            lease: lease?,
            mask,
            by_hand: if mistakes.is_empty() { Ok(by_hand) } else { Err(mistakes) },
        })
    }
}
