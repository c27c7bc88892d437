//! Why a run ended, in one sentence, Japanese and English.

use crate::claim::protocol::{StandDown, StandDownReason};
use crate::execute::end::{Asked, End, Lack};
use crate::lang::Lang;
use crate::report::{guards, pauses};
use crate::scenario::model::Scenario;

/// Why the run ended as it did, in one sentence.
pub fn reason(lang: Lang, end: &End, scenario: &Scenario) -> String {
    let name = |index: usize| scenario.step(index).map(|step| step.name.as_str());
    reason_naming(lang, end, &name)
}

/// The same, with the names of steps from elsewhere.
pub fn reason_naming<'a>(lang: Lang, end: &End, name: &dyn Fn(usize) -> Option<&'a str>) -> String {
    let step = |index: usize| {
        let name = name(index).unwrap_or("?");
        match lang {
            Lang::Ja => format!("手順{}「{name}」", index + 1),
            Lang::En => format!("Step {} “{name}”", index + 1),
        }
    };
    match lang {
        Lang::Ja => reason_ja(end, &step),
        Lang::En => reason_en(end, &step),
    }
}

fn reason_ja(end: &End, step: &dyn Fn(usize) -> String) -> String {
    match end {
        End::Healthy { step: i } => format!("{}で正常と確認しました", step(*i)),
        End::OtherAlerts { count } => format!(
            "このアラートの件は正常と確認しましたが、同じインシデントにほかの未解決アラートが{count}件あるため、解決にしていません"
        ),
        End::AlertAndHostDisagree { step: i } => {
            format!("{}は正常で、アラートと食い違っています。人の確認が必要です", step(*i))
        }
        End::BrokenForPeople { step: i } => {
            format!("{}で異常を確認しました。この先は人が行う手順です", step(*i))
        }
        End::Verified => "復旧後の確認に成功しました".to_owned(),
        End::Gathered => "情報収集までが自動対応の範囲です".to_owned(),
        End::Unclear { step: i } => format!("{}の結果を判定できませんでした", step(*i)),
        End::RecoverFailed { step: i } => format!("{}が失敗しました", step(*i)),
        End::NotVerified { step: i } => format!("{}が成功せず、復旧を確認できません", step(*i)),
        End::Deadline { step: i } => format!("{}の前に制限時間を過ぎました", step(*i)),
        End::OutcomeUnknown { step: i } => format!(
            "{}を始めた直後に AMS が停止し、実行されたかどうか不明です。再実行はしていません",
            step(*i)
        ),
        End::ResolvedByStep { step: i, .. } => format!("{}まで進み、正常と判断しました", step(*i)),
        End::HandedOffByStep { step: i } => format!("シナリオの判断で引き継ぎます（{}）", step(*i)),
        End::NotApproved { step: i } => format!("{}の承認が得られませんでした", step(*i)),
        End::Guarded(no) => format!("{}は行いません: {}", step(no.step), guards::ja(no)),
        End::Paused(paused) => {
            format!("{}は行いません: {}", step(paused.step), pauses::ja(paused))
        }
        End::CannotGoOn { step: i, lack } => {
            format!("{}を行えませんでした: {}", step(*i), lack_ja(lack))
        }
        End::AlwaysFailed { step: i } => {
            format!("後始末の{}が失敗しました。確認が必要です", step(*i))
        }
        End::Shadowed { step: i, would_end: None } => {
            format!("自動対応なら、次に{}を実施するところでした", step(*i))
        }
        End::Shadowed { would_end: Some(outcome), .. } => {
            format!("自動対応なら、{outcome} として終わるところでした")
        }
        End::Suspended { what } => format!("対応停止の期間です: {what}"),
        End::StoodDown(stand_down) => stood_down_ja(stand_down),
        End::Ours { what } => format!("AMS 側の問題で続けられませんでした: {what}"),
    }
}

