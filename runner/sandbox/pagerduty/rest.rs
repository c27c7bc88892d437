//! The REST API: from a request to its answer and the events it causes. No I/O.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::json;
use super::lists::{self, Query};
use super::refusal::Refusal;
use super::state::{Agent, Event, IncidentView, State};
use super::subscriptions::AT_MOST;
use super::{directory, events, wish};
use crate::incident::IncidentId;

/// What a request is answered with.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// A request that is known, authorised and complete.
pub(super) struct Ask<'a> {
    pub(super) call: Call,
    /// Id of the user in the `From` header.
    pub(super) from: Option<String>,
    pub(super) query: Query,
    pub(super) body: &'a Value,
    /// Told to whoever makes a subscription.
    pub(super) secret: &'a str,
    /// Of the service that takes events.
    pub(super) routing_key: &'a str,
    pub(super) now: Timestamp,
}

pub(super) type Answer = Result<(Reply, Vec<Event>), Refusal>;

pub(super) fn answer(state: &mut State, ask: &Ask<'_>) -> Answer {
    match &ask.call {
        Call::ChangeIncident(id) => change(state, ask, id),
        Call::AddNote(id) => add_note(state, ask, id),
        Call::EditNote(id, note) => edit_note(state, ask, id, note),
        Call::DeleteNote(id, note) => delete_note(state, ask, id, note),
        Call::AskResponders(id) => ask_responders(state, ask, id),
        Call::Enqueue => events::enqueue(state, ask),
        Call::AddStatusUpdate(id) => add_status_update(state, ask, id),
        Call::SetFields(id) => set_fields(state, ask, id),
        Call::AddSubscription => add_subscription(state, ask),
        Call::ChangeSubscription(id) => {
            let wish = wish::subscription(&ask.body["webhook_subscription"])?;
            let found = state.subscription_mut(id);
            found.ok_or_else(Refusal::not_found)?.change(wish);
            read(state, ask).map(|body| (ok(body), Vec::new()))
        }
        Call::PingSubscription(id) => {
            let ping = state.ping(id, ask.now).ok_or_else(Refusal::not_found)?;
            Ok((Reply { status: 202, body: Value::Null }, vec![ping]))
        }
        Call::EnableSubscription(id) => {
            let found = state.subscription_mut(id);
            found.ok_or_else(Refusal::not_found)?.enable();
            read(state, ask).map(|body| (ok(body), Vec::new()))
        }
        _ => read(state, ask).map(|body| (ok(body), Vec::new())),
    }
}

fn read(state: &State, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let known = &state.directory;
    match &ask.call {
        Call::ListIncidents => lists::incidents(state, &ask.query, ask.now),
        Call::ListIncidentLog(id) => lists::log_entries(state, Some(find(state, id)?), &ask.query),
        Call::ListLog => lists::log_entries(state, None, &ask.query),
        Call::GetIncident(id) => Ok(json!({ "incident": json::incident(known, find(state, id)?) })),
        Call::ListNotes(id) => {
            let notes = find(state, id)?.notes.iter();
            let notes: Vec<Value> = notes.map(|note| json::note(known, note)).collect();
            Ok(json!({ "notes": notes }))
        }
        Call::ListAlerts(id) => {
            lists::page("alerts", json::alerts(known, find(state, id)?), &ask.query)
        }
        Call::ListAbilities => Ok(json!({ "abilities": known.abilities })),
        Call::ListServices => {
            let rows = known.services().map(|service| json::service(known, service)).collect();
            lists::page("services", rows, &ask.query)
        }
        Call::ListPolicies => {
            let rows = known.policies.iter().map(|policy| json::policy(known, policy)).collect();
            lists::page("escalation_policies", rows, &ask.query)
        }
        Call::GetPolicy(id) => {
            let policy = known.policy(id).ok_or_else(Refusal::not_found)?;
            Ok(json!({ "escalation_policy": json::policy(known, policy) }))
        }
        Call::GetService(id) => {
            let service = Some(&known.service).filter(|service| service.id == *id);
            let service = service.ok_or_else(Refusal::not_found)?;
            Ok(json!({ "service": json::service(known, service) }))
        }
        Call::ListPriorities => {
            let rows = known.priorities.iter().map(json::priority).collect();
            lists::page("priorities", rows, &ask.query)
        }
        Call::ListUsers => {
            let rows = known.users.iter().map(json::user).collect();
            lists::page("users", rows, &ask.query)
        }
        Call::GetUser(id) => {
            let user = known.user(id).ok_or_else(Refusal::not_found)?;
            Ok(json!({ "user": json::user(user) }))
        }
        Call::ListOncalls => lists::page("oncalls", json::oncalls(known, &ask.query), &ask.query),
        Call::ListSubscriptions => {
            let rows = state.subscriptions().iter();
            let rows = rows.map(|one| json::subscription(one, None)).collect();
            lists::page("webhook_subscriptions", rows, &ask.query)
        }
        Call::GetSubscription(id) | Call::ChangeSubscription(id) | Call::EnableSubscription(id) => {
            let mut all = state.subscriptions().iter();
            let one = all.find(|one| one.id == *id);
            let one = one.ok_or_else(Refusal::not_found)?;
            Ok(json!({ "webhook_subscription": json::subscription(one, None) }))
        }
        // The calls that change something have their own functions.
        _ => Err(Refusal::not_found()),
    }
}

