//! Templates: `{{ host }}-{{ status }}`.

use std::fmt;
use std::sync::Arc;

use minijinja::Environment;

use super::direct::Pieces;
use super::environment::environment;
use super::{
    EvalError, Names, Scope, SyntaxError, names, rewrite, sorted_names, tokens, variables,
};
use crate::options::scalar::read_text;
use crate::options::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A Jinja template over a record: `/var/log/{{ host }}/{{ time|strftime("%Y-%m-%d") }}.log`.
///
/// See [`Scope`] for its variables. What is not there, and `null`, is written as nothing. Nothing
/// is escaped: whoever builds a path or a query from it looks at the result.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    /// `None` when there is nothing in it to be filled in.
    compiled: Option<Compiled>,
}

#[derive(Clone)]
struct Compiled {
    names: Names,
    /// Holds one template; `minijinja` keeps owned text only in an environment.
    environment: Arc<Environment<'static>>,
    /// When it is simple. It leaves to `environment` what it cannot render.
    pieces: Option<Arc<Pieces>>,
}

/// The name of the one template.
const NAME: &str = "template";

impl Template {
    /// Compiles a template.
    pub fn new(text: &str) -> Result<Self, SyntaxError> {
        if !["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
            return Ok(Template { text: text.into(), compiled: None });
        }
        // Compiled as it was written first: mistakes are told in its own terms.
        let (plain, _) = compile(text).map_err(|error| SyntaxError::new(&error, text))?;
        for part in tokens::of_template(text) {
            names::check(&part.tokens)?;
        }
        drop(plain);
        let (environment, names) =
            compile(&rewrite::template(text)).map_err(|_| SyntaxError::too_deep(text))?;
        let pieces = Pieces::new(text).map(Arc::new);
        let compiled = Compiled { names, environment: Arc::new(environment), pieces };
        Ok(Template { text: text.into(), compiled: Some(compiled) })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it always renders, if that does not depend on the record.
    pub fn as_constant(&self) -> Option<&str> {
        self.compiled.is_none().then_some(&*self.text)
    }

    /// The text for a record.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        let mut out = Vec::new();
        self.render_into(scope, &mut out)?;
        Ok(String::from_utf8(out).expect("a template renders text"))
    }

    /// Appends the text for a record, which is UTF-8; nothing if it has none. For many records this
    /// is cheaper than [`Template::render`].
    pub fn render_into(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
        let Some(compiled) = &self.compiled else {
            out.extend_from_slice(self.text.as_bytes());
            return Ok(());
        };
        if compiled.pieces.as_ref().and_then(|pieces| pieces.render(scope, out)).is_some() {
            return Ok(());
        }
        let template =
            compiled.environment.get_template(NAME).expect("the template was added when compiled");
        let rendered = template
            .render(variables(&compiled.names, scope))
            .map_err(|error| EvalError::new(&error))?;
        out.extend_from_slice(rendered.as_bytes());
        Ok(())
    }

    /// The same, always rendered by Jinja: what [`Pieces`] is held against. `None` if it is so
    /// anyway.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn by_jinja(&self) -> Option<Self> {
        let compiled = self.compiled.as_ref().filter(|compiled| compiled.pieces.is_some())?;
        let compiled = Compiled { pieces: None, ..compiled.clone() };
        Some(Template { compiled: Some(compiled), text: self.text.clone() })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl OptionValue for Template {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Template)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Template)?;
        Template::new(text).map_err(|error| {
            OptionError::new(
                literal.span_within(error.range),
                format!("not a template: {}", error.message),
            )
            .with_help("a template is written in Jinja: {{ host }}-{{ time|strftime(\"%Y\") }}.log")
            .into()
        })
    }
}

