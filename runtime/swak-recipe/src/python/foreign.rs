//! What Python has and a recipe has not, and what to write instead.

use crate::diag::{Diagnostic, Span};

const NO_PROGRAM: &str = "a recipe is not a program: it lists tasks, it does not compute";

/// A statement of Python that begins with this word.
pub(super) fn statement(word: &str, span: Span) -> Option<Diagnostic> {
    let help = match word {
        "for" | "while" => {
            "write each task out, or write a program that generates the recipe as YAML"
        }
        "def" | "class" | "async" => {
            "give a value a name with `name = …`; new behaviour is a plugin's"
        }
        "import" | "from" => {
            "plugins are imported in the build config, and are here as `in.…` and `out.…`"
        }
        "if" | "elif" | "else" | "match" | "case" => {
            "records are chosen with when(\"status >= 500\", [...], otherwise=[...])"
        }
        "return" | "yield" | "pass" | "break" | "continue" | "global" | "nonlocal" => "remove it",
        "del" | "assert" | "raise" | "try" | "except" | "finally" | "with" => {
            "what to do when an output fails is said with failover(…) or dead_letter="
        }
        _ => return None,
    };
    Some(not_in_language(format!("`{word}` is not in the recipe language"), span, help))
}

/// A word that means something in the middle of a Python expression.
pub(super) fn word_in_expression(word: &str, span: Span) -> Option<Diagnostic> {
    let help = match word {
        "lambda" => "records are changed by plugins, such as out.Reform(…)",
        "for" | "async" | "await" => "write the elements out",
        "if" | "else" => {
            "read a setting with env(\"NAME\", default), or choose records with when(…)"
        }
        "and" | "or" | "not" | "is" => {
            "conditions are strings: when(\"a > 1 and b < 2\", [...]); out.Filter(\"…\")"
        }
        "yield" => "remove it",
        _ => return None,
    };
    Some(not_in_language(format!("`{word}` is not in the recipe language"), span, help))
}

/// An operator in the middle of an expression.
pub(super) fn operator(text: &str, span: Span) -> Diagnostic {
    let help = match text {
        "+" => "strings side by side are joined: \"a\" \"b\"; numbers are written out",
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "&" | "|" => {
            "conditions are strings: when(\"status >= 500\", [...])"
        }
        "*" | "**" => "write the elements or arguments out",
        "%" => "options that are templates take {{ field }}",
        ":=" | "+=" | "-=" => "a name is bound once, with `name = …`",
        _ => "write the value out; put it in quotes if it is text",
    };
    not_in_language(format!("the operator `{text}` is not in the recipe language"), span, help)
}

/// `(a, b)`
pub(super) fn tuple(span: Span) -> Diagnostic {
    not_in_language("tuples are not in the recipe language", span, "write a list: [a, b]")
}

/// `{a, b}`
pub(super) fn set(span: Span) -> Diagnostic {
    not_in_language(
        "sets are not in the recipe language",
        span,
        "write a list: [a, b]; or a dict: {\"a\": 1}",
    )
}

/// `a[0]`
pub(super) fn subscript(span: Span) -> Diagnostic {
    not_in_language(
        "subscripts are not in the recipe language",
        span,
        "write the value out; a `,` may be missing before the `[`",
    )
}

/// `"a".upper()`
pub(super) fn attribute(span: Span) -> Diagnostic {
    not_in_language(
        "attributes and methods of values are not in the recipe language",
        span,
        "write the value out; only `in.…` and `out.…` have a dot",
    )
}

fn not_in_language(message: impl Into<String>, span: Span, help: &str) -> Diagnostic {
    Diagnostic::error("not-in-language", message).at(span, "").help(help).help(NO_PROGRAM)
}
