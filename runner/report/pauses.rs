//! What is paused, by whom and why, in a sentence. Pure.

use crate::execute::end::Paused;
use crate::history::pause::PauseWords;
use crate::lang::Lang;

pub(super) fn ja(paused: &Paused) -> String {
    let Paused { id, words, until, .. } = paused;
    let Some(words) = words else {
        let why = id.as_ref().map_or_else(
            || "理由は前の担当プロセスのログにあります".to_owned(),
            |id| format!("{id}。理由は読み取れません"),
        );
        return format!("AMS は一時停止中です（{why}）");
    };
    let PauseWords { by, reason, .. } = &**words;
    let until = until.as_ref().map(|at| format!("、{at} まで")).unwrap_or_default();
    format!("AMS は一時停止中です（{}）: {reason}（{by}{until}）", scope(Lang::Ja, words))
}

pub(super) fn en(paused: &Paused) -> String {
    let Paused { id, words, until, .. } = paused;
    let Some(words) = words else {
        let why = id.as_ref().map_or_else(
            || "the log of the process before has why".to_owned(),
            |id| format!("{id}; why cannot be read"),
        );
        return format!("AMS is paused ({why})");
    };
    let PauseWords { by, reason, .. } = &**words;
    let until = until.as_ref().map(|at| format!(", until {at}")).unwrap_or_default();
    format!("AMS is paused ({}): {reason} ({by}{until})", scope(Lang::En, words))
}

/// What a pause stops: `customer shop, host web01`.
pub fn scope(lang: Lang, words: &PauseWords) -> String {
    let named = [
        ("お客様", "customer", &words.customer),
        ("グループ", "group", &words.group),
        ("ホスト", "host", &words.host),
        ("シナリオ", "scenario", &words.scenario),
    ];
    let parts: Vec<String> = named
        .into_iter()
        .filter_map(|(ja, en, name)| {
            let word = if lang == Lang::Ja { ja } else { en };
            name.as_ref().map(|name| format!("{word} {name}"))
        })
        .collect();
    match (parts.is_empty(), lang) {
        (true, Lang::Ja) => "すべて".to_owned(),
        (true, Lang::En) => "everything".to_owned(),
        (false, Lang::Ja) => parts.join("、"),
        (false, Lang::En) => parts.join(", "),
    }
}
