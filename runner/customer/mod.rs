//! A tenant: whose incidents are meant, its hosts, and the values its scenarios need.
//!
//! A run is bound to one customer; what another one has cannot be reached from it, because
//! nothing but this value is handed to the run.

pub mod aws;
mod aws_way;
pub mod belongs;
pub mod catalog;
pub mod check;
pub mod file;
pub mod instance;
mod limits;
pub mod ssh;
mod way;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::claim::ledger::Mark;
use crate::customer::belongs::Belongs;
use crate::guard::rules::Rules;
use crate::lang::Lang;
use crate::mask;
use crate::scenario::model::Mode;
use crate::yaml::Place;

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: String,
    /// As people call it.
    pub name: String,
    /// Whom to tell and how, in a line.
    pub contact: Option<String>,
    /// Which incidents are its own.
    pub belongs: Belongs,
    /// For the incidents' notes, where it is not the language of the settings.
    pub lang: Option<Lang>,
    /// The project of its tickets, for steps that open one.
    pub ticket_project: Option<String>,
    /// PagerDuty escalation policy of hand-offs that name no destination.
    pub escalation: Option<String>,
    /// Its times are told and meant in this zone.
    pub zone: TimeZone,
    pub parameters: Map<String, Value>,
    pub hosts: Vec<Host>,
    /// Where hosts and services of its are in AWS.
    pub aws: Vec<Arc<aws::AwsAccount>>,
    pub destinations: BTreeMap<String, Destination>,
    /// How far AMS may go, per scenario id; `default` for all others.
    pub modes: BTreeMap<String, Mode>,
    pub suspensions: Vec<Suspension>,
    /// Of its own; others hold beside them.
    pub limits: Rules,
    /// What else is secret in its runs.
    pub mask: mask::Rules,
    pub file: PathBuf,
    /// Where the values stand that are for the scenarios to judge: `parameters.NAME`,
    /// `hosts.HOST.NAME`, `modes.SCENARIO`, `suspensions.INDEX`.
    pub places: BTreeMap<String, Place>,
}

#[derive(Clone, Debug, Default)]
pub struct Host {
    pub name: String,
    pub aliases: Vec<String>,
    pub address: Option<String>,
    pub groups: Vec<String>,
    /// Its id at EC2 or SSM.
    pub instance: Option<String>,
    /// The host's own values; they go before the customer's.
    pub parameters: Map<String, Value>,
    pub reach: Reach,
}

/// How commands get to a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// No way is set up.
    #[default]
    None,
    /// It is the machine AMS itself runs on.
    Local,
    /// By OpenSSH's client.
    Ssh(Arc<ssh::SshWay>),
    /// By the agent of AWS Systems Manager.
    Ssm(Arc<aws::SsmWay>),
}

/// Who gets a hand-off that a scenario sends to a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// PagerDuty escalation policy.
    pub policy: Option<String>,
    /// Whom to call, in a line for the note.
    pub contact: Option<String>,
}

/// 対応停止: the customer asked to leave the system alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Only this scenario.
    pub scenario: Option<String>,
    /// Only this host.
    pub host: Option<String>,
    /// Only the hosts of this group.
    pub group: Option<String>,
    pub reason: String,
}

impl Customer {
    /// Names the customer where its id may not be written.
    pub fn mark(&self) -> Mark {
        Mark::of(&["customer", &self.id])
    }

    /// Where a value stands in its file.
    pub fn place(&self, value: &str) -> Place {
        self.places.get(value).copied().unwrap_or(Place::START)
    }

    /// The strictest of what the customer and the scenario allow.
    pub fn mode(&self, scenario: &str, own: Mode) -> Mode {
        let said = self.modes.get(scenario).or_else(|| self.modes.get("default"));
        said.copied().map_or(own, |mode| mode.min(own))
    }

    /// By name, alias, address or instance id; a port behind it does not matter.
    pub fn host(&self, written: &str) -> Option<&Host> {
        let wanted = match written.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => written,
        };
        self.hosts.iter().find(|host| {
            host.name.eq_ignore_ascii_case(wanted)
                || host.address.as_deref() == Some(wanted)
                || host.instance.as_deref() == Some(wanted)
                || host.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(wanted))
        })
    }

    pub fn group(&self, group: &str) -> Vec<&Host> {
        self.hosts.iter().filter(|host| host.groups.iter().any(|it| it == group)).collect()
    }

    /// The suspension in force that lasts longest. Without a host, only those for all hosts count.
    pub fn suspended(
        &self,
        scenario: &str,
        host: Option<&str>,
        now: Timestamp,
    ) -> Option<&Suspension> {
        let covers = |suspension: &&Suspension| {
            (suspension.from..suspension.until).contains(&now)
                && suspension.scenario.as_deref().is_none_or(|it| it == scenario)
                && suspension.host.as_deref().is_none_or(|it| host == Some(it))
                && suspension.group.as_ref().is_none_or(|it| {
                    let host = host.and_then(|host| self.host(host));
                    host.is_some_and(|host| host.groups.contains(it))
                })
        };
        self.suspensions.iter().filter(covers).max_by_key(|suspension| suspension.until)
    }
}
