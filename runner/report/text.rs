//! Every sentence people read in PagerDuty, Japanese and English.
//!
//! Small functions without decisions; `note.rs` puts them together.

use std::time::Duration;

use crate::claim::journal::DoneResult;
use crate::execute::actuator::{Ending, Observation};
use crate::execute::end::End;
use crate::execute::run::Allowed;
use crate::execute::verdict::{Verdict, Why};
use crate::lang::Lang;
use crate::report::{PlatformError, reasons};
use crate::scenario::model::StepKind;

/// Headings and fixed words of notes.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    pub alert: &'static str,
    pub scenario: &'static str,
    pub seen: &'static str,
    pub done: &'static str,
    pub not_done: &'static str,
    pub next: &'static str,
    pub facts: &'static str,
    pub record: &'static str,
    pub nothing: &'static str,
    pub full_output: &'static str,
    pub no_manual: &'static str,
    pub taken_over: &'static str,
    pub will_do: &'static str,
    pub to_stop: &'static str,
    pub contact: &'static str,
    pub customer: &'static str,
    pub approve: &'static str,
    pub to_approve: &'static str,
}

pub const fn labels(lang: Lang) -> Labels {
    match lang {
        Lang::Ja => Labels {
            alert: "アラート",
            scenario: "シナリオ",
            seen: "■ 確認したこと",
            done: "■ 実施したこと",
            not_done: "■ 実施していないこと",
            next: "■ 次にお願いしたいこと",
            facts: "■ 収集した情報",
            record: "記録",
            nothing: "なし",
            full_output: "全文",
            no_manual: "手動手順はシナリオに書かれていません。上の確認結果から切り分けをお願いします。",
            taken_over: "担当リージョンが停止したため、途中から引き継いで対応しました。それ以前の出力は元のリージョンに残っています。",
            will_do: "■ これから行うこと",
            to_stop: "止めるには、このインシデントを acknowledge するか、ノートに「ams stop」か「ams 停止」と書いてください。",
            contact: "連絡先",
            customer: "お客様",
            approve: "AMS 承認依頼: 実施してよいか回答をお願いします。",
            to_approve: "許可する場合はノートに「ams approve」、しない場合は「ams deny」と書いてください（acknowledge すると自動対応は止まります）。",
        },
        Lang::En => Labels {
            alert: "Alert",
            scenario: "Scenario",
            seen: "■ What AMS saw",
            done: "■ What AMS did",
            not_done: "■ What AMS did not do",
            next: "■ What to do next",
            facts: "■ Facts gathered",
            record: "Record",
            nothing: "nothing",
            full_output: "all of it",
            no_manual: "The scenario has no procedure by hand; start from what was seen above.",
            taken_over: "The region that began this run stopped; this region went on from there. Earlier output is kept in the first region.",
            will_do: "■ What AMS is going to do",
            to_stop: "To stop it, acknowledge this incident or add a note \"ams stop\".",
            contact: "Contact",
            customer: "Customer",
            approve: "AMS asks: may it go on?",
            to_approve: "To allow it, add a note \"ams approve\"; to forbid it, \"ams deny\". (Acknowledging stops AMS.)",
        },
    }
}

/// First line of the note: what it asks of the reader.
pub const fn headline(lang: Lang, end: &End) -> &'static str {
    match (lang, end) {
        (Lang::Ja, End::Verified | End::ResolvedByStep { recovered: true, .. }) => {
            "AMS 復旧: 対応は不要です。"
        }
        (Lang::En, End::Verified | End::ResolvedByStep { recovered: true, .. }) => {
            "AMS recovered it; nothing to do."
        }
        (Lang::Ja, End::Shadowed { .. }) => {
            "AMS シャドー: 何も変更していません。通常どおり対応してください。"
        }
        (Lang::En, End::Shadowed { .. }) => {
            "AMS shadow: nothing was changed; please respond as usual."
        }
        (Lang::Ja, End::Suspended { .. }) => "AMS 対応停止中: 何もしていません。",
        (Lang::En, End::Suspended { .. }) => "AMS suspended: nothing was done.",
        (Lang::Ja, End::Healthy { .. } | End::ResolvedByStep { .. }) => {
            "AMS 自然復旧: 対応は不要です。何も変更していません。"
        }
        (Lang::En, End::Healthy { .. } | End::ResolvedByStep { .. }) => {
            "AMS: it recovered by itself; nothing to do. Nothing was changed."
        }
        (Lang::Ja, End::StoodDown(_)) => "AMS 交代: 自動対応を止めました。以後はお任せします。",
        (Lang::En, End::StoodDown(_)) => "AMS stood down: it is yours now.",
        (Lang::Ja, End::Gathered) => "AMS 引継ぎ: 判断をお願いします。",
        (Lang::En, End::Gathered) => "AMS hand-off: please decide.",
        (Lang::Ja, _) => "AMS 引継ぎ: 対応をお願いします。",
        (Lang::En, _) => "AMS hand-off: please take over.",
    }
}

