//! What `ams doctor` says, in Japanese and in English. Pure.

mod account;
mod deployment;
mod people;
mod subscriptions;

use super::matter::{Area, Level, Matter};
use crate::lang::Lang;
use crate::limits::NAMES_TOLD;

/// A thing in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub what: String,
    /// What to change.
    pub change: Option<String>,
}

impl Said {
    fn fine(what: impl Into<String>) -> Self {
        Self { what: what.into(), change: None }
    }

    fn but(what: impl Into<String>, change: impl Into<String>) -> Self {
        Self { what: what.into(), change: Some(change.into()) }
    }
}

pub fn say(lang: Lang, matter: &Matter) -> Said {
    let ja = lang == Lang::Ja;
    let said = deployment::say(ja, matter).or_else(|| account::say(ja, matter));
    let said = said.or_else(|| subscriptions::say(ja, matter)).or_else(|| people::say(ja, matter));
    // Each has its words: the test below goes through all of them.
    said.unwrap_or_else(|| Said::fine(format!("{matter:?}")))
}

pub const fn area(lang: Lang, area: Area) -> &'static str {
    match (lang, area) {
        (Lang::Ja, Area::Configuration) => "設定",
        (Lang::En, Area::Configuration) => "Configuration",
        (Lang::Ja, Area::Store) => "ストア",
        (Lang::En, Area::Store) => "Store",
        (Lang::Ja, Area::Regions) => "リージョン",
        (Lang::En, Area::Regions) => "Regions",
        (_, Area::PagerDuty) => "PagerDuty",
        (Lang::Ja, Area::Subscriptions) => "Webhook サブスクリプション",
        (Lang::En, Area::Subscriptions) => "Webhook subscriptions",
        (Lang::Ja, Area::Receivers) => "Webhook の受信",
        (Lang::En, Area::Receivers) => "Receivers",
        (Lang::Ja, Area::Escalation) => "エスカレーション",
        (Lang::En, Area::Escalation) => "Escalation",
        (Lang::Ja, Area::Services) => "サービスとシナリオ",
        (Lang::En, Area::Services) => "Services and scenarios",
    }
}

pub const fn mark(level: Level) -> char {
    match level {
        Level::Fine => '✔',
        Level::Weak => '!',
        Level::Wrong => '✘',
    }
}

/// The last line.
pub fn sum(lang: Lang, wrong: usize, weak: usize) -> String {
    match (lang, wrong, weak) {
        (Lang::Ja, 0, 0) => "✔ 変更が必要なものはありません".to_owned(),
        (Lang::En, 0, 0) => "✔ nothing to change".to_owned(),
        (Lang::Ja, 0, weak) => format!("✔ 変更は必要ありません（! 検討事項 {weak} 件）"),
        (Lang::En, 0, weak) => format!("✔ nothing has to change (! {weak} to consider)"),
        (Lang::Ja, wrong, weak) => {
            format!("✘ 変更が必要なもの {wrong} 件（! 検討事項 {weak} 件）")
        }
        (Lang::En, wrong, weak) => format!("✘ {wrong} to change (! {weak} to consider)"),
    }
}

fn pick(ja: bool, in_ja: impl Into<String>, in_en: impl Into<String>) -> String {
    if ja { in_ja.into() } else { in_en.into() }
}

