//! What the table of `ams report` says, in both languages.

use crate::commands::columns::{grouped, pick, seconds};
use crate::figures::{By, Group, Period, Spread};
use crate::lang::Lang;

pub(super) fn nothing(lang: Lang, Period { first, last, .. }: &Period) -> String {
    match lang {
        Lang::Ja => format!("{first} から {last} に始まった対応はありません"),
        Lang::En => format!("no run began from {first} to {last}"),
    }
}

pub(super) fn unreadable(lang: Lang, count: usize) -> String {
    match lang {
        Lang::Ja => {
            format!("注意: 新しい版の ams が書いた記録など、読めないもの{count}件は数えていません")
        }
        Lang::En => {
            format!("note: {count} records cannot be read (a newer ams?) and are not counted")
        }
    }
}

/// The parts of the whole, each with its number; what did not happen is left out by the caller.
pub(super) fn parts(lang: Lang, group: &Group) -> Vec<(&'static str, usize)> {
    let say = |ja, en| pick(lang, ja, en);
    vec![
        (say("  復旧させた", "  recovered"), group.recovered),
        (say("  自然復旧を確認", "  found healthy"), group.recovered_itself),
        (say("AMS 終了後に再オープン", "ended by AMS, opened again"), group.reopened),
        (say("人へ引継ぎ（手順どおり）", "handed off as planned"), group.handed_off),
        (say("人へ引継ぎ（失敗・不明）", "escalated: failed or unclear"), group.escalated),
        (say("途中で人が対応", "taken over by a person"), group.taken_over),
        (say("途中で解消・統合", "ended meanwhile"), group.ended_meanwhile),
        (say("対応停止中", "suspended"), group.suspended),
        (say("shadow（実行せず）", "in shadow, nothing done"), group.shadowed),
        (say("シナリオなし（人が対応）", "no scenario, left to people"), group.unmatched),
    ]
}

pub(super) const fn by(lang: Lang, by: By) -> &'static str {
    match by {
        By::Customer => pick(lang, "お客様別", "by customer"),
        By::Service => pick(lang, "サービス別", "by service"),
        By::Scenario => pick(lang, "シナリオ別", "by scenario"),
        By::Week => pick(lang, "週別（月曜から）", "by week, from Monday"),
        By::Month => pick(lang, "月別", "by month"),
    }
}

/// Those that have no customer, service or scenario.
pub(super) const fn without(lang: Lang, by: By) -> &'static str {
    match by {
        By::Customer => pick(lang, "（お客様不明）", "(no customer)"),
        By::Service => pick(lang, "（サービス不明）", "(no service)"),
        By::Scenario => pick(lang, "（シナリオなし）", "(no scenario)"),
        By::Week | By::Month => "-",
    }
}

/// Mean and ninth decile beside each other.
pub(super) fn spread(lang: Lang, spread: Spread) -> String {
    match (spread.mean_seconds, spread.p90_seconds) {
        (Some(mean), Some(p90)) => format!("{} / {}", seconds(lang, mean), seconds(lang, p90)),
        _ => "-".to_owned(),
    }
}

pub(super) fn saved(lang: Lang, group: &Group, by_hand_minutes: u64) -> String {
    let hours = grouped(group.saved_minutes / 60);
    let minutes = grouped(group.saved_minutes);
    match lang {
        Lang::Ja => format!(
            "削減時間 {minutes}分（約{hours}時間）: 人が行えば1件{by_hand_minutes}分、シナリオに by_hand があればその時間"
        ),
        Lang::En => format!(
            "saved {minutes} minutes ({hours} h), at {by_hand_minutes} minutes by hand where a scenario does not say by_hand"
        ),
    }
}

pub(super) fn more(lang: Lang, groups: usize, alerts: &str) -> String {
    match lang {
        Lang::Ja => {
            format!("ほか{groups}件、アラート{alerts}件（--top で増やす。csv と json には全件）")
        }
        Lang::En => {
            format!("{groups} more with {alerts} alerts (--top shows more; csv and json have all)")
        }
    }
}
