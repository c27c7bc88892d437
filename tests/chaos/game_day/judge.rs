//! Holds everything against everything, and tells what came of it.

use super::facts::Facts;
use super::options::Options;
use super::words::pick;
use super::{Verdict, falsify, proof, sabotage, tell};
use crate::evidence::Case;
use crate::ground::Ground;
use crate::report::{Held, print, progress, story};

/// Stories printed after a failure; the folder has all.
const STORIES: usize = 3;

pub(super) fn judge(options: &Options, ground: &Ground, facts: &Facts<'_>) -> Verdict {
    let lang = options.lang;
    let held = proof::hold(facts);
    let violations: usize = held.iter().map(|held| held.wrong.len()).sum();
    let parts = [
        tell::timeline(facts, lang),
        tell::times(facts, lang),
        tell::outcomes(facts, lang),
        tell::doubts(facts, lang),
        tell::rules(&held, lang),
    ];
    print(&parts.join("\n"));
    if violations > 0 {
        print(&tell::wrong(&held, lang));
        if options.sabotage.is_empty() {
            for case in offenders(facts, &held) {
                progress(&story(ground, case));
            }
        }
    }
    let verdict = if !options.sabotage.is_empty() {
        let is_found = sabotage::is_found(options, facts, &held);
        if is_found { Verdict::Violated } else { Verdict::NotFound }
    } else if violations > 0 {
        Verdict::Violated
    } else {
        // Untruths can be told about a day on which everything held.
        let believed = falsify::believed(facts);
        print(&tell::believed(&believed, lang));
        if believed.1.is_empty() { Verdict::Held } else { Verdict::Violated }
    };
    print(&end(options, verdict, violations));
    verdict
}

fn offenders<'a>(facts: &'a Facts<'_>, held: &[Held]) -> Vec<&'a Case<'a>> {
    let mut named: Vec<_> = held.iter().flat_map(|held| &held.wrong).collect();
    named.dedup_by(|one, other| one.0 == other.0);
    let is_named = |case: &&Case<'_>| named.iter().any(|(id, _)| id.as_ref() == Some(case.id()));
    facts.cases.iter().filter(is_named).take(STORIES).collect()
}

fn end(options: &Options, verdict: Verdict, violations: usize) -> String {
    let lang = options.lang;
    let told = match (verdict, options.sabotage.is_empty()) {
        (Verdict::Held, _) => pick(
            lang,
            "合格: 失われたもの、2 回行われたものはない",
            "Everything held: nothing was lost, nothing was done twice",
        ),
        (Verdict::Violated, true) => pick(lang, "不合格", "It did not hold"),
        (Verdict::Violated, false) => pick(
            lang,
            "不合格（わざと壊したものを、そのとおりに見つけた）",
            "It did not hold: what was made wrong on purpose was found, and nothing else",
        ),
        (Verdict::NotFound, _) => pick(
            lang,
            "わざと壊したものが見つからないか、ほかにも違反がある",
            "What was made wrong on purpose was not found, or not it alone",
        ),
    };
    if violations == 0 {
        told.to_owned()
    } else {
        match lang {
            ams::lang::Lang::Ja => format!("{told}: 違反 {violations}"),
            ams::lang::Lang::En => format!("{told}: {violations} violations"),
        }
    }
}
