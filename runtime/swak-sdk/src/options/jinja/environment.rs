//! The one configuration of `minijinja` for templates and expressions.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, escape_formatter};

use super::{compare, filters};

/// How many steps an evaluation may take: a thousand times more than any sensible one, and still
/// over in some milliseconds.
const FUEL: u64 = 200_000;

/// The environment that expressions are compiled in and templates start from.
pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut env = Environment::new();
        env.set_fuel(Some(FUEL));
        // Debug information would copy the text into every error of every record.
        env.set_debug(false);
        env.set_undefined_behavior(UndefinedBehavior::Chainable);
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        env.set_syntax(
            SyntaxConfig::builder()
                .keep_trailing_newline(true)
                .build()
                .expect("the delimiters are the usual ones"),
        );
        env.set_formatter(|out, state, value| match value.as_bytes() {
            _ if value.is_none() => Ok(()),
            Some(bytes) if value.as_str().is_none() => {
                let text = Value::from(String::from_utf8_lossy(bytes).as_ref());
                escape_formatter(out, state, &text)
            }
            _ => escape_formatter(out, state, value),
        });
        // A field of one of these names that is not there must be undefined.
        for name in ["range", "dict", "debug", "namespace"] {
            env.remove_global(name);
        }
        compare::add_filter(&mut env);
        filters::add(&mut env);
        env
    });
    &ENVIRONMENT
}
