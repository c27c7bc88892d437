//! A tenant: whose incidents are meant, its hosts, and the values its scenarios need.
//!
//! A run is bound to one customer; what another one has cannot be reached from it, because
//! nothing but this value is handed to the run.

pub mod approval;
pub mod aws;
mod aws_way;
pub mod belongs;
pub mod calendar;
pub mod catalog;
pub mod check;
pub mod file;
pub mod instance;
mod limits;
pub mod packet;
pub mod rest;
pub mod ssh;
mod way;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::claim::ledger::Mark;
use crate::customer::approval::Approval;
use crate::customer::belongs::Belongs;
use crate::customer::rest::Maintenance;
pub use crate::customer::rest::{Rest, Suspension};
use crate::guard::rules::Rules;
use crate::lang::Lang;
use crate::mask;
use crate::paging::{Acknowledge, Fallback};
use crate::scenario::model::Mode;
use crate::yaml::Place;

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: String,
    /// Of its file.
    pub hash: String,
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
    /// Where else its hand-offs are told.
    pub packet: packet::Packet,
    /// PagerDuty escalation policy of hand-offs that name no destination.
    pub escalation: Option<String>,
    /// Whom to page when that reaches nobody.
    pub fallback: Fallback,
    /// Where it is not what the settings say.
    pub acknowledge: Option<Acknowledge>,
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
    pub maintenance: Vec<Maintenance>,
    pub approval: Approval,
    /// Of its own; others hold beside them.
    pub limits: Rules,
    /// What else is secret in its runs.
    pub mask: mask::Rules,
    pub file: PathBuf,
    /// Where the values stand that are for the scenarios to judge: `parameters.NAME`,
    /// `hosts.HOST.NAME`, `modes.SCENARIO`, `suspensions.INDEX`, `maintenance.INDEX`,
    /// `approval.waived.INDEX`.
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
}
