//! The defaults of options as JSON.

use serde_json::{Value, json};
use swak_recipe::diag::SourceFile;
use swak_recipe::python;
use swak_recipe::syntax::{Expr, ExprKind};

/// A default is kept as a recipe writes it: `"people"`, `True`, `[1, 2]`.
pub(super) fn default_value(written: &str) -> Option<Value> {
    let source = SourceFile::new("default", format!("default = {written}"));
    let (script, found) = python::parse(&source);
    match script.statements.as_slice() {
        [only] if found.is_empty() => json_of(&only.value),
        _ => None,
    }
}

fn json_of(expr: &Expr) -> Option<Value> {
    Some(match &expr.kind {
        ExprKind::None => Value::Null,
        ExprKind::Bool(b) => json!(b),
        ExprKind::Int(n) => json!(n),
        ExprKind::Float(n) => json!(n),
        ExprKind::Str(text) => json!(text),
        ExprKind::List(items) => items.iter().map(json_of).collect::<Option<_>>()?,
        ExprKind::Dict(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| Some((key.name.clone(), json_of(value)?)))
                .collect::<Option<_>>()?,
        ),
        ExprKind::Name(_) | ExprKind::Call(_) | ExprKind::Unreadable => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_read_as_recipes_are() {
        assert_eq!(default_value("True"), Some(json!(true)));
        assert_eq!(default_value("-1"), Some(json!(-1)));
        assert_eq!(default_value("[1, 2.5, \"a\"]"), Some(json!([1, 2.5, "a"])));
        assert_eq!(default_value("None"), Some(Value::Null));
        assert_eq!(default_value("env(\"A\")"), None);
    }
}
