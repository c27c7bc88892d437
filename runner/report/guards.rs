//! What a guard says when it says no, with its count, in a sentence. Pure.

use std::time::Duration;

use crate::execute::end::Guarded;
use crate::execute::run::Passes;
use crate::fields::duration_words;
use crate::guard::{GuardKind, Said, Scope};
use crate::lang::Lang;
use crate::report::text;

pub(super) fn ja(no: &Guarded) -> String {
    let Guarded { guard, count, limit, .. } = no;
    let what = match no.said.as_ref().map(|said| (&said.scope, within(Lang::Ja, said))) {
        // An earlier owner heard the rest.
        None => format!("ガード {} の上限です（{count}/{limit}）", guard.word()),
        Some((scope, within)) => {
            let scope = scope_ja(scope);
            match guard {
                GuardKind::Budget => {
                    format!("{scope}の復旧は{within}に{limit}回までです（これまで{count}回）")
                }
                GuardKind::CoolDown => format!("{scope}は前回の復旧から間を置きます"),
                GuardKind::Breaker => format!(
                    "{scope}では復旧が{count}回続けて効きませんでした（{limit}回で止めます）"
                ),
                GuardKind::Turn => format!("{scope}では別の対応が復旧を行っています"),
                GuardKind::Storm => format!(
                    "{scope}のインシデントが{within}に{count}件あり、{limit}件を超えたため復旧を止めています"
                ),
                GuardKind::RecordFull => {
                    format!("このお客様の復旧の記録がいっぱいです（{count}件）")
                }
            }
        }
    };
    let until = no.until.iter().map(|at| format!("。{at} まで"));
    let first = first(no).map(|run| format!("。関係する対応: {run}"));
    what + &until.chain(first).collect::<String>()
}

pub(super) fn en(no: &Guarded) -> String {
    let Guarded { guard, count, limit, .. } = no;
    let what = match no.said.as_ref().map(|said| (&said.scope, within(Lang::En, said))) {
        None => format!("the guard {} says no ({count}/{limit})", guard.word()),
        Some((scope, within)) => {
            let scope = scope_en(scope);
            match guard {
                GuardKind::Budget => format!(
                    "{scope} may be recovered {limit} times in {within}, and was {count} times"
                ),
                GuardKind::CoolDown => format!("{scope} was recovered a short while ago"),
                GuardKind::Breaker => {
                    format!("{count} recoveries in a row did not help {scope}; {limit} are enough")
                }
                GuardKind::Turn => format!("another run is recovering {scope}"),
                GuardKind::Storm => format!(
                    "{count} incidents of {scope} in {within} are more than {limit}, so nothing is recovered"
                ),
                GuardKind::RecordFull => {
                    format!("the record of this customer's recoveries is full ({count})")
                }
            }
        }
    };
    let until = no.until.iter().map(|at| format!("; until {at}"));
    let first = first(no).map(|run| format!("; see run {run}"));
    what + &until.chain(first).collect::<String>()
}

/// As people write it: 2h, 1時間30分.
fn within(lang: Lang, said: &Said) -> String {
    let words = duration_words(said.within.unwrap_or(Duration::ZERO));
    match lang {
        Lang::Ja => {
            words.replace(' ', "").replace('h', "時間").replace('m', "分").replace('s', "秒")
        }
        Lang::En => words,
    }
}

fn first(no: &Guarded) -> Option<String> {
    no.said.as_ref()?.run.as_ref().map(ToString::to_string)
}

fn scope_ja(scope: &Scope) -> String {
    match scope {
        Scope::Target(name) => name.clone(),
        Scope::ScenarioOnTarget(name) => format!("このシナリオによる{name}"),
        Scope::Scenario => "このシナリオ".to_owned(),
        Scope::Group(group) => format!("グループ{group}"),
        Scope::Customer => "このお客様".to_owned(),
    }
}

fn scope_en(scope: &Scope) -> String {
    match scope {
        Scope::Target(name) => name.clone(),
        Scope::ScenarioOnTarget(name) => format!("{name} by this scenario"),
        Scope::Scenario => "this scenario".to_owned(),
        Scope::Group(group) => format!("the group {group}"),
        Scope::Customer => "this customer".to_owned(),
    }
}

/// What let a step pass, in a few words each: people, and the guards.
pub fn passes(lang: Lang, passes: &Passes) -> Vec<String> {
    let allowed = text::allowed(lang, passes.allowed.as_ref());
    allowed.into_iter().chain(yes(lang, &passes.guards)).collect()
}

/// What the guards counted; nothing where there are none.
fn yes(lang: Lang, all: &[Said]) -> Option<String> {
    let each = all.iter().filter_map(|said| {
        let Said { count, limit, .. } = said;
        let within = within(lang, said);
        Some(match (said.guard, lang) {
            (GuardKind::Budget, Lang::Ja) => format!("{within}で{count}/{limit}回目"),
            (GuardKind::Budget, Lang::En) => format!("budget {count} of {limit} in {within}"),
            (GuardKind::Turn, Lang::Ja) => "他の復旧なし".to_owned(),
            (GuardKind::Turn, Lang::En) => "turn free".to_owned(),
            (GuardKind::Breaker, Lang::Ja) => format!("連続失敗{count}/{limit}"),
            (GuardKind::Breaker, Lang::En) => format!("breaker {count} of {limit}"),
            (GuardKind::Storm, Lang::Ja) => format!("同時発生{count}/{limit}件"),
            (GuardKind::Storm, Lang::En) => format!("storm {count} of {limit} in {within}"),
            (GuardKind::CoolDown | GuardKind::RecordFull, _) => return None,
        })
    });
    let mut words: Vec<String> = each.collect();
    words.dedup();
    let label = match lang {
        Lang::Ja => "ガード",
        Lang::En => "guards",
    };
    (!words.is_empty()).then(|| format!("{label}: {}", words.join(", ")))
}