fn change(state: &mut State, ask: &Ask<'_>, id: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let change = wish::change(ask.body)?;
    let events = state.turn(&id, actor(ask), ask.now)?.change(change)?;
    let body = json!({ "incident": json::incident(&state.directory, find(state, id.as_str())?) });
    Ok((ok(body), events))
}

fn add_note(state: &mut State, ask: &Ask<'_>, id: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let content = wish::note(ask.body)?;
    let (note, events) = state.turn(&id, actor(ask), ask.now)?.annotate(content)?;
    let body = json!({ "note": json::note(&state.directory, &note) });
    Ok((ok(body), events))
}

fn ask_responders(state: &mut State, ask: &Ask<'_>, id: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let request = wish::responders(ask.body)?;
    let mut turn = state.turn(&id, actor(ask), ask.now)?;
    let shown = turn.ask_responders(&request)?;
    Ok((ok(json!({ "responder_request": shown })), turn.events))
}

fn edit_note(state: &mut State, ask: &Ask<'_>, id: &str, note: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let content = wish::note(ask.body)?;
    let note = state.turn(&id, actor(ask), ask.now)?.edit_note(note, content)?;
    let body = json!({ "note": json::note(&state.directory, &note) });
    Ok((ok(body), Vec::new()))
}

fn delete_note(state: &mut State, ask: &Ask<'_>, id: &str, note: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    state.turn(&id, actor(ask), ask.now)?.delete_note(note)?;
    let reply = Reply { status: 204, body: Value::Null };
    Ok((reply, Vec::new()))
}

fn add_status_update(state: &mut State, ask: &Ask<'_>, id: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let message = wish::status_update(ask.body)?;
    let (body, events) = state.turn(&id, actor(ask), ask.now)?.publish(message)?;
    Ok((ok(body), events))
}

fn set_fields(state: &mut State, ask: &Ask<'_>, id: &str) -> Answer {
    let id = find(state, id)?.id.clone();
    let fields = wish::fields(ask.body)?;
    let (body, events) = state.turn(&id, actor(ask), ask.now)?.set_fields(&fields)?;
    Ok((Reply { status: 201, body }, events))
}

fn add_subscription(state: &mut State, ask: &Ask<'_>) -> Answer {
    let url = wish::receiver(ask.body)?;
    let wish = wish::subscription(&ask.body["webhook_subscription"])?;
    let scope = wish.scope.clone().ok_or_else(|| Refusal::invalid("Filter is missing"))?;
    if state.subscriptions().iter().filter(|one| one.scope == scope).count() >= AT_MOST {
        return Err(Refusal::too_many_subscriptions());
    }
    let id = state.subscribe(url, None);
    let one = state.subscription_mut(&id).ok_or_else(Refusal::not_found)?;
    // Each has a secret of its own, as in PagerDuty.
    one.secret = Some(format!("{}-{id}", ask.secret));
    one.change(wish);
    let body = json!({ "webhook_subscription": json::subscription(one, one.secret.as_deref()) });
    Ok((ok(body), Vec::new()))
}

/// By id or by number, as PagerDuty takes them.
fn find<'a>(state: &'a State, text: &str) -> Result<&'a IncidentView, Refusal> {
    let by_id = IncidentId::parse(text).and_then(|id| state.incident(&id));
    let by_number = || {
        let number: u64 = text.parse().ok()?;
        state.incidents().iter().find(|one| one.number == number)
    };
    by_id.or_else(by_number).ok_or_else(Refusal::not_found)
}

/// The few writes that need no `From` are the token owner's.
fn actor(ask: &Ask<'_>) -> Agent {
    let owner = || directory::BOT.to_owned();
    Agent::User(ask.from.clone().unwrap_or_else(owner))
}

const fn ok(body: Value) -> Reply {
    Reply { status: 200, body }
}
