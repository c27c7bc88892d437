//! Where a run asks for its target outside: the ports, and what stands in for one that is not there.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::customer::Customer;
use crate::customer::instance::Instance;
use crate::incident::IncidentId;

/// Why a source gave no answer, for people. No answer is not "none found".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// The alerts of an incident.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// As the incident platform gives them, up to 100.
    async fn of(&self, incident: &IncidentId) -> Result<Vec<Value>, NoAnswer>;
}

/// Servers by tag.
#[async_trait]
pub trait LookUp: Send + Sync {
    /// Instances whose `tag` is exactly `value`, in this customer's accounts and in no other; those
    /// that are terminated, or about to be, left out. The value has no signs that EC2's filters read
    /// as "anything".
    ///
    /// An account or a region that does not answer makes the whole answer an error: what is not seen
    /// might be the one that is meant, or a second one.
    async fn by_tag(
        &self,
        customer: &Customer,
        tag: &str,
        value: &str,
    ) -> Result<Vec<Instance>, NoAnswer>;
}

/// What a process can ask.
#[derive(Clone)]
pub struct Sources {
    pub alerts: Arc<dyn Alerts>,
    pub look_up: Arc<dyn LookUp>,
}

/// For processes without a way into customers' accounts.
pub struct NoLookUp;

#[async_trait]
impl LookUp for NoLookUp {
    async fn by_tag(
        &self,
        customer: &Customer,
        _tag: &str,
        _value: &str,
    ) -> Result<Vec<Instance>, NoAnswer> {
        let name = &customer.name;
        Err(NoAnswer(format!("looking up servers in AWS accounts of {name} is not set up")))
    }
}
