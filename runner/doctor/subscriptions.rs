//! Which webhooks reach which region. Pure.

use super::matter::{Matter, Near};
use crate::config::RegionAddress;
use crate::limits::WEBHOOK_PATH;
use crate::receive::pagerduty::EVENTS;
use crate::report::account::{Scope, Service, Subscription};

/// What is to be said of the subscriptions. `meant` are the services whose incidents AMS is for.
pub fn judge(
    regions: &[RegionAddress],
    subscriptions: &[Subscription],
    meant: &[&Service],
) -> Vec<Matter> {
    let mut matters: Vec<Matter> =
        regions.iter().flat_map(|region| of_region(region, subscriptions, meant)).collect();
    if !regions.is_empty() {
        matters.extend(strays(regions, subscriptions).map(|it| Matter::SubscriptionStray {
            subscription: it.id.clone(),
            url: it.url.clone(),
        }));
    }
    matters
}

/// Those that lead to this region.
pub fn of<'a>(
    region: &RegionAddress,
    subscriptions: &'a [Subscription],
) -> impl Iterator<Item = &'a Subscription> {
    let own = address(&region.url);
    subscriptions.iter().filter(move |it| address(&it.url) == own)
}

/// What a subscription lacks of what is acted on.
pub fn missing(subscription: &Subscription) -> Vec<String> {
    let has = |event: &&str| subscription.events.iter().any(|it| it == event);
    EVENTS.iter().filter(|event| !has(event)).map(|event| (*event).to_owned()).collect()
}

fn of_region(
    region: &RegionAddress,
    subscriptions: &[Subscription],
    meant: &[&Service],
) -> Vec<Matter> {
    let name = || region.name.as_str().to_owned();
    let own: Vec<&Subscription> = of(region, subscriptions).collect();
    if own.is_empty() {
        let near = near(region, subscriptions);
        return vec![Matter::SubscriptionMissing { region: name(), url: region.url.clone(), near }];
    }
    let mut matters = Vec::new();
    let mut in_use: Vec<&Subscription> = Vec::new();
    for one in own {
        let subscription = one.id.clone();
        if !one.active {
            matters.push(Matter::SubscriptionOff { region: name(), subscription });
            continue;
        }
        if one.is_disabled {
            matters.push(Matter::SubscriptionDisabled { region: name(), subscription });
            continue;
        }
        let events = missing(one);
        if !events.is_empty() {
            matters.push(Matter::EventsMissing { region: name(), subscription, events });
        }
        in_use.push(one);
    }
    // A spare one that is off does no harm beside one that works.
    let is_whole = |one: &&&Subscription| one.scope == Scope::Account && missing(one).is_empty();
    if let Some(whole) = in_use.iter().find(is_whole) {
        let is_spare = |matter: &Matter| {
            matches!(matter, Matter::SubscriptionOff { .. } | Matter::EventsMissing { .. })
        };
        matters.retain(|matter| !is_spare(matter));
        let subscription = whole.id.clone();
        matters.insert(0, Matter::SubscriptionFine { region: name(), subscription });
    } else if matters.is_empty()
        && let Some(first) = in_use.first()
    {
        let subscription = first.id.clone();
        matters.push(Matter::SubscriptionFine { region: name(), subscription });
    }
    matters.extend(twice(region, &in_use));
    if !in_use.is_empty() {
        let is_left = |service: &&&Service| !in_use.iter().any(|it| covers(&it.scope, service));
        let services: Vec<String> =
            meant.iter().filter(is_left).map(|it| it.name.name.clone()).collect();
        if !services.is_empty() {
            matters.push(Matter::ServicesUncovered { region: name(), services });
        }
    }
    matters
}

fn twice(region: &RegionAddress, in_use: &[&Subscription]) -> Option<Matter> {
    let same =
        |one: &&&Subscription| in_use.iter().filter(|other| other.scope == one.scope).count() > 1;
    let subscriptions: Vec<String> = in_use.iter().filter(same).map(|it| it.id.clone()).collect();
    let region = region.name.as_str().to_owned();
    (!subscriptions.is_empty()).then_some(Matter::SubscriptionTwice { region, subscriptions })
}

fn covers(scope: &Scope, service: &Service) -> bool {
    match scope {
        Scope::Account => true,
        Scope::Service(id) => *id == service.name.id,
        Scope::Team(id) => service.teams.contains(id),
        Scope::Other => false,
    }
}

/// Subscriptions of AMS that lead to none of the regions.
fn strays<'a>(
    regions: &'a [RegionAddress],
    subscriptions: &'a [Subscription],
) -> impl Iterator<Item = &'a Subscription> {
    let is_ours = |url: &str| address(url).ends_with(WEBHOOK_PATH);
    let is_known = |url: &str| regions.iter().any(|it| address(&it.url) == address(url));
    subscriptions.iter().filter(move |it| is_ours(&it.url) && !is_known(&it.url))
}

