//! The sentences of `ams explain` that no note has, Japanese and English.

use crate::explain::{Heartbeat, StepAccount};
use crate::history::story::{ClearedBy, Near, Paged};
use crate::incident::Outcome;
use crate::lang::Lang;

/// Headings and fixed words.
pub(super) struct Labels {
    pub customer: &'static str,
    pub service: &'static str,
    pub began: &'static str,
    pub ended: &'static str,
    pub scenario: &'static str,
    pub version: &'static str,
    pub because: &'static str,
    pub captured: &'static str,
    pub mode: &'static str,
    pub now: &'static str,
    pub happened: &'static str,
    pub told: &'static str,
    pub remarks: &'static str,
    pub reopened: &'static str,
    pub priority: &'static str,
    pub contact: &'static str,
    pub all_of_it: &'static str,
}

pub(super) const fn labels(lang: Lang) -> Labels {
    match lang {
        Lang::Ja => Labels {
            customer: "お客様",
            service: "サービス",
            began: "開始",
            ended: "終了",
            scenario: "シナリオ",
            version: "版",
            because: "理由",
            captured: "取り出した値",
            mode: "モード",
            now: "■ いまの状態",
            happened: "■ 経過",
            told: "■ 連絡",
            remarks: "■ この表示について",
            reopened: "再オープンによる",
            priority: "優先度",
            contact: "連絡先",
            all_of_it: "全文",
        },
        Lang::En => Labels {
            customer: "customer",
            service: "service",
            began: "began",
            ended: "ended",
            scenario: "scenario",
            version: "version",
            because: "because",
            captured: "captured",
            mode: "mode",
            now: "■ Now",
            happened: "■ What happened",
            told: "■ What people were told",
            remarks: "■ About this account",
            reopened: "reopened",
            priority: "priority",
            contact: "contact",
            all_of_it: "all of it",
        },
    }
}

/// How it stands, in a word or two, beside the machine's word.
pub(super) const fn outcome(lang: Lang, outcome: Option<Outcome>, is_open: bool) -> &'static str {
    match (lang, outcome) {
        (Lang::Ja, Some(Outcome::Resolved)) => "復旧 (resolved)",
        (Lang::Ja, Some(Outcome::RecoveredItself)) => "自然復旧 (recovered_itself)",
        (Lang::Ja, Some(Outcome::HandedOff)) => "引継ぎ (handed_off)",
        (Lang::Ja, Some(Outcome::Escalated)) => "引継ぎ・呼出し (escalated)",
        (Lang::Ja, Some(Outcome::StoodDown)) => "交代 (stood_down)",
        (Lang::Ja, Some(Outcome::Suspended)) => "対応停止中 (suspended)",
        (Lang::Ja, Some(Outcome::Shadowed)) => "シャドー (shadowed)",
        (Lang::Ja, Some(Outcome::Unmatched)) => "対象シナリオなし (unmatched)",
        (Lang::Ja, None) if is_open => "対応中 (open)",
        (Lang::Ja, None) => "結果は不明",
        (Lang::En, Some(Outcome::Resolved)) => "recovered (resolved)",
        (Lang::En, Some(Outcome::RecoveredItself)) => "recovered by itself (recovered_itself)",
        (Lang::En, Some(Outcome::HandedOff)) => "handed off to people (handed_off)",
        (Lang::En, Some(Outcome::Escalated)) => "failed, people were paged (escalated)",
        (Lang::En, Some(Outcome::StoodDown)) => "AMS stood down (stood_down)",
        (Lang::En, Some(Outcome::Suspended)) => "suspended by the customer (suspended)",
        (Lang::En, Some(Outcome::Shadowed)) => "shadow, nothing was changed (shadowed)",
        (Lang::En, Some(Outcome::Unmatched)) => "left to people (unmatched)",
        (Lang::En, None) if is_open => "open, AMS is at it",
        (Lang::En, None) => "its end is not known",
    }
}

