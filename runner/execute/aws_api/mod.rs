//! What steps ask of AWS, beside commands on hosts: a row for each word of `scenario/aws_call.rs`.
//!
//! To add one: a word there, a row here, its fields in `schema/aws.rs`, and the answer in the test
//! double (docs/scenarios/aws.md). A change is sent once; what may have been carried out is told as
//! unknown.

mod balancing;
mod call;
mod databases;
mod instances;
mod refused;
mod scaling;
mod volumes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, AwsCall, Ending, Observation, Order, Output};
use super::local::not_started;
use super::output::{Capture, Stream};
use crate::aws::failure::Failure;
use crate::aws::query::{Query, Service};
use crate::aws::sessions::{NoSession, Session, Sessions};
use crate::aws::signed::{Kind, Signed};
use crate::aws::xml::Xml;

/// One word: what is sent, and what is read from the answers.
struct Row {
    word: &'static str,
    send: fn(&Given<'_>) -> Vec<Query>,
    read: fn(&[Xml], &Given<'_>) -> Result<Value, String>,
}

static ROWS: [Row; 14] = [
    Row { word: "instance", send: instances::look, read: instances::read },
    Row { word: "start_instance", send: instances::start, read: instances::changed },
    Row { word: "stop_instance", send: instances::stop, read: instances::changed },
    Row { word: "reboot_instance", send: instances::reboot, read: instances::rebooted },
    Row { word: "volume", send: volumes::look, read: volumes::read },
    Row { word: "extend_volume", send: volumes::extend, read: volumes::extended },
    Row { word: "volume_change", send: volumes::look_at_change, read: volumes::change },
    Row { word: "database", send: databases::look, read: databases::read },
    Row { word: "extend_database", send: databases::extend, read: databases::extended },
    Row { word: "target_health", send: balancing::look, read: balancing::read },
    Row { word: "add_target", send: balancing::add, read: balancing::changed },
    Row { word: "remove_target", send: balancing::remove, read: balancing::changed },
    Row { word: "scaling_group", send: scaling::look, read: scaling::read },
    Row { word: "set_capacity", send: scaling::set, read: scaling::changed },
];

/// The values of a call, by field.
struct Given<'a>(&'a BTreeMap<&'static str, String>);

impl Given<'_> {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A form's field with the value of one of ours.
    fn as_field(&self, field: &str, name: &str) -> Option<(String, String)> {
        Some((field.to_owned(), self.0.get(name)?.clone()))
    }
}

fn query(
    service: Service,
    action: &'static str,
    kind: Kind,
    fields: impl IntoIterator<Item = Option<(String, String)>>,
) -> Query {
    Query { service, action, kind, fields: fields.into_iter().flatten().collect() }
}

/// A text of an answer; JSON's null where it says nothing.
fn text(xml: &Xml, path: &str) -> Value {
    xml.text(path).map_or(Value::Null, Value::from)
}

fn number(xml: &Xml, path: &str) -> Value {
    xml.text(path).and_then(|text| text.parse::<i64>().ok()).map_or(Value::Null, Value::from)
}

/// A change whose answer says no more than that it was taken.
fn taken(answers: &[Xml]) -> Result<(), String> {
    match answers.first() {
        Some(answer) if answer.name.ends_with("Response") => Ok(()),
        Some(answer) => Err(format!("the answer is <{}>", answer.name)),
        None => Err("there is no answer".to_owned()),
    }
}

/// Calls of AWS in customers' accounts.
pub struct AwsCalls {
    pub evidence_dir: PathBuf,
    /// `None` where AMS has nothing set up at AWS.
    pub sessions: Option<Arc<Sessions>>,
    pub signed: Signed,
    /// In place of the services' own addresses.
    pub endpoint: Option<String>,
}

/// Why a call has no good answer.
enum Trouble {
    NoSession(NoSession),
    Failed(Failure),
    Unreadable(String),
}

impl AwsCalls {
    async fn carry_out(
        &self,
        order: &Order,
        cancel: &CancellationToken,
        body: &mut Capture<'_>,
    ) -> Ending {
        let Action::Aws(call) = &order.action else {
            return not_started("what is no call of AWS cannot be carried out as one");
        };
        let Some(row) = ROWS.iter().find(|row| row.word == call.word.word) else {
            return not_started(format!("AMS does not know how to ask AWS for {}", call.word.word));
        };
        let Some(sessions) = &self.sessions else {
            return not_started(
                "AMS is not set up for AWS; give it a region and credentials (`aws` in its settings)",
            );
        };
        if let Some(permission) = &order.permission
            && let Err(doubt) = permission.ask().await
        {
            return not_started(doubt.to_string());
        }
        let asking = self.ask(sessions, (call, row), order);
        let told = if call.word.changes {
            // It is short, and stopping in its middle would only leave it unknown.
            asking.await
        } else {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ending::Cancelled,
                told = asking => told,
            }
        };
        match told {
            Ok(json) => {
                body.add(json.to_string().as_bytes()).await;
                Ending::Answered { status: 200 }
            }
            Err(Trouble::NoSession(why)) => not_started(why.to_string()),
            Err(Trouble::Failed(failure)) => refused::ending(call, &failure),
            Err(Trouble::Unreadable(why)) if call.word.changes => Ending::Unknown {
                reason: format!(
                    "{}: AWS took it and answered what cannot be read ({why})",
                    call.told()
                ),
            },
            Err(Trouble::Unreadable(why)) => not_started(format!("{}: {why}", call.told())),
        }
    }

