//! Holding the arguments of a plugin against its spec.

use std::collections::HashMap;

use swak_sdk::options::{
    Args, Key, Literal, LiteralValue, OptionErrors, OptionSpec, PluginSpec, TypeSpec, did_you_mean,
};

use super::Checker;
use super::catalog::{check_values, known_words};
use crate::diag::{Diagnostic, Span};
use crate::syntax::{Call, Expr, ExprKind};

impl Checker<'_> {
    /// The arguments as values. Names are checked here, for every plugin alike; the values by the
    /// catalog, which may know more than the spec says.
    pub(super) fn options(&mut self, spec: &PluginSpec, call: &Call, span: Span) -> Args {
        let mut args = Args { span, ..Args::default() };
        let mut given: HashMap<&str, Span> = HashMap::new();
        let mut positional = spec.positional();
        let mut told_too_many = false;
        // An argument whose value was wrong was still given: it is not missing.
        let mut values_sound = true;
        for arg in &call.args {
            let value = self.value(&arg.value);
            values_sound &= value.is_some();
            match &arg.name {
                None => {
                    let Some(option) = positional.next() else {
                        if !told_too_many {
                            self.found.push(too_many(spec, arg.value.span));
                        }
                        told_too_many = true;
                        continue;
                    };
                    given.insert(&option.name, arg.value.span);
                    self.note_secrets(&arg.value, &option.ty, option.secret);
                    if let Some(value) = value {
                        args.positional.push(self.read_as(&option.ty, value));
                    }
                }
                Some(key) => {
                    let Some(option) = spec.option(&key.name) else {
                        self.found.push(unknown(spec, key));
                        continue;
                    };
                    self.note_secrets(&arg.value, &option.ty, option.secret);
                    if let Some(first) = given.insert(&option.name, key.span) {
                        self.found.push(repeated(spec, key, first));
                        continue;
                    }
                    if let Some(value) = value {
                        args.named.push((key.clone(), self.read_as(&option.ty, value)));
                    }
                }
            }
        }
        let mut complete = true;
        for option in spec.options.iter().filter(|option| option.required) {
            if !given.contains_key(option.name.as_ref()) {
                complete = false;
                self.found.push(missing(spec, option, call.callee.span));
            }
        }
        self.option_values(spec, &args, values_sound && complete);
        args
    }

    /// Remembers the places of literals that are secret by the option or by a field of its type.
    fn note_secrets(&mut self, value: &Expr, ty: &TypeSpec, secret: bool) {
        match (&value.kind, ty) {
            (_, TypeSpec::Optional(inner)) => self.note_secrets(value, inner, secret),
            (ExprKind::List(items), TypeSpec::List(inner)) => {
                items.iter().for_each(|item| self.note_secrets(item, inner, secret));
            }
            (ExprKind::List(items), _) => {
                items.iter().for_each(|item| self.note_secrets(item, ty, secret));
            }
            (_, TypeSpec::List(inner)) => self.note_secrets(value, inner, secret),
            (ExprKind::Dict(entries), TypeSpec::Struct(fields)) => {
                for (key, item) in entries {
                    let field = fields.iter().find(|field| field.name == key.name);
                    let (ty, own) = field.map_or((&TypeSpec::Any, false), |f| (&f.ty, f.secret));
                    self.note_secrets(item, ty, secret || own);
                }
            }
            (ExprKind::Dict(entries), _) => {
                let inner = if let TypeSpec::Dict(inner) = ty { inner } else { ty };
                entries.iter().for_each(|(_, item)| self.note_secrets(item, inner, secret));
            }
            // The name of a variable is no secret, its default is.
            (ExprKind::Call(call), _) => {
                let defaults = call.args.iter().skip(1);
                defaults.for_each(|arg| self.note_secrets(&arg.value, ty, secret));
            }
            (ExprKind::Str(_) | ExprKind::Int(_) | ExprKind::Float(_), _) if secret => {
                self.secrets.push(value.span);
            }
            _ => {}
        }
    }

    fn option_values(&mut self, spec: &PluginSpec, args: &Args, complete: bool) {
        let waits = !self.later.is_empty()
            && (args.positional.iter().any(|value| self.is_later(value))
                || args.named.iter().any(|(_, value)| self.is_later(value)));
        let result = if complete && !waits {
            self.catalog.validate(spec, args, self.dead_letter)
        } else if args.positional.len()
            == args.positional.iter().filter(|v| !self.is_later(v)).count()
        {
            // What is there is looked at; what is missing was told, and would be told again.
            let mut known = args.clone();
            known.named.retain(|(_, value)| !self.is_later(value));
            check_values(spec, &known)
        } else {
            let known = self.known_by_name(spec, args);
            check_values(spec, &known)
        };
        let Err(OptionErrors(errors)) = result else { return };
        for error in errors {
            let place = option_at(spec, args, error.span)
                .map_or_else(String::new, |name| format!("`{name}` of `{}`", spec.path()));
            let found = Diagnostic::error("bad-option", error.message).at(error.span, place);
            self.found.push(error.help.into_iter().fold(found, Diagnostic::help));
        }
    }

    /// The values that are known now, all by name, since those by position would move up.
    fn known_by_name(&self, spec: &PluginSpec, args: &Args) -> Args {
        let by_position = spec.positional().zip(&args.positional).map(|(option, value)| {
            (Key { name: option.name.to_string(), span: value.span }, value.clone())
        });
        let named = by_position
            .chain(args.named.iter().cloned())
            .filter(|(_, value)| !self.is_later(value))
            .collect();
        Args { span: args.span, positional: Vec::new(), named }
    }

    fn is_later(&self, value: &Literal) -> bool {
        if self.later.is_empty() {
            return false;
        }
        self.later.contains(&value.span)
            || match &value.value {
                LiteralValue::List(items) => items.iter().any(|item| self.is_later(item)),
                LiteralValue::Dict(entries) => entries.iter().any(|(_, item)| self.is_later(item)),
                _ => false,
            }
    }

    /// An environment variable is text; where a number or a bool is wanted, it is read as one.
    fn read_as(&self, ty: &TypeSpec, mut value: Literal) -> Literal {
        match (ty, &mut value.value) {
            (TypeSpec::Optional(inner), _) => return self.read_as(inner, value),
            (TypeSpec::List(inner), LiteralValue::List(items)) => {
                let read = std::mem::take(items).into_iter();
                *items = read.map(|item| self.read_as(inner, item)).collect();
            }
            (TypeSpec::List(inner), _) => return self.read_as(inner, value),
            (_, LiteralValue::Str(text)) if self.from_environment.contains(&value.span) => {
                let text = text.trim();
                let read = match ty {
                    TypeSpec::Int { .. } => text.parse().ok().map(LiteralValue::Int),
                    TypeSpec::Float { .. } => {
                        text.parse().ok().filter(|n: &f64| n.is_finite()).map(LiteralValue::Float)
                    }
                    TypeSpec::Bool => match text.to_ascii_lowercase().as_str() {
                        "true" | "1" | "yes" | "on" => Some(LiteralValue::Bool(true)),
                        "false" | "0" | "no" | "off" => Some(LiteralValue::Bool(false)),
                        _ => None,
                    },
                    _ => None,
                };
                if let Some(read) = read {
                    value.value = read;
                }
            }
            _ => {}
        }
        value
    }
}