pub(super) const fn unmatched(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "対象のシナリオがないため、AMS は何もしていません。通常どおり人が対応します。",
        Lang::En => "No scenario is meant for it, so AMS did nothing; people have it as before.",
    }
}

pub(super) fn near(lang: Lang, near: &Near) -> String {
    match (lang, near) {
        (Lang::Ja, Near::Capture { scenario, capture, kind }) => {
            format!(
                "{scenario} はキーワードが合いましたが、「{capture}」が {kind} の形ではありません"
            )
        }
        (Lang::En, Near::Capture { scenario, capture, kind }) => {
            format!("{scenario} has its keywords in the title, but '{capture}' is no {kind}")
        }
        (Lang::Ja, Near::Equal { scenario }) => {
            format!("{scenario} も同じ強さで当てはまり、一つに決められません")
        }
        (Lang::En, Near::Equal { scenario }) => {
            format!("{scenario} fits, and others fit equally well")
        }
    }
}

pub(super) const fn no_near(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "キーワードが合うシナリオがありません（ams match でタイトルを試せます）",
        Lang::En => "no scenario has its keywords in the title (try the title with ams match)",
    }
}

pub(super) fn keywords(lang: Lang, keywords: &[String]) -> String {
    match lang {
        Lang::Ja => format!("タイトルにあるキーワード: {}", keywords.join("、")),
        Lang::En => format!("the title has: {}", keywords.join(", ")),
    }
}

pub(super) fn mode(lang: Lang, mode: &str) -> String {
    let means = match (lang, mode) {
        (Lang::Ja, "auto") => "自動で復旧まで行う",
        (Lang::En, "auto") => "recovers by itself",
        (Lang::Ja, "approve") => "復旧の前に承認を求める",
        (Lang::En, "approve") => "asks people before each recovery",
        (Lang::Ja, "shadow") => "何も変更しない",
        (Lang::En, "shadow") => "changes nothing",
        (_, _) => return mode.to_owned(),
    };
    match lang {
        Lang::Ja => format!("{mode}（{means}）"),
        Lang::En => format!("{mode} ({means})"),
    }
}

pub(super) fn began(lang: Lang, owner: &str) -> String {
    match lang {
        Lang::Ja => format!("{owner} が対応を開始"),
        Lang::En => format!("{owner} began this run"),
    }
}

pub(super) fn took_over(lang: Lang, owner: &str, before: &str) -> String {
    match lang {
        Lang::Ja => format!(
            "{owner} が引き継ぎ: {before} からの生存信号が途絶えたか、停止に伴い手放したため。\
             以後 {before} はこの対応に手を出せません"
        ),
        Lang::En => format!(
            "{owner} took over: {before} showed no sign of life for a whole lease, or stopped and \
             released the run. From here on {before} cannot act in it"
        ),
    }
}

/// Without a time and the name of whoever had it before.
pub(super) fn has_it(lang: Lang, owner: &str, epoch: u64) -> String {
    match lang {
        Lang::Ja => format!("最後の担当は {owner}（エポック {epoch}）。引継ぎの時刻は記録なし"),
        Lang::En => {
            format!("{owner} had it last (epoch {epoch}); when it took over is not recorded")
        }
    }
}

pub(super) fn adopted(lang: Lang, owner: &str, found_at: &str) -> String {
    match lang {
        Lang::Ja => {
            format!("{owner} が開始。引き継いだ側が {found_at} に結果を確認し、再実行はしていない")
        }
        Lang::En => {
            format!(
                "begun by {owner}; its successor found the result at {found_at}, repeating nothing"
            )
        }
    }
}

/// What a line without a time is.
pub(super) const fn without_time(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "（--:--:-- は確認や待機。担当記録に残るのは結果だけで、時刻は残りません）",
        Lang::En => "(--:--:-- only looked or waited: the claim keeps the result and no time)",
    }
}

