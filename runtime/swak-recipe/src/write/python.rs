//! The Python spelling.

use swak_sdk::options::{Literal, LiteralValue};

use super::WIDTH;
use crate::syntax::{Expr, ExprKind, Script};

const INDENT: usize = 4;

/// A whole recipe: every task on lines of its own.
pub(super) fn write(script: &Script) -> String {
    let mut out = String::new();
    for (i, statement) in script.statements.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if let Some(target) = &statement.target {
            out.push_str(&target.name);
            out.push_str(" = ");
        }
        let is_task = statement.value.as_call().is_some_and(|call| !call.args.is_empty());
        write_expr(&statement.value, 0, is_task, &mut out);
        out.push('\n');
    }
    out
}

/// On one line.
pub(super) fn flat(expr: &Expr) -> String {
    let bare = |value| Literal::bare(value).to_string();
    match &expr.kind {
        ExprKind::None | ExprKind::Unreadable => "None".into(),
        ExprKind::Bool(b) => bare(LiteralValue::Bool(*b)),
        ExprKind::Int(n) => bare(LiteralValue::Int(*n)),
        ExprKind::Float(n) => bare(LiteralValue::Float(*n)),
        ExprKind::Str(text) => quoted(text),
        ExprKind::Name(name) => name.clone(),
        ExprKind::List(_) | ExprKind::Dict(_) | ExprKind::Call(_) => {
            let (open, parts, close) = parts(expr);
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(prefix, value)| format!("{prefix}{}", flat(value)))
                .collect();
            format!("{open}{}{close}", parts.join(", "))
        }
    }
}

fn write_expr(expr: &Expr, indent: usize, broken: bool, out: &mut String) {
    let one_line = flat(expr);
    let (open, parts, close) = parts(expr);
    // What stands before it on its line and the comma after it are left out of account: a line
    // may get a little longer than the width, but never grows with the recipe.
    if parts.is_empty() || (!broken && indent + one_line.chars().count() < WIDTH) {
        out.push_str(&one_line);
        return;
    }
    out.push_str(&open);
    out.push('\n');
    for (prefix, value) in parts {
        out.extend(std::iter::repeat_n(' ', indent + INDENT));
        out.push_str(&prefix);
        write_expr(value, indent + INDENT, false, out);
        out.push_str(",\n");
    }
    out.extend(std::iter::repeat_n(' ', indent));
    out.push_str(close);
}

/// What stands between brackets, each part with what is before its value.
fn parts(expr: &Expr) -> (String, Vec<(String, &Expr)>, &'static str) {
    match &expr.kind {
        ExprKind::List(items) => {
            ("[".into(), items.iter().map(|item| (String::new(), item)).collect(), "]")
        }
        ExprKind::Dict(entries) => {
            let entries =
                entries.iter().map(|(key, value)| (format!("{}: ", quoted(&key.name)), value));
            ("{".into(), entries.collect(), "}")
        }
        ExprKind::Call(call) => {
            let args = call.args.iter().map(|arg| {
                let prefix =
                    arg.name.as_ref().map_or_else(String::new, |key| format!("{}=", key.name));
                (prefix, &arg.value)
            });
            (format!("{}(", call.callee.name), args.collect(), ")")
        }
        _ => (String::new(), Vec::new(), ""),
    }
}

fn quoted(text: &str) -> String {
    Literal::bare(LiteralValue::Str(text.to_owned())).to_string()
}
