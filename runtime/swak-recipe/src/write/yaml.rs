//! The YAML spelling.

use super::{WIDTH, argument, positional};
use crate::syntax::{Call, Expr, ExprKind, Script, Statement};
use crate::yaml::is_plain_text;
use crate::yaml_recipe::{DICT, POSITIONAL, is_taken_for_a_call};

/// A whole recipe.
pub(super) fn write(script: &Script) -> String {
    let tasks = script.statements.iter().map(task).collect();
    let mut text = String::new();
    block(&Out::Map(vec![("tasks".into(), Out::Block(tasks))]), 0, &mut text);
    text.push('\n');
    text
}

/// YAML that is about to be written.
enum Out {
    /// A scalar as it is written.
    Word(String),
    /// A list, on one line if it fits.
    List(Vec<Out>),
    /// A list with a line for each element.
    Block(Vec<Out>),
    /// A map, on one line if it fits.
    Map(Vec<(String, Out)>),
}

fn task(statement: &Statement) -> Out {
    let Some(call) = statement.value.as_call() else { return value(&statement.value) };
    let steps = Out::Block(positional(call).map(|arg| step(&arg.value)).collect());
    let given = argument(call, usize::MAX, "name").map(value);
    let name = given.or_else(|| Some(word(&statement.target.as_ref()?.name)));
    let dead_letter = argument(call, usize::MAX, "dead_letter").map(step);
    let unacked = argument(call, usize::MAX, "unacked").map(value);
    if name.is_none() && dead_letter.is_none() && unacked.is_none() {
        return steps;
    }
    let mut entries = Vec::new();
    entries.extend(name.map(|name| ("name".to_owned(), name)));
    entries.extend(dead_letter.map(|output| ("dead_letter".to_owned(), output)));
    entries.extend(unacked.map(|size| ("unacked".to_owned(), size)));
    entries.push(("steps".into(), steps));
    Out::Map(entries)
}

fn step(expr: &Expr) -> Out {
    let Some(call) = expr.as_call() else { return value(expr) };
    let name = scalar(&call.callee.name);
    let body = match call.callee.name.as_str() {
        "failover" => failover(call),
        "tee" => Out::List(positional(call).map(|arg| branch(&arg.value)).collect()),
        "when" => when(call),
        "sleep" => argument(call, 0, "duration").map_or_else(null, value),
        "link" => argument(call, 0, "name").map_or_else(null, value),
        _ if call.args.is_empty() => return Out::Word(name),
        _ => options(call),
    };
    Out::Map(vec![(name, body)])
}

fn failover(call: &Call) -> Out {
    let outputs = positional(call).map(|arg| step(&arg.value)).collect();
    let mut entries = vec![("outputs".to_owned(), Out::List(outputs))];
    entries.extend(argument(call, usize::MAX, "last").map(|last| ("last".to_owned(), step(last))));
    for name in ["start_by", "timeout", "drain_back"] {
        let given = argument(call, usize::MAX, name);
        entries.extend(given.map(|given| (name.to_owned(), value(given))));
    }
    Out::Map(entries)
}

fn when(call: &Call) -> Out {
    let parts = [("condition", value as fn(&Expr) -> Out), ("then", branch), ("otherwise", branch)];
    let entries = parts.iter().enumerate().filter_map(|(place, (name, write))| {
        Some(((*name).to_owned(), write(argument(call, place, name)?)))
    });
    Out::Map(entries.collect())
}

fn branch(expr: &Expr) -> Out {
    match &expr.kind {
        ExprKind::List(steps) => Out::List(steps.iter().map(step).collect()),
        _ => value(expr),
    }
}

fn options(call: &Call) -> Out {
    let by_position: Vec<&Expr> = positional(call).map(|arg| &arg.value).collect();
    let named: Vec<(String, Out)> = call
        .args
        .iter()
        .filter_map(|arg| Some((scalar(&arg.name.as_ref()?.name), value(&arg.value))))
        .collect();
    let list = |values: &[&Expr]| Out::List(values.iter().map(|expr| value(expr)).collect());
    match (by_position.as_slice(), named.is_empty()) {
        ([], _) => Out::Map(named),
        // A null alone would be no option at all, a list or map would be options.
        ([only], true) => match value(only) {
            Out::Word(word) if only.kind != ExprKind::None => Out::Word(word),
            other => Out::List(vec![other]),
        },
        (values, true) => list(values),
        (values, false) => {
            let mut entries = vec![(quoted(POSITIONAL), list(values))];
            entries.extend(named);
            Out::Map(entries)
        }
    }
}

