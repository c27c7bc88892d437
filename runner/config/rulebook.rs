//! The part of the configuration that past incidents are held against: scenarios and customers, and
//! the account where it is asked. No store, no webhook secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::source::Source;
use super::{PagerDutyConfig, customers_aws, figures, mask, pagerduty, read};
use crate::aws;
use crate::fields::Fields;
use crate::finding::{Finding, Findings};
use crate::lang::Lang;
use crate::limits;
use crate::mask::Mask;

#[derive(Clone, Debug)]
pub struct Rulebook {
    pub lang: Lang,
    pub zone: TimeZone,
    pub scenarios: Option<PathBuf>,
    pub customers: Option<PathBuf>,
    /// How long people need for the first response to an alert.
    pub by_hand: Duration,
    pub mask: Mask,
    /// Read only where it is asked for.
    pub pagerduty: Option<PagerDutyConfig>,
    /// Where AMS is at AWS, for a token that is kept there.
    pub aws: Option<aws::Settings>,
}

impl Default for Rulebook {
    /// Without a configuration.
    fn default() -> Self {
        Self {
            lang: Lang::Ja,
            zone: TimeZone::get(Lang::Ja.default_zone()).unwrap_or(TimeZone::UTC),
            scenarios: None,
            customers: None,
            by_hand: limits::BY_HAND,
            mask: Mask::default(),
            pagerduty: None,
            aws: None,
        }
    }
}

impl Rulebook {
    /// Reads these settings only; what is wrong with others is `ams serve`'s business.
    pub fn load(
        path: &Path,
        env: &BTreeMap<String, String>,
        with_account: bool,
    ) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::of(path);
        let Some(node) = read(path, &mut findings) else { return Err(findings.into_sorted()) };
        let rulebook = Fields::of(&node, "the file", &mut findings).and_then(|fields| {
            let base = path.parent().unwrap_or_else(|| Path::new("."));
            Source { fields, section: "", env, base }.rulebook(with_account, &mut findings)
        });
        match rulebook {
            Some(rulebook) if findings.is_empty() => Ok(rulebook),
            _ => Err(findings.into_sorted()),
        }
    }
}

impl Source<'_> {
    fn rulebook(&self, with_account: bool, findings: &mut Findings) -> Option<Rulebook> {
        let lang = self.word("lang", &Lang::WORDS, findings).unwrap_or(Lang::Ja);
        let zone = self.zone(lang, findings);
        let scenarios = self.rules_at_hand("scenarios", findings);
        let customers = self.rules_at_hand("customers", findings);
        let by_hand = figures::by_hand(self, findings);
        let rules = mask::read_leniently(self, findings);
        let mask = Mask::default().and(rules.known, &rules.patterns);
        let pagerduty = if with_account {
            Some(self.section("pagerduty", "PAGERDUTY_", findings, pagerduty::read)?)
        } else {
            None
        };
        let aws = customers_aws::read_if_said(self, findings);
        Some(Rulebook { lang, zone: zone?, scenarios, customers, by_hand, mask, pagerduty, aws })
    }
}
