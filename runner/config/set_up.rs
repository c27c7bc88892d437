//! The part of the configuration that setting up an account needs: before there is a subscription
//! there is no webhook secret yet, and `ams serve` would not start.

use std::collections::BTreeMap;
use std::path::Path;

use super::mask::Variables;
use super::source::Source;
use super::{PagerDutyConfig, RegionAddress, customers_aws, pagerduty, read, regions};
use crate::aws;
use crate::fields::Fields;
use crate::finding::{Finding, Findings};
use crate::lang::Lang;

/// The account, and the regions it is to send webhooks to.
#[derive(Clone, Debug)]
pub struct SetUp {
    pub lang: Lang,
    pub pagerduty: PagerDutyConfig,
    pub regions: Vec<RegionAddress>,
    /// Where AMS is at AWS, for secrets that are kept there.
    pub aws: Option<aws::Settings>,
    pub variables: Variables,
}

impl SetUp {
    /// Reads these settings only; what is wrong with others is `ams serve`'s business.
    pub fn load(path: &Path, env: &BTreeMap<String, String>) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::of(path);
        let Some(node) = read(path, &mut findings) else { return Err(findings.into_sorted()) };
        let set_up = Fields::of(&node, "the file", &mut findings).and_then(|fields| {
            let base = path.parent().unwrap_or_else(|| Path::new("."));
            Source { fields, section: "", env, base }.set_up(&mut findings)
        });
        match set_up {
            Some(set_up) if findings.is_empty() => Ok(set_up),
            _ => Err(findings.into_sorted()),
        }
    }
}

impl Source<'_> {
    fn set_up(&self, findings: &mut Findings) -> Option<SetUp> {
        let lang = self.word("lang", &Lang::WORDS, findings).unwrap_or(Lang::Ja);
        let pagerduty = self.section("pagerduty", "PAGERDUTY_", findings, pagerduty::read);
        let regions = regions::read(self, findings);
        let aws = customers_aws::read_if_said(self, findings);
        let variables = Variables(self.env.clone());
        Some(SetUp { lang, pagerduty: pagerduty?, regions: regions?, aws, variables })
    }
}
