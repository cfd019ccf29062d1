//! Expressions: `status >= 500`.

use std::fmt;
use std::sync::Arc;

use minijinja::Expression;

use super::direct::Direct;
use super::environment::environment;
use super::value::from_jinja;
use super::{
    EvalError, Names, Scope, SyntaxError, names, rewrite, sorted_names, tokens, variables,
};
use crate::data::{RecordRef, Value};
use crate::options::scalar::read_text;
use crate::options::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A Jinja expression over a record: `status >= 500 and path is not match("/health")`.
///
/// See [`Scope`] for its variables. A field that is not there is undefined, which is false, equal
/// to no value, and neither less nor greater than one. Text that is a number compares with numbers
/// as a number.
#[derive(Clone)]
pub struct Expr {
    text: Arc<str>,
    names: Names,
    compiled: Arc<Expression<'static, 'static>>,
    /// When it is simple. It leaves to `compiled` what it has no answer to.
    direct: Option<Arc<Direct>>,
}

impl Expr {
    /// Compiles an expression.
    pub fn new(text: &str) -> Result<Self, SyntaxError> {
        let compile = |text: &str| environment().compile_expression_owned(text.to_owned());
        // Compiled as it was written first: mistakes are told in its own terms.
        let plain = compile(text).map_err(|error| SyntaxError::new(&error, text))?;
        names::check(&tokens::of_expression(text))?;
        let names = sorted_names(plain.undeclared_variables(false));
        let compiled =
            compile(&rewrite::expression(text)).map_err(|_| SyntaxError::too_deep(text))?;
        let direct = Direct::new(text).map(Arc::new);
        Ok(Expr { text: text.into(), names, compiled: Arc::new(compiled), direct })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the record answers to it: false for what is undefined, `none`, zero or empty.
    pub fn matches(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        match self.direct.as_ref().and_then(|direct| direct.matches(scope)) {
            Some(answer) => Ok(answer),
            None => self.evaluate(scope).map(|value| value.is_true()),
        }
    }

    /// The same of a record of a batch, which is fastest where the expression is simple.
    #[inline]
    pub fn matches_in(
        &self,
        record: RecordRef<'_>,
        tag: &str,
        source: &str,
    ) -> Result<bool, EvalError> {
        match self.direct.as_ref().and_then(|direct| direct.holds(record)) {
            Some(answer) => Ok(answer),
            None => self.matches(&Scope { record, tag, source }),
        }
    }

    /// Its value; [`Value::Null`] for what is undefined.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, EvalError> {
        match self.direct.as_ref().and_then(|direct| direct.eval(scope)) {
            Some(value) => Ok(value),
            None => self.evaluate(scope).map(|value| from_jinja(&value)),
        }
    }

