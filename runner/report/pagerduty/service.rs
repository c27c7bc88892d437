//! What AMS must know of a service: how long an acknowledgement lasts there.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::error;
use super::transport::Call;
use super::{PagerDuty, PlatformError, is_id, paging_answers};
use crate::limits;

const SERVICE: &str = "/services/{id}";

/// What PagerDuty said of a service; `None`: acknowledgements last for ever.
type Timeout = Option<Duration>;

/// Acknowledgement timeouts by service, as they were read a short time ago.
#[derive(Default)]
pub(super) struct Timeouts(Mutex<HashMap<String, (Instant, Timeout)>>);

impl Timeouts {
    fn known(&self, service: &str) -> Option<Timeout> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, timeout) = known.get(service)?;
        (at.elapsed() < limits::SERVICE_KNOWN).then_some(*timeout)
    }

    fn keep(&self, service: &str, timeout: Timeout) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= limits::SERVICES_REMEMBERED {
            known.clear();
        }
        known.insert(service.to_owned(), (Instant::now(), timeout));
    }
}

impl PagerDuty {
    pub(super) async fn service_timeout(&self, id: &str) -> Result<Timeout, PlatformError> {
        if let Some(known) = self.timeouts.known(id) {
            return Ok(known);
        }
        let what = || format!("service {:?}", id.chars().take(40).collect::<String>());
        if !is_id(id) {
            return Err(PlatformError::NotFound { what: what() });
        }
        let call = Call::get(SERVICE, vec!["services", id]);
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| error(&call, what(), gave_up))?;
        let timeout = paging_answers::acknowledgement_timeout(&answer);
        self.timeouts.keep(id, timeout);
        Ok(timeout)
    }
}
