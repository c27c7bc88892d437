//! What `ams doctor` prints.

use serde_json::{Value, json};

use crate::commands::print;
use crate::doctor::{Section, text};
use crate::lang::Lang;

pub(super) fn section(lang: Lang, section: &Section) {
    if section.matters.is_empty() {
        return;
    }
    print::out(text::area(lang, section.area));
    for matter in &section.matters {
        let text::Said { what, change } = text::say(lang, matter);
        print::out(format_args!("  {} {}", text::mark(matter.level()), printable(&what)));
        if let Some(change) = change {
            print::out(format_args!("      → {}", printable(&change)));
        }
    }
    print::out("");
}

pub(super) fn sum(lang: Lang, wrong: usize, weak: usize) {
    print::out(text::sum(lang, wrong, weak));
}

pub(super) fn json(lang: Lang, sections: &[Section]) -> Result<String, serde_json::Error> {
    let mut checks: Vec<Value> = Vec::new();
    let mut ok = true;
    for section in sections {
        for matter in &section.matters {
            let text::Said { what, change } = text::say(lang, matter);
            let level = matter.level();
            ok &= level != crate::doctor::Level::Wrong;
            let data = serde_json::to_value(matter)?;
            checks.push(json!({
                "area": section.area,
                "level": level,
                "about": data,
                "what": what,
                "change": change,
            }));
        }
    }
    serde_json::to_string_pretty(&json!({ "ok": ok, "checks": checks }))
}

/// Names and answers of others may hold anything.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
