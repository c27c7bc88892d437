//! Values that are one of a few words: comparing them with another word is never true.

use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr};
use minijinja::value::ValueKind;

use super::{Mistake, dotted, mistake};
use crate::finding::did_you_mean;

const RESULTS: [&str; 4] = ["met", "not_met", "unclear", "not_run"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Why there was no answer; empty where there was one.
const SILENCES: [&str; 8] =
    ["", "dns", "tls", "refused", "timeout", "unreachable", "reset", "other"];
const URGENCIES: [&str; 2] = ["high", "low"];

/// Whether two values are compared as wholes, or one is looked for in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Equal,
    In,
}

/// All the words a name can hold, if they are few and known.
fn words_of(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "result" => Some(&RESULTS),
        "no_answer" => Some(&SILENCES),
        "now.weekday" => Some(&WEEKDAYS),
        "incident.urgency" => Some(&URGENCIES),
        _ => {
            let (_, value) = name.strip_prefix("steps.")?.split_once('.')?;
            ["result", "no_answer"].contains(&value).then(|| words_of(value)).flatten()
        }
    }
}

/// The first comparison that can only have one outcome.
pub(super) fn check(tree: &Expr<'_>) -> Result<(), Mistake> {
    match tree {
        Expr::UnaryOp(op) => check(&op.expr),
        Expr::BinOp(op) => {
            match op.op {
                BinOpKind::Eq | BinOpKind::Ne => pair(&op.left, &op.right, Asks::Equal)?,
                BinOpKind::In => pair(&op.left, &op.right, Asks::In)?,
                _ => {}
            }
            check(&op.left)?;
            check(&op.right)
        }
        Expr::Compare(chain) => {
            let mut left = &chain.expr;
            for op in &chain.ops {
                match op.op {
                    CompareOpKind::Eq | CompareOpKind::Ne => pair(left, &op.expr, Asks::Equal)?,
                    CompareOpKind::In | CompareOpKind::NotIn => pair(left, &op.expr, Asks::In)?,
                    _ => {}
                }
                check(&op.expr)?;
                left = &op.expr;
            }
            check(&chain.expr)
        }
        Expr::List(list) => list.items.iter().try_for_each(check),
        Expr::Tuple(tuple) => tuple.items.iter().try_for_each(check),
        Expr::Call(call) => call.args.iter().try_for_each(|argument| match argument {
            CallArg::Pos(argument) => check(argument),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

fn pair(left: &Expr<'_>, right: &Expr<'_>, asks: Asks) -> Result<(), Mistake> {
    if let Some(name) = dotted(left) {
        compared(&name, right, asks)?;
    }
    match dotted(right) {
        Some(name) if asks == Asks::Equal => compared(&name, left, asks),
        _ => Ok(()),
    }
}

fn compared(name: &str, with: &Expr<'_>, asks: Asks) -> Result<(), Mistake> {
    let Some(words) = words_of(name) else { return Ok(()) };
    let written = match asks {
        Asks::Equal => text(with).into_iter().collect(),
        // In a text it is looked for as a part, which may be meant.
        Asks::In => entries(with),
    };
    match written.iter().find(|word| !words.contains(&word.as_str())) {
        Some(word) => Err(never(name, word, words)),
        None => Ok(()),
    }
}

fn text(tree: &Expr<'_>) -> Option<String> {
    match tree {
        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}

fn entries(tree: &Expr<'_>) -> Vec<String> {
    match tree {
        Expr::List(list) => list.items.iter().filter_map(text).collect(),
        Expr::Tuple(tuple) => tuple.items.iter().filter_map(text).collect(),
        Expr::Const(constant) if constant.value.kind() == ValueKind::Seq => constant
            .value
            .try_iter()
            .map(|items| items.filter_map(|item| item.as_str().map(str::to_owned)).collect())
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn never(name: &str, written: &str, words: &[&str]) -> Mistake {
    let small = written.to_lowercase();
    // `Sunday` is no typing mistake, but clearly `sun`.
    let longer = words.iter().copied().find(|word| !word.is_empty() && small.starts_with(word));
    let near = did_you_mean(written, words.iter().copied().filter(|word| !word.is_empty()));
    let remedy = if let Some(word) = near.or(longer) {
        format!("did you mean '{word}'?")
    } else {
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        format!("compare it with one of {}", words.join(", "))
    };
    mistake("never-true", format!("{name} is compared with '{written}', which it never is"), remedy)
}

#[cfg(test)]
mod tests {
    use crate::scenario::expression::Expression;
    use crate::yaml::Place;

    fn remedy(source: &str) -> Option<String> {
        let checked = Expression::parse(source, Place::START).unwrap().check(&|_| None);
        checked.err().map(|mistake| {
            assert_eq!(mistake.id, "never-true", "{source}");
            mistake.remedy
        })
    }

    #[test]
    fn words_that_a_value_never_is_are_found_wherever_they_stand() {
        let near = [
            ("steps.a.result == 'not-met'", "not_met"),
            ("steps.a.began and ('nto_met' != steps.a.result)", "not_met"),
            ("result == 'MET'", "met"),
            ("now.weekday == 'Sun'", "sun"),
            ("not (now.hour < 9 or now.weekday in ['sat', 'Sunday'])", "sun"),
            ("steps.a.no_answer not in ['dns', 'tsl']", "tls"),
            ("incident.urgency == 'hihg'", "high"),
        ];
        for (source, word) in near {
            let wanted = Some(format!("did you mean '{word}'?"));
            assert_eq!(remedy(source), wanted, "{source}");
        }
        let far = remedy("steps.a.result == 'healthy'").unwrap();
        assert_eq!(far, "compare it with one of 'met', 'not_met', 'unclear', 'not_run'");
    }

    #[test]
    fn what_may_be_true_is_left_alone() {
        for source in [
            "steps.a.result == 'met' and steps.b.result != 'not_run'",
            "steps.a.no_answer in ['dns', ''] and steps.a.no_answer == ''",
            "now.weekday in 'sat sun'",
            "steps.a.state == 'Sun' and state == 'healthy'",
            "steps.a.result == steps.b.result",
            "capture.result == 'ok' and now.date == 'Sun'",
        ] {
            assert_eq!(remedy(source), None, "{source}");
        }
    }
}
