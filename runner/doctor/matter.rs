//! Everything `ams doctor` may say, as data. Pure. The words are in `text/`.

use serde::Serialize;

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    Configuration,
    Store,
    Regions,
    PagerDuty,
    Subscriptions,
    Receivers,
    Escalation,
    Services,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Fine,
    /// It works; somebody should have decided it so.
    Weak,
    /// Incidents are lost, late or left alone for it.
    Wrong,
}

/// What the token must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    ReadIncidents,
    ChangeIncidents,
    ReadUsers,
    ReadServices,
    ReadPolicies,
    ReadOnCalls,
    ReadSubscriptions,
    ChangeSubscriptions,
}

/// One thing that was looked at. `id` in JSON names the variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "id", rename_all = "kebab-case")]
pub enum Matter {
    // --- configuration
    ScenariosRead {
        count: usize,
    },
    ScenariosMissing {
        path: String,
        why: String,
    },
    /// Good files are used beside bad ones.
    ScenariosRefused {
        path: String,
        mistakes: usize,
        first: String,
    },
    CustomersRead {
        count: usize,
    },
    CustomersMissing {
        path: String,
        why: String,
    },
    CustomersRefused {
        path: String,
        mistakes: usize,
        first: String,
    },
    NoCustomers,
    NoWebhookSecret,
    NoRegions,
    /// No webhooks come: events by EventBridge alone.
    ByEventBridge,
    OwnRegionUnlisted {
        region: String,
    },
    PlainAddress {
        region: String,
        url: String,
    },
    SecretUnread {
        region: String,
        why: String,
    },
    /// What its subscription signs with is not what the process looks for.
    SecretUnused {
        region: String,
    },

    // --- store
    StoreFine {
        store: String,
    },
    /// No region has started here yet.
    StoreUnborn {
        store: String,
    },
    StoreWrong {
        problem: String,
        remedy: Option<String>,
    },
    /// Regions on several machines would each have a file of their own.
    StoreOfOneMachine {
        store: String,
        hosts: Vec<String>,
    },
    HistoryWrong {
        problem: String,
    },

    // --- regions
    RegionLives {
        region: String,
        processes: usize,
        /// Versions of scenarios and customers that they go by.
        rules: Vec<String>,
    },
    /// Living processes go by different ones.
    RulesDiffer {
        versions: Vec<String>,
    },
    RegionSilent {
        region: String,
    },
    SignsUnread {
        why: String,
    },

    // --- pagerduty
    Unreachable {
        url: String,
        why: String,
    },
    TokenRefused {
        said: String,
    },
    MayAll,
    MayNot {
        duty: Duty,
        said: String,
    },
    /// In passing; it may be allowed.
    Unasked {
        duty: Duty,
        why: String,
    },
    NoPriorities,
    NoResponders,
    BotFine {
        user: String,
        name: String,
    },
    BotUnknown {
        user: String,
    },
    /// What AMS writes would come back as another user's, and stop AMS.
    BotOther {
        user: String,
        email: String,
        from: String,
    },
    FromUnknown {
        from: String,
        said: String,
    },
    ClockFine {
        seconds: i64,
    },
    ClockOff {
        seconds: i64,
    },
    ClockWrong {
        seconds: i64,
    },
    ClockUnread {
        why: String,
    },

    // --- subscriptions
    SubscriptionFine {
        region: String,
        subscription: String,
    },
    SubscriptionMissing {
        region: String,
        url: String,
        near: Option<Near>,
    },
    SubscriptionOff {
        region: String,
        subscription: String,
    },
    SubscriptionDisabled {
        region: String,
        subscription: String,
    },
    SubscriptionEnabled {
        region: String,
        subscription: String,
    },
    SubscriptionStillDisabled {
        region: String,
        subscription: String,
        why: String,
    },
    EventsMissing {
        region: String,
        subscription: String,
        events: Vec<String>,
    },
    ServicesUncovered {
        region: String,
        services: Vec<String>,
    },
    SubscriptionTwice {
        region: String,
        subscriptions: Vec<String>,
    },
    SubscriptionStray {
        subscription: String,
        url: String,
    },

