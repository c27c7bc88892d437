//! What it has on the other side: PagerDuty's account, and the way from there to the receivers.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use jiff::Timestamp;
use secrecy::SecretString;

use super::escalation::{self, Role};
use super::http::{Http, Knock};
use super::matter::{Duty, Matter};
use super::{Options, services, subscriptions};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, RegionAddress};
use crate::limits;
use crate::paging::Acknowledge;
use crate::report::PlatformError;
use crate::report::account::{OnCall, Policy, Service, Subscription};
use crate::report::pagerduty::PagerDuty;
use crate::rules::RuleSet;
use crate::secret::lines;

/// What is known of the account, as far as it may be read.
#[derive(Default)]
pub(super) struct Known {
    pub(super) is_reached: bool,
    services: Option<Vec<Service>>,
    policies: Option<Vec<Policy>>,
    subscriptions: Option<Vec<Subscription>>,
    on_calls: Option<Vec<OnCall>>,
}

// --- pagerduty ---------------------------------------------------------------------------------

/// Also what the areas after it judge: all that is asked of the account is asked here.
pub(super) async fn platform(
    config: &Config,
    account: &PagerDuty,
    http: &Http,
    rules: &RuleSet,
) -> (Vec<Matter>, Known) {
    let abilities = match account.abilities().await {
        Ok(abilities) => Some(abilities),
        // A token of few scopes: it is known, and may do what is needed all the same.
        Err(PlatformError::Refused { status: 402 | 403, .. }) => None,
        Err(error) => return (vec![closed(config, error)], Known::default()),
    };
    let mut refused = Vec::new();
    let known = read(config, account, rules, &mut refused).await;
    let bot = bot(config, account).await;
    let mut matters = refused;
    if matters.is_empty() && !bot.iter().any(|it| matches!(it, Matter::MayNot { .. })) {
        matters.push(Matter::MayAll);
    }
    if matches!(
        account.may_read_priorities().await,
        Err(PlatformError::Refused { status: 402 | 403, .. })
    ) {
        matters.push(Matter::NoPriorities);
    }
    if abilities.is_some_and(|all| !all.iter().any(|it| it == "coordinated_responding")) {
        matters.push(Matter::NoResponders);
    }
    matters.extend(bot);
    matters.push(clock(http.time(&config.pagerduty.url).await, SystemClock.now()));
    (matters, known)
}

/// Why nothing can be asked at all.
fn closed(config: &Config, error: PlatformError) -> Matter {
    match error {
        PlatformError::Refused { status: 401, message, .. } => {
            Matter::TokenRefused { said: message }
        }
        PlatformError::Refused { code: Some(1008 | 2016), message, .. } => {
            Matter::FromUnknown { from: config.pagerduty.from.clone(), said: message }
        }
        error => Matter::Unreachable { url: config.pagerduty.url.clone(), why: error.to_string() },
    }
}

async fn read(
    config: &Config,
    account: &PagerDuty,
    rules: &RuleSet,
    refused: &mut Vec<Matter>,
) -> Known {
    for (duty, asked) in [
        (Duty::ReadIncidents, account.may_read_incidents().await),
        (Duty::ChangeIncidents, account.may_change_incidents().await),
        (Duty::ChangeSubscriptions, account.may_change_subscriptions().await),
    ] {
        take(duty, asked, config, refused);
    }
    let mut known = Known { is_reached: true, ..Known::default() };
    known.services = take(Duty::ReadServices, account.services().await, config, refused);
    known.policies = take(Duty::ReadPolicies, account.policies().await, config, refused);
    let subscriptions = account.subscriptions().await;
    known.subscriptions = take(Duty::ReadSubscriptions, subscriptions, config, refused);
    let asked: BTreeSet<String> =
        policies_in_use(config, &known, rules).into_iter().map(|(id, ..)| id).collect();
    let asked: Vec<String> = asked.into_iter().collect();
    let on_calls = account.on_calls_of(&asked).await;
    known.on_calls = take(Duty::ReadOnCalls, on_calls, config, refused);
    known
}

