//! Sample incidents as people see them: one timeline each, and a table at the end.

use super::judge::Judged;
use super::pagerduty::{Kind, StandIn};
use crate::lang::Lang;

/// Columns of a rule.
const WIDTH: usize = 78;

/// One incident's timeline.
pub fn timeline(pagerduty: &StandIn, judged: &Judged, number: usize, lang: Lang) -> String {
    let mut out = String::new();
    let shows = judged.fired.case.shows()[index(lang)];
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("── {number}. {shows} {}", "─".repeat(WIDTH.saturating_sub(wide(shows) + 7))));
    line(format!("   {}  {}", judged.fired.incident, judged.view.title));
    line(String::new());
    for entry in pagerduty.timeline(&judged.fired.incident) {
        let after = entry.at.duration_since(judged.view.created_at).as_secs_f64();
        let agent = padded(&entry.agent, 18);
        if entry.kind == Kind::Note {
            line(format!("  {after:>6.2} s  {agent}  📝"));
            for text in entry.text.trim_start_matches("note: ").lines() {
                line(format!("                               │ {text}"));
            }
        } else {
            line(format!("  {after:>6.2} s  {agent}  {}", entry.text));
        }
    }
    line(String::new());
    line(format!("   {}", verdict(judged, lang)));
    out
}

/// One line: how it ended and who did it.
fn verdict(judged: &Judged, lang: Lang) -> String {
    let mark = if judged.wrong.is_empty() { "✔" } else { "✘" };
    let outcome = judged.claim.as_ref().and_then(|item| item.outcome);
    let outcome = outcome.map_or("open", crate::incident::Outcome::word);
    let owner = judged.claim.as_ref().map_or("-", |item| item.owner.as_str());
    let region = owner.rsplit_once('-').map_or(owner, |(region, _)| region);
    let mut text = match lang {
        Lang::Ja => format!("{mark} 結果 {outcome}（両リージョンに届き、{region} が1回だけ処理）"),
        Lang::En => {
            format!("{mark} {outcome} (delivered to both regions, handled once, by {region})")
        }
    };
    for wrong in &judged.wrong {
        text.push_str("\n     ✘ ");
        text.push_str(wrong);
    }
    text
}

/// All incidents in a few lines.
pub fn summary(all: &[Judged], seconds: f64, lang: Lang) -> String {
    let good = all.iter().filter(|judged| judged.wrong.is_empty()).count();
    let mut out = String::new();
    for judged in all {
        let mark = if judged.wrong.is_empty() { "✔" } else { "✘" };
        let shows = judged.fired.case.shows()[index(lang)];
        out.extend(["  ", mark, " ", shows, "\n"]);
    }
    let total = all.len();
    let last = match lang {
        Lang::Ja => format!("{total} 件中 {good} 件が期待どおり（{seconds:.1} 秒）"),
        Lang::En => format!("{good} of {total} incidents ended as they should ({seconds:.1} s)"),
    };
    out + &last
}

pub const fn index(lang: Lang) -> usize {
    match lang {
        Lang::Ja => 0,
        Lang::En => 1,
    }
}

/// Columns in a terminal: East Asian characters take two.
fn wide(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Close enough for alignment: CJK, kana, full-width forms.
const fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}')
}

fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(wide(text));
    format!("{text}{}", " ".repeat(missing))
}
