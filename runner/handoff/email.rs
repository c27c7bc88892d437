//! Mail of a hand-off, by SMTP: one per run, an incident's in one thread.
//!
//! SMTP keeps no record that could be asked. Everything up to the end of the message may be repeated;
//! an answer that is lost after it leaves a mail of which nobody knows whether it arrives, and it is
//! not sent again.

use std::sync::Arc;

use async_trait::async_trait;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::once::{Attempt, Found, Way};
use crate::incident::RunId;
use crate::limits;
use crate::report::packet::Sent;
use crate::secret::Secret;

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// `AMS <ams@example.com>`.
    pub from: String,
    pub login: Option<(String, Secret)>,
}

/// How the way to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte: port 465.
    Whole,
    /// After a greeting in the clear; without it nothing is sent: port 587.
    Upgraded,
    /// Not at all: for a relay on the same machine.
    None,
}

impl Tls {
    pub const WORDS: [(&'static str, Self); 3] =
        [("starttls", Self::Upgraded), ("tls", Self::Whole), ("none", Self::None)];
}

/// The mail server.
pub struct Email {
    settings: Settings,
    from: Mailbox,
    turns: Semaphore,
}

/// A mail that a run wants.
#[derive(Clone, Debug)]
pub struct Order {
    pub run: RunId,
    /// Which of the run's mails: a part of its own id.
    pub part: &'static str,
    pub to: Vec<String>,
    pub subject: String,
    pub body: String,
}

/// A run's mail, and who carries it.
pub struct Mail {
    pub email: Arc<Email>,
    pub order: Order,
}

/// Tells other machines not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// `ops@example.com` or `運用 <ops@example.com>`.
pub fn is_address(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

impl Email {
    /// What is under way; [`limits::PACKET_AT_ONCE`] at most.
    pub fn busy(&self) -> usize {
        limits::PACKET_AT_ONCE.saturating_sub(self.turns.available_permits())
    }

    pub fn open(settings: &Settings) -> Result<Self, String> {
        let from = settings.from.parse().map_err(|error| format!("email.from: {error}"))?;
        let turns = Semaphore::new(limits::PACKET_AT_ONCE);
        Ok(Self { settings: settings.clone(), from, turns })
    }

    fn message(&self, order: &Order) -> Result<Message, String> {
        let domain = self.from.email.domain();
        let incident = format!("<ams.{}@{domain}>", order.run.incident);
        let RunId { incident: id, number } = &order.run;
        let own = format!("<ams.{id}.{number}.{}@{domain}>", order.part);
        let mut message = Message::builder().from(self.from.clone());
        for to in &order.to {
            message = message.to(to.parse().map_err(|error| format!("{to}: {error}"))?);
        }
        message
            .subject(super::backlog::one_line(&order.subject, limits::MAIL_SUBJECT_CHARS))
            .message_id(Some(own))
            .references(incident.clone())
            .in_reply_to(incident)
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(order.body.clone())
            .map_err(|error| error.to_string())
    }

    /// Everything before the message itself.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Attempt> {
        let Settings { host, port, tls, login, .. } = &self.settings;
        let name = ClientId::default();
        let tls_of = || TlsParameters::new(host.clone());
        let whole = match tls {
            Tls::Whole => Some(tls_of().map_err(before)?),
            Tls::Upgraded | Tls::None => None,
        };
        let wait = Some(limits::PACKET_REQUEST);
        let connect =
            AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), wait, &name, whole, None);
        let mut connection = connect.await.map_err(before)?;
        if *tls == Tls::Upgraded {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Attempt::Refused(format!("{host} offers no STARTTLS")));
            }
            connection.starttls(tls_of().map_err(before)?, &name).await.map_err(before)?;
        }
        if let Some((user, password)) = login {
            let login = Credentials::new(user.clone(), password.now().expose_secret().to_owned());
            let ways = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&ways, &login).await.map_err(before)?;
        }
        Ok(connection)
    }

    async fn send(&self, order: &Order) -> Attempt {
        let message = match self.message(order) {
            Ok(message) => message,
            Err(why) => return Attempt::Refused(why),
        };
        let mut connection = match timeout(limits::PACKET_REQUEST, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(attempt)) => return attempt,
            Err(_) => {
                let why = format!("{} does not answer", self.settings.host);
                return Attempt::Later { why, after: None };
            }
        };
        let (envelope, bytes) = (message.envelope(), message.formatted());
        match timeout(limits::PACKET_REQUEST, connection.send(envelope, &bytes)).await {
            Ok(Ok(_)) => {
                // It has the mail; how it says good-bye does not matter.
                drop(timeout(limits::PACKET_ARRIVES, connection.quit()).await);
                let shown = order.to.join(", ");
                Attempt::Sent(Sent { shown, reference: None, appended: false })
            }
            Ok(Err(error)) if error.is_transient() || error.is_permanent() => before(error),
            Ok(Err(error)) => Attempt::Lost(words(&error)),
            Err(_) => Attempt::Lost(format!("{} does not answer", self.settings.host)),
        }
    }
}

/// An error after which the server has certainly not taken the mail.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn before(error: Error) -> Attempt {
    let why = words(&error);
    if error.is_permanent() { Attempt::Refused(why) } else { Attempt::Later { why, after: None } }
}

fn words(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("SMTP: {error}{}", cause.unwrap_or_default())
}

#[async_trait]
impl Way for Mail {
    fn turns(&self) -> &Semaphore {
        &self.email.turns
    }

    async fn look(&self) -> Found {
        Found::Cannot("SMTP: the answer was lost".to_owned())
    }

    async fn send(&self) -> Attempt {
        self.email.send(&self.order).await
    }
}
