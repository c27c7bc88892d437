//! `used >= 90 and state == 'Running'`: comparisons and small sums, in Jinja's words.
//!
//! The engine is minijinja. Of its language only what compares and calculates is let in: names,
//! numbers, texts, lists, `== != < <= > >= in`, `and or not`, `+ - * / // %`, `is none`, and the
//! functions of [`FUNCTIONS`]. Types are checked before anything runs, since the engine itself
//! calls `503 > 'x'` merely false. A value that is not there makes the whole expression unclear,
//! unless it is asked about with `is none`.

mod words;

use std::collections::BTreeSet;

use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, UnaryOpKind};
use minijinja::machinery::parse_expr;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Jinja};
use serde_json::Value;

use crate::scenario::capture::CaptureKind;
use crate::scenario::value::{Type, Values};
use crate::yaml::Place;

/// Functions an expression may call.
pub const FUNCTIONS: [&str; 5] = ["min", "max", "round", "length", "abs"];

/// Bytes of one expression: the engine reads it recursively, and people cannot read it at all.
const LONGEST: usize = 500;

/// Instructions of the engine one evaluation may take.
const FUEL: u64 = 10_000;

/// A checked expression and the names it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    source: String,
    /// Dotted names whose absence makes it unclear.
    needs: BTreeSet<String>,
    /// Dotted names that are asked about with `is none`.
    asks: BTreeSet<String>,
    place: Place,
}

/// Why an expression has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResult {
    #[error("there is no value for {0}")]
    Missing(String),
    #[error("{0}")]
    Failed(String),
}

/// What is wrong with an expression as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub id: &'static str,
    pub message: String,
    pub remedy: String,
}

impl Expression {
    pub fn parse(source: &str, place: Place) -> Result<Self, Mistake> {
        let source = source.trim();
        if source.len() > LONGEST {
            return Err(mistake(
                "bad-expression",
                format!("the expression has {} bytes; {LONGEST} is the limit", source.len()),
                "take a value of its own in an earlier step, and compare that",
            ));
        }
        let tree = parse_expr(source).map_err(|error| {
            let reason = error.detail().unwrap_or("it is not complete").to_owned();
            mistake(
                "bad-expression",
                format!("'{source}' cannot be read: {reason}"),
                "write a comparison, such as used >= 90 or state == 'Running'",
            )
        })?;
        let mut names = Names::default();
        names.collect(&tree)?;
        let Names { needs, asks } = names;
        let needs = needs.difference(&asks).cloned().collect();
        Ok(Self { source: source.to_owned(), needs, asks, place })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub const fn place(&self) -> Place {
        self.place
    }

    /// Every name it refers to.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().chain(&self.asks).map(String::as_str)
    }

    /// Names without which it has no result.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(String::as_str)
    }

    /// What it gives, if the names hold what `known` says.
    pub fn check(&self, known: &dyn Fn(&str) -> Option<Type>) -> Result<Type, Mistake> {
        let tree = parse_expr(&self.source)
            .map_err(|error| mistake("bad-expression", error.to_string(), "write a comparison"))?;
        let kind = type_of(&tree, known)?;
        words::check(&tree)?;
        Ok(kind)
    }

    /// For conditions.
    pub fn holds(&self, values: &Values) -> Result<bool, NoResult> {
        match self.evaluate(values)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(NoResult::Failed(format!("'{}' gave {other}", self.source))),
        }
    }

    /// For calculations.
    pub fn evaluate(&self, values: &Values) -> Result<Value, NoResult> {
        if let Some(missing) = self.needs.iter().find(|name| values.get(name).is_none()) {
            return Err(NoResult::Missing(missing.clone()));
        }
        let failed = |error: minijinja::Error| {
            NoResult::Failed(format!("'{}' cannot be evaluated: {error}", self.source))
        };
        let environment = environment();
        let compiled = environment.compile_expression(&self.source).map_err(failed)?;
        let result = compiled.eval(Serde(values.tree())).map_err(failed)?;
        serde_json::to_value(&result)
            .map_err(|error| NoResult::Failed(format!("'{}': {error}", self.source)))
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    // A name that is only asked about may be absent at every level.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.add_test("none", |value: &Jinja| value.is_none() || value.is_undefined());
    environment.add_function("min", |a: f64, b: f64| plain(a.min(b)));
    environment.add_function("max", |a: f64, b: f64| plain(a.max(b)));
    environment.add_function("round", |a: f64| plain(a.round()));
    environment.add_function("abs", |a: f64| plain(a.abs()));
    environment.add_function("length", |value: &Jinja| value.len().unwrap_or(0));
    environment
}

