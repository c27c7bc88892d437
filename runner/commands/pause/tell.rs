//! What `ams pause` and `ams resume` print.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Format, pick};
use crate::claim::pauses::Pause;
use crate::history::pause::PauseWords;
use crate::lang::Lang;
use crate::pausing::News;
use crate::report::pauses::scope;

pub(super) fn paused(lang: Lang, id: &str, words: &PauseWords) -> String {
    let what = scope(lang, words);
    match lang {
        Lang::Ja => format!("一時停止しました: {what}（{id}）"),
        Lang::En => format!("paused: {what} ({id})"),
    }
}

pub(in crate::commands) fn resumed(lang: Lang, id: &str, words: Option<&PauseWords>) -> String {
    let what = words.map(|words| scope(lang, words)).unwrap_or_default();
    match lang {
        Lang::Ja => format!("再開しました: {what}（{id}）"),
        Lang::En => format!("resumed: {what} ({id})"),
    }
}

pub(super) fn news(lang: Lang, news: &News) -> String {
    match (news, lang) {
        (News::InForce { owner, after }, Lang::Ja) => {
            format!("  {owner}: 有効（{:.1} 秒）", after.as_secs_f64())
        }
        (News::InForce { owner, after }, Lang::En) => {
            format!("  {owner}: in force after {:.1} s", after.as_secs_f64())
        }
        (News::Silent(owner), Lang::Ja) => {
            format!("  {owner}: 応答なし。ハートビートが途絶えた間は自分で復旧を始めません")
        }
        (News::Silent(owner), Lang::En) => {
            format!("  {owner}: shows no life; without heartbeat it begins no recovery by itself")
        }
        (News::NotYet(owner), Lang::Ja) => format!("  {owner}: まだ有効になっていません"),
        (News::NotYet(owner), Lang::En) => format!("  {owner}: NOT in force yet"),
    }
}

pub(super) const fn nobody(lang: Lang) -> &'static str {
    pick(
        lang,
        "  動いているリージョンはありません。起動したリージョンに適用されます",
        "  no region is running; it holds for each that starts",
    )
}

pub(super) fn unkept(lang: Lang, why: &str) -> String {
    match lang {
        Lang::Ja => format!("注意: 理由を履歴に残せませんでした: {why}"),
        Lang::En => format!("warning: the reason is not in the history: {why}"),
    }
}

/// All that is paused, one block each.
pub(super) fn list(
    lang: Lang,
    zone: &TimeZone,
    list: &[(Pause, Option<PauseWords>)],
    format: Format,
) -> Result<String, serde_json::Error> {
    if format == Format::Json {
        let each = list.iter().map(|(pause, words)| {
            json!({ "id": pause.id, "at": pause.at, "until": pause.until, "words": words })
        });
        return serde_json::to_string_pretty(&each.collect::<Vec<_>>());
    }
    if list.is_empty() {
        return Ok(pick(lang, "一時停止はありません", "nothing is paused").to_owned());
    }
    let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let mut lines = Vec::new();
    for (pause, words) in list {
        let unknown = pick(lang, "（内容は読み取れません）", "(what it is cannot be read)");
        let what = words.as_ref().map_or_else(|| unknown.to_owned(), |words| scope(lang, words));
        let until = pause.until.map_or_else(
            || pick(lang, "再開まで", "until it is resumed").to_owned(),
            |at| match lang {
                Lang::Ja => format!("{} まで", time(at)),
                Lang::En => format!("until {}", time(at)),
            },
        );
        lines.push(format!("{}  {what}  {}  {until}", pause.id, time(pause.at)));
        if let Some(PauseWords { by, reason, .. }) = words {
            lines.push(format!("    {reason} ({by})"));
        }
    }
    Ok(lines.join("\n"))
}
