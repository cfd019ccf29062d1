//! What a recipe says, before anyone asks whether it makes sense.
//!
//! Both spellings are read into this tree, and both are written from it; [`crate::check()`] turns it
//! into the [`crate::model`].

use swak_sdk::options::{Key, Span};

/// The deepest that calls, lists and dicts may stand in each other.
pub const MAX_DEPTH: usize = 64;

/// How a recipe is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Python's call syntax: `.swak`, `.swak.py`.
    Python,
    /// YAML: `.yml`, `.yaml`.
    Yaml,
}

impl Spelling {
    /// By the end of a file's name: `.yml` and `.yaml` are YAML, all else is Python.
    pub fn of(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(".yml") || lower.ends_with(".yaml") {
            Spelling::Yaml
        } else {
            Spelling::Python
        }
    }

    /// By the look of a text that has no name: the first word of YAML's spelling is `tasks:`.
    pub fn guess(text: &str) -> Self {
        let first = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("---"));
        match first {
            Some(line) if line.starts_with(['{', '-']) || line.starts_with("tasks:") => {
                Spelling::Yaml
            }
            _ => Spelling::Python,
        }
    }
}

/// A whole recipe.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Script {
    /// One after the other.
    pub statements: Vec<Statement>,
}

/// `expr`, or `name = expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The name that is bound.
    pub target: Option<Key>,
    /// What is said, or bound.
    pub value: Expr,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is written.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// `12`, `0x1f`, `1_000`
    Int(i64),
    /// `1.5`, `1e3`
    Float(f64),
    /// `"text"`
    Str(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{"a": 1}`; keys are unique.
    Dict(Vec<(Key, Expr)>),
    /// A name, or a path such as `out.Stdout` that is not called.
    Name(String),
    /// `task(…)`, `in.FileTailing(…)`
    Call(Call),
    /// Something that could not be read. It was told; nothing more is said about it.
    Unreadable,
}

/// `callee(arguments)`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called: `task`, `in.FileTailing`.
    pub callee: Key,
    /// In the order they are written.
    pub args: Vec<Arg>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The name of `name=value`.
    pub name: Option<Key>,
    /// The value.
    pub value: Expr,
}

impl Expr {
    /// The call, if it is one.
    pub fn as_call(&self) -> Option<&Call> {
        match &self.kind {
            ExprKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// What a person calls it: `a list`.
    pub fn noun(&self) -> String {
        match &self.kind {
            ExprKind::None => "None".into(),
            ExprKind::Bool(_) => "a bool".into(),
            ExprKind::Int(_) => "a whole number".into(),
            ExprKind::Float(_) => "a number".into(),
            ExprKind::Str(_) => "a string".into(),
            ExprKind::List(_) => "a list".into(),
            ExprKind::Dict(_) => "a dict".into(),
            ExprKind::Name(name) => format!("the name `{name}`"),
            ExprKind::Call(call) => format!("`{}(…)`", call.callee.name),
            ExprKind::Unreadable => "something unreadable".into(),
        }
    }
}