/// A whole number without `.0`.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small enough")]
fn plain(number: f64) -> Jinja {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        Jinja::from(number as i64)
    } else {
        Jinja::from(number)
    }
}

fn mistake(id: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Mistake {
    Mistake { id, message: message.into(), remedy: remedy.into() }
}

fn not_allowed(what: &str) -> Mistake {
    mistake(
        "bad-expression",
        format!("{what} cannot be used in an expression"),
        format!(
            "use names, numbers, 'texts', == != < <= > >= in and or not + - * / // %, 'is none' \
             and the functions {}",
            FUNCTIONS.join(", ")
        ),
    )
}

/// Collects names, and refuses what is not part of the language.
#[derive(Default)]
struct Names {
    needs: BTreeSet<String>,
    asks: BTreeSet<String>,
}

impl Names {
    fn collect(&mut self, tree: &Expr<'_>) -> Result<(), Mistake> {
        if let Some(name) = dotted(tree) {
            self.needs.insert(name);
            return Ok(());
        }
        match tree {
            Expr::Const(_) => Ok(()),
            Expr::UnaryOp(op) => self.collect(&op.expr),
            Expr::BinOp(op) if matches!(op.op, BinOpKind::Concat | BinOpKind::Pow) => {
                Err(not_allowed("'~' and '**'"))
            }
            Expr::BinOp(op) => {
                self.collect(&op.left)?;
                self.collect(&op.right)
            }
            Expr::Compare(compare) => {
                self.collect(&compare.expr)?;
                compare.ops.iter().try_for_each(|op| self.collect(&op.expr))
            }
            Expr::List(list) => list.items.iter().try_for_each(|item| self.collect(item)),
            Expr::Tuple(tuple) => tuple.items.iter().try_for_each(|item| self.collect(item)),
            Expr::Test(test) if test.name == "none" && test.args.is_empty() => {
                match dotted(&test.expr) {
                    Some(name) => {
                        self.asks.insert(name);
                        Ok(())
                    }
                    None => Err(not_allowed("'is none' of anything but a name")),
                }
            }
            Expr::Test(_) => Err(not_allowed("an 'is' other than 'is none'")),
            Expr::Call(_) => {
                let (_, arguments) = call(tree)?;
                arguments.iter().try_for_each(|argument| self.collect(argument))
            }
            Expr::Filter(_) => Err(not_allowed("'|'")),
            Expr::IfExpr(_) => Err(not_allowed("'if'")),
            Expr::Slice(_) | Expr::GetItem(_) => Err(not_allowed("'[ ]' behind a name")),
            Expr::Map(_) => Err(not_allowed("'{ }'")),
            Expr::Var(_) | Expr::GetAttr(_) => Err(not_allowed("such a name")),
        }
    }
}

/// The function's name and what it is called with.
fn call<'a, 'b>(tree: &'a Expr<'b>) -> Result<(&'b str, Vec<&'a Expr<'b>>), Mistake> {
    use minijinja::machinery::ast::CallArg;
    let Expr::Call(call) = tree else { return Err(not_allowed("this")) };
    let Expr::Var(function) = &call.expr else {
        return Err(not_allowed("a call of anything but a function"));
    };
    let wanted = match function.id {
        "min" | "max" => 2,
        name if FUNCTIONS.contains(&name) => 1,
        name => return Err(not_allowed(&format!("the function '{name}'"))),
    };
    let plain: Vec<&Expr<'b>> = call
        .args
        .iter()
        .filter_map(|argument| if let CallArg::Pos(it) = argument { Some(it) } else { None })
        .collect();
    if plain.len() != wanted || plain.len() != call.args.len() {
        return Err(mistake(
            "bad-expression",
            format!("{} is called with {} values", function.id, call.args.len()),
            format!("give it {wanted}, such as {}(used, 90)", function.id),
        ));
    }
    Ok((function.id, plain))
}

/// `steps.disk.used`, if the expression is such a name.
fn dotted(tree: &Expr<'_>) -> Option<String> {
    match tree {
        Expr::Var(name) => Some(name.id.to_owned()),
        Expr::GetAttr(attribute) => {
            Some(format!("{}.{}", dotted(&attribute.expr)?, attribute.name))
        }
        _ => None,
    }
}

/// Types that may meet in a comparison.
fn comparable(one: Type, other: Type) -> bool {
    let family = |kind: Type| match kind {
        Type::One(CaptureKind::Number) => 0,
        Type::One(_) => 1,
        Type::Bool => 2,
        Type::List(_) => 3,
        Type::Table => 4,
        Type::Any => 5,
    };
    one == Type::Any || other == Type::Any || family(one) == family(other)
}

fn type_of(tree: &Expr<'_>, known: &dyn Fn(&str) -> Option<Type>) -> Result<Type, Mistake> {
    if let Some(name) = dotted(tree) {
        // An unknown name has its own finding.
        return Ok(known(&name).unwrap_or(Type::Any));
    }
    match tree {
        Expr::Const(constant) => Ok(match constant.value.kind() {
            minijinja::value::ValueKind::Number => Type::NUMBER,
            minijinja::value::ValueKind::String => Type::TEXT,
            minijinja::value::ValueKind::Bool => Type::Bool,
            _ => Type::Any,
        }),
        Expr::UnaryOp(op) => {
            let wanted = if matches!(op.op, UnaryOpKind::Not) { Type::Bool } else { Type::NUMBER };
            expect(&op.expr, wanted, known)
        }
        Expr::BinOp(op) => match op.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                expect(&op.left, Type::Bool, known)?;
                expect(&op.right, Type::Bool, known)
            }
            BinOpKind::Add
            | BinOpKind::Sub
            | BinOpKind::Mul
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem => {
                expect(&op.left, Type::NUMBER, known)?;
                expect(&op.right, Type::NUMBER, known)
            }
            BinOpKind::In => inside(&op.left, &op.right, known),
            _ => compare(&op.left, &op.right, known),
        },
        Expr::Compare(chain) => {
            let mut left = &chain.expr;
            for op in &chain.ops {
                match op.op {
                    CompareOpKind::In | CompareOpKind::NotIn => inside(left, &op.expr, known)?,
                    _ => compare(left, &op.expr, known)?,
                };
                left = &op.expr;
            }
            Ok(Type::Bool)
        }
        Expr::Test(_) => Ok(Type::Bool),
        Expr::Call(_) => {
            let (function, arguments) = call(tree)?;
            if function != "length" {
                for argument in arguments {
                    expect(argument, Type::NUMBER, known)?;
                }
            }
            Ok(Type::NUMBER)
        }
        Expr::List(list) => items(&list.items, known),
        Expr::Tuple(tuple) => items(&tuple.items, known),
        _ => Ok(Type::Any),
    }
}

