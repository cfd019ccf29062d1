//! The YAML spelling, for those who generate recipes.
//!
//! ```yaml
//! tasks:
//!   - [{in.DummyData: {type: people}}, out.Stdout, {sleep: 3}]
//!   - name: web
//!     dead_letter: {out.File: /var/log/bad.log}
//!     steps:
//!       - in.FileTailing: [/var/log/web.log]
//!       - when: {condition: "status >= 500", then: [{link: errors}]}
//!       - failover: {outputs: [{out.Fluentd: a}, {out.Fluentd: b}], start_by: ip}
//! ```
//!
//! A step is a name, or a map with one key: the name. What stands under a plugin's name is its
//! options: a map of them by name, a list of them by position, or the only one. Options by position
//! and by name at once are a map in which `"*"` holds the list. A map whose only key is `env` or
//! `option` is the value that is read there: `{env: NAME}`, `{env: [NAME, default]}`; a dict that
//! would be taken for one is written `{dict: {env: …}}`.

use swak_sdk::options::Key;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::syntax::{Arg, Call, Expr, ExprKind, Script, Statement};
use crate::yaml::{KeyNode, Node, Value};

/// The key of a map of options under which those by position stand.
pub(crate) const POSITIONAL: &str = "*";

/// The key that says that what is in it is a dict, whatever its keys are.
pub(crate) const DICT: &str = "dict";

/// Reads a recipe in the YAML spelling: what could be read, and every mistake on the way.
pub fn parse(source: &SourceFile) -> (Script, Vec<Diagnostic>) {
    let mut reader = Reader { found: Vec::new() };
    let mut script = Script::default();
    match crate::yaml::parse(source) {
        Ok(root) => reader.root(&root, &mut script),
        Err(found) => reader.found = found.into_vec(),
    }
    (script, reader.found.into_iter().map(|d| d.in_source(source)).collect())
}

/// Whether a map of one entry would be read as something else than a dict.
pub(crate) fn is_taken_for_a_call(key: &str, value: &ExprKind) -> bool {
    match (key, value) {
        ("env" | "option", ExprKind::Str(_)) => true,
        ("env" | "option", ExprKind::List(items)) => matches!(
            items.first().map(|item| &item.kind),
            Some(ExprKind::Str(_)) if items.len() == 2
        ),
        // A call is written as a map too.
        (DICT, ExprKind::Dict(_) | ExprKind::Call(_)) => true,
        _ => false,
    }
}

struct Reader {
    found: Vec<Diagnostic>,
}

impl Reader {
    fn root(&mut self, root: &Node, script: &mut Script) {
        let Value::Map(entries) = &root.value else {
            let found = root.expected("yaml-recipe", "a map with the key `tasks`");
            self.found.push(found.help("write tasks: and under it a list of tasks"));
            return;
        };
        let Some(tasks) = self.only_keys(entries, &["tasks"], "a recipe")[0] else {
            self.found.push(
                Diagnostic::error("yaml-recipe", "the key `tasks` is missing")
                    .at(entries.first().map_or(root.span, |(key, _)| key.span), "")
                    .help("write tasks: and under it a list of tasks"),
            );
            return;
        };
        let Value::List(tasks) = &tasks.value else {
            self.found.push(tasks.expected("yaml-recipe", "a list of tasks"));
            return;
        };
        for task in tasks {
            if let Some(value) = self.task(task) {
                script.statements.push(Statement { target: None, value });
            }
        }
    }

    /// `[step, step]` or `{name, steps, dead_letter, unacked}`
    fn task(&mut self, node: &Node) -> Option<Expr> {
        let mut args = Vec::new();
        match &node.value {
            Value::List(steps) => self.steps_into(steps, &mut args),
            Value::Map(entries) => {
                let known = ["steps", "name", "dead_letter", "unacked"];
                let values = self.only_keys(entries, &known, "a task");
                match values[0].map(|steps| (&steps.value, steps)) {
                    Some((Value::List(steps), _)) => self.steps_into(steps, &mut args),
                    Some((_, steps)) => {
                        self.found.push(steps.expected("yaml-recipe", "a list of steps"));
                        return None;
                    }
                    None => {
                        self.found.push(
                            Diagnostic::error("yaml-recipe", "the steps of this task are missing")
                                .at(entries.first().map_or(node.span, |(key, _)| key.span), "")
                                .help("write a list of steps, or {name: …, steps: […]}"),
                        );
                        return None;
                    }
                }
                for (key, value) in entries {
                    let value = match key.name.as_str() {
                        "name" | "unacked" => self.value(value),
                        "dead_letter" => self.step(value),
                        _ => continue,
                    };
                    args.push(Arg { name: Some(name_of(key)), value });
                }
            }
            _ => {
                let found = node.expected("yaml-recipe", "a task, which is a list of steps");
                self.found.push(found.help("each task is a list: - [in.DummyData, out.Stdout]"));
                return None;
            }
        }
        Some(call(
            "task",
            Span::new(node.span.start as usize, node.span.start as usize),
            args,
            node,
        ))
    }