/// What was read, or one more thing to say.
fn take<T>(
    duty: Duty,
    asked: Result<T, PlatformError>,
    config: &Config,
    matters: &mut Vec<Matter>,
) -> Option<T> {
    let error = match asked {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    matters.push(match error {
        PlatformError::Refused { status: 402 | 403, message, .. } => {
            Matter::MayNot { duty, said: message }
        }
        // PagerDuty REST docs, Errors: no user has the address.
        PlatformError::Refused { code: Some(1008 | 2016), message, .. } => {
            Matter::FromUnknown { from: config.pagerduty.from.clone(), said: message }
        }
        other => Matter::Unasked { duty, why: other.to_string() },
    });
    None
}

async fn bot(config: &Config, account: &PagerDuty) -> Vec<Matter> {
    let (user, from) = (config.pagerduty.bot_user.clone(), config.pagerduty.from.clone());
    let mut matters = Vec::new();
    match account.user(&user).await {
        Err(PlatformError::NotFound { .. }) => matters.push(Matter::BotUnknown { user }),
        Ok(found) if found.email.eq_ignore_ascii_case(&from) => {
            matters.push(Matter::BotFine { user, name: found.name.name });
        }
        Ok(found) => matters.push(Matter::BotOther { user, email: found.email, from }),
        asked @ Err(_) => drop(take(Duty::ReadUsers, asked, config, &mut matters)),
    }
    matters
}

fn clock(told: Result<Timestamp, String>, now: Timestamp) -> Matter {
    let told = match told {
        Ok(told) => told,
        Err(why) => return Matter::ClockUnread { why },
    };
    let off = now.duration_since(told);
    let seconds = off.as_secs();
    match off.abs() {
        off if off > limits::CLOCK_WRONG => Matter::ClockWrong { seconds },
        off if off > limits::CLOCK_OFF => Matter::ClockOff { seconds },
        _ => Matter::ClockFine { seconds },
    }
}

// --- subscriptions and receivers ---------------------------------------------------------------

pub(super) async fn subscriptions(
    config: &Config,
    (account, options): (&PagerDuty, Options),
    known: &mut Known,
    rules: &RuleSet,
) -> Vec<Matter> {
    let Some(all) = known.subscriptions.as_mut() else { return Vec::new() };
    let mut matters = Vec::new();
    if options.enable {
        for region in &config.regions {
            let is_own: BTreeSet<String> =
                subscriptions::of(region, all).map(|it| it.id.clone()).collect();
            for one in all.iter_mut().filter(|it| it.is_disabled && is_own.contains(&it.id)) {
                let (region, subscription) = (region.name.as_str().to_owned(), one.id.clone());
                matters.push(match account.enable(&subscription).await {
                    Ok(()) => {
                        one.is_disabled = false;
                        Matter::SubscriptionEnabled { region, subscription }
                    }
                    Err(error) => {
                        let why = error.to_string();
                        Matter::SubscriptionStillDisabled { region, subscription, why }
                    }
                });
            }
        }
    }
    let services = known.services.as_deref().unwrap_or_default();
    matters.extend(subscriptions::judge(&config.regions, all, &services::meant(services, rules)));
    matters
}

pub(super) async fn receivers(config: &Config, http: &Http) -> Vec<Matter> {
    let mut matters = Vec::new();
    for region in &config.regions {
        let (secrets, sure) = secrets(config, region);
        let name = region.name.as_str().to_owned();
        let knock = http.knock(&region.url, &secrets, SystemClock.now()).await;
        matters.push(answered(name, &region.url, knock, sure));
    }
    matters
}

/// What its subscription signs with, as far as it is known here.
fn secrets(config: &Config, region: &RegionAddress) -> (Vec<SecretString>, bool) {
    let own = region.secret.as_ref().and_then(|place| place.read(&config.variables).ok());
    match own {
        Some(secrets) => (secrets, true),
        None => (lines(&config.webhook_secrets), region.name == config.region),
    }
}

fn answered(region: String, url: &str, knock: Knock, sure: bool) -> Matter {
    match knock {
        Knock::Silent { why } => Matter::ReceiverSilent { region, url: url.to_owned(), why },
        Knock::Answered { status: 200..=299, took, .. } => {
            let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            if took > limits::RECEIVER_SLOW {
                Matter::ReceiverSlow { region, milliseconds }
            } else {
                Matter::ReceiverFine { region, milliseconds }
            }
        }
        Knock::Answered { status: status @ (429 | 500..=599), said, .. } => {
            Matter::ReceiverUnready { region, status, said }
        }
        Knock::Answered { status, .. } => {
            // Anything but a wrong signature is not about secrets.
            let sure = sure || status != 401;
            Matter::ReceiverRefuses { region, status, sure }
        }
    }
}

// --- escalation and services -------------------------------------------------------------------

pub(super) fn escalation(config: &Config, known: &Known, rules: &RuleSet) -> Vec<Matter> {
    let mut matters: Vec<Matter> = Vec::new();
    let Some(policies) = &known.policies else { return matters };
    for (id, role, named_by) in policies_in_use(config, known, rules) {
        let bot = &config.pagerduty.bot_user;
        let found = policies.iter().find(|policy| policy.name.id == id);
        let told = match found {
            Some(policy) => escalation::judge(policy, role, bot, known.on_calls.as_deref()),
            None => vec![Matter::PolicyUnknown { policy: id, named_by }],
        };
        // A policy may have two roles, and is told once.
        for matter in told {
            if !matters.contains(&matter) {
                matters.push(matter);
            }
        }
    }
    if config.pagerduty.paging.fallback.is_empty() {
        matters.push(Matter::NoFallback);
    }
    if config.last_resort.is_empty() {
        matters.push(Matter::NoLastResort);
    }
    let meant = services::meant(known.services.as_deref().unwrap_or_default(), rules);
    let for_ever = meant.iter().filter(|it| it.acknowledgement_timeout.is_none());
    let services: Vec<String> = for_ever.map(|it| it.name.name.clone()).collect();
    matters.push(acknowledging(config, rules, &services));
    if !services.is_empty() {
        matters.push(Matter::AcknowledgedForEver { services });
    }
    matters
}

/// What AMS's own acknowledgements do to PagerDuty's escalation, if all regions die.
fn acknowledging(config: &Config, rules: &RuleSet, for_ever: &[String]) -> Matter {
    let of_settings = ("pagerduty.acknowledge".to_owned(), config.pagerduty.paging.acknowledge);
    let customers = rules.customers.all().iter();
    let of_customers =
        customers.filter_map(|it| Some((it.file.display().to_string(), it.acknowledge?)));
    let said: Vec<(String, Acknowledge)> = iter::once(of_settings).chain(of_customers).collect();
    let on_start = said.iter().filter(|(_, word)| *word == Acknowledge::OnStart);
    let by: Vec<String> = on_start.map(|(place, _)| place.clone()).collect();
    if said.iter().all(|(_, word)| *word == Acknowledge::Never) {
        Matter::NeverAcknowledges
    } else if by.is_empty() || for_ever.is_empty() {
        Matter::AcknowledgesWithTimeout
    } else {
        Matter::AcknowledgesForEver { by }
    }
}

/// Policies that incidents go by, each with where it is named.
fn policies_in_use(config: &Config, known: &Known, rules: &RuleSet) -> Vec<(String, Role, String)> {
    let meant = services::meant(known.services.as_deref().unwrap_or_default(), rules);
    let used: BTreeSet<&String> = meant.iter().filter_map(|it| it.policy.as_ref()).collect();
    let of_services = used.into_iter().map(|id| (id.clone(), Role::OfServices, String::new()));
    of_services.chain(named(config, rules)).collect()
}

/// Policies that settings and customers name, and where.
fn named(config: &Config, rules: &RuleSet) -> Vec<(String, Role, String)> {
    let fallback = config.pagerduty.paging.fallback.policy.clone();
    let fallback = fallback.map(|id| (id, "pagerduty.fallback".to_owned()));
    let mut named: BTreeMap<String, String> = fallback.into_iter().collect();
    for customer in rules.customers.all() {
        let destinations = customer.destinations.values().filter_map(|it| it.policy.clone());
        let own = customer.escalation.iter().chain(&customer.fallback.policy).cloned();
        for id in own.chain(destinations) {
            named.entry(id).or_insert_with(|| customer.file.display().to_string());
        }
    }
    named.into_iter().map(|(id, by)| (id, Role::ForHandOff, by)).collect()
}

pub(super) fn services(known: &Known, rules: &RuleSet) -> Vec<Matter> {
    known.services.as_deref().map(|all| services::judge(all, rules)).unwrap_or_default()
}