fn reason_en(end: &End, step: &dyn Fn(usize) -> String) -> String {
    match end {
        End::Healthy { step: i } => format!("{} found it healthy", step(*i)),
        End::OtherAlerts { count } => format!(
            "what this alert is about is well; it is not resolved because of other open alerts in the same incident ({count})"
        ),
        End::AlertAndHostDisagree { step: i } => {
            format!("{} found it healthy, which contradicts the alert: please look", step(*i))
        }
        End::BrokenForPeople { step: i } => {
            format!("{} found it broken; what follows is done by people", step(*i))
        }
        End::Verified => "The verify after the recovery passed".to_owned(),
        End::Gathered => "This scenario gathers facts only".to_owned(),
        End::Unclear { step: i } => format!("{} gave no clear result", step(*i)),
        End::RecoverFailed { step: i } => format!("{} failed", step(*i)),
        End::NotVerified { step: i } => {
            format!("{} did not pass; recovery is not confirmed", step(*i))
        }
        End::Deadline { step: i } => format!("Time was over before: {}", step(*i)),
        End::OutcomeUnknown { step: i } => format!(
            "{}: AMS stopped right after beginning it, and whether it ran is unknown. It was not repeated",
            step(*i)
        ),
        End::ResolvedByStep { step: i, .. } => {
            format!("It came as far as {} and is well", step(*i))
        }
        End::HandedOffByStep { step: i } => format!("{} leads to people", step(*i)),
        End::NotApproved { step: i } => format!("{} was not approved", step(*i)),
        End::Guarded(no) => format!("{} is not begun: {}", step(no.step), guards::en(no)),
        End::Paused(paused) => {
            format!("{} is not begun: {}", step(paused.step), pauses::en(paused))
        }
        End::CannotGoOn { step: i, lack } => {
            format!("{} could not be done: {}", step(*i), lack_en(lack))
        }
        End::AlwaysFailed { step: i } => {
            format!("{}, which always runs at the end, failed: please look", step(*i))
        }
        End::Shadowed { step: i, would_end: None } => {
            format!("In automatic mode {} would have been carried out next", step(*i))
        }
        End::Shadowed { would_end: Some(outcome), .. } => {
            format!("In automatic mode the run would have ended as {outcome}")
        }
        End::Suspended { what } => format!("The customer's systems are suspended: {what}"),
        End::StoodDown(stand_down) => stood_down_en(stand_down),
        End::Ours { what } => format!("AMS itself could not go on: {what}"),
    }
}

/// What a step lacked.
pub fn lack(lang: Lang, lack: &Lack) -> String {
    match lang {
        Lang::Ja => lack_ja(lack),
        Lang::En => lack_en(lack),
    }
}

pub(super) fn lack_ja(lack: &Lack) -> String {
    match lack {
        Lack::NoValue(name) => format!("{name} の値がありません"),
        Lack::NoCustomer => "どのお客様のインシデントか判りません".to_owned(),
        Lack::NoHost { customer, host } => {
            format!("{customer}にホスト「{host}」の登録がありません")
        }
        Lack::NoHostNamed => "対象ホストが示されていません".to_owned(),
        Lack::EmptyGroup { customer, group } => {
            format!("{customer}のグループ「{group}」にホストがありません")
        }
        Lack::SeveralHosts(hosts) => format!("対象ホストが複数あります: {}", hosts.join(", ")),
        Lack::NotInTable { row, table } => {
            format!("「{row}」は表 {table} にないか、項目が足りません")
        }
        Lack::NotGiven { customer, name } => {
            format!("{customer}の設定に {name} がないか、型が違います")
        }
        Lack::TooMany { found, most } => {
            format!("対象が{found}件あり、上限の{most}件を超えています")
        }
        Lack::Unanswered { asked, why } => {
            let asked = match asked {
                Asked::Alerts => "アラートの詳細",
                Asked::Tags => "AWS のタグ",
                Asked::Sources => "アラートや AWS",
            };
            format!("{asked}から対象ホストを調べられませんでした: {why}")
        }
        Lack::TargetForgotten => {
            "操作を始めた対象ホストの記録を引き継げませんでした。別のホストには続けません"
                .to_owned()
        }
        Lack::Suspended(what) => format!("途中から対応停止の期間に入りました: {what}"),
        Lack::ModeChanged(mode) => format!("お客様のモードが途中で {} になりました", mode.word()),
        Lack::Other(what) => what.clone(),
    }
}