fn items(items: &[Expr<'_>], known: &dyn Fn(&str) -> Option<Type>) -> Result<Type, Mistake> {
    let first = items.first().map(|item| type_of(item, known)).transpose()?;
    let number = first == Some(Type::NUMBER);
    Ok(Type::List(if number { CaptureKind::Number } else { CaptureKind::Text }))
}

fn expect(
    tree: &Expr<'_>,
    wanted: Type,
    known: &dyn Fn(&str) -> Option<Type>,
) -> Result<Type, Mistake> {
    let found = type_of(tree, known)?;
    if comparable(found, wanted) {
        return Ok(wanted);
    }
    let what = dotted(tree).map_or_else(|| "a part of it".to_owned(), |name| format!("'{name}'"));
    Err(mistake(
        "wrong-operand",
        format!("{what} is {}, but {} is wanted there", found.words(), wanted.words()),
        "compare it with something first, or give the value another type",
    ))
}

fn compare(
    left: &Expr<'_>,
    right: &Expr<'_>,
    known: &dyn Fn(&str) -> Option<Type>,
) -> Result<Type, Mistake> {
    let (one, other) = (type_of(left, known)?, type_of(right, known)?);
    if comparable(one, other) {
        return Ok(Type::Bool);
    }
    Err(mistake(
        "compares-different-types",
        format!("{} is compared with {}, which is never true", one.words(), other.words()),
        "write numbers without quotes and texts in quotes, or give the value another type",
    ))
}

fn inside(
    left: &Expr<'_>,
    right: &Expr<'_>,
    known: &dyn Fn(&str) -> Option<Type>,
) -> Result<Type, Mistake> {
    let (one, several) = (type_of(left, known)?, type_of(right, known)?);
    let fits = match several {
        Type::Any => true,
        Type::List(kind) => comparable(one, Type::One(kind)),
        Type::One(CaptureKind::Number) | Type::Bool | Type::Table => false,
        Type::One(_) => comparable(one, Type::TEXT),
    };
    if fits {
        return Ok(Type::Bool);
    }
    Err(mistake(
        "compares-different-types",
        format!("{} is looked for in {}, where it can never be", one.words(), several.words()),
        "look for a text in a list of texts or in a text, for a number in a list of numbers",
    ))
}
