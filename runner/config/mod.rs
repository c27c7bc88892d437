//! Settings of `ams serve`: one file, and the environment for what differs between machines.
//!
//! Every mistake is reported at once, with its key and a remedy. Secrets are references
//! (`env:NAME`, `file:PATH`), never values in the file. The environment is read here only.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::aws;
use crate::claim::heartbeat::LeaseTerms;
use crate::dynamodb::Location;
use crate::execute::host_program::Places;
use crate::fields::{At, Fields};
use crate::finding::{Finding, Findings};
use crate::guard::file::{Level, read_limits};
use crate::guard::rules::Rules;
use crate::handoff::ways::Settings as Ways;
use crate::incident::Region;
use crate::lang::Lang;
use crate::limits;
use crate::mask::{Learned, Mask};
use crate::secret::{Form, Secret};
use crate::yaml::{self, Node, Place};

mod custom_fields;
mod customers_aws;
mod eventbridge;
mod evidence;
mod figures;
mod mask;
mod packet;
mod pagerduty;
mod paging;
mod rate;
mod records;
mod regions;
mod rulebook;
mod rules_place;
mod set_up;
mod source;
mod store;
mod traces;

pub use eventbridge::EventBridgeConfig;
pub use evidence::EvidenceConfig;
pub use mask::Variables;
pub use pagerduty::PagerDutyConfig;
pub use paging::{LastResortConfig, PagingConfig};
pub use records::Records;
pub use regions::{RegionAddress, SecretPlace};
pub use rulebook::Rulebook;
pub use rules_place::MirrorConfig;
pub use set_up::SetUp;
use source::Source;
pub use traces::TracesConfig;

/// Everything `ams serve` needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub region: Region,
    pub listen: SocketAddr,
    pub lang: Lang,
    pub zone: TimeZone,
    pub scenarios: PathBuf,
    /// What is copied from buckets to the directories of scenarios and customers.
    pub mirrors: Vec<MirrorConfig>,
    /// Without it every scenario that needs a customer's value hands off.
    pub customers: Option<PathBuf>,
    pub store: StoreConfig,
    /// Without it no host is reached by SSM.
    pub aws: Option<aws::Settings>,
    pub evidence: EvidenceConfig,
    /// Where commands that change something leave their traces, for who takes a run over on this
    /// machine.
    pub commands: PathBuf,
    /// Where changes leave their markers on customers' hosts.
    pub host_markers: Places,
    pub webhook_secrets: Vec<Secret>,
    pub eventbridge: EventBridgeConfig,
    pub pagerduty: PagerDutyConfig,
    /// All regions, as PagerDuty reaches them.
    pub regions: Vec<RegionAddress>,
    pub last_resort: LastResortConfig,
    /// Beside PagerDuty.
    pub ways: Ways,
    pub vars: BTreeMap<String, String>,
    pub reload_every: Duration,
    /// How often open incidents are compared with the claims.
    pub reconcile_every: Duration,
    pub log: LogConfig,
    pub traces: Option<TracesConfig>,
    pub lease: LeaseTerms,
    pub shutdown_grace: Duration,
    /// What limits recoveries everywhere.
    pub limits: Rules,
    /// Secrets that came while AMS runs.
    pub learned: Learned,
    /// How often secrets are read again that may have changed.
    pub secrets_every: Duration,
    /// What else is secret.
    pub mask: crate::mask::Rules,
    /// Passed on to commands: `PATH`, `HOME`, `LANG` and the like.
    pub inherited: BTreeMap<String, String>,
    /// For customers' files, which may name secrets by their variables.
    pub variables: Variables,
}

/// Where claims and history are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// The claims' file; the history lies beside it.
    Sqlite(PathBuf),
    DynamoDb(DynamoDbConfig),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoDbConfig {
    /// Of claims.
    pub table: String,
    pub history_table: String,
    pub location: Location,
    /// All processes are in this region.
    pub single_region: bool,
}

