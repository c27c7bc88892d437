//! What a game day says, in both languages.

use ams::lang::Lang;

use super::proof::{
    ALL_THERE, CARRIED_ON, DELIVERED, EXPECTED, ONCE, PAGES, PROCESSES, REASON, RED_FIRST,
    SOMEBODY, TAKES_NOTHING,
};

pub(crate) const fn pick(lang: Lang, ja: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// Rules are named in English; without a Japanese name that one is shown.
const RULES: [(&str, &str); 24] = [
    (ALL_THERE, "負荷のインシデントはすべて揃い、対応は各 1 回"),
    (EXPECTED, "どのインシデントも種類どおりの結果で終わる"),
    (ONCE, "必要な復旧は 1 回だけ実行され、ほかは何も実行されない"),
    (PAGES, "呼出しは必要なものに行われ、ほかには行われない"),
    (SOMEBODY, "未解決で残るものには必ず人が付いている"),
    (REASON, "理由のない引継ぎがない"),
    (CARRIED_ON, "止まったリージョンの対応中のものはすべて引き継がれる"),
    (TAKES_NOTHING, "切り離されたリージョンは何も受け付けない"),
    (RED_FIRST, "引継ぎの前に、止まった側の /readyz が 503 になる"),
    (DELIVERED, "webhook はすべて届き、破棄されない"),
    (PROCESSES, "プロセスは勝手に終わらず、指示で終わる"),
    ("every incident has an outcome", "どのインシデントにも結果がある"),
    ("every run has exactly one outcome", "対応ごとの結果はちょうど 1 つ"),
    ("no effect that is once happens twice", "一度きりの操作は 2 回行われない"),
    ("no effect of a run that ended well is lost", "解決したものの操作は欠けていない"),
    ("no effect without its intent", "事前の記録のない操作はない"),
    ("nothing is recorded as done that was not done", "行われなかった操作は済みと記録されない"),
    ("what was taken out of service is put back", "切り離したものは元に戻される"),
    ("no recovery is begun after a stand-down", "人が引き取った後に復旧は始まらない"),
    ("no note twice, and one at the end", "ノートは重複せず、最後に 1 件ある"),
    ("the title shows the outcome", "タイトルが結果を示す"),
    ("status and pages are what the outcome says", "状態と呼出しが結果と一致する"),
    ("the outcome is one this incident may have", "ありえない結果で終わらない"),
    (
        "runs, epochs, outcomes and journals only go forward",
        "対応・エポック・結果・記録は後戻りしない",
    ),
];

pub(crate) fn rule(lang: Lang, rule: &'static str) -> &'static str {
    let known = RULES.iter().find(|(english, _)| *english == rule && lang == Lang::Ja);
    known.map_or(rule, |(_, japanese)| japanese)
}

/// What its scenario does.
pub(crate) fn kind(lang: Lang, name: &'static str) -> String {
    let (ja, en) = match name {
        "once" => ("一度きりの復旧", "a recovery that must not be repeated"),
        "again" => ("繰り返してよい復旧", "a recovery that may be repeated"),
        "rungs" => ("段階的な復旧", "a gentle recovery, then one that helps"),
        "drain" => ("切り離し、再起動、必ず戻す", "out of service, restart, put back"),
        "hosts" => ("3 台を順に復旧", "three hosts, one after the other"),
        "facts" => ("情報収集、チケット、人へ", "facts, a ticket, then people"),
        "failing" => ("失敗する復旧", "a recovery that fails"),
        "healthy" => ("異常なし", "nothing is broken"),
        "strange" => ("対象シナリオなし", "no scenario is meant for it"),
        "waits" => ("復旧、長い待機、復旧", "a recovery, a long wait, another"),
        _ => ("待機中に人が引き取る", "a person takes it while it waits"),
    };
    format!("{name}: {}", pick(lang, ja, en))
}
