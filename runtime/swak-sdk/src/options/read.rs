//! Reading typed values out of literals, and the errors of it.

use std::collections::BTreeMap;

use super::range::check_range;
use super::spec::alone;
use super::suggest::known_words;
use super::{Args, Key, Literal, LiteralValue, OptionSpec, Span, TypeSpec};

/// A type that an option can have.
///
/// Implemented for `bool`, integers, `f64`, `char`, `String`, `PathBuf`, `Duration`, `Option`,
/// `Vec`, `BTreeMap` and the types of this module; `#[derive(Options)]` on a struct without
/// `#[plugin]` and `#[derive(Choice)]` on an enum make more.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an option",
    label = "not an option type",
    note = "derive `Choice` for an enum of words, or `Options` without `#[plugin]` for a nested struct"
)]
pub trait OptionValue: Sized {
    /// Whether values of this type are never shown, as if every option of it were marked
    /// `secret`.
    const SECRET: bool = false;

    /// What may be written.
    fn type_spec() -> TypeSpec;

    /// Reads it.
    fn read(literal: &Literal) -> Result<Self, OptionErrors>;
}

/// One mistake in the options of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionError {
    /// Where.
    pub span: Span,
    /// What is wrong, in lower case and without a full stop: ``expected a size, found `5x` ``.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Every mistake found in one call; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionErrors(pub Vec<OptionError>);

impl OptionError {
    /// A mistake at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        OptionError { span, message: message.into(), help: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `expected a size, found a list`
    pub fn expected(spec: &TypeSpec, found: &Literal) -> Self {
        let what = match &found.value {
            LiteralValue::Str(s) if s.len() <= 40 && !s.contains(char::is_control) => {
                format!("`{s}`")
            }
            LiteralValue::Int(n) => format!("`{n}`"),
            LiteralValue::Float(n) => format!("`{n}`"),
            other => other.noun().to_owned(),
        };
        OptionError::new(found.span, format!("expected {}, found {what}", spec.noun()))
    }
}

impl From<OptionError> for OptionErrors {
    fn from(error: OptionError) -> Self {
        OptionErrors(vec![error])
    }
}

impl std::fmt::Display for OptionErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for OptionErrors {}

/// What the derive macro reads a struct with: takes one field after the other and gathers errors.
pub struct OptionReader<'a> {
    specs: &'a [OptionSpec],
    /// The call or dict, for what is missing from it.
    span: Span,
    given: BTreeMap<&'a str, &'a Literal>,
    errors: Vec<OptionError>,
}

impl<'a> OptionReader<'a> {
    /// Reads a plugin's call: arguments by position are matched with the positional options.
    pub fn from_args(args: &'a Args, specs: &'a [OptionSpec]) -> Self {
        let mut reader = OptionReader::new(args.span, specs);
        let mut places = specs.iter().filter(|s| s.positional);
        for literal in &args.positional {
            let Some(spec) = places.next() else {
                reader.errors.push(too_many(literal, specs));
                break;
            };
            reader.given.insert(&spec.name, literal);
        }
        for (key, literal) in &args.named {
            reader.give(key, literal);
        }
        reader
    }

    /// Reads a nested struct from a dict, or from the value of the field that may stand alone.
    pub fn from_literal(literal: &'a Literal, specs: &'a [OptionSpec]) -> Self {
        let mut reader = OptionReader::new(literal.span, specs);
        match &literal.value {
            LiteralValue::Dict(entries) => {
                for (key, value) in entries {
                    reader.give(key, value);
                }
            }
            value if alone(specs).is_some() && !matches!(value, LiteralValue::None) => {
                reader.given.extend(alone(specs).map(|field| (field.name.as_ref(), literal)));
            }
            _ => {
                let spec = TypeSpec::Struct(specs.to_vec().into());
                let names: Vec<_> = specs.iter().map(|s| s.name.as_ref()).collect();
                reader.errors.push(
                    OptionError::expected(&spec, literal)
                        .with_help(format!("a dict with the keys: {}", names.join(", "))),
                );
                // One mistake, not one more for each key that is now missing.
                reader.specs = &[];
            }
        }
        reader
    }

    /// Takes a required field. `None` means that an error was noted; the caller goes on, so that
    /// the other fields are looked at too.
    pub fn required<T: OptionValue>(&mut self, name: &str) -> Option<T> {
        if let Some(&literal) = self.given.get(name) {
            return self.value(name, literal);
        }
        if let Some(spec) = self.specs.iter().find(|s| s.name == name) {
            let error = OptionError::new(self.span, format!("missing option `{name}`"));
            let help = format!("`{name}` is {}: {}", spec.ty.noun(), first_line(&spec.help));
            self.errors.push(error.with_help(help));
        }
        None
    }

