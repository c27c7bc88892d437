//! Services that speak the Query protocol: a form with `Action` and `Version`, answered in XML.
//!
//! Each follows its own API reference (Amazon EC2, Amazon RDS, Elastic Load Balancing version
//! 2015-12-01, Amazon EC2 Auto Scaling), as far as a first response asks: what is looked at, and
//! the few changes.

mod balancing;
mod databases;
mod instances;
mod scaling;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use tokio::time::Instant;
use uuid::Uuid;

pub(super) use self::instances::Machine;
use super::form::Form;
use super::refusal::{Why, escaped, xml};
use super::sts;
use super::world::{Account, Caller, Pace, Shared};

/// Everything of one account in one region but its hosts.
#[derive(Default)]
pub(super) struct Estate {
    volumes: BTreeMap<String, volumes::State>,
    databases: BTreeMap<String, databases::State>,
    /// By ARN.
    targets: BTreeMap<String, balancing::State>,
    scaling: BTreeMap<String, scaling::State>,
}

/// What signatures call a service, and its only version.
const SERVICES: [(&str, &str); 5] = [
    ("autoscaling", "2011-01-01"),
    ("ec2", "2016-11-15"),
    ("elasticloadbalancing", "2015-12-01"),
    ("rds", "2014-10-31"),
    ("sts", "2011-06-15"),
];

pub(super) fn answer(
    shared: &Arc<Shared>,
    caller: &Caller,
    (service, action): (&str, &str),
    form: &Form,
) -> Result<Response, Why> {
    let version = form.get("Version").unwrap_or_default();
    if !SERVICES.contains(&(service, version)) {
        let message = format!("Could not find operation {action} for version {version}");
        return Err(Why::stated("InvalidAction", message));
    }
    let call = Call { shared, caller, form };
    let inside = match service {
        "ec2" => {
            if form.get("DryRun") == Some("true") {
                let message = "Request would have succeeded, but DryRun flag is set.";
                return Err(Why::answered(412, "DryRunOperation", message));
            }
            let inside = instances::answer(&call, action);
            let inside =
                inside.or_else(|| volumes::answer(&call, action)).unwrap_or_else(no_action);
            let id = Uuid::new_v4();
            return Ok(xml(
                StatusCode::OK,
                &format!(
                    "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/{version}/\">\
                     <requestId>{id}</requestId>{}</{action}Response>",
                    inside?
                ),
            ));
        }
        "rds" => databases::answer(&call, action),
        "elasticloadbalancing" => balancing::answer(&call, action),
        "autoscaling" => scaling::answer(&call, action),
        _ => Some(sts::answer(shared, caller, action, form)),
    };
    let inside = inside.unwrap_or_else(no_action)?;
    let host = format!("http://{service}.amazonaws.com/doc/{version}/");
    let id = Uuid::new_v4();
    Ok(xml(
        StatusCode::OK,
        &format!(
            "<{action}Response xmlns=\"{host}\"><{action}Result>{inside}</{action}Result>\
             <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
        ),
    ))
}

fn no_action() -> Result<String, Why> {
    Err(Why::stated("InvalidAction", "The action is not valid for this web service."))
}

/// A request, and who asks.
struct Call<'a> {
    shared: &'a Arc<Shared>,
    caller: &'a Caller,
    form: &'a Form,
}

impl Call<'_> {
    fn text(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default()
    }

    /// A number that has to be there.
    fn number(&self, name: &str) -> Result<u64, Why> {
        let text = self.text(name);
        let wrong = |_| Why::stated("ValidationError", format!("{text:?} is no {name}"));
        text.parse().map_err(wrong)
    }

    fn pace(&self) -> Pace {
        self.shared.world().pace
    }

    fn estate<T>(&self, use_it: impl FnOnce(&mut Estate) -> T) -> T {
        let mut world = self.shared.world();
        let account = world.accounts.entry(self.caller.account.clone()).or_default();
        use_it(account.estates.entry(self.caller.region.clone()).or_default())
    }
}

/// Something of an account that a test has set up, by region and id.
#[derive(Clone, Debug)]
struct Thing {
    account: super::accounts::Account,
    region: String,
    id: String,
}

impl Thing {
    fn estate<T>(&self, use_it: impl FnOnce(&mut Estate, Pace) -> T) -> T {
        let mut world = self.account.shared.world();
        let pace = world.pace;
        let account: &mut Account = world.accounts.entry(self.account.id.clone()).or_default();
        use_it(account.estates.entry(self.region.clone()).or_default(), pace)
    }
}

impl super::accounts::Account {
    fn thing(&self, region: &str, id: &str) -> Thing {
        Thing { account: self.clone(), region: region.to_owned(), id: id.to_owned() }
    }
}

/// Something that becomes something else.
#[derive(Clone, Debug)]
struct Change<T> {
    from: T,
    to: T,
    since: Instant,
    takes: Duration,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Under,
    /// In use already, not yet at its best.
    Settling,
    Over,
}

impl<T: PartialEq> Change<T> {
    fn new(from: T, to: T, pace: Pace) -> Self {
        Self { from, to, since: Instant::now(), takes: pace.change }
    }

    /// As it has been for long.
    fn none(is: T) -> Self
    where
        T: Clone,
    {
        Self { from: is.clone(), to: is, since: Instant::now(), takes: Duration::ZERO }
    }

    fn stage(&self, pace: Pace) -> Stage {
        match self.since.elapsed() {
            _ if self.from == self.to => Stage::Over,
            _ if pace.over.is_some_and(|over| over >= self.since) => Stage::Over,
            passed if passed >= self.takes * 2 => Stage::Over,
            passed if passed >= self.takes => Stage::Settling,
            _ => Stage::Under,
        }
    }

    fn now(&self, pace: Pace) -> &T {
        self.at(self.stage(pace))
    }

    fn at(&self, stage: Stage) -> &T {
        if stage == Stage::Under { &self.from } else { &self.to }
    }
}

/// `<name>text</name>`.
fn field(name: &str, text: &(impl ToString + ?Sized)) -> String {
    format!("<{name}>{}</{name}>", escaped(&text.to_string()))
}

/// `<name>` around what is XML already.
fn around(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

/// A list, each one in an element of this name.
fn listed(name: &str, one: &str, all: impl IntoIterator<Item = String>) -> String {
    let all: String = all.into_iter().map(|inside| around(one, &inside)).collect();
    around(name, &all)
}
