//! Escalation policies with who is on call, asked for once for all runs that page at about the same
//! time: in a storm the answers are the same, and the requests are needed for the pages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::answer;
use super::budget::Lane;
use super::outcome::error;
use super::transport::{Call, GaveUp, Transport};
use super::{PAGE, is_id};
use crate::limits;
use crate::report::{EscalationPolicy, PlatformError};

const POLICY: &str = "/escalation_policies/{id}";
pub(super) const ON_CALLS: &str = "/oncalls";

type Answer = Result<EscalationPolicy, PlatformError>;

/// The last answer about one policy; locked while it is asked for.
type Place = Arc<tokio::sync::Mutex<Option<(Instant, Answer)>>>;

#[derive(Default)]
pub(super) struct Policies {
    places: Mutex<HashMap<String, Place>>,
}

impl Policies {
    /// At most [`limits::POLICY_KEPT`] old. Who asks while it is being asked for gets the same answer,
    /// also when it is that PagerDuty does not answer.
    pub(super) async fn get(&self, transport: &Transport, id: &str) -> Answer {
        let place = self.place(id);
        let mut known = place.lock().await;
        if let Some((at, answer)) = &*known {
            let kept =
                if answer.is_ok() { limits::POLICY_KEPT } else { limits::POLICY_FAILURE_KEPT };
            if at.elapsed() < kept {
                return answer.clone();
            }
        }
        let answer = ask(transport, id).await;
        *known = Some((Instant::now(), answer.clone()));
        answer
    }

    fn place(&self, id: &str) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= limits::POLICIES_KEPT && !places.contains_key(id) {
            // Those that somebody is asking for stay.
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(places.entry(id.to_owned()).or_default())
    }
}

async fn ask(transport: &Transport, id: &str) -> Answer {
    let what = || format!("escalation policy {:?}", id.chars().take(40).collect::<String>());
    if !is_id(id) {
        return Err(PlatformError::NotFound { what: what() });
    }
    let mut call = Call::get(POLICY, vec!["escalation_policies", id]);
    call.lane = Lane::Escalate;
    let answer = transport.call(&call).await;
    let answer = answer.map_err(|gave_up| error(&call, what(), gave_up))?;
    let (name, named_users) = answer::policy(&answer);
    let levels = match on_calls(transport, id, named_users.len()).await {
        Ok(users) => users,
        Err(gave_up) => {
            // The number of levels is worth more than who is behind them: go on with it.
            let reason = gave_up.failure.cause();
            tracing::warn!(reason, "on-calls cannot be read, taking the policy's own users");
            named_users
        }
    };
    Ok(EscalationPolicy { id: id.to_owned(), name, levels })
}

/// Who is on call per level; levels without anybody stay empty.
async fn on_calls(
    transport: &Transport,
    policy: &str,
    levels: usize,
) -> Result<Vec<Vec<String>>, GaveUp> {
    let mut users = vec![Vec::new(); levels];
    for page in 0..limits::PAGERDUTY_ON_CALL_PAGES {
        let mut call = Call::get(ON_CALLS, vec!["oncalls"]);
        call.lane = Lane::Escalate;
        call.query = vec![
            ("escalation_policy_ids[]", policy.to_owned()),
            ("limit", PAGE.to_string()),
            ("offset", (page * PAGE).to_string()),
        ];
        let (entries, more) = answer::on_calls(&transport.call(&call).await?);
        for (level, user) in entries {
            let level = level.checked_sub(1).and_then(|index| users.get_mut(index));
            if let Some(known) = level.filter(|known| !known.contains(&user)) {
                known.push(user);
            }
        }
        if !more {
            break;
        }
    }
    Ok(users)
}