/// An environment with the one template in it, and the variables that it uses.
fn compile(text: &str) -> Result<(Environment<'static>, Names), minijinja::Error> {
    let mut environment = environment().clone();
    environment.add_template_owned(NAME, text.to_owned())?;
    let names = sorted_names(environment.get_template(NAME)?.undeclared_variables(false));
    Ok((environment, names))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Map, Record, Slice, Timestamp, Value};
    use crate::options::testing::{error, text};

    fn record() -> Record {
        let mut map = Map::new();
        map.insert("host", "srv1");
        map.insert("status", 503);
        map.insert("share", 0.5);
        map.insert("nothing", Value::Null);
        map.insert("raw", Value::Bytes(Slice::from(&b"caf\xe9"[..])));
        map.insert("tags", Value::List(vec!["a".into(), "b<".into()]));
        Record::from_fields(map, Timestamp::from_parts(1_700_000_000, 0))
    }

    fn render(template: &str) -> Result<String, EvalError> {
        let record = record();
        let scope = Scope { record: record.view(), tag: "web", source: "/x" };
        Template::new(template).unwrap_or_else(|e| panic!("`{template}`: {e}")).render(&scope)
    }

    #[test]
    fn fields_are_filled_in() {
        for (template, rendered) in [
            ("plain { } text\n", "plain { } text\n"),
            ("{{ host }}-{{ status }}\n", "srv1-503\n"),
            ("{{ share }} {{ tag }} {{ source }}", "0.5 web /x"),
            ("[{{ missing }}{{ missing.deeper }}{{ nothing }}{{ line }}]", "[]"),
            ("{{ raw }}", "caf\u{fffd}"),
            ("{{ time }}", "2023-11-14T22:13:20Z"),
            ("{{ time|strftime('%Y/%m/%d') }}", "2023/11/14"),
            ("{{ time|strftime('%d %H:%M', 'Asia/Seoul') }}", "15 07:13"),
            ("{{ missing|strftime('%Y') }}", ""),
            ("{{ '2020-01-02T03:04:05Z'|strftime('%j') }}", "002"),
            ("{{ tags|join(',') }} {{ tags }}", "a,b< ['a', 'b<']"),
            ("{% if status >= 500 %}bad{% else %}good{% endif %}", "bad"),
            ("{% for t in tags %}{{ loop.index }}{{ t }};{% endfor %}", "1a;2b<;"),
            ("{{ tags|tojson }}", "[\"a\",\"b<\"]"),
            ("{# nothing #}{% raw %}{{ host }}{% endraw %}", "{{ host }}"),
            ("{{ host|default('x') }}{{ missing|default('x') }}", "srv1x"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(rendered), "{template}");
        }
    }

    #[test]
    fn fields_keep_their_order_in_json() {
        let json = render("{{ record|tojson }}").unwrap();
        assert!(json.starts_with(r#"{"host":"srv1","status":503,"share":0.5"#), "{json}");
    }

    #[test]
    fn only_templates_without_parts_are_constant() {
        assert_eq!(Template::new("a { b").unwrap().as_constant(), Some("a { b"));
        assert_eq!(Template::new("{{ 1 }}").unwrap().as_constant(), None);
    }

    #[test]
    fn endless_work_is_an_error() {
        let many = "{% for a in 'aaaaaaaaaa' %}".repeat(9) + &"{% endfor %}".repeat(9);
        assert_eq!(render(&many).unwrap_err().to_string(), "it takes too many steps");
        assert!(render("{{ status|strftime('%Y') }}").is_err());
        assert!(
            render("{{ time|strftime('%Y', 'Mars/Base') }}")
                .unwrap_err()
                .to_string()
                .contains("Mars")
        );
        assert!(render("{{ time|strftime('%!') }}").is_err());
    }

    #[test]
    fn mistakes_are_found_when_it_is_read() {
        for (wrong, message) in [
            ("{{ host", "not a template: unexpected end"),
            ("{% if a %}", "not a template: unexpected end"),
            ("{% fi a %}", "not a template: unknown statement fi"),
            ("{{ host|uper }}", "not a template: there is no filter `uper`"),
            ("{% if a is mach('x') %}{% endif %}", "not a template: there is no test `mach`"),
            ("{{ now() }}", "not a template: there is no function `now`"),
        ] {
            let e = error::<Template>(text(wrong));
            assert!(e.message.starts_with(message), "{wrong}: {}", e.message);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(written in r#"(\{\{|\}\}|\{%|%\}|-| |if|a|<|==|endif|raw|endraw|\(|\)|'|\{#|#\}){0,16}"#) {
            if let Ok(template) = Template::new(&written) {
                let _ = template.render(&Scope::bare(record().view()));
            }
        }
    }
}
