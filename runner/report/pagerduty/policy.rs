//! Escalation policies, and lists over several pages.

use serde_json::Value;

use super::outcome::error;
use super::transport::{Call, GaveUp, Lane};
use super::{EscalationPolicy, PAGE, PagerDuty, PlatformError, answer, is_id};
use crate::limits;

const POLICY: &str = "/escalation_policies/{id}";
const ON_CALLS: &str = "/oncalls";

impl PagerDuty {
    /// Every page of a list, up to `most` entries.
    pub(super) async fn pages(
        &self,
        (template, name): (&'static str, &'static str),
        query: &[(&'static str, String)],
        most: usize,
        mut take: impl FnMut(&Value) + Send,
    ) -> Result<(), PlatformError> {
        for offset in (0..most).step_by(PAGE) {
            let mut call = Call::get(template, vec![name]);
            let page = [("limit", PAGE.to_string()), ("offset", offset.to_string())];
            call.query = query.iter().cloned().chain(page).collect();
            let answer = self.transport.call(&call).await;
            let answer = answer.map_err(|gave_up| error(&call, name.to_owned(), gave_up))?;
            take(&answer);
            if answer["more"] != true {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn read_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError> {
        let what = || format!("escalation policy {:?}", id.chars().take(40).collect::<String>());
        if !is_id(id) {
            return Err(PlatformError::NotFound { what: what() });
        }
        let mut call = Call::get(POLICY, vec!["escalation_policies", id]);
        call.lane = Lane::Escalation;
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| error(&call, what(), gave_up))?;
        let (name, named_users) = answer::policy(&answer);
        let levels = match self.on_calls(id, named_users.len()).await {
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
    async fn on_calls(&self, policy: &str, levels: usize) -> Result<Vec<Vec<String>>, GaveUp> {
        let mut users = vec![Vec::new(); levels];
        for page in 0..limits::PAGERDUTY_ON_CALL_PAGES {
            let mut call = Call::get(ON_CALLS, vec!["oncalls"]);
            call.lane = Lane::Escalation;
            call.query = vec![
                ("escalation_policy_ids[]", policy.to_owned()),
                ("limit", PAGE.to_string()),
                ("offset", (page * PAGE).to_string()),
            ];
            let (entries, more) = answer::on_calls(&self.transport.call(&call).await?);
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
}