    // --- receivers
    ReceiverFine {
        region: String,
        milliseconds: u64,
    },
    ReceiverSlow {
        region: String,
        milliseconds: u64,
    },
    /// `sure`: it was signed with what this configuration says is its secret.
    ReceiverRefuses {
        region: String,
        status: u16,
        sure: bool,
    },
    ReceiverUnready {
        region: String,
        status: u16,
        said: String,
    },
    ReceiverSilent {
        region: String,
        url: String,
        why: String,
    },

    // --- escalation
    PolicyFine {
        policy: String,
    },
    PolicyUnknown {
        policy: String,
        named_by: String,
    },
    /// No level reaches a person.
    NobodyPaged {
        policy: String,
    },
    /// The level that is paged when AMS cannot go on.
    NobodyOnCall {
        policy: String,
        level: usize,
    },
    /// A later one.
    LevelEmpty {
        policy: String,
        level: usize,
    },
    PeopleFirst {
        policy: String,
    },
    NoPeopleBehind {
        policy: String,
    },
    BotLater {
        policy: String,
        level: usize,
    },
    FirstLevelLong {
        policy: String,
        minutes: u64,
    },
    NoFallback,
    NoLastResort,
    NeverAcknowledges,
    AcknowledgesWithTimeout,
    AcknowledgesForEver {
        by: Vec<String>,
    },
    AcknowledgedForEver {
        services: Vec<String>,
    },

    // --- services
    ServicesCovered {
        count: usize,
    },
    ServiceUnknown {
        customer: String,
        service: String,
        near: Option<String>,
    },
    ScenarioServiceUnknown {
        scenario: String,
        service: String,
        near: Option<String>,
    },
    ServicesWithoutCustomer {
        services: Vec<String>,
    },
    ServicesWithoutScenario {
        services: Vec<String>,
    },
}

/// A subscription that may have been meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    pub subscription: String,
    pub url: String,
}

impl Matter {
    pub const fn level(&self) -> Level {
        match self {
            Self::ScenariosRead { .. }
            | Self::CustomersRead { .. }
            | Self::NoCustomers
            | Self::StoreFine { .. }
            | Self::RegionLives { .. }
            | Self::MayAll
            | Self::NoPriorities
            | Self::NoResponders
            | Self::BotFine { .. }
            | Self::ClockFine { .. }
            | Self::SubscriptionFine { .. }
            | Self::SubscriptionEnabled { .. }
            | Self::ReceiverFine { .. }
            | Self::PolicyFine { .. }
            | Self::ByEventBridge
            | Self::NeverAcknowledges
            | Self::AcknowledgesWithTimeout
            | Self::ServicesCovered { .. } => Level::Fine,
            Self::OwnRegionUnlisted { .. }
            | Self::PlainAddress { .. }
            | Self::SecretUnread { .. }
            | Self::StoreUnborn { .. }
            | Self::Unasked { .. }
            | Self::ClockOff { .. }
            | Self::RulesDiffer { .. }
            | Self::ClockUnread { .. }
            | Self::SubscriptionTwice { .. }
            | Self::SubscriptionStray { .. }
            | Self::ReceiverSlow { .. }
            | Self::ReceiverRefuses { sure: false, .. }
            | Self::LevelEmpty { .. }
            | Self::NobodyOnCall { .. }
            | Self::PeopleFirst { .. }
            | Self::BotLater { .. }
            | Self::FirstLevelLong { .. }
            | Self::NoFallback
            | Self::NoLastResort
            | Self::AcknowledgedForEver { .. }
            | Self::ServicesWithoutCustomer { .. }
            | Self::ServicesWithoutScenario { .. } => Level::Weak,
            _ => Level::Wrong,
        }
    }
}
