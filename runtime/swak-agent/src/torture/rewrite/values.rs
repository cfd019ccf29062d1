//! The values of a call that are looked at or replaced: `env(…)` and `option(…)` are answered.

use swak_recipe::Environment;
use swak_recipe::syntax::{Arg, Call, Expr, ExprKind};
use swak_sdk::options::{
    Key, Literal, LiteralValue, OptionSpec, PluginSpec, Span, TextKind, TypeSpec,
};

/// The argument for an option, by name or by position.
pub(super) fn argument<'a>(
    call: &'a mut Call,
    spec: &PluginSpec,
    option: &OptionSpec,
) -> Option<&'a mut Expr> {
    let place = spec.positional().position(|one| one.name == option.name);
    let mut unnamed = 0..;
    call.args
        .iter_mut()
        .find(|arg| match &arg.name {
            Some(key) => key.name == option.name,
            None => place.is_some() && unnamed.next() == place,
        })
        .map(|arg| &mut arg.value)
}

/// Whether the call gives an option by name.
pub(super) fn names(call: &Call, option: &str) -> bool {
    call.args.iter().any(|arg| arg.name.as_ref().is_some_and(|key| key.name == option))
}

/// Leaves out what is given by name.
pub(super) fn remove(call: &mut Call, option: &str) {
    call.args.retain(|arg| arg.name.as_ref().is_none_or(|key| key.name != option));
}

/// Gives an option by name, in the place of what the call says.
pub(super) fn set(call: &mut Call, spec: &PluginSpec, option: &OptionSpec, value: Expr) {
    match argument(call, spec, option) {
        Some(place) => *place = value,
        None => {
            let key = Key { name: option.name.to_string(), span: Span::default() };
            call.args.push(Arg { name: Some(key), value });
        }
    }
}

/// Replaces each text in a value by what `change` makes of it.
pub(super) fn change_texts(
    value: &mut Expr,
    environment: &dyn Environment,
    change: &mut dyn FnMut(&str) -> String,
) {
    for_each_text(value, environment, &mut |text| Some(change(text)));
}

/// The texts in a value: that of a string, those of a list.
pub(super) fn texts(value: &Expr, environment: &dyn Environment) -> Vec<String> {
    let mut found = Vec::new();
    for_each_text(&mut value.clone(), environment, &mut |text| {
        found.push(text.to_owned());
        None
    });
    found
}

/// A text as it is written in a recipe.
pub(super) fn text(text: impl Into<String>) -> Expr {
    Expr { kind: ExprKind::Str(text.into()), span: Span::default() }
}

/// A whole number as it is written in a recipe.
pub(super) fn number(number: i64) -> Expr {
    Expr { kind: ExprKind::Int(number), span: Span::default() }
}

/// Whether a value is a text of this kind, or a list of such.
pub(super) fn is_text_of(ty: &TypeSpec, kind: TextKind) -> bool {
    match ty {
        TypeSpec::Text(this) => *this == kind,
        TypeSpec::List(inner) | TypeSpec::Optional(inner) => is_text_of(inner, kind),
        _ => false,
    }
}

fn for_each_text(
    value: &mut Expr,
    environment: &dyn Environment,
    change: &mut dyn FnMut(&str) -> Option<String>,
) {
    if let Some(answer) = answer(value, environment) {
        value.kind = answer;
    }
    match &mut value.kind {
        ExprKind::Str(text) => {
            if let Some(changed) = change(text) {
                *text = changed;
            }
        }
        ExprKind::List(items) => {
            items.iter_mut().for_each(|item| for_each_text(item, environment, change));
        }
        _ => {}
    }
}

/// What `env(…)` or `option(…)` stands for.
fn answer(value: &Expr, environment: &dyn Environment) -> Option<ExprKind> {
    let call = value.as_call()?;
    let default = call.args.get(1).map(|arg| arg.value.kind.clone());
    let ExprKind::Str(name) = &call.args.first()?.value.kind else { return None };
    let given = match call.callee.name.as_str() {
        "env" => environment.env(name).ok().flatten().map(ExprKind::Str),
        "option" => environment.option(name).map(|literal| written(&literal)),
        _ => return None,
    };
    given.or(default)
}

fn written(literal: &Literal) -> ExprKind {
    let expr = |literal: &Literal| Expr { kind: written(literal), span: literal.span };
    match &literal.value {
        LiteralValue::None => ExprKind::None,
        LiteralValue::Bool(b) => ExprKind::Bool(*b),
        LiteralValue::Int(n) => ExprKind::Int(*n),
        LiteralValue::Float(n) => ExprKind::Float(*n),
        LiteralValue::Str(text) => ExprKind::Str(text.clone()),
        LiteralValue::List(items) => ExprKind::List(items.iter().map(expr).collect()),
        LiteralValue::Dict(entries) => {
            ExprKind::Dict(entries.iter().map(|(key, value)| (key.clone(), expr(value))).collect())
        }
    }
}
