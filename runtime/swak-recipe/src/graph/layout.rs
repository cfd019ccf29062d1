//! From a recipe to nodes and edges.

use std::collections::HashMap;

use swak_sdk::options::{Kind, OptionSpec, PluginSpec, TypeSpec, alone};

use super::{Edge, Frame, Graph, Node, Shape, Style};
use crate::check::Catalog;
use crate::model::{Call, Recipe, StartBy, Step, chain_ends};
use crate::syntax::{Expr, ExprKind};
use crate::write::write_value;

/// The longest option that is shown, in characters.
const MAX_OPTION: usize = 48;

/// An end of a chain that the next step is joined to.
type Open = (usize, &'static str);

pub(super) fn lay_out(recipe: &Recipe, catalog: &dyn Catalog) -> Graph {
    let specs = catalog.specs().into_iter().map(|spec| (spec.path(), spec)).collect();
    let mut layout = Layout {
        specs,
        graph: Graph::default(),
        nodes: Vec::new(),
        senders: Vec::new(),
        receivers: HashMap::new(),
    };
    for task in &recipe.tasks {
        let head = task.steps.first();
        let first = layout.graph.nodes;
        layout.chain(&task.steps, Vec::new());
        if let Some(Step::Link(link)) = head {
            // The first node of a task that begins with a link was laid out as a sender.
            layout.senders.retain(|(id, _)| *id != first);
            layout.receivers.insert(&link.name, first);
        }
        if let Some(output) = &task.dead_letter {
            let id = layout.plugin(output);
            layout.edge(first, id, "dead letter", Style::DeadLetter);
        }
        let nodes = std::mem::take(&mut layout.nodes);
        layout.graph.tasks.push(Frame { name: task.name.clone(), nodes });
    }
    for (from, name) in std::mem::take(&mut layout.senders) {
        if let Some(to) = layout.receivers.get(name) {
            let to = *to;
            layout.edge(from, to, "", Style::Link);
        }
    }
    layout.graph
}

struct Layout<'a> {
    specs: HashMap<String, &'a PluginSpec>,
    graph: Graph,
    /// Those of the task at hand.
    nodes: Vec<Node>,
    senders: Vec<(usize, &'a str)>,
    receivers: HashMap<&'a str, usize>,
}

impl<'a> Layout<'a> {
    /// Lays steps out behind the open ends and returns those that are open after them.
    fn chain(&mut self, steps: &'a [Step], mut open: Vec<Open>) -> Vec<Open> {
        for step in steps {
            let id = match step {
                Step::Plugin(call) => self.plugin(call),
                Step::Link(link) => {
                    let id = self.node(Shape::Flow, vec![format!("link {}", link.name)]);
                    self.senders.push((id, &link.name));
                    id
                }
                Step::Failover(failover) => {
                    let start = match &failover.start_by {
                        StartBy::First => String::new(),
                        StartBy::Ip => "start by ip".into(),
                        StartBy::Random => "start by random".into(),
                        StartBy::Field(field) => format!("start by {field}"),
                    };
                    let mut lines = vec!["failover".to_owned()];
                    lines.extend(Some(start).filter(|start| !start.is_empty()));
                    lines.extend(failover.drain_back.then(|| "drains back".to_owned()));
                    self.node(Shape::Flow, lines)
                }
                Step::Tee(_) => self.node(Shape::Flow, vec!["tee".into()]),
                Step::When(when) => {
                    let condition = match &when.condition.value {
                        swak_sdk::options::LiteralValue::Str(text) => shortened(text),
                        _ => String::new(),
                    };
                    self.node(Shape::Choice, vec!["when".into(), condition])
                }
            };
            for (from, label) in open {
                self.edge(from, id, label, Style::Solid);
            }
            open = self.behind(step, id);
        }
        open
    }

    /// What belongs to a step, and the ends that it leaves open.
    fn behind(&mut self, step: &'a Step, id: usize) -> Vec<Open> {
        match step {
            Step::Plugin(_) | Step::Link(_) => vec![(id, "")],
            Step::Failover(failover) => {
                for (i, output) in failover.outputs.iter().enumerate() {
                    let to = self.plugin(output);
                    self.edge(id, to, &(i + 1).to_string(), Style::Solid);
                }
                if let Some(last) = &failover.last {
                    let to = self.plugin(last);
                    self.edge(id, to, "last", Style::Solid);
                }
                vec![(id, "")]
            }
            Step::Tee(tee) => {
                for branch in &tee.branches {
                    self.chain(branch, vec![(id, "")]);
                }
                vec![(id, "")]
            }
            Step::When(when) => {
                let mut open = Vec::new();
                let otherwise = when.otherwise.as_deref().unwrap_or_default();
                for (steps, label) in [(when.then.as_slice(), "yes"), (otherwise, "no")] {
                    let ends = self.chain(steps, vec![(id, label)]);
                    if !chain_ends(steps) {
                        open.extend(ends);
                    }
                }
                open
            }
        }
    }

    fn plugin(&mut self, call: &Call) -> usize {
        let shape = match call.kind {
            Kind::Input => Shape::Input,
            Kind::Transform => Shape::Transform,
            Kind::Output => Shape::Output,
        };
        let spec = self.specs.get(&call.path()).copied();
        let mut positional = spec.into_iter().flat_map(PluginSpec::positional);
        let mut lines = vec![call.path()];
        for arg in &call.written {
            let option = match &arg.name {
                None => positional.next(),
                Some(key) => spec.and_then(|spec| spec.option(&key.name)),
            };
            let shown = match option {
                Some(option) => shown(&arg.value, option),
                // What nothing is known of might be secret.
                None => HIDDEN.to_owned(),
            };
            let name = arg.name.as_ref().map_or_else(String::new, |key| format!("{}=", key.name));
            lines.push(shortened(&format!("{name}{shown}")));
        }
        self.node(shape, lines)
    }

    fn node(&mut self, shape: Shape, lines: Vec<String>) -> usize {
        let id = self.graph.nodes;
        self.graph.nodes += 1;
        self.nodes.push(Node { id, shape, lines });
        id
    }

    fn edge(&mut self, from: usize, to: usize, label: &str, style: Style) {
        self.graph.edges.push(Edge { from, to, label: label.to_owned(), style });
    }
}

const HIDDEN: &str = "***";

fn shown(value: &Expr, option: &OptionSpec) -> String {
    if option.secret { HIDDEN.to_owned() } else { write_value(&masked(value, &option.ty)) }
}

/// The value with what is secret in it replaced.
fn masked(value: &Expr, ty: &TypeSpec) -> Expr {
    let kind = match (&value.kind, ty) {
        (_, TypeSpec::Optional(inner)) => return masked(value, inner),
        (ExprKind::List(items), TypeSpec::List(inner)) => {
            ExprKind::List(items.iter().map(|item| masked(item, inner)).collect())
        }
        (_, TypeSpec::List(inner)) => return masked(value, inner),
        (ExprKind::Dict(entries), TypeSpec::Dict(inner)) => ExprKind::Dict(
            entries.iter().map(|(key, item)| (key.clone(), masked(item, inner))).collect(),
        ),
        (ExprKind::Dict(entries), TypeSpec::Struct(fields)) => ExprKind::Dict(
            entries
                .iter()
                .map(|(key, item)| {
                    let field = fields.iter().find(|field| field.name == key.name);
                    let item = match field {
                        Some(field) if !field.secret => masked(item, &field.ty),
                        _ => Expr { kind: ExprKind::Str(HIDDEN.into()), span: item.span },
                    };
                    (key.clone(), item)
                })
                .collect(),
        ),
        (ExprKind::Str(_), TypeSpec::Struct(fields))
            if alone(fields).is_some_and(|field| !field.secret) =>
        {
            value.kind.clone()
        }
        // A struct that is written as something else is answered by `env(…)`, whose default may
        // hold anything.
        (_, TypeSpec::Struct(_)) => ExprKind::Str(HIDDEN.into()),
        (kind, _) => kind.clone(),
    };
    Expr { kind, span: value.span }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_OPTION {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_OPTION - 1).collect();
    short.push('…');
    short
}