    /// Takes a field that may be left out.
    pub fn or_default<T: OptionValue>(
        &mut self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        match self.given.get(name) {
            Some(&literal) => self.value(name, literal),
            None => Some(default()),
        }
    }

    /// Takes a field whose default is a literal.
    ///
    /// # Panics
    ///
    /// If the type refuses its own default. The test that `#[derive(Options)]` writes beside the
    /// struct finds that before a user does.
    pub fn or_default_literal<T: OptionValue>(
        &mut self,
        name: &str,
        default: &Literal,
    ) -> Option<T> {
        if let Some(&literal) = self.given.get(name) {
            return self.value(name, literal);
        }
        let (value, errors) = self.check::<T>(name, default);
        if errors.is_empty() {
            return value;
        }
        panic!(
            "the default of option `{name}` is one that its type accepts, but: {}",
            OptionErrors(errors)
        );
    }

    /// Where a field was given, or the whole call, for checks that follow.
    pub fn span_of(&self, name: &str) -> Span {
        self.given.get(name).map_or(self.span, |l| l.span)
    }

    /// Notes a mistake.
    pub fn error(&mut self, error: OptionError) {
        self.errors.push(error);
    }

    /// Ends the reading: the mistakes if there were any, in the order of their places.
    pub fn finish(mut self) -> Result<(), OptionErrors> {
        if self.errors.is_empty() {
            return Ok(());
        }
        self.errors.sort_by_key(|error| error.span.start);
        Err(OptionErrors(self.errors))
    }

    fn new(span: Span, specs: &'a [OptionSpec]) -> Self {
        OptionReader { specs, span, given: BTreeMap::new(), errors: Vec::new() }
    }

    fn give(&mut self, key: &'a Key, literal: &'a Literal) {
        if !self.specs.iter().any(|s| s.name == key.name) {
            let known = if self.specs.is_empty() {
                "it takes no options".to_owned()
            } else {
                let names = self.specs.iter().map(|s| s.name.as_ref());
                known_words(&key.name, "the options are", names)
            };
            let error = OptionError::new(key.span, format!("unknown option `{}`", key.name));
            self.errors.push(error.with_help(known));
        } else if self.given.insert(&key.name, literal).is_some() {
            self.errors
                .push(OptionError::new(key.span, format!("option `{}` is given twice", key.name)));
        }
    }

    fn value<T: OptionValue>(&mut self, name: &str, literal: &Literal) -> Option<T> {
        let (value, errors) = self.check(name, literal);
        if errors.is_empty() {
            return value;
        }
        self.errors.extend(errors);
        None
    }

    /// Reads a value and holds it against its spec, which may be narrower than the type.
    fn check<T: OptionValue>(
        &self,
        name: &str,
        literal: &Literal,
    ) -> (Option<T>, Vec<OptionError>) {
        let spec = self.specs.iter().find(|s| s.name == name);
        let mut errors = Vec::new();
        let value = match T::read(literal) {
            Ok(value) => {
                if let Some(spec) = spec {
                    check_range(&spec.ty, literal, &mut errors);
                }
                Some(value)
            }
            Err(OptionErrors(found)) => {
                errors = found;
                None
            }
        };
        if let Some(spec) = spec.filter(|spec| spec.secret && !errors.is_empty()) {
            // The messages of the type may quote the value.
            let (wanted, found) = (spec.ty.noun(), literal.value.noun());
            let message =
                format!("option `{name}`: expected {wanted}, found {found} that is not one");
            errors = vec![OptionError::new(literal.span, message)];
        }
        (value, errors)
    }
}

fn too_many(literal: &Literal, specs: &[OptionSpec]) -> OptionError {
    let names: Vec<_> =
        specs.iter().filter(|s| s.positional).map(|s| format!("`{}`", s.name)).collect();
    let message = match names.len() {
        0 => "no value may be given by position here".to_owned(),
        most => format!("too many values by position, at most {most} may be given"),
    };
    let error = OptionError::new(literal.span, message);
    match (names.is_empty(), specs.is_empty()) {
        (_, true) => error.with_help("it takes no options"),
        (true, false) => {
            let all: Vec<_> = specs.iter().map(|s| format!("`{}`", s.name)).collect();
            error.with_help(format!("give it by name, the options are: {}", all.join(", ")))
        }
        (false, false) => {
            error.with_help(format!("by position: {}; the others by name", names.join(", ")))
        }
    }
}

fn first_line(help: &str) -> &str {
    help.lines().next().unwrap_or_default()
}
