//! What `env("NAME")` and `option("path.to.setting")` are answered with.

use std::env::VarError;

use swak_sdk::options::{Key, Literal, LiteralValue};

use crate::yaml::{Node, Value};

/// Answers `env(…)` and `option(…)`.
pub trait Environment {
    /// The environment variable of that name; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, in lower case: `it is not UTF-8`.
    fn env(&self, name: &str) -> Result<Option<String>, String>;

    /// The setting at a dotted path in the agent's config; `None` if it is not there.
    fn option(&self, path: &str) -> Option<Literal>;

    /// Whether the answers are known only where the recipe will run. Then none is asked for, and
    /// what depends on one is not checked.
    fn is_later(&self) -> bool {
        false
    }
}

/// The environment of this process, and settings read from YAML.
#[derive(Clone, Debug, Default)]
pub struct ProcessEnvironment {
    settings: Option<Literal>,
}

impl ProcessEnvironment {
    /// Without any settings.
    pub fn new() -> Self {
        ProcessEnvironment::default()
    }

    /// With the agent's config, a map of maps.
    #[must_use]
    pub fn with_settings(mut self, settings: &Node) -> Self {
        self.settings = Some(to_literal(settings));
        self
    }
}

impl Environment for ProcessEnvironment {
    fn env(&self, name: &str) -> Result<Option<String>, String> {
        // `std::env::var` panics on no name, but the answer for one that cannot be is clear.
        if name.is_empty() || name.contains(['=', '\0']) {
            return Ok(None);
        }
        match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err("its value is not UTF-8".into()),
        }
    }

    fn option(&self, path: &str) -> Option<Literal> {
        let mut at = self.settings.as_ref()?;
        for part in path.split('.') {
            let LiteralValue::Dict(entries) = &at.value else { return None };
            at = entries.iter().find(|(key, _)| key.name == part).map(|(_, value)| value)?;
        }
        Some(at.clone())
    }
}

/// For a recipe that will run elsewhere: nothing is asked of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Later;

impl Environment for Later {
    fn env(&self, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn option(&self, _: &str) -> Option<Literal> {
        None
    }

    fn is_later(&self) -> bool {
        true
    }
}

/// A YAML value as a recipe's value, with its places.
pub fn to_literal(node: &Node) -> Literal {
    let value = match &node.value {
        Value::Null => LiteralValue::None,
        Value::Bool(b) => LiteralValue::Bool(*b),
        Value::Int(n) => LiteralValue::Int(*n),
        Value::Float(n) => LiteralValue::Float(*n),
        Value::Str(text) => LiteralValue::Str(text.clone()),
        Value::List(items) => LiteralValue::List(items.iter().map(to_literal).collect()),
        Value::Map(entries) => LiteralValue::Dict(
            entries
                .iter()
                .map(|(key, value)| {
                    (Key { name: key.name.clone(), span: key.span }, to_literal(value))
                })
                .collect(),
        ),
    };
    Literal { value, span: node.span }
}