    fn steps_into(&mut self, steps: &[Node], args: &mut Vec<Arg>) {
        let steps = steps.iter().map(|step| self.step(step));
        args.extend(steps.map(|value| Arg { name: None, value }));
    }

    /// `out.Stdout`, `{out.File: …}`
    fn step(&mut self, node: &Node) -> Expr {
        self.try_step(node).unwrap_or_else(|| hole(node))
    }

    fn try_step(&mut self, node: &Node) -> Option<Expr> {
        match &node.value {
            Value::Str(name) if name.contains(['(', ' ', '\n']) => {
                self.found.push(
                    Diagnostic::error("yaml-recipe", "this is not the name of a step")
                        .at(node.span, "")
                        .help("in YAML a step is out.Stdout, or out.File: /tmp/x, or out.File: {path: /tmp/x}"),
                );
                None
            }
            Value::Str(name) => Some(call(name, node.span, Vec::new(), node)),
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] => Some(self.call(key, value, node)),
                [] => {
                    self.found.push(node.expected("yaml-recipe", "a step"));
                    None
                }
                [(key, _), (second, _), ..] => {
                    self.found.push(
                        Diagnostic::error("yaml-recipe", "a step is one name with its options")
                            .at(second.span, "a second name")
                            .label(key.span, "the name")
                            .help(format!(
                                "options of `{}` are indented deeper than it; \
                                 the next step begins with `- `",
                                key.name
                            )),
                    );
                    None
                }
            },
            _ => {
                let found = node.expected("yaml-recipe", "a step");
                self.found.push(found.help("write out.Stdout, or out.File: with options under it"));
                None
            }
        }
    }

    fn call(&mut self, key: &KeyNode, value: &Node, node: &Node) -> Expr {
        let args = match (key.name.as_str(), &value.value) {
            (_, Value::Null) => Vec::new(),
            ("failover", Value::Map(entries)) => self.failover(entries),
            ("failover", Value::List(outputs)) => self.positional(outputs, Self::step),
            ("tee", Value::List(branches)) => self.positional(branches, Self::branch),
            ("when", Value::Map(entries)) => {
                let mut args = Vec::new();
                for (name, value) in entries {
                    let value = match name.name.as_str() {
                        "then" | "otherwise" => self.branch(value),
                        _ => self.value(value),
                    };
                    args.push(Arg { name: Some(name_of(name)), value });
                }
                args
            }
            ("failover" | "tee" | "when", _) => {
                let what = match key.name.as_str() {
                    "failover" => "a map with `outputs`",
                    "tee" => "a list of branches",
                    _ => "a map with `condition` and `then`",
                };
                self.found.push(value.expected("yaml-recipe", what));
                return hole(node);
            }
            ("sleep" | "link", _) => vec![unnamed(self.value(value))],
            (_, Value::Map(entries)) => self.options(entries),
            (_, Value::List(items)) => self.positional(items, Self::value),
            _ => vec![unnamed(self.value(value))],
        };
        call(&key.name, key.span, args, node)
    }

    fn options(&mut self, entries: &[(KeyNode, Node)]) -> Vec<Arg> {
        let mut args = Vec::new();
        for (key, value) in entries {
            match (&value.value, key.name.as_str()) {
                (Value::List(items), POSITIONAL) => {
                    args.splice(0..0, self.positional(items, Self::value));
                }
                _ => {
                    let value = self.value(value);
                    args.push(Arg { name: Some(name_of(key)), value });
                }
            }
        }
        args
    }

    fn failover(&mut self, entries: &[(KeyNode, Node)]) -> Vec<Arg> {
        let mut args = Vec::new();
        let known = ["outputs", "last", "start_by", "timeout", "drain_back"];
        let values = self.only_keys(entries, &known, "failover");
        match values[0] {
            Some(Node { value: Value::List(outputs), .. }) => {
                args = self.positional(outputs, Self::step);
            }
            Some(other) => self.found.push(other.expected("yaml-recipe", "a list of outputs")),
            None => {}
        }
        for (key, value) in entries {
            let value = match key.name.as_str() {
                "last" => self.step(value),
                "start_by" | "timeout" | "drain_back" => self.value(value),
                _ => continue,
            };
            args.push(Arg { name: Some(name_of(key)), value });
        }
        args
    }

    fn positional(
        &mut self,
        nodes: &[Node],
        mut read: impl FnMut(&mut Self, &Node) -> Expr,
    ) -> Vec<Arg> {
        nodes.iter().map(|node| read(self, node)).map(unnamed).collect()
    }

    fn branch(&mut self, node: &Node) -> Expr {
        let Value::List(steps) = &node.value else {
            let found = node.expected("yaml-recipe", "a list of steps");
            self.found.push(found.help("put it in brackets: [out.Stdout]"));
            return hole(node);
        };
        let steps = steps.iter().map(|step| self.step(step)).collect();
        Expr { kind: ExprKind::List(steps), span: node.span }
    }

    /// An option's value.
    fn value(&mut self, node: &Node) -> Expr {
        let kind = match &node.value {
            Value::Null => ExprKind::None,
            Value::Bool(b) => ExprKind::Bool(*b),
            Value::Int(n) => ExprKind::Int(*n),
            Value::Float(n) if n.is_finite() => ExprKind::Float(*n),
            Value::Float(_) => {
                self.found.push(
                    Diagnostic::error("bad-number", "infinity and not-a-number are no values here")
                        .at(node.span, "")
                        .help("write a number"),
                );
                ExprKind::Unreadable
            }
            Value::Str(text) => ExprKind::Str(text.clone()),
            Value::List(items) => {
                ExprKind::List(items.iter().map(|item| self.value(item)).collect())
            }
            Value::Map(entries) => {
                if let [(key, value)] = entries.as_slice()
                    && let Some(read) = self.read_call(key, value, node)
                {
                    return read;
                }
                let entries = match entries.as_slice() {
                    [(KeyNode { name, .. }, Node { value: Value::Map(inner), .. })]
                        if name == DICT =>
                    {
                        inner
                    }
                    entries => entries,
                };
                let entries = entries.iter().map(|(key, v)| (name_of(key), self.value(v)));
                ExprKind::Dict(entries.collect())
            }
        };
        Expr { kind, span: node.span }
    }

    /// `{env: NAME}`, `{env: [NAME, default]}`
    fn read_call(&mut self, key: &KeyNode, value: &Node, node: &Node) -> Option<Expr> {
        if !matches!(key.name.as_str(), "env" | "option") {
            return None;
        }
        let args = match &value.value {
            Value::Str(_) => vec![unnamed(self.value(value))],
            Value::List(items) if items.len() == 2 && items[0].as_str().is_some() => {
                self.positional(items, Self::value)
            }
            _ => return None,
        };
        Some(call(&key.name, key.span, args, node))
    }

    /// The values of these keys, in this order; any other key is a mistake.
    fn only_keys<'a>(
        &mut self,
        entries: &'a [(KeyNode, Node)],
        known: &[&str],
        of: &str,
    ) -> Vec<Option<&'a Node>> {
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                let near = swak_sdk::options::did_you_mean(&key.name, known.iter().copied());
                self.found.push(
                    Diagnostic::error("unknown-key", format!("{of} has no key `{}`", key.name))
                        .at(key.span, "")
                        .help(match near {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!("the keys are: {}", known.join(", ")),
                        }),
                );
            }
        }
        let value = |name: &&str| entries.iter().find(|(key, _)| key.name == *name).map(|(_, v)| v);
        known.iter().map(value).collect()
    }
}

/// What could not be read.
fn hole(node: &Node) -> Expr {
    Expr { kind: ExprKind::Unreadable, span: node.span }
}

fn call(name: &str, at: Span, args: Vec<Arg>, node: &Node) -> Expr {
    let callee = Key { name: name.to_owned(), span: at };
    Expr { kind: ExprKind::Call(Call { callee, args }), span: node.span }
}

fn unnamed(value: Expr) -> Arg {
    Arg { name: None, value }
}

fn name_of(key: &KeyNode) -> Key {
    Key { name: key.name.clone(), span: key.span }
}
