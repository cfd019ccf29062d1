//! What is known of a plugin without running it: its name, its options, their types.
//!
//! `#[derive(Options)]` writes a [`PluginSpec`]; the checker, `desc`, the JSON Schema, the Markdown
//! reference and the scaffold read it. The compiler builds the same thing from a crate's source, so
//! everything here is owned data and nothing in it is a function.

use std::borrow::Cow;
use std::fmt;

use super::DeliveryOptions;

/// Text that is `'static` when a macro wrote it and owned when it was read from source.
pub type Str = Cow<'static, str>;

/// Where a plugin may stand in a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Brings records in; always the first of a task, written `in.Name`.
    Input,
    /// Changes, holds or drops records; written `out.Name`.
    Transform,
    /// Hands records to the outside; written `out.Name`.
    Output,
}

impl Kind {
    /// The package that a recipe names it by: `in` or `out`.
    pub fn package(self) -> &'static str {
        match self {
            Kind::Input => "in",
            Kind::Transform | Kind::Output => "out",
        }
    }

    /// The options that every plugin of this kind has besides its own; see [`DeliveryOptions`].
    pub fn common_options(self) -> &'static [OptionSpec] {
        match self {
            Kind::Output => DeliveryOptions::specs(),
            Kind::Input | Kind::Transform => &[],
        }
    }

    /// `input`, `transform` or `output`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Transform => "transform",
            Kind::Output => "output",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything a person can be told about a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSpec {
    /// Input, transform or output.
    pub kind: Kind,
    /// The name in a recipe, without the package: `FileTailing`.
    pub name: Str,
    /// First sentence of the doc comment.
    pub summary: Str,
    /// The whole doc comment, Markdown.
    pub help: Str,
    /// Its own options, in the order they were declared.
    pub options: Cow<'static, [OptionSpec]>,
}

impl PluginSpec {
    /// As a recipe names it: `in.FileTailing`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.kind.package(), self.name)
    }

    /// The option of that name, which is its own or that of every plugin of its kind.
    pub fn option(&self, name: &str) -> Option<&OptionSpec> {
        self.all_options().find(|o| o.name == name)
    }

    /// Its own options, then those of every plugin of its kind.
    pub fn all_options(&self) -> impl Iterator<Item = &OptionSpec> + Clone {
        self.options.iter().chain(self.kind.common_options())
    }

    /// The options that may be given by position, in order.
    pub fn positional(&self) -> impl Iterator<Item = &OptionSpec> {
        self.options.iter().filter(|o| o.positional)
    }
}

/// One option of a plugin, or one field of a nested struct.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionSpec {
    /// The name in a recipe: `max_line`.
    pub name: Str,
    /// The doc comment, Markdown.
    pub help: Str,
    /// What may be written.
    pub ty: TypeSpec,
    /// Must be given.
    pub required: bool,
    /// May be given by position; positions follow the order of declaration.
    pub positional: bool,
    /// As it would be written in a recipe; `None` when required or when leaving it out is itself
    /// the meaning.
    pub default: Option<Str>,
    /// Never shown: not in `graph`, not beside a mistake, not in a log. `convert` writes what it reads.
    pub secret: bool,
}

/// The shape of a value in a recipe.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeSpec {
    /// Anything that a literal can be.
    Any,
    /// `True` or `False`.
    Bool,
    /// A whole number in a closed range.
    Int {
        /// Smallest allowed value.
        min: i64,
        /// Largest allowed value.
        max: i64,
    },
    /// A number in a closed range.
    Float {
        /// Smallest allowed value.
        min: f64,
        /// Largest allowed value.
        max: f64,
    },
    /// A string with a meaning of its own.
    Text(TextKind),
    /// One of these words.
    Choice(Cow<'static, [ChoiceSpec]>),
    /// A list; a single element may stand for a list of one.
    List(Box<TypeSpec>),
    /// A dict from strings to this.
    Dict(Box<TypeSpec>),
    /// A dict with these keys; a single value may stand for the field that [`alone`] names.
    Struct(Cow<'static, [OptionSpec]>),
    /// May be `None`.
    Optional(Box<TypeSpec>),
}

/// One word of a [`TypeSpec::Choice`].
#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceSpec {
    /// As written in a recipe: `drop_oldest`.
    pub name: Str,
    /// The doc comment, Markdown.
    pub help: Str,
}

