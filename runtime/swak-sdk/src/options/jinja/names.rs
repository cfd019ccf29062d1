//! Names of filters and tests that do not exist, found before anything runs.

use minijinja::context;

use super::SyntaxError;
use super::environment::environment;
use super::tokens::{Token, TokenKind};

/// Looks at every filter, test and call by name; Jinja itself finds these only when it comes to
/// them, which may be for one record in a million.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<(), SyntaxError> {
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Name {
            continue;
        }
        let before = at.checked_sub(1).map(|i| tokens[i]);
        let is_test = before.is_some_and(|b| b.is_name("is"))
            || (before.is_some_and(|b| b.is_name("not"))
                && at >= 2
                && tokens[at - 2].is_name("is"));
        let problem = if before.is_some_and(|b| b.is_operator("|")) {
            (!exists(token.text, "filter")).then(|| format!("there is no filter `{}`", token.text))
        } else if is_test {
            let is_known = token.text == "not" || exists(token.text, "test");
            (!is_known).then(|| format!("there is no test `{}`", token.text))
        } else {
            let is_call = tokens.get(at + 1).is_some_and(|next| next.text == "(")
                && !before.is_some_and(|b| b.is_operator("."))
                && !is_keyword(token.text);
            is_call.then(|| format!("there is no function `{}`", token.text))
        };
        if let Some(message) = problem {
            return Err(SyntaxError { message, range: (*token).into() });
        }
    }
    Ok(())
}

fn is_keyword(name: &str) -> bool {
    ["and", "or", "not", "in", "is", "if", "elif", "else", "loop"].contains(&name)
}

/// Asks Jinja whether it knows a filter or a test.
fn exists(name: &str, kind: &str) -> bool {
    environment()
        .compile_expression_owned(format!("name is {kind}"))
        .and_then(|expression| expression.eval(context!(name)))
        .is_ok_and(|answer| answer.is_true())
}
