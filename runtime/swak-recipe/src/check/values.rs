//! Expressions to values: `env(…)` and `option(…)` are answered.

use swak_sdk::options::{Literal, LiteralValue};

use super::Checker;
use super::params::Params;
use crate::diag::Diagnostic;
use crate::syntax::{Call, Expr, ExprKind};

impl Checker<'_> {
    /// The value of an expression; `None` when it has none, which was noted.
    pub(super) fn value(&mut self, expr: &Expr) -> Option<Literal> {
        let value = match &expr.kind {
            ExprKind::None => LiteralValue::None,
            ExprKind::Bool(b) => LiteralValue::Bool(*b),
            ExprKind::Int(n) => LiteralValue::Int(*n),
            ExprKind::Float(n) => LiteralValue::Float(*n),
            ExprKind::Str(text) => LiteralValue::Str(text.clone()),
            ExprKind::List(items) => {
                // Every element is looked at, also after a wrong one.
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                LiteralValue::List(items.into_iter().collect::<Option<_>>()?)
            }
            ExprKind::Dict(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, v)| Some((key.clone(), self.value(v)?))).collect();
                LiteralValue::Dict(entries.into_iter().collect::<Option<_>>()?)
            }
            ExprKind::Name(name) => {
                // A name without a dot was told when names were written out.
                if name.contains('.') {
                    self.found.push(not_a_value(expr, name));
                }
                return None;
            }
            ExprKind::Call(call) => return self.answer(call, expr),
            ExprKind::Unreadable => return None,
        };
        Some(Literal { value, span: expr.span })
    }

    fn answer(&mut self, call: &Call, expr: &Expr) -> Option<Literal> {
        let what = match call.callee.name.as_str() {
            "env" => "NAME",
            "option" => "path.to.setting",
            name => {
                let found = not_a_value(expr, name);
                self.found.push(found);
                return None;
            }
        };
        let callee = call.callee.name.as_str();
        let first = if callee == "env" { "name" } else { "path" };
        let params = Params::bind(call, &[first, "default"], &mut self.found);
        let default = params.get("default").map(|default| self.value(default));
        let Some(name) = params.get(first) else {
            self.found.push(
                Diagnostic::error("missing-argument", format!("`{callee}` needs a {first}"))
                    .at(expr.span, "")
                    .help(format!("write {callee}(\"{what}\")")),
            );
            return None;
        };
        if name.kind == ExprKind::Unreadable {
            return None;
        }
        let ExprKind::Str(name) = &name.kind else {
            self.found.push(
                Diagnostic::error(
                    "bad-argument",
                    format!("the {first} of `{callee}` is a string, found {}", name.noun()),
                )
                .at(name.span, "")
                .help(format!("write {callee}(\"{what}\")")),
            );
            return None;
        };
        if self.environment.is_later() {
            self.later.insert(expr.span);
            return Some(Literal { value: LiteralValue::None, span: expr.span });
        }
        let answer = match callee {
            "env" => self.variable(name, expr)?,
            _ => self.environment.option(name).map(|literal| literal.value),
        };
        match (answer, default) {
            (Some(value), _) => Some(Literal { value: replaced(value, expr), span: expr.span }),
            (None, Some(default)) => default,
            (None, None) => {
                self.found.push(unset(callee, name).at(expr.span, ""));
                None
            }
        }
    }

    /// A variable of the environment; `None` within when it is not set, and without when it cannot
    /// be read, which was noted.
    fn variable(&mut self, name: &str, expr: &Expr) -> Option<Option<LiteralValue>> {
        match self.environment.env(name) {
            Ok(answer) => {
                if answer.is_some() {
                    self.from_environment.insert(expr.span);
                }
                Some(answer.map(LiteralValue::Str))
            }
            Err(reason) => {
                let message = format!("the environment variable `{name}` cannot be read: {reason}");
                self.found.push(Diagnostic::error("env-unreadable", message).at(expr.span, ""));
                None
            }
        }
    }
}

fn unset(callee: &str, name: &str) -> Diagnostic {
    let (code, message) = match callee {
        "env" => ("env-unset", format!("the environment variable `{name}` is not set")),
        _ => ("option-unset", format!("the config has no setting `{name}`")),
    };
    Diagnostic::error(code, message)
        .help(format!("set it, or give a default: {callee}(\"{name}\", \"…\")"))
}

/// A setting has places in the file it was read from; in the recipe it stands at the call.
fn replaced(value: LiteralValue, at: &Expr) -> LiteralValue {
    let place = |literal: Literal| Literal { value: replaced(literal.value, at), span: at.span };
    match value {
        LiteralValue::List(items) => LiteralValue::List(items.into_iter().map(place).collect()),
        LiteralValue::Dict(entries) => LiteralValue::Dict(
            entries
                .into_iter()
                .map(|(mut key, value)| {
                    key.span = at.span;
                    (key, place(value))
                })
                .collect(),
        ),
        plain => plain,
    }
}

fn not_a_value(expr: &Expr, name: &str) -> Diagnostic {
    Diagnostic::error("not-a-value", format!("`{name}` is not a value"))
        .at(expr.span, "expected a string, number, list or dict")
        .help("plugins and flow words are steps of a task; values are read with env(…), option(…)")
}
