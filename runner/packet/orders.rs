//! What goes to each place, filled in: the customer's templates or the product's, masked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::begun::Begun;
use crate::claim::hold::Permission;
use crate::claim::told::{Telling, ToldWhat};
use crate::customer::packet as wishes;
use crate::customer::packet::Append;
use crate::execute::end::End;
use crate::handoff::packet::{Made, Ordered, Packet};
use crate::handoff::slack::blocks::{Content, escape, own_words};
use crate::handoff::{backlog, email, slack};
use crate::incident::RunId;
use crate::lang::Lang;
use crate::limits;
use crate::pipeline::Pipeline;
use crate::plain;
use crate::report::note::Story;
use crate::report::packet::{self as words, Sent};
use crate::report::text::labels;
use crate::report::{reasons, text, title};
use crate::scenario::template::Template;
use crate::scenario::value::Values;

/// Shelf of the history on which threads lie.
const THREADS: &str = "slack-threads";

/// What templates are filled with.
struct Said {
    all: Value,
    lang: Lang,
}

impl Pipeline {
    /// Everything that is left to tell.
    pub(super) async fn packet(
        &self,
        begun: &Begun,
        end: &End,
        left: &[(ToldWhat, Telling)],
    ) -> Packet {
        let doubt = |about: ToldWhat| {
            let found = left.iter().find(|(what, _)| *what == about);
            found.map(|(_, telling)| *telling == Telling::InDoubt)
        };
        let said = Arc::new(self.said(begun, end).await);
        let wish = begun.customer.as_ref().map(|customer| customer.packet.clone());
        let wish = wish.unwrap_or_default();
        let thread = match (&wish.slack, doubt(ToldWhat::Chat)) {
            (Some(slack), Some(_)) => self.thread(begun, &slack.channel).await,
            _ => None,
        };
        let ticket = wish
            .backlog
            .as_ref()
            .zip(doubt(ToldWhat::Ticket))
            .map(|(wish, in_doubt)| Ordered { order: ticket(begun, wish, &said), in_doubt });
        let follow_up = wish
            .backlog
            .as_ref()
            .zip(doubt(ToldWhat::FollowUp))
            .map(|(wish, in_doubt)| Ordered { order: follow_up(begun, wish, &said), in_doubt });
        let chat = wish.slack.zip(doubt(ToldWhat::Chat)).map(|(wish, in_doubt)| {
            let order = chat(begun, end, wish, (Arc::clone(&said), thread));
            Ordered { order, in_doubt }
        });
        let mail = wish.email.zip(doubt(ToldWhat::Mail)).map(|(wish, in_doubt)| {
            let order = mail(begun.claim().run().clone(), wish, said);
            Ordered { order, in_doubt }
        });
        let permission =
            Permission { hold: Arc::clone(&begun.hold), consent: false, concern: None };
        Packet { ways: self.ways.clone(), ticket, follow_up, chat, mail, permission }
    }

    async fn said(&self, begun: &Begun, end: &End) -> Said {
        let style = &begun.reporter.style;
        let lang = style.lang;
        let story = self.story(begun);
        // Other places are in the note alone.
        let places = self.evidence.places(begun.evidence(), Duration::ZERO).await;
        let story = Story { beside: &[], places: &places, ..story };
        let note = style.clean(&style.end_text(&story, end, usize::MAX));
        let masked = |text: &Option<String>| text.as_deref().map(|text| style.clean(text));
        let incident = &begun.incident;
        let customer = begun.customer.as_ref();
        let run = begun.claim().run();
        let began = begun.claim().opened_at().to_zoned(style.zone.clone());
        let all = json!({
            "incident": {
                "id": incident.id.as_str(),
                "title": style.clean(&plain::line(title::original(&incident.title))),
                "url": incident.html_url,
                "urgency": incident.urgency.word(),
                "service": incident.service.as_ref().map(|service| service.name.clone()),
            },
            "customer": {
                "id": customer.map(|it| it.id.clone()),
                "name": customer.map(|it| it.name.clone()),
                "contact": customer.and_then(|it| it.contact.clone()),
            },
            "scenario": {"id": begun.scenario.id, "about": begun.scenario.about},
            "run": {
                "id": run.to_string(),
                "region": self.region.as_str(),
                "outcome": end.outcome().word(),
                "began_at": began.strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
                "headline": text::headline(lang, end),
                "reason": style.clean(&reasons::reason(lang, end, &begun.scenario)),
                "message": masked(&begun.told.message),
                "manual": masked(&begun.told.manual),
                "note": note.trim(),
            },
        });
        Said { all, lang }
    }