    /// The same, always evaluated by Jinja: what [`Direct`] is held against. `None` if it is so
    /// anyway.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn by_jinja(&self) -> Option<Self> {
        self.direct.is_some().then(|| Expr { direct: None, ..self.clone() })
    }

    fn evaluate(&self, scope: &Scope<'_>) -> Result<minijinja::Value, EvalError> {
        let variables = variables(&self.names, scope);
        self.compiled.eval(variables).map_err(|error| EvalError::new(&error))
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({:?})", self.text)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl OptionValue for Expr {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Expression)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Expression)?;
        Expr::new(text).map_err(|error| {
            let found = OptionError::new(
                literal.span_within(error.range),
                format!("not an expression: {}", error.message),
            );
            if text.trim_start().starts_with("{{") {
                found.with_help("an expression is written without `{{` and `}}`")
            } else {
                found
                    .with_help("an expression is written in Jinja: status >= 500 and host == \"a\"")
            }
            .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Map, Record, Slice, Timestamp};
    use crate::options::testing::{error, text};
    use crate::options::{LiteralValue, Span};

    fn record() -> Record {
        let mut inner = Map::new();
        inner.insert("b", vec![10i64, 20]);
        let mut map = Map::new();
        map.insert("status", 503);
        map.insert("code", "503");
        map.insert("word", "abc");
        map.insert("raw", Value::Bytes(Slice::from(&b"caf\xe9"[..])));
        map.insert("nothing", Value::Null);
        map.insert("a", inner);
        map.insert("time", "a field");
        Record::from_fields(map, Timestamp::from_parts(1_700_000_000, 0))
    }

    fn matches(expression: &str) -> bool {
        let record = record();
        let scope = Scope { record: record.view(), tag: "web", source: "/var/log/x" };
        let expr = Expr::new(expression).unwrap_or_else(|e| panic!("`{expression}`: {e}"));
        expr.matches(&scope).unwrap_or_else(|e| panic!("`{expression}`: {e}"))
    }

    #[test]
    fn fields_and_words_are_variables() {
        for yes in [
            "status >= 500",
            "status == 503 and word == 'abc'",
            "a.b[1] == 20",
            "record.a.b|length == 2",
            "record.time == 'a field'",
            "tag == 'web' and source is startingwith('/var')",
            "time > '2023-01-01T00:00:00Z' and time < '2024-01-01T00:00:00Z'",
            "line is undefined",
            "word is match('a') and word is search('c$') and word is not match('c')",
            "status in [500, 503]",
            "500 <= status < 600",
        ] {
            assert!(matches(yes), "{yes}");
        }
    }

    #[test]
    fn what_is_missing_is_false_and_no_error() {
        for no in [
            "missing",
            "missing.deeper.still",
            "missing < 5",
            "missing > 5",
            "missing == 5",
            "missing == ''",
            "nothing < 5",
            "range",
            "debug",
            "missing is match('a')",
            "'x' in missing",
            "'x' in nothing",
            "missing in a.b",
            "missing in word",
        ] {
            assert!(!matches(no), "{no}");
        }
        assert!(matches("missing != 5 and missing is undefined and nothing is none"));
    }

    #[test]
    fn unlike_values_compare_with_sense() {
        for yes in [
            "code >= 500",
            "code == 503",
            "503.0 == code",
            "code < 504",
            "503 <= code",
            "code in [500, 503]",
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in
            ["word > 5", "word < 5", "word == 5", "a > 5", "code < 503", "'inf' > 5", "a == 5"]
        {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn in_looks_into_text_lists_and_maps() {
        for yes in [
            "'b' in word",
            "'x' not in word",
            "50 in code",
            "10 in a.b",
            "'b' in a",
            "'fé' not in raw",
            "'caf' in raw",
            "1 not in [2, 3] and 2 in [2, 3]",
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in ["'z' in a", "30 in a.b", "5 in status", "'5' in time"] {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn a_line_has_its_text_and_its_message() {
        let scope = Scope::bare(RecordRef::from_line(b"GET / 500", Timestamp::default()));
        for yes in
            ["'500' in line", "message == line", "line|length == 9", "record.message == line"]
        {
            assert_eq!(Expr::new(yes).unwrap().matches(&scope), Ok(true), "{yes}");
        }
    }

    #[test]
    fn values_come_out_as_they_are() {
        let record = record();
        let scope = Scope::bare(record.view());
        let eval = |text: &str| Expr::new(text).unwrap().eval(&scope).unwrap();
        assert_eq!(eval("status + 1"), Value::Int(504));
        assert_eq!(eval("a"), *record.fields().unwrap().get("a").unwrap());
        assert_eq!(eval("time"), Value::Time(record.time()));
        assert_eq!(eval("word|upper"), Value::from("ABC"));
        assert_eq!(eval("[1, 'x']"), Value::List(vec![Value::Int(1), Value::from("x")]));
        assert_eq!(eval("missing"), Value::Null);
    }

    #[test]
    fn what_cannot_be_computed_is_an_error_and_no_panic() {
        let record = record();
        let scope = Scope::bare(record.view());
        let fails = |text: &str| Expr::new(text).unwrap().matches(&scope).unwrap_err().to_string();
        assert!(fails("word + 1").contains("unsupported types"), "{}", fails("word + 1"));
        assert!(fails("status / 0").contains("503 / 0"), "{}", fails("status / 0"));
        assert!(fails("word is match('(')").contains("not a regular expression"));
        assert!(fails("word|strftime('%Y')").contains("`abc` is not a time"));
    }

    #[test]
    fn mistakes_are_found_when_it_is_read() {
        for (wrong, message) in [
            ("status >", "not an expression: unexpected end of input"),
            ("status >= 500)", "not an expression: unexpected"),
            ("word|uper", "not an expression: there is no filter `uper`"),
            ("word is mach('a')", "not an expression: there is no test `mach`"),
            ("word is not mach('a')", "not an expression: there is no test `mach`"),
            ("len(word)", "not an expression: there is no function `len`"),
        ] {
            let e = error::<Expr>(text(wrong));
            assert!(e.message.starts_with(message), "{wrong}: {}", e.message);
        }
        let deep = "(".repeat(60) + "a" + &" < 1)".repeat(60);
        assert_eq!(Expr::new(&deep).unwrap_err().message, "it is nested too deeply");
        assert!(Expr::new(&"(".repeat(100_000)).is_err());
        assert!(error::<Expr>(text("{{ a }}")).help.unwrap().contains("without"));
        let value = LiteralValue::Str("word|uper".to_owned());
        let read = Expr::read(&Literal { value, span: Span::new(0, 11) });
        assert_eq!(read.unwrap_err().0[0].span, Span::new(6, 10));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(written in r#"[ab<>=!().,:'"|+0-9 -]{0,24}|(a|b|1|<|==|in|not|is|and|if|else|[|]|\(|\)|\||upper| ){0,24}"#) {
            if let Ok(expr) = Expr::new(&written) {
                let _ = expr.matches(&Scope::bare(record().view()));
            }
        }

        #[test]
        fn numbers_compare_as_they_do_in_rust(a: i32, b: i32, c: i32) {
            let mut map = Map::new();
            map.insert("a", a);
            map.insert("b", b.to_string());
            map.insert("c", c);
            let record = Record::from_fields(map, Timestamp::default());
            let holds = |text: &str| {
                Expr::new(text).unwrap().matches(&Scope::bare(record.view())).unwrap()
            };
            prop_assert_eq!(holds("a < b"), a < b);
            prop_assert_eq!(holds("a == b"), a == b);
            prop_assert_eq!(holds("a < b <= c or not (a != c)"), (a < b && b <= c) || a == c);
        }
    }
}