#[derive(Clone, Debug)]
pub struct LogConfig {
    pub format: LogFormat,
    /// A `tracing` filter such as `info` or `ams=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What a process inherits and hands on to the commands it runs.
const INHERITED: [&str; 6] = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ"];

/// The process's environment, as an argument for everything else.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Config {
    /// Reads the file and the environment (`AMS_…` overrides a setting of the file).
    pub fn load(path: &Path, env: &BTreeMap<String, String>) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::of(path);
        let Some(node) = read(path, &mut findings) else { return Err(findings.into_sorted()) };
        let config = Fields::of(&node, "the file", &mut findings).and_then(|fields| {
            let base = path.parent().unwrap_or_else(|| Path::new("."));
            let source = Source { fields, section: "", env, base };
            let config = source.config(&mut findings);
            source.fields.finish(&mut findings);
            config
        });
        match config {
            Some(config) if findings.is_empty() => Ok(config),
            _ => Err(findings.into_sorted()),
        }
    }

    /// Copies of buckets go there, for who only looks.
    pub fn copy_rules_to(&mut self, folder: &Path) {
        for mirror in &mut self.mirrors {
            let before = mirror.current();
            mirror.folder = folder.join(mirror.folder.file_name().unwrap_or_default());
            let places = std::iter::once(&mut self.scenarios).chain(self.customers.as_mut());
            places.filter(|it| **it == before).for_each(|it| *it = mirror.current());
        }
    }

    /// AMS's own secrets.
    pub fn secrets(&self) -> Vec<Secret> {
        let last = self.last_resort.events.iter().map(|events| &events.routing_key);
        let own = self.webhook_secrets.iter().chain([&self.pagerduty.token]).chain(last);
        own.chain(packet::secrets(&self.ways)).chain(&self.eventbridge.keys).cloned().collect()
    }

    /// All that this process must not say: its own secrets, those that it hears of later too, and what
    /// the operator names.
    pub fn masks(&self) -> Mask {
        let own = self.secrets().iter().map(Secret::now).collect::<Vec<_>>();
        let named = self.mask.known.iter().cloned();
        Mask::learning(self.learned.clone()).and(own.into_iter().chain(named), &self.mask.patterns)
    }
}

fn read(path: &Path, findings: &mut Findings) -> Option<Node> {
    let start = Place::START;
    let content = match std::fs::read_to_string(path) {
        Ok(content) => content,
        Err(error) => {
            let message = format!("the configuration cannot be read: {error}");
            findings.add("unreadable-file", start, message, "name the file with --config");
            return None;
        }
    };
    match yaml::parse(&content) {
        Ok(node) => Some(node),
        Err(error) => {
            findings.add("syntax", error.place, error.message, error.remedy);
            None
        }
    }
}