/// To responders, who see nothing else at first.
pub fn responders_message(lang: Lang, title: &str) -> String {
    match lang {
        Lang::Ja => format!("AMS 引継ぎ: 対応をお願いします。{title}"),
        Lang::En => format!("AMS hand-off: please take over. {title}"),
    }
}

/// To whoever a last resort reaches.
pub fn last_resort(lang: Lang, incident: &str) -> String {
    match lang {
        Lang::Ja => format!(
            "インシデント {incident} の担当者を PagerDuty で呼び出せませんでした。インシデントを開き、対応と、エスカレーションポリシーの確認をお願いします。"
        ),
        Lang::En => format!(
            "AMS could not page anybody for incident {incident} in PagerDuty. Please open it, take it over, and look at its escalation policy."
        ),
    }
}

/// In the note of an incident whose people were told another way.
pub fn not_resolved(lang: Lang, error: &PlatformError) -> String {
    match lang {
        Lang::Ja => format!("正常に戻っていますが、PagerDuty で解決にできませんでした: {error}"),
        Lang::En => format!("the incident is well, but PagerDuty did not resolve it: {error}"),
    }
}

pub fn by_last_resort(lang: Lang, way: &str) -> String {
    match lang {
        Lang::Ja => format!(
            "このインシデントからは誰も呼び出せなかったため、最後の手段（{way}）で知らせました。エスカレーションポリシーを確認してください。"
        ),
        Lang::En => format!(
            "Nobody could be paged from this incident; people were told by the last resort ({way}). Please look at the escalation policy."
        ),
    }
}

/// A step's result in a few words.
pub fn verdict(
    lang: Lang,
    kind: &StepKind,
    verdict: &Verdict,
    seen: Option<&Observation>,
) -> String {
    let met = met(lang, kind.word());
    let exit_code = seen.and_then(|seen| match seen.ending {
        Ending::Exited(code) => Some(code),
        _ => None,
    });
    match (lang, verdict) {
        (Lang::Ja, Verdict::Met) if matches!(kind, StepKind::Recover { .. }) => {
            exit_code.map_or_else(|| met.to_owned(), |code| format!("{met}: 終了コード {code}"))
        }
        (Lang::En, Verdict::Met) if matches!(kind, StepKind::Recover { .. }) => {
            exit_code.map_or_else(|| met.to_owned(), |code| format!("{met}: exit code {code}"))
        }
        (_, Verdict::Met) => met.to_owned(),
        // What only collects or tells is never "not ok".
        (Lang::Ja, Verdict::NotMet(why)) if is_plain(kind) => format!("{met}（{}）", why_ja(why)),
        (Lang::En, Verdict::NotMet(why)) if is_plain(kind) => format!("{met} ({})", why_en(why)),
        (Lang::Ja, Verdict::NotMet(why)) => format!("異常: {}", why_ja(why)),
        (Lang::En, Verdict::NotMet(why)) => format!("not ok: {}", why_en(why)),
        (Lang::Ja, Verdict::Unclear(why)) => format!("判定できず: {}", why_ja(why)),
        (Lang::En, Verdict::Unclear(why)) => format!("unclear: {}", why_en(why)),
    }
}