pub(super) fn lack_en(lack: &Lack) -> String {
    match lack {
        Lack::NoValue(name) => format!("there is no value for {name}"),
        Lack::NoCustomer => "no customer is known for this incident".to_owned(),
        Lack::NoHost { customer, host } => format!("{customer} has no host '{host}'"),
        Lack::NoHostNamed => "no host is named".to_owned(),
        Lack::EmptyGroup { customer, group } => {
            format!("{customer} has no host in the group '{group}'")
        }
        Lack::SeveralHosts(hosts) => format!("several hosts are meant: {}", hosts.join(", ")),
        Lack::NotInTable { row, table } => {
            format!("'{row}' is not in the table {table}, or lacks a field")
        }
        Lack::NotGiven { customer, name } => {
            format!("{customer} gives no {name}, or one of the wrong type")
        }
        Lack::TooMany { found, most } => {
            format!("{found} entries are more than the {most} that may be worked on")
        }
        Lack::Unanswered { asked, why } => {
            let asked = match asked {
                Asked::Alerts => "the alerts' details",
                Asked::Tags => "AWS's tags",
                Asked::Sources => "the alerts or AWS",
            };
            format!("the target could not be found out from {asked}: {why}")
        }
        Lack::TargetForgotten => {
            "which hosts it had begun with is not known any more, and others are not touched"
                .to_owned()
        }
        Lack::Suspended(what) => format!("a suspension has begun meanwhile: {what}"),
        Lack::ModeChanged(mode) => {
            format!("the customer's mode has become {} meanwhile", mode.word())
        }
        Lack::Other(what) => what.clone(),
    }
}

/// Why a run was asked to stand down.
pub fn stood_down(lang: Lang, stand_down: &StandDown) -> String {
    match lang {
        Lang::Ja => stood_down_ja(stand_down),
        Lang::En => stood_down_en(stand_down),
    }
}

fn stood_down_ja(stand_down: &StandDown) -> String {
    match stand_down.reason {
        StandDownReason::Acknowledged => "担当者が acknowledge したため停止しました",
        StandDownReason::Reassigned => "担当者が割り当てを変更したため停止しました",
        StandDownReason::ResolvedByPerson => "担当者が解決したため停止しました",
        StandDownReason::Merged => "別のインシデントに統合されたため停止しました",
        StandDownReason::StopNote => "ノートの「ams stop」か「ams 停止」により停止しました",
        StandDownReason::ResolvedByMonitoring => "監視側でアラートが解消したため停止しました",
        StandDownReason::Reopened => "インシデントがもう一度開かれたため、次の対応に譲りました",
        StandDownReason::OverBeforeStart => "対応を始める前に終わっていました",
    }
    .to_owned()
}

fn stood_down_en(stand_down: &StandDown) -> String {
    match stand_down.reason {
        StandDownReason::Acknowledged => "A person acknowledged the incident",
        StandDownReason::Reassigned => "A person reassigned the incident",
        StandDownReason::ResolvedByPerson => "A person resolved the incident",
        StandDownReason::Merged => "The incident was merged into another",
        StandDownReason::StopNote => "A person wrote \"ams stop\" or \"ams 停止\"",
        StandDownReason::ResolvedByMonitoring => "Monitoring cleared the alert",
        StandDownReason::Reopened => "The incident was opened again; the next run takes care of it",
        StandDownReason::OverBeforeStart => "The incident was over before AMS began",
    }
    .to_owned()
}