/// The option in whose value a place is.
fn option_at<'a>(spec: &'a PluginSpec, args: &'a Args, at: Span) -> Option<&'a str> {
    let holds = |value: &Literal| value.span.start <= at.start && at.end <= value.span.end;
    let mut by_position = spec.positional().zip(&args.positional);
    match by_position.find(|(_, value)| holds(value)) {
        Some((option, _)) => Some(&option.name),
        None => args.named.iter().find(|(_, value)| holds(value)).map(|(key, _)| key.name.as_str()),
    }
}

fn unknown(spec: &PluginSpec, key: &Key) -> Diagnostic {
    let names = spec.options.iter().map(|option| option.name.as_ref());
    let all = spec.all_options().map(|option| option.name.as_ref());
    let help = if matches!(key.name.as_str(), "env" | "option") {
        // In YAML `out.X: {env: NAME}` gives an option of that name.
        format!("a value that is read from outside stands in a list: [{{{}: NAME}}]", key.name)
    } else if let Some(near) = did_you_mean(&key.name, all) {
        format!("did you mean `{near}`?")
    } else if spec.options.is_empty() && spec.kind.common_options().is_empty() {
        format!("`{}` takes no options", spec.path())
    } else if spec.options.is_empty() {
        format!("`{}` takes no options of its own", spec.path())
    } else {
        known_words(&key.name, "the options are", names)
    };
    let message = format!("`{}` has no option `{}`", spec.path(), key.name);
    let found = Diagnostic::error("unknown-option", message).at(key.span, "");
    let common: Vec<_> =
        spec.kind.common_options().iter().map(|option| format!("`{}`", option.name)).collect();
    let told_all = help.starts_with("the options are") || help.ends_with("of its own");
    match (told_all, common.is_empty()) {
        (true, false) => {
            found.help(help).help(format!("every {} has: {}", spec.kind, common.join(", ")))
        }
        _ => found.help(help),
    }
}

fn repeated(spec: &PluginSpec, key: &Key, first: Span) -> Diagnostic {
    Diagnostic::error(
        "repeated-option",
        format!("the option `{}` of `{}` is given twice", key.name, spec.path()),
    )
    .at(key.span, "again here")
    .label(first, "first here")
    .help("keep one of them")
}

fn missing(spec: &PluginSpec, option: &OptionSpec, at: Span) -> Diagnostic {
    let what = option.help.lines().next().unwrap_or_default().trim();
    Diagnostic::error(
        "missing-option",
        format!("`{}` needs the option `{}`", spec.path(), option.name),
    )
    .at(at, "")
    .help(match what {
        "" => format!("`{}` is {}", option.name, option.ty.noun()),
        what => format!("`{}`: {what} ({})", option.name, option.ty.noun()),
    })
}

fn too_many(spec: &PluginSpec, at: Span) -> Diagnostic {
    let names: Vec<_> = spec.positional().map(|option| format!("`{}`", option.name)).collect();
    let message = match names.len() {
        0 => format!("`{}` takes no values without a name", spec.path()),
        1 => format!("`{}` takes no more than one value without a name", spec.path()),
        most => format!("`{}` takes no more than {most} values without a name", spec.path()),
    };
    let all: Vec<_> = spec.options.iter().map(|option| format!("`{}`", option.name)).collect();
    let found = Diagnostic::error("too-many-options", message).at(at, "");
    if all.is_empty() {
        found.help("it takes no options")
    } else if names.is_empty() {
        found.help(format!("write name=value; the options are: {}", all.join(", ")))
    } else {
        found.help(format!("without a name: {}; all: {}", names.join(", "), all.join(", ")))
    }
}