/// What a string stands for. The name is shown to people; the check is the type's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Any text.
    Plain,
    /// A single character: `,`.
    Char,
    /// A file or folder.
    Path,
    /// A glob pattern: `/var/log/*.log`.
    Glob,
    /// A duration: `10s`, `5m`, `3h`, `2d`; a bare number is seconds.
    Duration,
    /// A size in bytes: `64k`, `8m`, `1g`; a bare number is bytes.
    Size,
    /// A path to a field: `a.b[0]`.
    FieldPath,
    /// A Jinja template: `{{ host }}-{{ status }}`.
    Template,
    /// A Jinja expression: `status >= 500`.
    Expression,
    /// A regular expression.
    Regex,
    /// An address: `127.0.0.1:24224`, `[::1]:24224`, `host`.
    Address,
    /// A text encoding by its WHATWG label: `utf-8`, `utf-16le`, `euc-kr`.
    Encoding,
}

impl TextKind {
    /// What a person calls it: `a duration`.
    pub fn noun(self) -> &'static str {
        match self {
            TextKind::Plain => "a string",
            TextKind::Char => "a single character",
            TextKind::Path => "a path",
            TextKind::Glob => "a glob pattern",
            TextKind::Duration => "a duration",
            TextKind::Size => "a size",
            TextKind::FieldPath => "a field path",
            TextKind::Template => "a template",
            TextKind::Expression => "an expression",
            TextKind::Regex => "a regular expression",
            TextKind::Address => "an address",
            TextKind::Encoding => "an encoding",
        }
    }
}

/// The field that a struct is, when a value is written instead of a dict: the first that may be
/// given by position. `retry="fast"` is then `retry={"mode": "fast"}`.
pub fn alone(fields: &[OptionSpec]) -> Option<&OptionSpec> {
    fields.iter().find(|field| field.positional)
}

impl TypeSpec {
    /// What a person calls it: `a whole number from 1 to 65535`. A list of globs is said as
    /// `a list of: a glob pattern`.
    pub fn noun(&self) -> String {
        match self {
            TypeSpec::Any => "any value".into(),
            TypeSpec::Bool => "True or False".into(),
            TypeSpec::Int { min: i64::MIN, max: i64::MAX } => "a whole number".into(),
            TypeSpec::Int { min, max: i64::MAX } => format!("a whole number of at least {min}"),
            TypeSpec::Int { min: i64::MIN, max } => format!("a whole number of at most {max}"),
            TypeSpec::Int { min, max } => format!("a whole number from {min} to {max}"),
            TypeSpec::Float { min, max } if min.is_infinite() && max.is_infinite() => {
                "a number".into()
            }
            TypeSpec::Float { min, max } if max.is_infinite() => {
                format!("a number of at least {min}")
            }
            TypeSpec::Float { min, max } if min.is_infinite() => {
                format!("a number of at most {max}")
            }
            TypeSpec::Float { min, max } => format!("a number from {min} to {max}"),
            TypeSpec::Text(kind) => kind.noun().into(),
            TypeSpec::Choice(choices) => {
                let names: Vec<_> = choices.iter().map(|c| format!("`{}`", c.name)).collect();
                format!("one of {}", names.join(", "))
            }
            TypeSpec::List(inner) => format!("a list of: {}", inner.noun()),
            TypeSpec::Dict(inner) => format!("a dict of: {}", inner.noun()),
            TypeSpec::Struct(fields) => match alone(fields) {
                Some(field) => {
                    // Whether it may be `None` is said of the whole.
                    let one = match &field.ty {
                        TypeSpec::Optional(inner) => inner.noun(),
                        ty => ty.noun(),
                    };
                    format!("{one}, or a dict of options")
                }
                None => "a dict of options".into(),
            },
            TypeSpec::Optional(inner) => format!("{}, or None", inner.noun()),
        }
    }
}
