//! The stand-in for PagerDuty behaves as PagerDuty does. Everything else is tested against it, so
//! what it gets wrong is wrong everywhere.

mod answers;
mod delivery;
mod escalation;
mod faults;
mod subscribing;

use std::sync::Arc;
use std::time::Duration;

use ams::clock::SetClock;
use ams::incident::IncidentId;
use ams::sandbox::pagerduty::{NewIncident, Settings, StandIn};
use serde_json::{Value, json};

const TOKEN: &str = "test-token";
const SECRET: &str = "test-webhook-secret";
const BOT_EMAIL: &str = "bot@ams.test";

/// A stand-in with a client that speaks as AMS does.
struct World {
    pagerduty: StandIn,
    clock: Arc<SetClock>,
    http: reqwest::Client,
}

impl World {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            token: TOKEN.to_owned(),
            webhook_secret: SECRET.to_owned(),
            bot_email: BOT_EMAIL.to_owned(),
            retry_every: Duration::from_millis(5),
            ..Settings::default()
        };
        adjust(&mut settings);
        let clock = Arc::new(SetClock::at("2031-04-05T01:02:03.004Z".parse().unwrap()));
        let pagerduty = StandIn::start(settings, Arc::<SetClock>::clone(&clock)).await;
        Self {
            pagerduty: pagerduty.unwrap(),
            clock,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn incident(&self) -> IncidentId {
        let new = NewIncident::titled("shop-web-3: disk /data is full");
        self.pagerduty.trigger(new).unwrap()
    }

    /// As the bot; the answer's status and body (null if it has none).
    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.request(method, path, body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn change(&self, incident: &IncidentId, mut wish: Value) -> (u16, Value) {
        wish["type"] = "incident".into();
        let path = format!("/incidents/{incident}");
        self.ask("PUT", &path, &json!({ "incident": wish })).await
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.pagerduty.url());
        let request = self.http.request(method, url);
        let request = request.header("Authorization", format!("Token token={TOKEN}"));
        let request = request.header("From", BOT_EMAIL);
        match body {
            Value::Null => request,
            body => request.json(body),
        }
    }
}
