//! Commands on servers with the agent of AWS Systems Manager, in the accounts of customers.
//!
//! Everything that is asked of one account in one region goes through one desk (`desk.rs`): its pace,
//! its back-off, its agents (`ping.rs`) and its commands that are waited for (`poll.rs`). An order goes
//! out once (`send.rs`); what SSM says of it is read in `status.rs`, and where that proves nothing the
//! host itself is asked (`adopt.rs`). The text that is sent is the one of `host_program.rs`.

mod adopt;
mod calls;
mod desk;
mod output;
mod pace;
mod ping;
mod poll;
mod refused;
mod send;
mod status;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::desk::Desk;
pub use self::desk::Terms;
use self::send::Talk;
use super::actuator::{Action, Actuator, Adopted, Ending, Observation, Order, TargetHost};
use super::host_program::Places;
use super::local::{Streams, not_started};
use crate::aws::Aws;
use crate::aws::sessions::Sessions;
use crate::claim::ledger::Mark;
use crate::clock::Clock;
use crate::customer::Reach;
use crate::customer::aws::SsmWay;

pub struct SsmCommands {
    evidence_dir: PathBuf,
    places: Places,
    clock: Arc<dyn Clock>,
    terms: Terms,
    /// `None` where AMS has nothing set up at AWS.
    sessions: Option<Arc<Sessions>>,
    desks: Mutex<HashMap<DeskKey, Arc<Desk>>>,
    http: reqwest::Client,
}

/// Customer, role, region: what two customers do in one account has nothing in common.
type DeskKey = (String, String, String);

impl SsmCommands {
    /// `places` are where markers lie on hosts. `http` fetches outputs from buckets.
    pub fn new(
        evidence_dir: PathBuf,
        (aws, http): (Option<Aws>, reqwest::Client),
        places: Places,
        clock: Arc<dyn Clock>,
        terms: Terms,
    ) -> Self {
        let sessions = aws.map(|aws| Arc::new(Sessions::new(aws, Arc::clone(&clock))));
        let desks = Mutex::default();
        Self { evidence_dir, places, clock, terms, sessions, desks, http }
    }

    /// For others who ask AWS something in customers' accounts.
    pub fn sessions(&self) -> Option<Arc<Sessions>> {
        self.sessions.clone()
    }

    fn desk(&self, way: &SsmWay) -> Result<Arc<Desk>, &'static str> {
        let sessions = self.sessions.as_ref().ok_or(
            "AMS is not set up for AWS; give it a region and credentials (`aws` in its settings)",
        )?;
        let words = way.account().words();
        let key = (words.customer.clone(), words.role.clone(), way.region().to_owned());
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        // What a customer's file says may have changed since.
        if let Some(desk) = desks.get(&key).filter(|desk| desk.account == *way.account()) {
            return Ok(Arc::clone(desk));
        }
        let known = (Arc::clone(sessions), Arc::clone(&self.clock));
        let desk = Arc::new(Desk::new(way, known, self.terms));
        desks.insert(key, Arc::clone(&desk));
        Ok(desk)
    }

    async fn carry_out(
        &self,
        order: &Order,
        cancel: &CancellationToken,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let Some(way) = way_of(order.host.as_ref()) else {
            return not_started("no way by SSM is set up to this host");
        };
        let desk = match self.desk(way) {
            Ok(desk) => desk,
            Err(why) => return not_started(why),
        };
        let expiry = Instant::now() + order.timeout;
        Talk { ssm: self, desk, order, way, expiry, cancel }.carry_out(streams).await
    }
}

#[async_trait]
impl Actuator for SsmCommands {
    /// A change has longer than its timeout: until an agent must have begun it, and until the host was
    /// asked where SSM does not know.
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let started = Instant::now();
        let mut streams = Streams::of(&self.evidence_dir, order);
        let ending = self.carry_out(order, cancel, &mut streams).await;
        streams.finish(ending, started.elapsed()).await
    }

    fn trace(&self, _action: &Action, host: Option<&TargetHost>) -> Option<String> {
        way_of(host).map(place)
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        // The record must be of this machine of this customer, however the files have changed since.
        let Some(way) =
            way_of(order.host.as_ref()).filter(|way| trace == Some(place(way).as_str()))
        else {
            return Adopted::Unknown;
        };
        let Ok(desk) = self.desk(way) else { return Adopted::Unknown };
        let started = Instant::now();
        // What was begun has an attempt; which one is found out.
        let order = &Order { attempt: Some(1), ..order.clone() };
        let talk = Talk { ssm: self, desk, order, way, expiry: started + order.timeout, cancel };
        let mut streams = Streams::of(&self.evidence_dir, order);
        match talk.adopt(&mut streams).await {
            Ok((ending, attempt)) => {
                let seen = Box::new(streams.finish(ending, started.elapsed()).await);
                Adopted::Ended { seen, attempt }
            }
            Err(adopted) => adopted,
        }
    }
}

fn way_of(host: Option<&TargetHost>) -> Option<&SsmWay> {
    match &host?.reach {
        Reach::Ssm(way) => Some(way),
        Reach::None | Reach::Local | Reach::Ssh(_) => None,
    }
}

/// Names the machine in records that may lie abroad.
fn place(way: &SsmWay) -> String {
    let words = way.account().words();
    let parts = ["ssm", &words.customer, &words.account, way.region(), way.instance()];
    format!("ssm:{}", Mark::of(&parts).as_str())
}
