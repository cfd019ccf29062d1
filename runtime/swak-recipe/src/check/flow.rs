//! Steps: plugins and the flow words between them.

use swak_sdk::options::{
    Expr as Condition, Kind, Literal, LiteralValue, OptionErrors, OptionValue,
};

use super::params::Params;
use super::{Checker, FLOW_WORDS};
use crate::diag::{Diagnostic, Span};
use crate::model::{Link, Step, Tee, When, chain_ends};
use crate::syntax::{self, Expr, ExprKind};

/// The steps that could be read.
pub(super) struct Chain {
    pub(super) steps: Vec<Step>,
    /// Whether the last one written is the last one here.
    pub(super) last_is_known: bool,
}

impl Checker<'_> {
    /// The steps after the input, or those of a branch.
    pub(super) fn chain(&mut self, exprs: &[&Expr]) -> Chain {
        let mut chain = Chain { steps: Vec::new(), last_is_known: true };
        for expr in exprs {
            if self.has_enough() {
                chain.last_is_known = false;
                break;
            }
            if let Some(Step::When(when)) = chain.steps.last()
                && chain.last_is_known
                && chain.steps.last().is_some_and(Step::is_end)
            {
                let label = when.span;
                self.found.push(
                    Diagnostic::warning("unreachable-step", "no record ever gets here")
                        .at(expr.span, "")
                        .label(label, "both ways of this end in an output")
                        .help("remove it, or one of the outputs"),
                );
            }
            let step = self.step(expr);
            chain.last_is_known = step.is_some();
            chain.steps.extend(step);
        }
        chain
    }

    /// Notes a chain that does not hand its records on. `of` is what the chain belongs to.
    pub(super) fn must_end(&mut self, steps: &[Step], last: &Expr, of: &str) {
        if chain_ends(steps) {
            return;
        }
        let found = match steps.last() {
            Some(Step::When(_)) => Diagnostic::error(
                "no-output",
                format!("the `when` at the end of this {of} lets records through to nothing"),
            )
            .at(last.span, "a way without an output goes on after it")
            .help(self.spelled(
                "end both ways in an output (otherwise=[…, out.…]), or add an output after it",
                "end both ways in an output (otherwise: [out.…]), or add an output after it",
            )),
            _ => Diagnostic::error("no-output", format!("this {of} does not end in an output"))
                .at(last.span, "these records go nowhere")
                .help(self.spelled(
                    "add an output after it, such as out.Stdout()",
                    "add an output after it, such as `- out.Stdout`",
                )),
        };
        self.found.push(found);
    }

    /// A step that is not the first of a task.
    pub(super) fn step(&mut self, expr: &Expr) -> Option<Step> {
        self.step_at(expr, false)
    }

    pub(super) fn step_at(&mut self, expr: &Expr, first: bool) -> Option<Step> {
        let Some(call) = expr.as_call() else {
            self.not_a_step(expr);
            return None;
        };
        match call.callee.name.as_str() {
            "failover" => self.failover(call, expr.span).map(Step::Failover),
            "tee" => self.tee(call, expr.span).map(Step::Tee),
            "when" => self.when(call, expr.span).map(Step::When),
            "link" => self.link(call, expr).map(Step::Link),
            "sleep" => {
                self.found.push(
                    Diagnostic::error("sleep-not-last", "`sleep` stands only at the end of a task")
                        .at(expr.span, "")
                        .help(
                            "it starts the task again after a while: task(in.…, out.…, sleep(3))",
                        ),
                );
                None
            }
            "task" => {
                self.found.push(
                    Diagnostic::error("nested-task", "a task cannot be a step of another")
                        .at(call.callee.span, "")
                        .help(self.spelled(
                            "join tasks with link(\"name\"): last in one, first in the other",
                            "join tasks with {link: name}: last in one, first in the other",
                        )),
                );
                None
            }
            "env" | "option" => {
                self.not_a_step(expr);
                None
            }
            _ => {
                let plugin = self.plugin(call, expr.span)?;
                if plugin.kind == Kind::Input && !first {
                    self.found.push(
                        Diagnostic::error(
                            "input-not-first",
                            format!("the input `{}` is not the first step", plugin.path()),
                        )
                        .at(call.callee.span, "an input only begins a task")
                        .help(self.spelled(
                            "give it a task of its own; link(\"name\") joins tasks",
                            "give it a task of its own; {link: name} joins tasks",
                        )),
                    );
                    return None;
                }
                Some(Step::Plugin(plugin))
            }
        }
    }

    pub(super) fn not_a_step(&mut self, expr: &Expr) {
        match expr.kind {
            ExprKind::Name(_) => return self.uncalled(expr),
            ExprKind::Unreadable => return,
            _ => {}
        }
        let found = Diagnostic::error("not-a-step", format!("{} is not a step", expr.noun()))
            .at(expr.span, "expected in.…, out.…, failover, tee, when or link");
        self.found.push(match &expr.kind {
            ExprKind::List(_) => {
                found.help("steps stand one after the other; lists are for tee([…], […]) and when")
            }
            ExprKind::Str(text) if text.starts_with("in.") || text.starts_with("out.") => {
                found.help(format!("write it without quotes: {text}()"))
            }
            _ => found.help("steps are calls, such as out.Stdout()"),
        });
    }

    /// A name that is left: a plugin or a flow word without its brackets.
    pub(super) fn uncalled(&mut self, expr: &Expr) {
        let ExprKind::Name(name) = &expr.kind else { return };
        // Other names were told when names were written out.
        if name.contains('.') || FLOW_WORDS.contains(&name.as_str()) {
            self.found.push(
                Diagnostic::error("not-called", format!("`{name}` stands here without brackets"))
                    .at(expr.span, "")
                    .help(format!("write {name}()")),
            );
        }
    }

    fn tee(&mut self, call: &syntax::Call, span: Span) -> Option<Tee> {
        let params = Params::bind_open(call, &[], 0, &mut self.found);
        if params.rest.is_empty() {
            self.found.push(
                Diagnostic::error("tee-empty", "this `tee` has no branches").at(span, "").help(
                    self.spelled(
                        "write tee([out.A()], [out.B()]): each branch gets every record",
                        "write tee: [[out.A], [out.B]]; each branch gets every record",
                    ),
                ),
            );
            return None;
        }
        let mut branches = Vec::new();
        let mut sound = true;
        for expr in params.rest {
            let Some(chain) = self.branch(expr, "tee") else {
                sound = false;
                continue;
            };
            let ExprKind::List(items) = &expr.kind else { continue };
            match items.last() {
                None => self.found.push(
                    Diagnostic::error("no-output", "this branch is empty")
                        .at(expr.span, "these records go nowhere")
                        .help("put an output into it, or remove the branch"),
                ),
                Some(last) if chain.last_is_known => self.must_end(&chain.steps, last, "branch"),
                Some(_) => sound = false,
            }
            branches.push(chain.steps);
        }
        // A branch that could not be read would only bring more mistakes.
        sound.then_some(Tee { branches, span })
    }

    fn when(&mut self, call: &syntax::Call, span: Span) -> Option<When> {
        let names = ["condition", "then", "otherwise"];
        let params = Params::bind(call, &names, &mut self.found);
        for name in ["condition", "then"] {
            if params.get(name).is_none() {
                self.found.push(
                    Diagnostic::error("missing-argument", format!("`when` needs `{name}`"))
                        .at(call.callee.span, "")
                        .help(self.spelled("write when(\"status >= 500\", [steps], otherwise=[steps])", "write when: {condition: status >= 500, then: [steps], otherwise: [steps]}")),
                );
            }
        }
        let condition = params.get("condition").map(|expr| self.condition(expr));
        let then = params.get("then").map(|expr| self.branch(expr, "when"));
        let otherwise = params.get("otherwise").map(|expr| self.branch(expr, "when"));
        let (then, otherwise) = (then??, otherwise.map_or(Some(None), |chain| chain.map(Some))?);
        if !then.last_is_known || otherwise.as_ref().is_some_and(|chain| !chain.last_is_known) {
            return None;
        }
        Some(When {
            condition: condition??,
            then: then.steps,
            otherwise: otherwise.map(|chain| chain.steps),
            span,
        })
    }

    fn condition(&mut self, expr: &Expr) -> Option<Literal> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return Some(Literal { value: LiteralValue::Str(String::new()), span: value.span });
        }
        if !matches!(value.value, LiteralValue::Str(_)) {
            self.found.push(
                Diagnostic::error(
                    "bad-argument",
                    format!("the condition of `when` is a string, found {}", value.value.noun()),
                )
                .at(expr.span, "")
                .help(self.spelled(
                    "write when(\"status >= 500\", […])",
                    "write when: {condition: status >= 500, then: […]}",
                )),
            );
            return None;
        }
        if let Err(OptionErrors(errors)) = Condition::read(&value) {
            for error in errors {
                let found = Diagnostic::error("bad-expression", error.message).at(error.span, "");
                self.found.push(error.help.into_iter().fold(found, Diagnostic::help));
            }
            return None;
        }
        Some(value)
    }

    fn branch(&mut self, expr: &Expr, of: &str) -> Option<Chain> {
        match &expr.kind {
            ExprKind::List(items) => Some(self.chain(&items.iter().collect::<Vec<_>>())),
            // An unknown name was told when names were written out.
            ExprKind::Name(name) if !name.contains('.') => None,
            ExprKind::Unreadable => None,
            _ => {
                self.found.push(
                    Diagnostic::error(
                        "not-a-branch",
                        format!("`{of}` takes lists of steps, found {}", expr.noun()),
                    )
                    .at(expr.span, "expected a list")
                    .help(format!("put it in brackets: {of}(… [out.A(), out.B()] …)")),
                );
                None
            }
        }
    }

    pub(super) fn link(&mut self, call: &syntax::Call, expr: &Expr) -> Option<Link> {
        let params = Params::bind(call, &["name"], &mut self.found);
        let Some(name) = params.get("name") else {
            self.found.push(
                Diagnostic::error("missing-argument", "`link` needs a name")
                    .at(expr.span, "")
                    .help(self.spelled(
                        "write link(\"name\"): last in one task, first in another",
                        "write link: name; it is last in one task and first in another",
                    )),
            );
            return None;
        };
        let text = self.text(name, "link", "write link(\"name\")")?;
        let is_later = text.starts_with(super::links::LATER);
        if !is_later && (text.trim().is_empty() || text.chars().any(char::is_control)) {
            self.found.push(
                Diagnostic::error("bad-argument", "the name of this link is no word")
                    .at(name.span, "")
                    .help(self.spelled("write link(\"name\")", "write link: name")),
            );
            return None;
        }
        Some(Link { name: text, span: expr.span })
    }

    /// A text that a flow word takes. Where it is known later only, a name that is nobody's.
    pub(super) fn text(&mut self, expr: &Expr, of: &str, help: &str) -> Option<String> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return Some(format!("{}{}", super::links::LATER, value.span.start));
        }
        match value.value {
            LiteralValue::Str(text) => Some(text),
            other => {
                self.found.push(
                    Diagnostic::error(
                        "bad-argument",
                        format!("`{of}` takes a string, found {}", other.noun()),
                    )
                    .at(expr.span, "")
                    .help(help),
                );
                None
            }
        }
    }
}