impl Source<'_> {
    fn config(&self, findings: &mut Findings) -> Option<Config> {
        let region = self.required("region", "tokyo", findings);
        let listen = self.listen(findings);
        let lang = self.word("lang", &Lang::WORDS, findings).unwrap_or(Lang::Ja);
        let zone = self.zone(lang, findings);
        let evidence = evidence::read(self, findings);
        let aws = customers_aws::read_if_said(self, findings);
        let rules = self.rules(aws.as_ref(), evidence.as_ref(), findings);
        let beside = evidence.as_ref().map(|it| it.directory.with_file_name("commands"));
        let commands = match self.fields.get("commands") {
            Some(_) => self.path("commands", "/var/lib/ams/commands", findings),
            None => beside,
        };
        let host_markers = self.host_markers(findings);
        let store = self.section("store", "STORE_", findings, store::read);
        let webhook = self.section("webhook", "WEBHOOK_", findings, webhook_secrets);
        let pagerduty = self.section("pagerduty", "PAGERDUTY_", findings, pagerduty::read);
        let ways = packet::read(self, findings);
        let last_resort = paging::read_last_resort(self, &ways, findings);
        let log =
            self.section("log", "LOG_", findings, |source, findings| Some(source.log(findings)));
        let lease = self.lease(findings);
        let grace = self.duration("shutdown_grace", findings).unwrap_or(limits::SHUTDOWN_GRACE);
        let vars = self.vars(findings);
        // Not for this process: a mistake in it is told all the same.
        figures::by_hand(self, findings);
        let reload_every = self.duration("reload_every", findings).unwrap_or(limits::RELOAD_EVERY);
        let reconcile_every =
            self.duration("reconcile_every", findings).unwrap_or(limits::RECONCILE_EVERY);
        let regions = regions::read(self, findings);
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.env.get(*name)?.clone())))
            .collect();
        Some(Config {
            region: Region::new(region?.value),
            listen: listen?,
            lang,
            zone: zone?,
            scenarios: rules.scenarios?,
            customers: rules.customers,
            mirrors: rules.mirrors,
            store: store?,
            aws,
            evidence: evidence?,
            commands: commands?,
            host_markers: host_markers?,
            webhook_secrets: webhook?,
            eventbridge: eventbridge::read(self, findings)?,
            pagerduty: pagerduty?,
            regions: regions?,
            last_resort: last_resort?,
            ways,
            vars,
            reload_every,
            reconcile_every,
            log: log?,
            traces: traces::read(self, findings),
            lease: lease?,
            shutdown_grace: grace,
            limits: self.limits(findings),
            mask: mask::read(self, findings),
            learned: Learned::default(),
            secrets_every: self
                .duration("secrets_every", findings)
                .unwrap_or(limits::SECRETS_EVERY),
            inherited,
            variables: Variables(self.env.clone()),
        })
    }

    /// What is written takes the place of what is built in.
    fn limits(&self, findings: &mut Findings) -> Rules {
        let written = self.fields.get("limits");
        written.map_or_else(Rules::built_in, |node| read_limits(node, Level::Shared, findings))
    }

    fn host_markers(&self, findings: &mut Findings) -> Option<Places> {
        if self.fields.get("host_markers").is_none() {
            return Some(Places::default());
        }
        let written = self.fields.texts("host_markers", findings);
        let places = Places::new(written.into_iter().map(|at| at.value));
        if places.is_none() {
            let at = (self.place("host_markers"), "host_markers");
            let remedy = "write paths of letters, digits and ._-, such as [/var/lib/ams, ~/.ams]";
            self.bad(at, "names no directories of hosts", remedy, findings);
        }
        places
    }

    fn listen(&self, findings: &mut Findings) -> Option<SocketAddr> {
        let At { place, value } = self.required("listen", "127.0.0.1:8080", findings)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            let message = format!("is '{value}', which is no address and port");
            self.bad((place, "listen"), &message, "write for example 0.0.0.0:8080", findings);
        }
        parsed
    }

    fn zone(&self, lang: Lang, findings: &mut Findings) -> Option<TimeZone> {
        let at = self.text("time_zone", findings);
        let place = at.as_ref().map_or(self.fields.place(), |at| at.place);
        let name = at.map_or_else(|| lang.default_zone().to_owned(), |at| at.value);
        let zone = TimeZone::get(&name).ok();
        if zone.is_none() {
            let message = format!("is '{name}', which is no time zone");
            self.bad((place, "time_zone"), &message, "write for example Asia/Tokyo", findings);
        }
        zone
    }

    fn lease(&self, findings: &mut Findings) -> Option<LeaseTerms> {
        let default = LeaseTerms::default();
        let terms = LeaseTerms {
            beat_every: self.duration("heartbeat", findings).unwrap_or(default.beat_every),
            lease: self.duration("lease", findings).unwrap_or(default.lease),
            margin: self.duration("lease_margin", findings).unwrap_or(default.margin),
        };
        // Two heartbeats must fit before the owner stops by itself, or one lost write stops it.
        if terms.beat_every.saturating_mul(2).saturating_add(terms.margin) > terms.lease {
            let remedy = "make lease at least twice heartbeat plus lease_margin";
            self.bad((self.place("lease"), "lease"), "is too short", remedy, findings);
            return None;
        }
        Some(terms)
    }

    fn vars(&self, findings: &mut Findings) -> BTreeMap<String, String> {
        let Some(node) = self.fields.get("vars") else { return BTreeMap::new() };
        let Some(own) = Fields::of(node, "vars", findings) else { return BTreeMap::new() };
        own.all()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.name.clone(), crate::fields::text(value, &name.name, findings)?.value))
            })
            .collect()
    }

    fn log(&self, findings: &mut Findings) -> LogConfig {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let format = self.word("format", &formats, findings).unwrap_or(LogFormat::Text);
        let level = self.text("level", findings);
        let place = level.as_ref().map_or(self.fields.place(), |at| at.place);
        let level = level.map_or_else(|| "info".to_owned(), |at| at.value);
        // A lone word that is no level would be taken for a module's name, and nothing logged.
        let is_known = |part: &str| {
            part.contains('=')
                || part.trim().parse::<tracing_subscriber::filter::LevelFilter>().is_ok()
        };
        let parses = level.parse::<tracing_subscriber::EnvFilter>().is_ok();
        if !parses || !level.split(',').all(is_known) {
            let message = format!("is '{level}'");
            self.bad((place, "level"), &message, "write error, warn, info or debug", findings);
        }
        LogConfig { format, level }
    }
}

fn webhook_secrets(source: &Source<'_>, findings: &mut Findings) -> Option<Vec<Secret>> {
    let mut written = source.fields.texts("secrets", findings);
    if source.fields.get("secrets").is_none() {
        let value = "env:AMS_WEBHOOK_SECRET".to_owned();
        written.push(At { place: source.fields.place(), value });
    }
    let form = Form::Lines { shortest: 1 };
    let secrets: Vec<Option<Secret>> =
        written.iter().map(|at| source.secret("secrets", at, form, findings)).collect();
    secrets.into_iter().collect()
}