    async fn ask(
        &self,
        sessions: &Sessions,
        (call, row): (&AwsCall, &Row),
        order: &Order,
    ) -> Result<Value, Trouble> {
        let until = Instant::now() + order.timeout;
        let run = call.word.changes.then_some(&order.run);
        let given = Given(&call.fields);
        let mut answers = Vec::new();
        for query in (row.send)(&given) {
            let mut session = session(sessions, call, order).await?;
            let mut told = self.send(&query, call, &session, until).await;
            // Not carried out: credentials may end before their time.
            if let Err(Failure::Expired(_)) = told {
                sessions.forget(&call.account, run, &session).await;
                session = self::session(sessions, call, order).await?;
                told = self.send(&query, call, &session, until).await;
            }
            match told {
                Ok(xml) => answers.push(Xml::parse(&xml).map_err(Trouble::Unreadable)?),
                // A volume that was never changed is no mistake of whoever asks.
                Err(Failure::Refused { code, .. }) if code == volumes::NEVER_CHANGED => {
                    answers.push(Xml::default());
                }
                Err(failure) => return Err(Trouble::Failed(failure)),
            }
        }
        (row.read)(&answers, &given).map_err(Trouble::Unreadable)
    }

    async fn send(
        &self,
        query: &Query,
        call: &AwsCall,
        session: &Session,
        until: Instant,
    ) -> Result<String, Failure> {
        let within = until.saturating_duration_since(Instant::now());
        let ways = (&self.signed, self.endpoint.as_deref());
        query.send(ways, &call.region, &session.credentials, within).await
    }
}

/// What changes something leads back to its run in the customer's own records.
async fn session(
    sessions: &Sessions,
    call: &AwsCall,
    order: &Order,
) -> Result<Arc<Session>, Trouble> {
    let session = if call.word.changes {
        sessions.act(&call.account, &order.run).await
    } else {
        sessions.look(&call.account).await
    };
    session.map_err(Trouble::NoSession)
}

#[async_trait]
impl Actuator for AwsCalls {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let started = Instant::now();
        let mut body = Capture::new(&self.evidence_dir, order, Stream::Body);
        let ending = self.carry_out(order, cancel, &mut body).await;
        let took = started.elapsed();
        Observation { ending, stdout: body.finish().await, stderr: Output::default(), took }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::aws_call::WORDS;

    #[test]
    fn every_word_has_its_row_and_changes_what_it_says() {
        assert_eq!(ROWS.len(), WORDS.len());
        for word in &WORDS {
            let row = ROWS.iter().find(|row| row.word == word.word).unwrap();
            let fields = word.fields.iter().map(|field| (field.name, "1".to_owned())).collect();
            let queries = (row.send)(&Given(&fields));
            assert!(!queries.is_empty(), "{}", word.word);
            let kind = if word.changes { Kind::Change } else { Kind::Repeatable };
            assert!(queries.iter().all(|query| query.kind == kind), "{}", word.word);
            assert!(!word.changes || queries.len() == 1, "{}: one change is one call", word.word);
        }
    }
}