/// What it means that a step of this kind went as it should.
fn met(lang: Lang, kind: &str) -> &'static str {
    match (lang, kind) {
        (Lang::Ja, "check") => "正常",
        (Lang::En, "check") => "healthy",
        (Lang::Ja, "verify") => "復旧を確認",
        (Lang::En, "verify") => "passed",
        (Lang::Ja, "gather") => "取得",
        (Lang::En, "gather") => "gathered",
        (Lang::Ja, "wait") => "待機",
        (Lang::En, "wait") => "waited",
        (Lang::Ja, "recover") => "完了",
        (Lang::En, "recover") => "done",
        (Lang::Ja, "notify") => "送信",
        (Lang::En, "notify") => "sent",
        (Lang::Ja, "approve") => "承認",
        (Lang::En, "approve") => "approved",
        // What holds other steps is never reported itself.
        (_, _) => "",
    }
}

/// A step's result where no more than the journal is known of it.
pub fn result(lang: Lang, kind: &str, result: DoneResult) -> &'static str {
    match (lang, result) {
        (_, DoneResult::NotMet) if kind == "gather" => met(lang, kind),
        (Lang::Ja, DoneResult::Met) if met(lang, kind).is_empty() => "成功",
        (Lang::En, DoneResult::Met) if met(lang, kind).is_empty() => "ok",
        (_, DoneResult::Met) => met(lang, kind),
        (Lang::Ja, DoneResult::NotMet) => "異常",
        (Lang::En, DoneResult::NotMet) => "not ok",
        (Lang::Ja, DoneResult::Unclear) => "判定できず",
        (Lang::En, DoneResult::Unclear) => "unclear",
    }
}

const fn is_plain(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Gather { .. })
}

fn why_ja(why: &Why) -> String {
    match why {
        Why::ExitCode(code) => format!("終了コード {code}"),
        Why::Status(status) => format!("HTTP {status}"),
        Why::TextMissing(text) => format!("出力に「{text}」がない"),
        Why::TextPresent(text) => format!("出力に「{text}」がある"),
        Why::NoAnswer(reason) => format!("応答なし（{reason}）"),
        Why::TimedOut => "時間切れ".to_owned(),
        Why::Killed(signal) => format!("シグナル {signal} で終了"),
        Why::NotStarted(reason) => format!("実行できず（{reason}）"),
        Why::Unknown(reason) => format!("実行されたか不明（{reason}）"),
        Why::Cancelled => "中断".to_owned(),
        Why::OutputTooLong => "出力が長すぎて検索できない".to_owned(),
        Why::Condition(condition) => format!("条件を満たさない: {condition}"),
        Why::NoValue(name) => format!("値がない: {name}"),
        Why::BadValue { name, reason } => format!("値を読めない: {name}（{reason}）"),
        Why::NotInARow(times) => format!("連続で正常だったのは {times} 回まで"),
        Why::Lacks(lack) => reasons::lack_ja(lack),
        Why::Denied => "承認されなかった".to_owned(),
        Why::NotAnswered => "時間内に回答がなかった".to_owned(),
        Why::RecordedOnly => "詳細は元のリージョンの記録".to_owned(),
    }
}

fn why_en(why: &Why) -> String {
    match why {
        Why::ExitCode(code) => format!("exit code {code}"),
        Why::Status(status) => format!("HTTP {status}"),
        Why::TextMissing(text) => format!("the output lacks \"{text}\""),
        Why::TextPresent(text) => format!("the output has \"{text}\""),
        Why::NoAnswer(reason) => format!("no answer ({reason})"),
        Why::TimedOut => "timed out".to_owned(),
        Why::Killed(signal) => format!("killed by signal {signal}"),
        Why::NotStarted(reason) => format!("not started ({reason})"),
        Why::Unknown(reason) => format!("whether it ran is unknown ({reason})"),
        Why::Cancelled => "stopped".to_owned(),
        Why::OutputTooLong => "the output is too long to be searched".to_owned(),
        Why::Condition(condition) => format!("does not hold: {condition}"),
        Why::NoValue(name) => format!("no value for {name}"),
        Why::BadValue { name, reason } => format!("{name} cannot be read ({reason})"),
        Why::NotInARow(times) => format!("well only {times} times in a row"),
        Why::Lacks(lack) => reasons::lack_en(lack),
        Why::Denied => "people said no".to_owned(),
        Why::NotAnswered => "nobody answered in time".to_owned(),
        Why::RecordedOnly => "details are with the first region".to_owned(),
    }
}

