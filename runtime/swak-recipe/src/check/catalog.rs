//! The plugins that a recipe may name.

use std::path::PathBuf;
use std::time::Duration;

use swak_sdk::options::{
    Address, Args, ByteSize, DeliveryOptions, Expr, FieldPath, Glob, Kind, Literal, LiteralValue,
    OptionError, OptionErrors, OptionSpec, OptionValue, Pattern, PluginSpec, Template, TextKind,
    TypeSpec, alone, did_you_mean,
};
use swak_sdk::plugin::{Destination, HandsBack, Plugins, TimeLimit};

/// The plugins that a recipe may name, and what they say to their options.
pub trait Catalog {
    /// What is known of each plugin; paths (`in.FileTailing`) are unique.
    fn specs(&self) -> Vec<&PluginSpec>;

    /// Looks at the values of a call. The names were looked at before: every option is known,
    /// given once, and none is missing.
    ///
    /// `dead_letter` is whether the task has a place for rejected records.
    ///
    /// Left as it is, it goes by the spec alone; see [`check_values`].
    ///
    /// # Errors
    ///
    /// Every value that is wrong.
    fn validate(
        &self,
        spec: &PluginSpec,
        args: &Args,
        dead_letter: bool,
    ) -> Result<(), OptionErrors> {
        let _ = dead_letter;
        check_values(spec, args)
    }

    /// How long an output waits by itself, where the call says so: see
    /// [`Output::time_limits`](swak_sdk::plugin::Output::time_limits). A spec alone does not say; left
    /// as it is, none does.
    fn time_limits(&self, spec: &PluginSpec, args: &Args) -> Vec<TimeLimit> {
        let _ = (spec, args);
        Vec::new()
    }

    /// What comes back of what is written to an output: see
    /// [`Output::hands_back`](swak_sdk::plugin::Output::hands_back). A spec alone does not say; left
    /// as it is, all of it does.
    ///
    /// # Errors
    ///
    /// Why nothing does.
    fn hands_back(&self, spec: &PluginSpec, args: &Args) -> Result<HandsBack, String> {
        let _ = (spec, args);
        Ok(HandsBack::Whole)
    }

    /// The file that an output writes to: see
    /// [`Output::writes_to`](swak_sdk::plugin::Output::writes_to). A spec alone does not say; left as it
    /// is, none does.
    fn writes_to(&self, spec: &PluginSpec, args: &Args) -> Option<Destination> {
        let _ = (spec, args);
        None
    }
}

/// Specs alone, such as those that a compiler reads from source.
#[derive(Clone, Debug, Default)]
pub struct SpecList(pub Vec<PluginSpec>);

impl Catalog for SpecList {
    fn specs(&self) -> Vec<&PluginSpec> {
        self.0.iter().collect()
    }
}

/// What is linked in reads its own options, and is made once without running it.
impl Catalog for Plugins {
    fn specs(&self) -> Vec<&PluginSpec> {
        self.iter().map(|entry| &entry.spec).collect()
    }

    fn validate(
        &self,
        spec: &PluginSpec,
        args: &Args,
        dead_letter: bool,
    ) -> Result<(), OptionErrors> {
        match self.get(spec.kind, &spec.name) {
            Some(entry) => entry.validate(args, dead_letter),
            None => check_values(spec, args),
        }
    }

    fn time_limits(&self, spec: &PluginSpec, args: &Args) -> Vec<TimeLimit> {
        self.get(spec.kind, &spec.name).map_or_else(Vec::new, |entry| entry.time_limits(args))
    }

    fn hands_back(&self, spec: &PluginSpec, args: &Args) -> Result<HandsBack, String> {
        match self.get(spec.kind, &spec.name) {
            Some(entry) => entry.hands_back(args).map_err(|error| format!("{error:#}")),
            None => Ok(HandsBack::Whole),
        }
    }

    fn writes_to(&self, spec: &PluginSpec, args: &Args) -> Option<Destination> {
        self.get(spec.kind, &spec.name)?.writes_to(args)
    }
}

/// Holds values against a spec: types, ranges, words, durations, sizes, expressions, templates and
/// regular expressions. Names that the spec does not know are passed over.
///
/// # Errors
///
/// Every value that is wrong.
pub fn check_values(spec: &PluginSpec, args: &Args) -> Result<(), OptionErrors> {
    let mut errors = Vec::new();
    let by_position = spec.positional().zip(&args.positional);
    let by_name =
        args.named.iter().filter_map(|(key, value)| Some((spec.option(&key.name)?, value)));
    for (option, value) in by_position.chain(by_name) {
        check_option(option, value, &mut errors);
    }
    if errors.is_empty() && spec.kind == Kind::Output {
        // What does not go together shows only when each is right by itself.
        errors.extend(failure(DeliveryOptions::from_args(args)));
    }
    if errors.is_empty() { Ok(()) } else { Err(OptionErrors(errors)) }
}

/// The name that was most likely meant, out of names that the recipe itself gives. Of very many none
/// is looked for: that would cost their product with the mistakes.
pub(super) fn nearest<'a>(
    typed: &str,
    names: impl ExactSizeIterator<Item = &'a str>,
) -> Option<&'a str> {
    const MOST: usize = 2000;
    if names.len() > MOST { None } else { did_you_mean(typed, names) }
}