fn value(expr: &Expr) -> Out {
    match &expr.kind {
        ExprKind::None | ExprKind::Unreadable => null(),
        ExprKind::Bool(b) => Out::Word(b.to_string()),
        ExprKind::Int(n) => Out::Word(n.to_string()),
        ExprKind::Float(n) => Out::Word(format!("{n:?}")),
        ExprKind::Str(text) => word(text),
        ExprKind::Name(name) => word(name),
        ExprKind::List(items) => Out::List(items.iter().map(value).collect()),
        ExprKind::Dict(entries) => {
            let map = Out::Map(entries.iter().map(|(k, v)| (scalar(&k.name), value(v))).collect());
            match entries.as_slice() {
                [(key, inner)] if is_taken_for_a_call(&key.name, &inner.kind) => {
                    Out::Map(vec![(DICT.to_owned(), map)])
                }
                _ => map,
            }
        }
        ExprKind::Call(call) => {
            let first = if call.callee.name == "env" { "name" } else { "path" };
            let name = argument(call, 0, first).map_or_else(null, value);
            let body = match argument(call, 1, "default") {
                Some(default) => Out::List(vec![name, value(default)]),
                None => name,
            };
            Out::Map(vec![(call.callee.name.clone(), body)])
        }
    }
}

fn null() -> Out {
    Out::Word("null".into())
}

fn word(text: &str) -> Out {
    Out::Word(scalar(text))
}

/// A text as a scalar: in quotes unless it is plain and would be read as itself anywhere.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/'));
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c));
    // Words that older readers take for a bool.
    let old_bool =
        ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if begins && rest && !old_bool && is_plain_text(text) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Line and paragraph separators, the byte order mark and what YAML calls not printable.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Writes with a line for each element, the first line where the text is now.
fn block(out: &Out, indent: usize, text: &mut String) {
    match out {
        Out::List(items) | Out::Block(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                new_line(i, indent, text);
                text.push_str("- ");
                fitting(item, indent + 2, text);
            }
        }
        Out::Map(entries) if !entries.is_empty() => {
            for (i, (key, value)) in entries.iter().enumerate() {
                new_line(i, indent, text);
                text.push_str(key);
                text.push(':');
                if is_flow(value, indent + key.len() + 2) {
                    text.push(' ');
                    flow(value, text);
                } else {
                    new_line(1, indent + 2, text);
                    block(value, indent + 2, text);
                }
            }
        }
        _ => flow(out, text),
    }
}

fn fitting(out: &Out, indent: usize, text: &mut String) {
    match out {
        // A step stands as `- name: options`, which reads better than braces around it.
        Out::Map(entries) if entries.len() == 1 => block(out, indent, text),
        _ if is_flow(out, indent) => flow(out, text),
        _ => block(out, indent, text),
    }
}

fn new_line(i: usize, indent: usize, text: &mut String) {
    if i > 0 {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
    }
}

fn is_flow(out: &Out, indent: usize) -> bool {
    let mut line = String::new();
    match out {
        Out::Word(_) => true,
        Out::Block(items) => items.is_empty(),
        Out::Map(entries) if entries.iter().any(|(_, v)| matches!(v, Out::Block(_))) => false,
        _ => {
            flow(out, &mut line);
            indent + line.chars().count() <= WIDTH
        }
    }
}

fn flow(out: &Out, text: &mut String) {
    match out {
        Out::Word(word) => text.push_str(word),
        Out::List(items) | Out::Block(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i > 0 { ", " } else { "" });
                flow(item, text);
            }
            text.push(']');
        }
        Out::Map(entries) => {
            text.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                text.push_str(if i > 0 { ", " } else { "" });
                text.push_str(key);
                text.push_str(": ");
                flow(value, text);
            }
            text.push('}');
        }
    }
}