    /// The first message about the incident in this channel. Without it the run begins a thread.
    async fn thread(&self, begun: &Begun, channel: &str) -> Option<String> {
        let name = thread_name(begun, channel);
        self.executor.history.read_page(THREADS, &name).await.ok().flatten()
    }

    pub(super) async fn keep_thread(&self, begun: &Begun, what: ToldWhat, sent: &Sent) {
        let (ToldWhat::Chat, false, Some(first)) = (what, sent.appended, &sent.reference) else {
            return;
        };
        let kept = jiff::SignedDuration::try_from(limits::SLACK_THREAD_KEPT).unwrap_or_default();
        let until = self.executor.clock.now() + kept;
        let name = thread_name(begun, &sent.shown);
        let kept = self.executor.history.put_page(THREADS, &name, first.clone(), Some(until)).await;
        if let Err(error) = kept {
            let id = &begun.incident.id;
            tracing::warn!(incident.id = %id, %error, "the thread of incident {id} is not kept");
        }
    }
}

fn thread_name(begun: &Begun, channel: &str) -> String {
    format!("{channel}/{}", begun.incident.id)
}

impl Said {
    fn values(&self, ticket: Option<&str>, change: &dyn Fn(&str) -> String) -> Values {
        let mut values = Values::default();
        for (root, below) in self.all.as_object().into_iter().flatten() {
            values.set(root, changed(below, change));
        }
        values.set("ticket", json!({"shown": ticket.map(change)}));
        values
    }

    /// The customer's words, or the product's.
    fn fill(&self, own: Option<&Template>, ours: &str, ticket: Option<&str>) -> String {
        let values = self.values(ticket, &str::to_owned);
        match own {
            Some(own) => own.render_leniently(&values),
            None => Template::parse(ours).unwrap_or_default().render_leniently(&values),
        }
    }

    fn text(&self, root: &str, name: &str) -> String {
        self.all[root][name].as_str().unwrap_or_default().to_owned()
    }
}

fn changed(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), changed(value, change))).collect()
        }
        other => other.clone(),
    }
}

/// What a retry and a take-over know it by.
fn marker(run: &RunId, what: ToldWhat) -> String {
    format!("[ams:{run}:{}]", what.word())
}

/// The scenario of the customer's: the same trouble.
fn trouble(begun: &Begun) -> String {
    let customer = begun.customer.as_ref().map_or("", |customer| customer.id.as_str());
    format!("{customer}/{}", begun.scenario.id)
}

fn ticket(begun: &Begun, wish: &wishes::Backlog, said: &Said) -> backlog::Order {
    let same = match wish.append {
        Append::Incident | Append::Never => format!("[ams:incident:{}]", begun.incident.id),
        Append::Scenario => format!("[ams:scenario:{}]", trouble(begun)),
    };
    let description = said.fill(wish.description.as_ref(), words::DESCRIPTION, None);
    backlog::Order {
        project: wish.project.clone(),
        issue_type: wish.issue_type.clone(),
        priority: wish.priority.clone(),
        summary: said.fill(wish.summary.as_ref(), words::summary(said.lang), None),
        comment: description.clone(),
        description,
        marker: marker(begun.claim().run(), ToldWhat::Ticket),
        same,
        append: wish.append != Append::Never,
        since: begun.claim().opened_at(),
    }
}