/// A word of a fixed set, and the nearest one when it is none of them.
pub(super) fn known_words<'a>(
    typed: &str,
    what: &str,
    words: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match did_you_mean(typed, words.clone()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            let words: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
            if words.is_empty() {
                format!("{what}: none")
            } else {
                format!("{what}: {}", words.join(", "))
            }
        }
    }
}

fn check_option(option: &OptionSpec, value: &Literal, errors: &mut Vec<OptionError>) {
    let before = errors.len();
    check_value(&option.ty, value, errors);
    if option.secret {
        // A message may quote the value.
        for error in &mut errors[before..] {
            error.message = format!("expected {}, found something else", option.ty.noun());
            error.help = None;
        }
    }
}

fn check_value(ty: &TypeSpec, value: &Literal, errors: &mut Vec<OptionError>) {
    let wrong = || OptionError::expected(ty, value);
    match (ty, &value.value) {
        (TypeSpec::Any, _) | (TypeSpec::Optional(_), LiteralValue::None) => {}
        (TypeSpec::Optional(inner), _) => check_value(inner, value, errors),
        (TypeSpec::List(inner), LiteralValue::List(items)) => {
            for item in items {
                check_value(inner, item, errors);
            }
        }
        (TypeSpec::List(_), LiteralValue::None) => {
            errors.push(wrong().with_help("write [] for an empty list"));
        }
        (TypeSpec::List(inner), _) => check_value(inner, value, errors),
        (TypeSpec::Dict(inner), LiteralValue::Dict(entries)) => {
            for (_, item) in entries {
                check_value(inner, item, errors);
            }
        }
        (TypeSpec::Struct(fields), LiteralValue::Dict(_)) => check_struct(fields, value, errors),
        (TypeSpec::Struct(fields), _) if alone(fields).is_some() => {
            alone(fields).into_iter().for_each(|field| check_option(field, value, errors));
        }
        (TypeSpec::Bool, _) => errors.extend(failure(bool::read(value))),
        (TypeSpec::Int { min, max }, LiteralValue::Int(n)) if (min..=max).contains(&n) => {}
        (TypeSpec::Int { .. }, LiteralValue::Str(text)) if text.trim().parse::<i64>().is_ok() => {
            errors.push(wrong().with_help(format!("write it without quotes: {}", text.trim())));
        }
        (TypeSpec::Float { min, max }, LiteralValue::Int(n))
            if (*min..=*max).contains(&(*n as f64)) => {}
        (TypeSpec::Float { min, max }, LiteralValue::Float(n)) if (min..=max).contains(&n) => {}
        (TypeSpec::Choice(choices), LiteralValue::Str(typed)) => {
            if !choices.iter().any(|choice| choice.name.eq_ignore_ascii_case(typed)) {
                let words = choices.iter().map(|choice| choice.name.as_ref());
                let error = match typed.len() <= 40 && !typed.contains(char::is_control) {
                    true => OptionError::new(value.span, format!("unknown word `{typed}`")),
                    // What is long or has lines is shown where it stands, not in the message.
                    false => OptionError::expected(ty, value),
                };
                errors.push(error.with_help(known_words(typed, "the words are", words)));
            }
        }
        (TypeSpec::Text(kind), _) => errors.extend(check_text(*kind, value)),
        _ => errors.push(wrong()),
    }
}

fn check_struct(fields: &[OptionSpec], value: &Literal, errors: &mut Vec<OptionError>) {
    let LiteralValue::Dict(entries) = &value.value else { return };
    for (key, item) in entries {
        match fields.iter().find(|field| field.name == key.name) {
            Some(field) => check_option(field, item, errors),
            None => {
                let names = fields.iter().map(|field| field.name.as_ref());
                let error = OptionError::new(key.span, format!("unknown option `{}`", key.name));
                errors.push(error.with_help(known_words(&key.name, "the options are", names)));
            }
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|(key, _)| key.name == field.name) {
            errors.push(OptionError::new(value.span, format!("missing option `{}`", field.name)));
        }
    }
}

/// The texts that have a syntax of their own are read by the types that plugins read them with.
fn check_text(kind: TextKind, value: &Literal) -> Vec<OptionError> {
    match kind {
        TextKind::Duration => failure(Duration::read(value)),
        TextKind::Size => failure(ByteSize::read(value)),
        TextKind::Char => failure(char::read(value)),
        TextKind::Path => failure(PathBuf::read(value)),
        TextKind::Glob => failure(Glob::read(value)),
        TextKind::FieldPath => failure(FieldPath::read(value)),
        TextKind::Template => failure(Template::read(value)),
        TextKind::Expression => failure(Expr::read(value)),
        TextKind::Regex => failure(Pattern::read(value)),
        TextKind::Address => failure(Address::read(value)),
        _ => failure(String::read(value)),
    }
}

fn failure<T>(result: Result<T, OptionErrors>) -> Vec<OptionError> {
    result.err().map_or_else(Vec::new, |errors| errors.0)
}