/// The one that may have been meant: on the same host, with another path, port or scheme.
fn near(region: &RegionAddress, subscriptions: &[Subscription]) -> Option<Near> {
    let wanted = host(&region.url);
    let found = subscriptions.iter().find(|it| host(&it.url) == wanted)?;
    Some(Near { subscription: found.id.clone(), url: found.url.clone() })
}

/// An address as it can be compared: scheme and host whatever their case, no usual port, no slash
/// at the end.
fn address(url: &str) -> String {
    let url = url.trim().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (scheme, mut host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let usual = if scheme == "https" { ":443" } else { ":80" };
    if let Some(bare) = host.strip_suffix(usual) {
        host = bare.to_owned();
    }
    format!("{scheme}://{host}/{path}")
}

/// Without its port.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    bare.map_or(host, |(host, _)| host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Named, Region};

    fn region() -> RegionAddress {
        let url = format!("https://tokyo.example.com{WEBHOOK_PATH}");
        RegionAddress { name: Region::new("tokyo".to_owned()), url, secret: None }
    }

    fn leading_to(url: &str) -> Subscription {
        Subscription {
            id: "P1".to_owned(),
            url: url.to_owned(),
            active: true,
            is_disabled: false,
            events: EVENTS.map(str::to_owned).to_vec(),
            scope: Scope::Account,
        }
    }

    fn service(id: &str, teams: &[&str]) -> Service {
        Service {
            name: Named { id: id.to_owned(), name: id.to_lowercase() },
            is_disabled: false,
            policy: None,
            acknowledgement_timeout: None,
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        }
    }

    #[test]
    fn addresses_are_the_same_whatever_their_spelling() {
        for url in [
            "https://tokyo.example.com/webhooks/pagerduty",
            "HTTPS://Tokyo.Example.com:443/webhooks/pagerduty/",
            "https://tokyo.example.com/webhooks/pagerduty?from=pagerduty",
        ] {
            let found = judge(&[region()], &[leading_to(url)], &[]);
            assert!(matches!(found[..], [Matter::SubscriptionFine { .. }]), "{url}: {found:?}");
        }
        for url in [
            "http://tokyo.example.com/webhooks/pagerduty",
            "https://tokyo.example.com:8443/webhooks/pagerduty",
            "https://tokyo.example.com/webhook",
        ] {
            let found = judge(&[region()], &[leading_to(url)], &[]);
            let near =
                |it: &Matter| matches!(it, Matter::SubscriptionMissing { near: Some(_), .. });
            assert!(found.iter().any(near), "{url}: {found:?}");
        }
    }

    #[test]
    fn services_are_covered_by_account_service_or_team() {
        let url = &region().url;
        let (shop, mail) = (service("SHOP", &["T1"]), service("MAIL", &[]));
        let uncovered = |scopes: &[Scope]| -> Vec<String> {
            let with = |scope: &Scope| Subscription { scope: scope.clone(), ..leading_to(url) };
            let all: Vec<Subscription> = scopes.iter().map(with).collect();
            let found = judge(&[region()], &all, &[&shop, &mail]);
            let named = found.into_iter().filter_map(|matter| match matter {
                Matter::ServicesUncovered { services, .. } => Some(services),
                _ => None,
            });
            named.flatten().collect()
        };
        let (of_shop, of_team) = (Scope::Service("SHOP".into()), Scope::Team("T1".into()));
        assert_eq!(uncovered(&[Scope::Account]), Vec::<String>::new());
        assert_eq!(uncovered(std::slice::from_ref(&of_shop)), ["mail"]);
        assert_eq!(uncovered(&[of_team]), ["mail"]);
        assert_eq!(uncovered(&[of_shop, Scope::Service("MAIL".into())]), Vec::<String>::new());
        assert_eq!(uncovered(&[Scope::Other]), ["shop", "mail"]);
    }

    #[test]
    fn a_spare_subscription_that_is_off_is_not_told_beside_one_that_works() {
        let working = leading_to(&region().url);
        let spare = Subscription { active: false, id: "P2".to_owned(), ..working.clone() };
        let found = judge(&[region()], &[spare.clone(), working], &[]);
        assert!(matches!(found[..], [Matter::SubscriptionFine { .. }]), "{found:?}");
        let found = judge(&[region()], &[spare], &[]);
        assert!(matches!(found[..], [Matter::SubscriptionOff { .. }]), "{found:?}");
    }
}
