//! Who and what exists in the stand-in's account. Seeded once; nobody edits it.

/// The AMS bot: level 1 of the first policy.
pub const BOT: &str = "PBOT001";
/// The on-call engineer: level 2.
pub const ENGINEER: &str = "PENG001";
/// The manager: level 3.
pub const MANAGER: &str = "PMGR001";
/// The policy of the service: bot, engineer, manager.
pub const POLICY: &str = "PPOL001";
/// A policy of one level that reaches the engineer.
pub const PEOPLE_ONLY: &str = "PPOL002";
/// A policy of one level that is the bot itself: escalating it pages nobody.
pub const BOT_ONLY: &str = "PPOL003";
/// A policy whose only level has nobody on call.
pub const NOBODY: &str = "PPOL004";
/// A policy with nobody on call between the bot and the manager.
pub const GAP: &str = "PPOL005";
/// The service on which incidents happen.
pub const SERVICE: &str = "PSVC001";

pub(super) struct User {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) email: String,
}

pub(super) struct Policy {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Per level, in order: the users it pages.
    pub(super) levels: Vec<Vec<&'static str>>,
    /// How long an incident stays at a level.
    pub(super) minutes: u32,
}

pub(super) struct Service {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) policy: &'static str,
    /// Seconds after which an acknowledgement ends; PagerDuty has none unless somebody sets it.
    pub(super) acknowledgement_timeout: Option<u32>,
}

pub(super) struct Priority {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

pub(super) struct Directory {
    pub(super) users: Vec<User>,
    pub(super) policies: Vec<Policy>,
    pub(super) service: Service,
    /// On which nothing ever happens.
    pub(super) quiet_services: Vec<Service>,
    /// Users of policies who are not on call now.
    pub(super) off_duty: Vec<&'static str>,
    /// What the account's plan has.
    pub(super) abilities: Vec<&'static str>,
    /// Highest first.
    pub(super) priorities: Vec<Priority>,
}

impl Directory {
    pub(super) fn seeded(bot_email: &str) -> Self {
        let user = |id, name, email: &str| User { id, name, email: email.to_owned() };
        let priority = |id, name| Priority { id, name };
        Self {
            users: vec![
                user(BOT, "AMS Bot", bot_email),
                user(ENGINEER, "On-call Engineer", "engineer@sandbox.example"),
                user(MANAGER, "Duty Manager", "manager@sandbox.example"),
            ],
            policies: vec![
                Policy {
                    id: POLICY,
                    name: "AMS first, then people",
                    levels: vec![vec![BOT], vec![ENGINEER], vec![MANAGER]],
                    minutes: 5,
                },
                Policy {
                    id: PEOPLE_ONLY,
                    name: "People only",
                    levels: vec![vec![ENGINEER]],
                    minutes: 5,
                },
                Policy { id: BOT_ONLY, name: "AMS alone", levels: vec![vec![BOT]], minutes: 5 },
                Policy { id: NOBODY, name: "Empty schedule", levels: vec![Vec::new()], minutes: 5 },
                Policy {
                    id: GAP,
                    name: "Nobody in between",
                    levels: vec![vec![BOT], Vec::new(), vec![MANAGER]],
                    minutes: 5,
                },
            ],
            service: Service {
                id: SERVICE,
                name: "Sandbox web shop",
                policy: POLICY,
                acknowledgement_timeout: None,
            },
            quiet_services: Vec::new(),
            off_duty: Vec::new(),
            abilities: vec!["teams", "coordinated_responding"],
            priorities: vec![
                priority("PPRI001", "P1"),
                priority("PPRI002", "P2"),
                priority("PPRI003", "P3"),
                priority("PPRI004", "P4"),
                priority("PPRI005", "P5"),
            ],
        }
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn user_by_email(&self, email: &str) -> Option<&User> {
        let same = |user: &&User| user.email.eq_ignore_ascii_case(email);
        self.users.iter().find(same)
    }

    /// The name people know a user by; the id itself for one that does not exist.
    pub(super) fn user_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.user(id).map_or(id, |user| user.name)
    }

    pub(super) fn services(&self) -> impl Iterator<Item = &Service> {
        std::iter::once(&self.service).chain(&self.quiet_services)
    }

    pub(super) fn policy(&self, id: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// PagerDuty takes a priority by id or by name.
    pub(super) fn priority(&self, wanted: &str) -> Option<&Priority> {
        let named = |priority: &&Priority| priority.id == wanted || priority.name == wanted;
        self.priorities.iter().find(named)
    }
}
