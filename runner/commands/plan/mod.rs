//! `ams plan`: the run that would happen for a title, nothing executed.

mod sources;
mod tell;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::begun;
use crate::clock::{Clock as _, SystemClock};
use crate::commands::{exit, print};
use crate::customer::Customer;
use crate::customer::catalog::Customers;
use crate::execute::memory::Memory;
use crate::execute::preview::Preview;
use crate::execute::world::{Frame, World};
use crate::incident::{Incident, IncidentId, Named, Status, Urgency};
use crate::mask::Mask;
use crate::matching::{Choice, Meant};
use crate::report::title;
use crate::rules::RuleSet;
use crate::scenario::catalog::Catalog;
use crate::scenario::value::Values;

/// Show the run that would happen for a title: the scenario, its steps and what they would be
/// given. Nothing is executed and nobody is asked.
///
/// Values that a step will read only when it runs are shown as <steps.disk.used>.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams plan \"HTTP 応答なし site=shop port=8080\"
  ams plan --alerts alerts.json \"Spooler is not running\"
  ams plan --customers customers --service PSHOP01 \"SMTP service is down on mail01\"

Exit codes: 0 a scenario is meant, 1 none or several are, 2 could not run.")]
pub struct Args {
    /// Title of an incident
    #[arg(value_name = "TITLE")]
    title: String,
    /// Scenario files or a directory
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    scenarios: PathBuf,
    /// Customer file or directory
    #[arg(long, value_name = "PATH")]
    customers: Option<PathBuf>,
    /// PagerDuty service of the incident, by id or name: it says whose incident it is
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Values for {{ vars.NAME }}
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_var)]
    vars: Vec<(String, String)>,
    /// Alerts of the incident as JSON, for a target that is named in their details: a list, or the
    /// answer of PagerDuty's /incidents/ID/alerts
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

fn parse_var(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "write NAME=VALUE".to_owned())
}

/// A run before it begins.
struct Planned {
    meant: Meant,
    customer: Option<Arc<Customer>>,
    values: Values,
    /// What the sources of its target say.
    preview: Preview,
}

pub fn run(args: &Args) -> ExitCode {
    let rules = match load(args) {
        Ok(rules) => rules,
        Err(error) => {
            print::error(&*error);
            return ExitCode::from(exit::CANNOT);
        }
    };
    if rules.catalog.scenarios.is_empty() {
        print::err(format_args!(
            "error: no scenario in {} can be used (ams validate says why)",
            args.scenarios.display()
        ));
        return ExitCode::from(exit::CANNOT);
    }
    match plan(args, &rules) {
        Ok(planned) => {
            match args.format {
                Format::Text => tell::text(&planned),
                Format::Json => print::out(format_args!("{:#}", tell::json(&planned))),
            }
            ExitCode::from(exit::OK)
        }
        Err(why) => {
            print::err(why);
            ExitCode::from(exit::FINDINGS)
        }
    }
}

fn load(args: &Args) -> Result<RuleSet, Box<dyn std::error::Error>> {
    let catalog = Catalog::load(&args.scenarios, None)?;
    let customers = match &args.customers {
        Some(path) => Customers::load(path)?,
        None => Customers::default(),
    };
    for finding in catalog.findings.iter().chain(&customers.findings) {
        print::err(finding);
    }
    Ok(RuleSet::new(catalog, customers))
}

fn plan(args: &Args, rules: &RuleSet) -> Result<Planned, String> {
    let incident = incident(args)?;
    let customer = rules.customer_of(&incident, title::original(&incident.title));
    if customer.is_none() && args.service.is_some() && !rules.customers.is_empty() {
        print::err("no customer has this service");
    }
    let choice = rules.choose(title::original(&incident.title), &incident, customer.as_deref());
    let meant = match choice {
        Choice::Scenario { meant, .. } => meant,
        Choice::None { .. } => {
            return Err("no scenario is meant for this title (ams match says who was close)".into());
        }
        Choice::Ambiguous { several, .. } => {
            let ids: Vec<&str> = several.iter().map(|it| it.scenario.id.as_str()).collect();
            return Err(format!("several scenarios are meant equally: {}", ids.join(", ")));
        }
    };
    let vars: BTreeMap<String, String> = args.vars.iter().cloned().collect();
    let base = begun::base_values(&meant.scenario, &meant.captures, &vars, &incident);
    let (customer_of_run, service) = (customer.clone(), incident.service.clone());
    let world = World { base, customer: customer_of_run, service, mask: Mask::default() };
    let zone = customer.as_ref().map_or(jiff::tz::TimeZone::UTC, |it| it.zone.clone());
    let now = SystemClock.now().to_zoned(zone);
    let (mut memory, frame) = (Memory::default(), Frame::default());
    let alerts = args.alerts.as_deref().map(sources::alerts).transpose()?;
    let before = world.before_target(&meant.scenario, (&memory, &now), &frame);
    let preview = world.preview(&meant.scenario, &before, alerts.as_deref());
    if let Some(located) = preview.located.clone() {
        memory.locate(located);
    }
    let values = world.values(&meant.scenario, (&memory, &now), &frame, None);
    Ok(Planned { meant, customer, values, preview })
}

fn incident(args: &Args) -> Result<Incident, String> {
    Ok(Incident {
        id: IncidentId::parse("PPLAN").ok_or("no incident id")?,
        title: args.title.clone(),
        status: Status::Triggered,
        urgency: Urgency::High,
        number: None,
        created_at: None,
        status_by: None,
        reopened_at: None,
        service: args.service.clone().map(|name| Named { id: name.clone(), name }),
        escalation_policy: None,
        acknowledged_by: Vec::new(),
        assignees: Vec::new(),
        html_url: None,
        seen_at: SystemClock.now(),
    })
}