/// A step that was begun and whose result nobody knows.
pub const fn in_doubt(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "開始を記録済み。実行されたかどうか不明",
        Lang::En => "begun; whether it ran is unknown",
    }
}

/// To somebody whose answer changes nothing.
pub fn not_an_approver(lang: Lang, by: &str) -> String {
    match lang {
        Lang::Ja => {
            format!("AMS: {by} さんは承認者に登録されていないため、この回答では何も変わりません。")
        }
        Lang::En => format!("AMS: {by} is none of the approvers, so this answer changes nothing."),
    }
}

/// Why a step that people are asked about was done.
pub fn allowed(lang: Lang, allowed: Option<&Allowed>) -> Option<String> {
    let text = match (lang, allowed?) {
        (Lang::Ja, Allowed::By(Some(by))) => format!("承認: {by}"),
        (Lang::En, Allowed::By(Some(by))) => format!("approved by {by}"),
        (Lang::Ja, Allowed::By(None)) => "承認済み".to_owned(),
        (Lang::En, Allowed::By(None)) => "approved".to_owned(),
        (Lang::Ja, Allowed::Waived) => "承認不要の時間帯".to_owned(),
        (Lang::En, Allowed::Waived) => "approval waived at this time".to_owned(),
    };
    Some(text)
}

/// A length of time as people say it.
pub fn duration(lang: Lang, duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match lang {
        Lang::Ja if minutes > 0 => format!("{minutes}分{rest}秒"),
        Lang::En if minutes > 0 => format!("{minutes} min {rest} s"),
        Lang::Ja => format!("{:.1}秒", duration.as_secs_f64()),
        Lang::En => format!("{:.1} s", duration.as_secs_f64()),
    }
}

pub fn attempts(lang: Lang, attempts: u32) -> String {
    match lang {
        Lang::Ja => format!("{attempts}回"),
        Lang::En => format!("{attempts} attempts"),
    }
}

/// Heading of what a run has done, in a note that is brought up to date.
pub fn so_far(lang: Lang, at: &str) -> String {
    match lang {
        Lang::Ja => format!("■ 経過（{at} 時点）"),
        Lang::En => format!("■ So far (as of {at})"),
    }
}

/// The line that opens the start note.
pub const fn start_headline(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "AMS 対応中: 自動で一次対応を始めました。",
        Lang::En => "AMS working: first response has begun.",
    }
}

pub fn left_out(lang: Lang, bytes: u64) -> String {
    match lang {
        Lang::Ja => format!("…（全 {bytes} バイトのうち途中を省略）…"),
        Lang::En => format!("… (cut; {bytes} bytes in all) …"),
    }
}

/// Stands where a text is too long for PagerDuty.
pub fn cut(lang: Lang, bytes: usize, place: Option<&str>) -> String {
    let labels = labels(lang);
    let place = place.map(|place| format!(" {}: {place}", labels.full_output)).unwrap_or_default();
    match lang {
        Lang::Ja => format!("…（長いため途中まで。全 {bytes} バイト{place}）"),
        Lang::En => format!("… (too long, cut here; {bytes} bytes in all{place})"),
    }
}

/// PagerDuty's resolve log entry.
pub fn resolution(lang: Lang, end: &End, scenario: &str) -> String {
    match (lang, end) {
        (Lang::Ja, End::Verified | End::ResolvedByStep { recovered: true, .. }) => {
            format!("AMS がシナリオ {scenario} で復旧し、確認しました")
        }
        (Lang::En, End::Verified | End::ResolvedByStep { recovered: true, .. }) => {
            format!("AMS recovered it with {scenario} and verified it")
        }
        (Lang::Ja, _) => format!("AMS の確認時点で正常でした（シナリオ {scenario}）"),
        (Lang::En, _) => format!("healthy when AMS checked it (scenario {scenario})"),
    }
}