/// One for the trouble, however often it comes back while the ticket is open.
fn follow_up(begun: &Begun, wish: &wishes::Backlog, said: &Said) -> backlog::Order {
    let description = said.fill(
        wish.follow_up_description.as_ref(),
        words::follow_up_description(said.lang),
        None,
    );
    backlog::Order {
        project: wish.project.clone(),
        issue_type: wish.follow_up_type.clone().or_else(|| wish.issue_type.clone()),
        priority: None,
        summary: said.fill(
            wish.follow_up_summary.as_ref(),
            words::follow_up_summary(said.lang),
            None,
        ),
        comment: description.clone(),
        description,
        marker: marker(begun.claim().run(), ToldWhat::FollowUp),
        same: format!("[ams:follow_up:{}]", trouble(begun)),
        append: true,
        since: begun.claim().opened_at(),
    }
}

fn chat(
    begun: &Begun,
    end: &End,
    wish: wishes::Slack,
    (said, thread): (Arc<Said>, Option<String>),
) -> Made<slack::Order> {
    let marker = marker(begun.claim().run(), ToldWhat::Chat);
    let since = begun.claim().opened_at();
    let lang = said.lang;
    let headline = text::headline(lang, end).to_owned();
    let contact = begun.destination().and_then(|it| it.contact.clone());
    let contact = contact.or_else(|| begun.customer.as_ref()?.contact.clone());
    Box::new(move |ticket| {
        let blocks = match &wish.text {
            Some(own) => own_words(&own.render_leniently(&said.values(ticket, &escape))),
            None => content(&said, (&headline, contact.as_deref()), ticket, &marker).blocks(),
        };
        slack::Order {
            channel: wish.channel.clone(),
            thread: thread.clone(),
            text: escape(&format!("{headline} {}", said.text("incident", "title"))),
            blocks,
            marker: marker.clone(),
            since,
        }
    })
}

fn content(
    said: &Said,
    (headline, contact): (&str, Option<&str>),
    ticket: Option<&str>,
    marker: &str,
) -> Content {
    let labels = labels(said.lang);
    let field = |label: &str, root: &str, name: &str| (label.to_owned(), said.text(root, name));
    let mut fields = vec![
        field(labels.alert, "incident", "title"),
        field(labels.customer, "customer", "name"),
        field(labels.scenario, "scenario", "about"),
    ];
    fields.extend(contact.map(|contact| (labels.contact.to_owned(), contact.to_owned())));
    let why = format!("{}\n{}", said.text("run", "reason"), said.text("run", "message"));
    let manual = said.text("run", "manual");
    let manual = if manual.is_empty() { labels.no_manual.to_owned() } else { manual };
    let mut links = vec![("PagerDuty".to_owned(), said.text("incident", "url"))];
    links.retain(|(_, url)| !url.is_empty());
    if let Some((key, url)) = ticket.and_then(|it| it.split_once(' ')) {
        links.push((format!("{} {key}", words::ticket(said.lang)), url.to_owned()));
    }
    Content {
        headline: headline.to_owned(),
        fields,
        sections: vec![why, format!("{}\n{manual}", labels.next)],
        links,
        foot: marker.to_owned(),
    }
}

fn mail(run: RunId, wish: wishes::Email, said: Arc<Said>) -> Made<email::Order> {
    let lang = said.lang;
    Box::new(move |ticket| email::Order {
        run: run.clone(),
        part: "hand-off",
        to: wish.to.clone(),
        subject: said.fill(wish.subject.as_ref(), words::mail_subject(lang), ticket),
        body: said.fill(wish.body.as_ref(), words::mail_body(lang), ticket),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::packet::NAMES;
    use crate::scenario::template::INCIDENT_NAMES;

    #[test]
    fn the_products_own_words_name_what_customers_may_name() {
        for lang in [Lang::Ja, Lang::En] {
            let all = [
                words::summary(lang),
                words::DESCRIPTION,
                words::follow_up_summary(lang),
                words::follow_up_description(lang),
                words::mail_subject(lang),
                words::mail_body(lang),
            ];
            for source in all {
                let template = Template::parse(source).unwrap();
                let known = |name: &str| match name.strip_prefix("incident.") {
                    Some(name) => INCIDENT_NAMES.contains(&name),
                    None => NAMES.contains(&name),
                };
                assert!(template.needs().all(known), "{source}");
            }
        }
    }
}