/// The first of them, and how many more.
fn names(ja: bool, names: &[String]) -> String {
    let told: Vec<&str> = names.iter().take(NAMES_TOLD).map(String::as_str).collect();
    let told = told.join(if ja { "、" } else { ", " });
    match names.len().saturating_sub(NAMES_TOLD) {
        0 => told,
        rest => pick(ja, format!("{told} ほか {rest} 件"), format!("{told} and {rest} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::matter::{Duty, Near};

    fn of_the_deployment() -> Vec<Matter> {
        use Matter as M;
        let s = || "x".to_owned();
        let list = || vec![s(), s()];
        let (path, why, region, url) = (s, s, s, s);
        vec![
            M::ScenariosRead { count: 2 },
            M::ScenariosMissing { path: path(), why: why() },
            M::ScenariosRefused { path: path(), mistakes: 2, first: s() },
            M::CustomersRead { count: 2 },
            M::CustomersMissing { path: path(), why: why() },
            M::CustomersRefused { path: path(), mistakes: 2, first: s() },
            M::NoCustomers,
            M::NoWebhookSecret,
            M::NoRegions,
            M::ByEventBridge,
            M::OwnRegionUnlisted { region: region() },
            M::PlainAddress { region: region(), url: url() },
            M::SecretUnread { region: region(), why: why() },
            M::SecretUnused { region: region() },
            M::StoreFine { store: s() },
            M::StoreUnborn { store: s() },
            M::StoreWrong { problem: s(), remedy: None },
            M::StoreOfOneMachine { store: s(), hosts: list() },
            M::HistoryWrong { problem: s() },
            M::RegionLives { region: region(), processes: 1, rules: list() },
            M::RulesDiffer { versions: list() },
            M::RegionSilent { region: region() },
            M::SignsUnread { why: why() },
        ]
    }

    fn of_the_account() -> Vec<Matter> {
        use Matter as M;
        let s = || "x".to_owned();
        let list = || vec![s(), s()];
        let (why, region, url, subscription, said) = (s, s, s, s, s);
        let near = || Some(Near { subscription: s(), url: s() });
        vec![
            M::Unreachable { url: url(), why: why() },
            M::TokenRefused { said: said() },
            M::MayAll,
            M::MayNot { duty: Duty::ReadUsers, said: said() },
            M::Unasked { duty: Duty::ReadOnCalls, why: why() },
            M::NoPriorities,
            M::NoResponders,
            M::BotFine { user: s(), name: s() },
            M::BotUnknown { user: s() },
            M::BotOther { user: s(), email: s(), from: s() },
            M::FromUnknown { from: s(), said: said() },
            M::ClockFine { seconds: 0 },
            M::ClockOff { seconds: 9 },
            M::ClockWrong { seconds: -99 },
            M::ClockUnread { why: why() },
            M::SubscriptionFine { region: region(), subscription: subscription() },
            M::SubscriptionMissing { region: region(), url: url(), near: None },
            M::SubscriptionMissing { region: region(), url: url(), near: near() },
            M::SubscriptionOff { region: region(), subscription: subscription() },
            M::SubscriptionDisabled { region: region(), subscription: subscription() },
            M::SubscriptionEnabled { region: region(), subscription: subscription() },
            M::SubscriptionStillDisabled {
                region: region(),
                subscription: subscription(),
                why: why(),
            },
            M::EventsMissing { region: region(), subscription: subscription(), events: list() },
            M::ServicesUncovered { region: region(), services: list() },
            M::SubscriptionTwice { region: region(), subscriptions: list() },
            M::SubscriptionStray { subscription: subscription(), url: url() },
            M::ReceiverFine { region: region(), milliseconds: 1 },
            M::ReceiverSlow { region: region(), milliseconds: 3_000 },
            M::ReceiverRefuses { region: region(), status: 401, sure: true },
            M::ReceiverRefuses { region: region(), status: 401, sure: false },
            M::ReceiverRefuses { region: region(), status: 403, sure: true },
            M::ReceiverUnready { region: region(), status: 503, said: said() },
            M::ReceiverSilent { region: region(), url: url(), why: why() },
        ]
    }

    fn of_people() -> Vec<Matter> {
        use Matter as M;
        let s = || "x".to_owned();
        let list = || vec![s(), s()];
        let (policy, service) = (s, s);
        vec![
            M::PolicyFine { policy: policy() },
            M::PolicyUnknown { policy: policy(), named_by: String::new() },
            M::PolicyUnknown { policy: policy(), named_by: s() },
            M::NobodyPaged { policy: policy() },
            M::NobodyOnCall { policy: policy(), level: 2 },
            M::LevelEmpty { policy: policy(), level: 3 },
            M::PeopleFirst { policy: policy() },
            M::NoPeopleBehind { policy: policy() },
            M::BotLater { policy: policy(), level: 2 },
            M::FirstLevelLong { policy: policy(), minutes: 60 },
            M::NoFallback,
            M::NoLastResort,
            M::NeverAcknowledges,
            M::AcknowledgesWithTimeout,
            M::AcknowledgesForEver { by: list() },
            M::AcknowledgedForEver { services: list() },
            M::ServicesCovered { count: 2 },
            M::ServiceUnknown { customer: s(), service: service(), near: Some(s()) },
            M::ScenarioServiceUnknown { scenario: s(), service: service(), near: None },
            M::ServicesWithoutCustomer { services: list() },
            M::ServicesWithoutScenario { services: list() },
        ]
    }

    #[test]
    fn whatever_is_not_fine_says_what_to_change_in_both_languages() {
        let all = [of_the_deployment(), of_the_account(), of_people()].concat();
        for matter in all {
            for lang in [Lang::Ja, Lang::En] {
                let Said { what, change } = say(lang, &matter);
                assert_ne!(what, format!("{matter:?}"), "it has no words");
                assert_eq!(change.is_none(), matter.level() == Level::Fine, "{matter:?}");
                let is_japanese = |text: &str| text.chars().any(|c| c > '\u{3000}');
                assert!(lang == Lang::Ja || !is_japanese(&what), "{what}");
                assert!(change.is_none_or(|it| is_japanese(&it) == (lang == Lang::Ja)));
            }
        }
    }

    #[test]
    fn long_lists_are_shortened() {
        let many: Vec<String> = (1..=10).map(|number| number.to_string()).collect();
        assert_eq!(names(false, &many), "1, 2, 3, 4, 5, 6, 7, 8 and 2 more");
        assert_eq!(names(true, &many[..2]), "1、2");
    }
}
