//! What `ams shadow` prints.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::fields::duration_words;
use crate::history::shadow::{Comparison, ResolvedBy, Shadow, Times};
use crate::lang::Lang;

pub(super) const fn nothing(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "この期間に shadow で動いた対応はありません",
        Lang::En => "nothing ran in shadow in that time",
    }
}

pub(super) fn text(lang: Lang, zone: &TimeZone, all: &[Comparison]) -> String {
    let each = all.iter().map(|comparison| scenario(lang, zone, comparison));
    each.collect::<Vec<_>>().join("\n\n")
}

fn scenario(lang: Lang, zone: &TimeZone, comparison: &Comparison) -> String {
    let Comparison { scenario, runs, open, merged, cases, .. } = comparison;
    let mut lines = vec![match lang {
        Lang::Ja => format!("{scenario}: {runs}件（未解決{open}件、統合{merged}件）"),
        Lang::En => format!("{scenario}: {runs} incidents ({open} open, {merged} merged)"),
    }];
    let labels = match lang {
        Lang::Ja => ["人が解決", "監視側で解消", "AMS なら着手"],
        Lang::En => ["resolved by people", "cleared by monitoring", "AMS would have acted"],
    };
    let all = [comparison.by_people, comparison.by_monitoring, comparison.ams_would_act_after];
    for (label, times) in labels.iter().zip(all).filter(|(_, times)| times.count > 0) {
        lines.push(format!("  {label}: {}", spread(lang, times)));
    }
    for shadow in cases {
        lines.extend(case(lang, zone, shadow));
    }
    lines.join("\n")
}

fn spread(lang: Lang, times: Times) -> String {
    let Times { count, p50, p90 } = times;
    let (half, most) = (words(p50.unwrap_or_default()), words(p90.unwrap_or_default()));
    match lang {
        Lang::Ja => format!("{count}件、半数が{half}以内、9割が{most}以内"),
        Lang::En => format!("{count}, half within {half}, nine tenths within {most}"),
    }
}

fn words(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    duration_words(std::time::Duration::from_secs(seconds))
}

fn case(lang: Lang, zone: &TimeZone, shadow: &Shadow) -> Vec<String> {
    let opened = shadow.opened_at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let customer = shadow.customer.as_deref().unwrap_or("-");
    let mut lines = vec![format!("  {opened} {} {customer}  {}", shadow.incident, shadow.title)];
    let ams = match (&shadow.would_end, shadow.would.is_empty()) {
        (Some(outcome), _) => outcome.word().to_owned(),
        (None, true) => "-".to_owned(),
        (None, false) => shadow.would.join(" → "),
    };
    lines.push(format!("    AMS: {} ({})", ams, took(shadow.would_have_taken())));
    let theirs = match (&shadow.resolved, lang) {
        (None, Lang::Ja) => "未解決".to_owned(),
        (None, Lang::En) => "open".to_owned(),
        (Some(resolved), _) => {
            let by = match (resolved.by, lang) {
                (ResolvedBy::Person, Lang::Ja) => "人が解決",
                (ResolvedBy::Person, Lang::En) => "resolved by people",
                (ResolvedBy::Monitoring, Lang::Ja) => "監視側で解消",
                (ResolvedBy::Monitoring, Lang::En) => "cleared by monitoring",
                (ResolvedBy::Merged, Lang::Ja) => "統合",
                (ResolvedBy::Merged, Lang::En) => "merged",
            };
            format!("{by} ({})", took(shadow.lasted().unwrap_or_default()))
        }
    };
    lines.push(match lang {
        Lang::Ja => format!("    実際: {theirs}"),
        Lang::En => format!("    really: {theirs}"),
    });
    let notes = shadow.resolved.iter().flat_map(|resolved| &resolved.notes);
    lines.extend(notes.map(|note| format!("      「{}」", note.trim().replace('\n', " / "))));
    lines
}

fn took(time: SignedDuration) -> String {
    words(time.as_secs())
}