pub(super) fn asked_by(lang: Lang, words: &str, by: Option<&str>) -> String {
    match (lang, by) {
        (Lang::Ja, Some(by)) => format!("{words}（PagerDuty ユーザー {by}）"),
        (Lang::En, Some(by)) => format!("{words} (PagerDuty user {by})"),
        (_, None) => words.to_owned(),
    }
}

pub(super) fn paged(lang: Lang, paged: Option<&Paged>) -> String {
    match (lang, paged) {
        (Lang::Ja, None) => {
            "呼び出した相手は記録にありません。PagerDuty で確認してください。".to_owned()
        }
        (Lang::En, None) => {
            "Whom AMS paged is not recorded here; PagerDuty's log has it.".to_owned()
        }
        (Lang::Ja, Some(Paged::Nobody)) => "AMS は誰も呼び出していません。".to_owned(),
        (Lang::En, Some(Paged::Nobody)) => "AMS paged nobody.".to_owned(),
        (Lang::Ja, Some(Paged::Level(level))) => {
            format!("エスカレーションポリシーのレベル {level} を呼び出しました。")
        }
        (Lang::En, Some(Paged::Level(level))) => {
            format!("AMS paged level {level} of the incident's escalation policy.")
        }
        (Lang::Ja, Some(Paged::Policy(policy))) => {
            format!("エスカレーションポリシー {policy} を呼び出しました。")
        }
        (Lang::En, Some(Paged::Policy(policy))) => {
            format!("AMS paged the escalation policy {policy}.")
        }
        (Lang::Ja, Some(Paged::Users(users))) => {
            format!("ユーザー {} を直接呼び出しました。", users.join(", "))
        }
        (Lang::En, Some(Paged::Users(users))) => {
            format!("AMS assigned the users {} directly.", users.join(", "))
        }
        (Lang::Ja, Some(Paged::Responders)) => "レスポンダーを呼び出しました。".to_owned(),
        (Lang::En, Some(Paged::Responders)) => "AMS asked responders to join.".to_owned(),
        (Lang::Ja, Some(Paged::LastResort(way))) => {
            format!("このインシデントからは誰も呼び出せず、最後の手段（{way}）で知らせました。")
        }
        (Lang::En, Some(Paged::LastResort(way))) => {
            format!("Nobody could be paged from the incident; AMS used the last resort ({way}).")
        }
        (Lang::Ja, Some(Paged::Next)) => "次の担当者を呼び出しました（レベルは不明）。".to_owned(),
        (Lang::En, Some(Paged::Next)) => "AMS paged the next people (level not known).".to_owned(),
    }
}

pub(super) fn cleared(lang: Lang, by: ClearedBy, at: &str) -> String {
    match (lang, by) {
        (Lang::Ja, ClearedBy::Monitoring) => {
            format!("AMS が解決する前に、監視側でもアラートが解消していました（{at}）。")
        }
        (Lang::En, ClearedBy::Monitoring) => {
            format!("Monitoring had cleared the alert before AMS resolved it ({at}).")
        }
        (Lang::Ja, ClearedBy::Person) => {
            format!("AMS が解決する前に、担当者が解決していました（{at}）。")
        }
        (Lang::En, ClearedBy::Person) => {
            format!("A person had resolved it before AMS did ({at}).")
        }
    }
}

pub(super) const fn still_telling(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "手順は終わり、人への連絡を進めているところです。",
        Lang::En => "The steps are over; people are being told.",
    }
}

pub(super) fn heartbeat(lang: Lang, beat: Option<Heartbeat>, owner: &str, lease: u64) -> String {
    match (lang, beat) {
        (Lang::Ja, Some(Heartbeat::Alive)) => format!("{owner} は動いています（生存信号あり）"),
        (Lang::En, Some(Heartbeat::Alive)) => format!("{owner} is alive: its heartbeat goes on"),
        (Lang::Ja, Some(Heartbeat::Still)) => format!(
            "{owner} の生存信号が止まっています。{lease} 秒続けば、動いているリージョンが引き継ぎます"
        ),
        (Lang::En, Some(Heartbeat::Still)) => format!(
            "{owner}'s heartbeat stands still; after {lease} s of that, a region that lives takes over"
        ),
        (Lang::Ja, Some(Heartbeat::Gone) | None) => {
            format!("{owner} の生存信号がありません。動いているリージョンが引き継ぎます")
        }
        (Lang::En, Some(Heartbeat::Gone) | None) => {
            format!("{owner} has no heartbeat; a region that lives takes over")
        }
    }
}

