//! What an account lacks and why, in words.

use crate::explain::{CarrierAccount, Evidence};
use crate::incident::Outcome;
use crate::lang::Lang;

/// What is missing and why.
pub(super) fn all(
    lang: Lang,
    evidence: &Evidence,
    carriers: &[CarrierAccount],
    run: u32,
) -> Vec<String> {
    let say = |ja: &str, en: &str| match lang {
        Lang::Ja => ja.to_owned(),
        Lang::En => en.to_owned(),
    };
    let mut remarks = Vec::new();
    let item = evidence.item.as_ref();
    if let Some(why) = &evidence.unread {
        remarks.push(match lang {
            Lang::Ja => format!("履歴を読めないため、担当の記録だけで表示しています: {why}"),
            Lang::En => format!("The history cannot be read, so this is the claim alone: {why}"),
        });
    } else if evidence.story.is_none() {
        remarks.push(say(
            "履歴にこの対応の記録がないため、担当の記録だけで表示しています（別リージョンの履歴にある、まだ書かれていない、または削除済み）。",
            "The history has nothing of this run, so this is the claim alone: it may lie in another region's history, be not written yet, or have been swept.",
        ));
    } else if evidence.story.as_ref().is_some_and(|story| story.end.is_none())
        && item
            .is_some_and(|item| item.outcome.is_some_and(|outcome| outcome != Outcome::Unmatched))
    {
        remarks.push(say(
            "終わりの記録が履歴にありません。確認の結果と出力は PagerDuty のノートを見てください。",
            "The history lacks this run's end; what was seen and printed is in PagerDuty's notes.",
        ));
    }
    if item.is_none() {
        remarks.push(match lang {
            Lang::Ja => {
                format!("担当記録には対応 {run} の記録がもうないため、履歴だけで表示しています。")
            }
            Lang::En => format!("The claim no longer has run {run}, so this is the history alone."),
        });
    }
    remarks.extend(about_files(lang, evidence));
    let is_unknown = carriers.iter().any(|carrier| carrier.since.is_none());
    if is_unknown && carriers.len() > 1 {
        remarks.push(say(
            "引継ぎの時刻は担当記録に記録されません。",
            "The claim does not record when a run was taken over.",
        ));
    }
    remarks
}

/// Where the names of steps come from, when not from the story.
fn about_files(lang: Lang, evidence: &Evidence) -> Option<String> {
    let named = evidence.item.as_ref()?.scenario.as_ref()?;
    let scenario = evidence.story.as_ref().and_then(|story| story.scenario.as_ref());
    if scenario.is_some_and(|scenario| !scenario.steps.is_empty()) {
        return None;
    }
    let id = &named.id;
    Some(match (lang, &evidence.files) {
        (_, Some(files)) if files.hash == named.hash => return None,
        (Lang::Ja, Some(_)) => {
            format!("手順名はいまの {id} のもので、この対応が始まった版とは異なります。")
        }
        (Lang::En, Some(_)) => {
            format!("Names of steps are of {id} as it is now; the run began with another version.")
        }
        (Lang::Ja, None) => {
            format!("シナリオ {id} がこの設定の scenarios になく、手順は番号だけです。")
        }
        (Lang::En, None) => {
            format!("The scenario {id} is not among these files, so steps are numbers only.")
        }
    })
}
