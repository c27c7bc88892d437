//! What happened when, out of what was seen.

use ams::lang::Lang;
use jiff::Timestamp;

use super::facts::{Facts, is_of};
use super::front::Answer;
use super::words::pick;

/// What happened, in order.
pub(crate) fn events(facts: &Facts<'_>, lang: Lang) -> Vec<(Timestamp, String)> {
    let mut events = parts(facts, lang);
    events.extend(lost(facts, lang));
    events.extend(taken_over(facts, lang));
    events.extend(again(facts, lang));
    events.sort_by_key(|(at, _)| *at);
    events
}

/// What was done.
fn parts(facts: &Facts<'_>, lang: Lang) -> Vec<(Timestamp, String)> {
    let moments = &facts.moments;
    let cut = if facts.loses_power {
        pick(
            lang,
            "■ tokyo 停電: 2 プロセスを kill -9",
            "■ tokyo loses power: kill -9 of both processes",
        )
    } else {
        pick(
            lang,
            "■ tokyo を claim ストアと PagerDuty から遮断（webhook は届く）",
            "■ tokyo is cut off from claim store and PagerDuty (webhooks still reach it)",
        )
    };
    let told = [
        (moments.began, pick(lang, "負荷の開始", "the load begins")),
        (moments.cut, cut),
        (
            moments.shut,
            pick(
                lang,
                "■ tokyo には webhook も届かなくなる",
                "■ webhooks do not reach tokyo either",
            ),
        ),
        (moments.back, pick(lang, "■ tokyo が戻る", "■ tokyo is back")),
        (moments.fired, pick(lang, "最後のインシデント", "the last incident")),
        (moments.over, pick(lang, "すべて完了", "everything is over")),
    ];
    told.map(|(at, what)| (at, what.to_owned())).to_vec()
}

/// How the lost region stops.
fn lost(facts: &Facts<'_>, lang: Lang) -> Vec<(Timestamp, String)> {
    let (cut, back) = (facts.moments.cut, facts.moments.back);
    let mut events = Vec::new();
    let beats = facts.seen.beats.iter().filter(|(_, owner)| is_of(owner.as_str(), 0));
    if let Some(at) = beats.map(|(at, _)| *at).filter(|at| *at < back).max() {
        let what = pick(lang, "tokyo の最後の生存信号", "last heartbeat of tokyo");
        events.push((at, what.to_owned()));
    }
    for process in ["tokyo-1", "tokyo-2"] {
        let what = match lang {
            Lang::Ja => format!("{process} の /readyz が 503: 以後、操作を始めない"),
            Lang::En => format!("{process} is not ready: from here on it begins nothing"),
        };
        events.extend(facts.turns(process, false, cut).map(|at| (at, what)));
    }
    let refused: Vec<&Answer> = refused(facts).collect();
    if let [first, .., last] = refused[..] {
        let what = match lang {
            Lang::Ja => format!("tokyo が受け取れない最初の webhook（計 {} 回）", refused.len()),
            Lang::En => {
                format!("first webhook that tokyo does not take ({} in all)", refused.len())
            }
        };
        events.push((first.at, what));
        let what = pick(
            lang,
            "tokyo が受け取れない最後の webhook",
            "last webhook that tokyo does not take",
        );
        events.push((last.at, what.to_owned()));
    }
    events
}

/// Webhooks that the lost region did not take, for PagerDuty to send again.
pub(crate) fn refused<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a Answer> {
    let (from, until) = (facts.moments.cut, facts.moments.over);
    facts.answers[0].iter().filter(move |it| it.at >= from && it.at < until && !it.is_taken())
}

fn taken_over(facts: &Facts<'_>, lang: Lang) -> Vec<(Timestamp, String)> {
    let mut events = Vec::new();
    if let Some(at) = facts.first_claim(1, facts.moments.cut) {
        let what = pick(
            lang,
            "osaka が遮断後の最初のインシデントに対応を開始",
            "osaka claims its first incident after the cut",
        );
        events.push((at, what.to_owned()));
    }
    if let [first, .., last] = &facts.take_overs[..] {
        let count = facts.take_overs.len();
        let what = match lang {
            Lang::Ja => format!("最初の引継ぎ: {}（計 {count} 件）", first.by),
            Lang::En => format!("first take-over, by {} ({count} in all)", first.by),
        };
        events.push((first.at, what));
        let what = match lang {
            Lang::Ja => format!("最後の引継ぎ: {}", last.by),
            Lang::En => format!("last take-over, by {}", last.by),
        };
        events.push((last.at, what));
    }
    events
}

/// How the region takes up its work again.
fn again(facts: &Facts<'_>, lang: Lang) -> Vec<(Timestamp, String)> {
    let back = facts.moments.back;
    let mut events = Vec::new();
    for process in ["tokyo-1", "tokyo-2"] {
        let what = match lang {
            Lang::Ja => format!("{process} の /readyz が再び 200"),
            Lang::En => format!("{process} is ready again"),
        };
        events.extend(facts.turns(process, true, back).map(|at| (at, what)));
    }
    let beats = facts.seen.beats.iter().filter(|(_, owner)| is_of(owner.as_str(), 0));
    if let Some(at) = beats.map(|(at, _)| *at).find(|at| *at >= back) {
        let what = pick(lang, "tokyo の生存信号が再開", "tokyo's heart beats again");
        events.push((at, what.to_owned()));
    }
    if let Some(at) = facts.first_claim(0, back) {
        let what = pick(lang, "tokyo が再び対応を開始", "tokyo claims an incident again");
        events.push((at, what.to_owned()));
    }
    if let Some(at) = caught_up(facts) {
        let what = pick(
            lang,
            "tokyo が再送された webhook をすべて受け取る",
            "tokyo has taken all of them, sent again",
        );
        events.push((at, what.to_owned()));
    }
    events
}

/// When the last incident that began while the region was lost was delivered to it as well.
fn caught_up(facts: &Facts<'_>) -> Option<Timestamp> {
    let (from, until) = (facts.moments.cut, facts.moments.back);
    let while_lost = facts.cases.iter().map(|case| &case.view);
    let while_lost = while_lost.filter(|view| view.created_at >= from && view.created_at < until);
    let taken = while_lost.map(|view| {
        let mut answers = facts.answers[0].iter();
        answers.find(|it| it.begins && it.is_taken() && it.incident.as_ref() == Some(&view.id))
    });
    taken.map(|answer| answer.map(|it| it.at)).collect::<Option<Vec<_>>>()?.into_iter().max()
}
