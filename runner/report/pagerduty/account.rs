//! Calls about the account's set-up: for `ams doctor` and `ams pagerduty`, never for a run.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::outcome::error;
use super::policies::ON_CALLS;
use super::transport::{Call, Failure, GaveUp};
use super::{INCIDENT, PAGE, PagerDuty, SUBSCRIPTIONS, answer, is_id, set_up};
use crate::limits;
use crate::report::PlatformError;
use crate::report::account::{
    NotSubscribed, OnCall, Policy, Scope, Service, Subscribed, Subscription, User,
};

const ABILITIES: &str = "/abilities";
const ENABLE: &str = "/webhook_subscriptions/{id}/enable";
const PING: &str = "/webhook_subscriptions/{id}/ping";
const POLICIES: &str = "/escalation_policies";
const PRIORITIES: &str = "/priorities";
const SERVICES: &str = "/services";
const SUBSCRIPTION: &str = "/webhook_subscriptions/{id}";
const USER: &str = "/users/{id}";

/// The id of nothing: longer than PagerDuty's ids, which have 7 or 14 characters, and no number.
const NOTHING: &str = "QAMSDOCTORASKS0";

impl PagerDuty {
    /// What the account's plan has, by name.
    pub async fn abilities(&self) -> Result<Vec<String>, PlatformError> {
        let answer = self.ask(Call::get(ABILITIES, vec!["abilities"])).await?;
        let names = answer["abilities"].as_array().into_iter().flatten();
        Ok(names.filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    pub async fn user(&self, id: &str) -> Result<User, PlatformError> {
        let what = format!("user {}", shown(id));
        if !is_id(id) {
            return Err(PlatformError::NotFound { what });
        }
        let call = Call::get(USER, vec!["users", id]);
        let sent = self.transport.call(&call).await;
        let read = set_up::user(&sent.map_err(|gave_up| error(&call, what.clone(), gave_up))?);
        read.ok_or(PlatformError::NotFound { what })
    }

    /// All of them, [`limits::ACCOUNT_ENTRIES`] at most.
    pub async fn services(&self) -> Result<Vec<Service>, PlatformError> {
        self.all((SERVICES, "services"), limits::ACCOUNT_ENTRIES, set_up::service).await
    }

    /// All of them, [`limits::ACCOUNT_ENTRIES`] at most.
    pub async fn policies(&self) -> Result<Vec<Policy>, PlatformError> {
        let list = (POLICIES, "escalation_policies");
        self.all(list, limits::ACCOUNT_ENTRIES, set_up::policy).await
    }

    /// Who is on call now for these policies.
    pub async fn on_calls_of(&self, policies: &[String]) -> Result<Vec<OnCall>, PlatformError> {
        let mut all = Vec::new();
        for some in policies.chunks(limits::POLICIES_PER_QUESTION) {
            let query: Vec<_> =
                some.iter().map(|id| ("escalation_policy_ids[]", id.clone())).collect();
            self.pages((ON_CALLS, "oncalls"), &query, limits::ACCOUNT_ENTRIES, |answer| {
                let entries = answer["oncalls"].as_array().into_iter().flatten();
                all.extend(entries.filter_map(set_up::on_call));
            })
            .await?;
        }
        Ok(all)
    }

    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, PlatformError> {
        let list = (SUBSCRIPTIONS, "webhook_subscriptions");
        self.all(list, limits::SUBSCRIPTIONS, set_up::subscription).await
    }

    /// Whether incidents may be read.
    pub async fn may_read_incidents(&self) -> Result<(), PlatformError> {
        let mut call = Call::get(super::INCIDENTS, vec!["incidents"]);
        call.query = vec![("limit", "1".to_owned())];
        self.ask(call).await.map(drop)
    }

    /// Whether priorities may be read; plans without them answer 402.
    pub async fn may_read_priorities(&self) -> Result<(), PlatformError> {
        self.ask(Call::get(PRIORITIES, vec!["priorities"])).await.map(drop)
    }

    /// Whether incidents may be changed, in the name of the user in `From`: found out by changing
    /// nothing of an incident that does not exist.
    pub async fn may_change_incidents(&self) -> Result<(), PlatformError> {
        let mut call = Call::new(Method::PUT, INCIDENT, vec!["incidents", NOTHING]);
        call.body = Some(json!({ "incident": { "type": "incident_reference" } }));
        self.expect_nothing(call).await
    }

    /// The same for subscriptions.
    pub async fn may_change_subscriptions(&self) -> Result<(), PlatformError> {
        let path = vec!["webhook_subscriptions", NOTHING, "enable"];
        self.expect_nothing(Call::new(Method::POST, ENABLE, path)).await
    }

    /// Ends the 24 hours in which PagerDuty does not use a subscription.
    pub async fn enable(&self, id: &str) -> Result<(), PlatformError> {
        let path = vec!["webhook_subscriptions", id, "enable"];
        self.ask(Call::new(Method::POST, ENABLE, path)).await.map(drop)
    }

    /// Has PagerDuty send a test event.
    pub async fn ping(&self, id: &str) -> Result<(), PlatformError> {
        let path = vec!["webhook_subscriptions", id, "ping"];
        self.ask(Call::new(Method::POST, PING, path)).await.map(drop)
    }

    /// Which events a subscription is told of from now on.
    pub async fn set_events(&self, id: &str, events: &[String]) -> Result<(), PlatformError> {
        let path = vec!["webhook_subscriptions", id];
        let mut call = Call::new(Method::PUT, SUBSCRIPTION, path);
        call.body = Some(json!({ "webhook_subscription": { "events": events } }));
        self.ask(call).await.map(drop)
    }

    /// Makes a subscription. Sent once: a second one would be told every event as well, and the
    /// first one's secret is never told again.
    pub async fn subscribe(
        &self,
        url: &str,
        scope: &Scope,
        events: &[&str],
    ) -> Result<Subscribed, NotSubscribed> {
        let path = vec!["webhook_subscriptions"];
        let mut call = Call::new(Method::POST, SUBSCRIPTIONS, path);
        call.body = set_up::new_subscription(url, scope, events);
        let sent = self.transport.once(&call, 1).await;
        let answer = sent.map_err(|failure| {
            let perhaps = failure.may_have_worked();
            let gave_up = GaveUp { failure, attempts: 1, may_have_worked: perhaps };
            NotSubscribed { error: error(&call, url.to_owned(), gave_up), perhaps }
        })?;
        let made = answer::inner(&answer, "webhook_subscription");
        let secret = answer::text(&made["delivery_method"], "secret").map(SecretString::from);
        Ok(Subscribed { id: answer::text(made, "id").unwrap_or_default(), secret })
    }

    async fn ask(&self, call: Call<'_>) -> Result<Value, PlatformError> {
        let sent = self.transport.call(&call).await;
        sent.map_err(|gave_up| error(&call, call.path.join("/"), gave_up))
    }

    /// Only who may do it is told that there is nothing to do it to.
    async fn expect_nothing(&self, call: Call<'_>) -> Result<(), PlatformError> {
        match self.transport.call(&call).await {
            Ok(_) => Ok(()),
            Err(GaveUp { failure: Failure::Refused(refusal), .. }) if refusal.status == 404 => {
                Ok(())
            }
            Err(gave_up) => Err(error(&call, NOTHING.to_owned(), gave_up)),
        }
    }

    async fn all<T: Send>(
        &self,
        (template, name): (&'static str, &'static str),
        most: usize,
        read: impl Fn(&Value) -> Option<T> + Send + Sync,
    ) -> Result<Vec<T>, PlatformError> {
        let mut all = Vec::new();
        self.pages((template, name), &[], most - most % PAGE, |answer| {
            all.extend(answer[name].as_array().into_iter().flatten().filter_map(&read));
        })
        .await?;
        Ok(all)
    }
}

/// Of a setting that may hold anything.
fn shown(id: &str) -> String {
    format!("{:?}", id.chars().take(40).collect::<String>())
}
