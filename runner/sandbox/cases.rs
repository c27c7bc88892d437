//! The sample incidents: what is made ill, what the alert says, and how it must end.

use std::io;

use super::patients::Patients;
use crate::incident::{Outcome, Status};

/// A sample incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    ServiceKilled,
    LogsFull,
    RestartDoesNotHelp,
    AlreadyHealthy,
    FactsOnly,
    NoScenario,
    PersonTakesOver,
}

/// How a case must end.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub outcome: Outcome,
    pub status: Status,
    /// Is a person paged (level 2)?
    pub paged: bool,
    /// How the title begins, in Japanese and English; empty for "untouched".
    pub title: [&'static str; 2],
}

impl Case {
    pub const ALL: [Self; 7] = [
        Self::ServiceKilled,
        Self::LogsFull,
        Self::RestartDoesNotHelp,
        Self::AlreadyHealthy,
        Self::FactsOnly,
        Self::NoScenario,
        Self::PersonTakesOver,
    ];

    /// The name by which it is fired.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceKilled => "service-killed",
            Self::LogsFull => "logs-full",
            Self::RestartDoesNotHelp => "restart-does-not-help",
            Self::AlreadyHealthy => "already-healthy",
            Self::FactsOnly => "facts-only",
            Self::NoScenario => "no-scenario",
            Self::PersonTakesOver => "person-takes-over",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// What it shows, Japanese and English.
    pub const fn shows(self) -> [&'static str; 2] {
        match self {
            Self::ServiceKilled => [
                "サービス停止 → 再起動 → 確認 → 解決",
                "service killed → restarted → verified → resolved",
            ],
            Self::LogsFull => [
                "ログ置き場が上限超過 → 削除 → 確認 → 解決",
                "log directory over its limit → pruned → verified → resolved",
            ],
            Self::RestartDoesNotHelp => [
                "再起動しても直らない → 担当者を呼び出して引継ぎ",
                "the restart does not help → people are paged, with a hand-off",
            ],
            Self::AlreadyHealthy => [
                "確認した時点で正常 → 自然復旧として解決",
                "healthy when checked → resolved as recovered by itself",
            ],
            Self::FactsOnly => {
                ["情報収集のみ → 集めて引継ぎ", "information only → gathered and handed off"]
            }
            Self::NoScenario => {
                ["シナリオなし → 何もせず人に任せる", "no scenario → left to people, untouched"]
            }
            Self::PersonTakesOver => [
                "対応中に担当者が acknowledge → 自動対応を停止",
                "a person acknowledges mid-run → AMS stands down",
            ],
        }
    }

    pub const fn expected(self) -> Expected {
        let (outcome, status, paged, title) = match self {
            Self::ServiceKilled | Self::LogsFull => {
                let title = ["[AMS 復旧] ", "[AMS recovered] "];
                (Outcome::Resolved, Status::Resolved, false, title)
            }
            Self::RestartDoesNotHelp => {
                let title = ["[AMS 引継ぎ] ", "[AMS handed off] "];
                (Outcome::Escalated, Status::Triggered, true, title)
            }
            Self::AlreadyHealthy => {
                let title = ["[AMS 自然復旧] ", "[AMS recovered by itself] "];
                (Outcome::RecoveredItself, Status::Resolved, false, title)
            }
            Self::FactsOnly => {
                let title = ["[AMS 引継ぎ] ", "[AMS handed off] "];
                (Outcome::HandedOff, Status::Triggered, true, title)
            }
            Self::NoScenario => (Outcome::Unmatched, Status::Triggered, false, ["", ""]),
            Self::PersonTakesOver => {
                let title = ["[AMS 交代] ", "[AMS stood down] "];
                (Outcome::StoodDown, Status::Acknowledged, false, title)
            }
        };
        Expected { outcome, status, paged, title }
    }

    /// Makes the patient ill and answers with the alert's title, as a monitoring tool writes it.
    pub async fn break_it(self, patients: &Patients) -> io::Result<String> {
        let site = |name: &str, port: u16| format!("【障害】HTTP 応答なし site={name} port={port}");
        Ok(match self {
            Self::ServiceKilled => {
                let port = patients.add_service("web")?;
                patients.start_service("web").await?;
                patients.kill_service("web").await?;
                site("web", port)
            }
            Self::RestartDoesNotHelp => {
                let port = patients.add_service("shop")?;
                patients.spoil_service("shop")?;
                patients.start_service("shop").await?;
                // Full-width letters, as some tools write them: matched all the same.
                format!("【障害】ＨＴＴＰ　応答なし　site=shop port={port}")
            }
            Self::AlreadyHealthy => {
                let port = patients.add_service("api")?;
                patients.start_service("api").await?;
                site("api", port)
            }
            Self::LogsFull => {
                patients.fill_logs("billing")?;
                "ﾃﾞｨｽｸ警告: ログ置き場の使用量が上限を超えました app=billing".to_owned()
            }
            Self::FactsOnly => "[Triggered on {host:app04}] CPU is high".to_owned(),
            Self::NoScenario => "夜間バッチの終了が遅れています job=settlement".to_owned(),
            Self::PersonTakesOver => {
                patients.fill_queue("mail")?;
                "キューの滞留: queue=mail 42件".to_owned()
            }
        })
    }

    /// What the world shows that must be so, beyond PagerDuty: each effect happened exactly as
    /// often as it should. Answers with what is wrong.
    pub fn witness(self, patients: &Patients) -> Vec<String> {
        let restarts = |name: &str, wanted: usize| {
            let seen = patients.restarts(name);
            (seen != wanted).then(|| format!("{name} was restarted {seen} times, not {wanted}"))
        };
        let wrong = match self {
            Self::ServiceKilled => restarts("web", 1),
            Self::RestartDoesNotHelp => restarts("shop", 1),
            Self::AlreadyHealthy => restarts("api", 0),
            Self::LogsFull => {
                let left = patients.logs_left("billing");
                (left != (0, true)).then(|| format!("old logs left, log in use there: {left:?}"))
            }
            Self::PersonTakesOver => {
                let seen = patients.queue_restarts("mail");
                (seen != 0).then(|| format!("the worker was restarted {seen} times, not 0"))
            }
            Self::FactsOnly | Self::NoScenario => None,
        };
        wrong.into_iter().collect()
    }
}