pub(super) fn released(lang: Lang, owner: &str) -> String {
    match lang {
        Lang::Ja => format!("{owner} は停止に伴い手放しました。他のリージョンがすぐに引き継ぎます"),
        Lang::En => {
            format!("{owner} released it when it stopped; another region takes over at once")
        }
    }
}

pub(super) const fn no_region(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => {
            "いま動いているリージョンがありません。引き継ぐ者がいないので、人が対応してください"
        }
        Lang::En => "No region is alive now, so nobody takes it over: please see to it yourself",
    }
}

pub(super) fn last_write(lang: Lang, time: &str) -> String {
    match lang {
        Lang::Ja => format!("最後の記録: {time}（確認や待機は、次の変更と一緒に記録されます）"),
        Lang::En => {
            format!("last record: {time} (looks and waits are recorded with the next change)")
        }
    }
}

/// Before a list of steps. `announced`: they have begun; otherwise it is one of them.
pub(super) const fn may_be_at(lang: Lang, announced: bool) -> &'static str {
    match (lang, announced) {
        (Lang::Ja, true) => "実行中の手順:",
        (Lang::En, true) => "it is at:",
        (Lang::Ja, false) => "いまは次のどれか（確認や待機だけで、何も変更しない）:",
        (Lang::En, false) => "it is at one of these, which only look or wait:",
    }
}

pub(super) fn next_change(lang: Lang, step: &str, asks: bool) -> String {
    match (lang, asks) {
        (Lang::Ja, true) => format!("次の変更: {step}（承認を得てから）"),
        (Lang::En, true) => format!("next change: {step} (people are asked before it)"),
        (Lang::Ja, false) => format!("次の変更: {step}"),
        (Lang::En, false) => format!("next change: {step}"),
    }
}

pub(super) fn asks_until(lang: Lang, time: &str) -> String {
    match lang {
        Lang::Ja => format!("承認の回答を {time} まで待っています"),
        Lang::En => format!("it waits for people to answer, until {time}"),
    }
}

pub(super) fn deferred_until(lang: Lang, time: &str) -> String {
    match lang {
        Lang::Ja => format!("対応停止が終わる {time} に始めます"),
        Lang::En => format!("it begins when the suspension ends, at {time}"),
    }
}

pub(super) fn until(lang: Lang, time: &str) -> String {
    match lang {
        Lang::Ja => format!("どうなっても {time} までに結果を連絡します（制限時間）"),
        Lang::En => format!("whatever comes, people are told by {time} (its deadline)"),
    }
}

pub(super) fn nothing_done(lang: Lang, is_open: bool) -> &'static str {
    match (lang, is_open) {
        (Lang::Ja, true) => "まだ何も変更していません",
        (Lang::En, true) => "nothing has been changed yet",
        (Lang::Ja, false) => "手順は一つも記録されていません",
        (Lang::En, false) => "no step is recorded",
    }
}

/// `3. [recover] 再起動 (web01)`
pub(super) fn step(step: &StepAccount) -> String {
    let kind = step.kind.iter().map(|kind| format!(" [{kind}]"));
    let name = step.name.iter().map(|name| format!(" {name}"));
    let entry = step.entry.iter().map(|entry| format!(" ({entry})"));
    let turn = step.turn.iter().map(|turn| format!(" #{}", turn + 1));
    let turn: String = if step.entry.is_some() { String::new() } else { turn.collect() };
    let rest: String = kind.chain(name).chain(entry).collect();
    format!("{}.{rest}{turn}", step.number)
}
