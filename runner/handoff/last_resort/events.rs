//! A last resort: an alert on another service, by PagerDuty's Events API v2. It has hosts, keys and
//! limits of its own beside the REST API.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Alarm, LastResort, NotTold};
use crate::limits;
use crate::secret::Secret;

/// How to reach the service.
#[derive(Clone, Debug)]
pub struct EventsConfig {
    /// `https://events.pagerduty.com/v2/enqueue`, for EU accounts `events.eu.pagerduty.com`.
    pub url: String,
    /// The integration key of a service whose policy begins with people.
    pub routing_key: Secret,
}

pub const DEFAULT_URL: &str = "https://events.pagerduty.com/v2/enqueue";

pub struct Events {
    http: reqwest::Client,
    config: EventsConfig,
}

/// Why one attempt told nobody.
enum Failure {
    Later(String),
    Never(String),
}

impl Events {
    pub fn new(config: EventsConfig) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("ams/", env!("CARGO_PKG_VERSION")))
            .timeout(limits::LAST_RESORT_REQUEST)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, config })
    }

    /// PagerDuty Events API v2: 202 is accepted, 400 is wrong for good, 429 and 5xx may work later.
    async fn send(&self, body: &Value) -> Result<(), Failure> {
        let sent = self.http.post(&self.config.url).json(body).send().await;
        let answer =
            sent.map_err(|error| Failure::Later(format!("no answer: {}", error.without_url())))?;
        let status = answer.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            408 | 429 | 500.. => Err(Failure::Later(format!("it answered {status}"))),
            _ => Err(Failure::Never(format!("it refused with {status}: check the routing key"))),
        }
    }
}

/// The body of a trigger (PagerDuty Events API v2, Send an Alert Event). While the alert is open, the
/// same key makes no second one.
fn trigger(alarm: &Alarm, routing_key: &str) -> Value {
    let Alarm { key, summary, message, incident, url, title, customer, region, scenario, .. } =
        alarm;
    let links: Vec<Value> = url
        .iter()
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(|url| json!({ "href": url, "text": incident }))
        .collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": key,
        "client": "AMS",
        "links": links,
        "payload": {
            "summary": summary,
            "source": format!("ams {region}"),
            "severity": "critical",
            "component": scenario,
            "custom_details": {
                "message": message,
                "incident": incident,
                "title": title,
                "customer": customer,
                "region": region,
                "scenario": scenario,
            },
        },
    })
}

#[async_trait]
impl LastResort for Events {
    fn way(&self) -> &'static str {
        "events"
    }

    async fn alarm(&self, alarm: &Alarm) -> Result<(), NotTold> {
        let body = trigger(alarm, self.config.routing_key.now().expose_secret());
        let mut attempt = 1;
        loop {
            match self.send(&body).await {
                Ok(()) => return Ok(()),
                Err(Failure::Later(why)) if attempt >= limits::LAST_RESORT_ATTEMPTS => {
                    return Err(NotTold(format!("{why}, {attempt} times")));
                }
                Err(Failure::Later(_)) => tokio::time::sleep(WAIT * attempt).await,
                Err(Failure::Never(why)) => return Err(NotTold(why)),
            }
            attempt += 1;
        }
    }
}

const WAIT: Duration = limits::LAST_RESORT_WAIT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{IncidentId, RunId};

    #[test]
    fn an_event_has_the_runs_key_and_no_link_that_is_none() {
        let incident = IncidentId::parse("Q1").unwrap();
        let mut alarm = Alarm {
            run: RunId { incident, number: 1 },
            key: "ams/Q1/1".to_owned(),
            summary: "[AMS unpaged] Q1 disk".to_owned(),
            message: "m".to_owned(),
            incident: "Q1".to_owned(),
            url: Some("https://example.pagerduty.com/incidents/Q1".to_owned()),
            title: "disk".to_owned(),
            customer: None,
            region: "tokyo".to_owned(),
            scenario: "disk-full".to_owned(),
        };
        let body = trigger(&alarm, "key");
        assert_eq!(
            (&body["dedup_key"], &body["payload"]["severity"]),
            (&json!("ams/Q1/1"), &json!("critical"))
        );
        assert_eq!(body["links"][0]["text"], "Q1");
        alarm.url = Some("javascript:alert(1)".to_owned());
        assert_eq!(trigger(&alarm, "key")["links"], json!([]));
    }
}
