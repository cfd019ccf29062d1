//! Tasks: a name, a chain, what comes after it.

use std::collections::HashMap;
use std::time::Duration;

use swak_sdk::options::{ByteSize, Key, Kind, LiteralValue, OptionErrors, OptionValue};

use super::Checker;
use super::params::Params;
use super::plugin::with_article;
use crate::diag::{Diagnostic, Severity, Span};
use crate::model::{Call, Step, Task};
use crate::syntax::{self, Expr, ExprKind, Script};

/// The longest name of a task, in characters.
const MAX_NAME: usize = 100;

/// The smallest bound of what may be on its way: some blocks of lines.
const LEAST_UNACKED: ByteSize = ByteSize(1 << 20);

impl Checker<'_> {
    /// All tasks; those that are wrong are noted. `complete` says that the whole text could be
    /// read, so that what is not there is really missing.
    pub(super) fn tasks(&mut self, script: &Script, complete: bool) -> Vec<Task> {
        let mut tasks: Vec<Task> = Vec::new();
        let mut names: HashMap<String, Span> = HashMap::new();
        let mut count = 0;
        for statement in &script.statements {
            if self.has_enough() {
                break;
            }
            let Some(call) = statement.value.as_call().filter(|c| c.callee.name == "task") else {
                self.outside_task(&statement.value);
                continue;
            };
            count += 1;
            let (task, name_at) =
                self.task(call, &statement.value, statement.target.as_ref(), count);
            if let Some(first) = names.get(&task.name) {
                self.found.push(
                    Diagnostic::error(
                        "duplicate-task",
                        format!("two tasks have the name `{}`", task.name),
                    )
                    .at(name_at, "again here")
                    .label(*first, "first here")
                    .help("give one of them another name"),
                );
            } else {
                names.insert(task.name.clone(), name_at);
            }
            tasks.push(task);
        }
        let errors = self.found.iter().any(|d| d.severity == Severity::Error);
        if count == 0 && complete && !errors {
            self.found.push(Diagnostic::error("no-task", "there is no task in this recipe").help(
                self.spelled(
                    "write one: task(in.DummyData(), out.Stdout())",
                    "write one under `tasks`: - [in.DummyData, out.Stdout]",
                ),
            ));
        }
        tasks
    }

    /// The task, as far as it can be read, and where its name is told.
    fn task(
        &mut self,
        call: &syntax::Call,
        expr: &Expr,
        target: Option<&Key>,
        index: usize,
    ) -> (Task, Span) {
        let params =
            Params::bind_open(call, &["name", "dead_letter", "unacked"], 0, &mut self.found);
        let named = params.get("name").and_then(|name| Some((self.task_name(name)?, name.span)));
        let bound = || target.map(|key| (key.name.clone(), key.span));
        let (name, name_at) =
            named.or_else(bound).unwrap_or_else(|| (format!("task-{index}"), call.callee.span));
        // The dead letters themselves have nowhere further to go.
        self.dead_letter = false;
        let dead_letter = params.get("dead_letter").and_then(|expr| self.dead_letter(expr));
        self.dead_letter = params.get("dead_letter").is_some();
        let unacked = params.get("unacked").and_then(|expr| self.unacked(expr));
        let mut exprs = params.rest;
        let restart_after = self.take_sleep(&mut exprs);
        let steps = self.task_steps(&exprs, call.callee.span);
        (Task { name, span: expr.span, steps, dead_letter, unacked, restart_after }, name_at)
    }

    fn task_name(&mut self, expr: &Expr) -> Option<String> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return None;
        }
        let LiteralValue::Str(name) = value.value else {
            self.found.push(
                Diagnostic::error(
                    "bad-argument",
                    format!("the name of a task is a string, found {}", value.value.noun()),
                )
                .at(expr.span, "")
                .help(self.spelled("write name=\"web\"", "write name: web")),
            );
            return None;
        };
        let fault = if name.trim().is_empty() {
            "is empty"
        } else if name.chars().any(char::is_control) {
            "has a control character in it"
        } else if name.chars().count() > MAX_NAME {
            "is longer than 100 characters"
        } else {
            return Some(name);
        };
        self.found.push(
            Diagnostic::error("bad-argument", format!("the name of this task {fault}"))
                .at(expr.span, "")
                .help("a short word is best: it stands in logs and metrics"),
        );
        None
    }

    fn dead_letter(&mut self, expr: &Expr) -> Option<Call> {
        self.output(expr, "dead_letter")
    }

    /// An output plugin that stands as an argument; anything else is noted.
    pub(super) fn output(&mut self, expr: &Expr, of: &str) -> Option<Call> {
        let help = self.spelled(
            "name an output, such as out.File(\"…\")",
            "name an output, such as {out.File: /tmp/x}",
        );
        let wrong = |what: String| {
            Diagnostic::error("not-an-output", format!("`{of}` takes outputs, found {what}"))
                .at(expr.span, "expected an output")
                .help(help)
        };
        match &expr.kind {
            ExprKind::Call(call) if call.callee.name.contains('.') => {
                let plugin = self.plugin(call, expr.span)?;
                if plugin.kind == Kind::Output {
                    return Some(plugin);
                }
                let what = format!("`{}`, which is {}", plugin.path(), with_article(plugin.kind));
                self.found.push(wrong(what));
            }
            ExprKind::Name(_) => self.uncalled(expr),
            ExprKind::Unreadable => {}
            _ => self.found.push(wrong(expr.noun())),
        }
        None
    }

    /// The `sleep(…)` at the end of a task; one that stands elsewhere is left for the chain.
    fn take_sleep(&mut self, exprs: &mut Vec<&Expr>) -> Option<Duration> {
        let call = exprs.last()?.as_call().filter(|call| call.callee.name == "sleep")?;
        let expr = exprs.pop().expect("there is a last one");
        let params = Params::bind(call, &["duration"], &mut self.found);
        let Some(duration) = params.get("duration") else {
            self.found.push(
                Diagnostic::error("missing-argument", "`sleep` needs a duration")
                    .at(expr.span, "")
                    .help(self.spelled(
                        "write sleep(3) for seconds, or sleep(\"5m\")",
                        "write sleep: 3 for seconds, or sleep: 5m",
                    )),
            );
            return None;
        };
        self.argument(duration, Duration::ZERO)
    }

    /// The greatest size of what may be on its way. Less than a block of lines would only make it slow.
    fn unacked(&mut self, expr: &Expr) -> Option<u64> {
        let size = self.argument(expr, LEAST_UNACKED)?;
        if size < LEAST_UNACKED {
            self.found.push(
                Diagnostic::error("bad-argument", "`unacked` is at least 1m")
                    .at(expr.span, "")
                    .help("it bounds what is read and not delivered yet; 64m when left out"),
            );
        }
        Some(size.bytes())
    }

    /// A typed argument of a flow word; `later` stands for one that is known only in the agent.
    fn argument<T: OptionValue>(&mut self, expr: &Expr, later: T) -> Option<T> {
        let value = self.value(expr)?;
        if self.later.contains(&value.span) {
            return Some(later);
        }
        match T::read(&value) {
            Ok(value) => Some(value),
            Err(OptionErrors(errors)) => {
                for error in errors {
                    let found = Diagnostic::error("bad-argument", error.message).at(error.span, "");
                    self.found.push(error.help.into_iter().fold(found, Diagnostic::help));
                }
                None
            }
        }
    }

    fn task_steps(&mut self, exprs: &[&Expr], at: Span) -> Vec<Step> {
        let Some((first, rest)) = exprs.split_first() else {
            self.found.push(
                Diagnostic::error("empty-task", "this task does nothing").at(at, "").help(
                    self.spelled(
                        "a task is an input and one output or more: task(in.…, out.…)",
                        "a task is an input and one output or more: [in.…, out.…]",
                    ),
                ),
            );
            return Vec::new();
        };
        let head = self.first_step(first);
        if rest.is_empty() {
            if head.is_some() {
                self.found.push(
                    Diagnostic::error("nothing-after-input", "nothing comes after the input")
                        .at(first.span, "these records go nowhere")
                        .help(self.spelled(
                            "add an output, such as out.Stdout()",
                            "add an output, such as out.Stdout",
                        )),
                );
            }
            return head.into_iter().collect();
        }
        let chain = self.chain(rest);
        if let (Some(last), true) = (rest.last(), chain.last_is_known) {
            self.must_end(&chain.steps, last, "task");
        }
        head.into_iter().chain(chain.steps).collect()
    }

    fn first_step(&mut self, expr: &Expr) -> Option<Step> {
        let Some(call) = expr.as_call() else {
            self.not_a_step(expr);
            return None;
        };
        let found = match call.callee.name.as_str() {
            "link" => return self.link(call, expr).map(Step::Link),
            "failover" | "tee" | "when" | "sleep" => {
                // Its own mistakes are told as well.
                self.step(expr);
                Diagnostic::error("input-missing", "a task begins with an input")
                    .at(call.callee.span, "not an input")
            }
            _ => {
                let step = self.step_at(expr, true)?;
                match &step {
                    Step::Plugin(plugin) if plugin.kind == Kind::Input => return Some(step),
                    Step::Plugin(plugin) => {
                        Diagnostic::error("input-missing", "a task begins with an input")
                            .at(call.callee.span, format!("this is {}", with_article(plugin.kind)))
                    }
                    _ => return None,
                }
            }
        };
        self.found.push(found.help(self.spelled(
            "put an input before it, such as in.FileTailing(\"…\"), or link(\"name\")",
            "put an input before it, such as in.FileTailing: /var/log/x, or link: name",
        )));
        None
    }

    fn outside_task(&mut self, expr: &Expr) {
        let found = match &expr.kind {
            // Told when names were written out.
            ExprKind::Name(name)
                if !name.contains('.') && !super::FLOW_WORDS.contains(&name.as_str()) =>
            {
                return;
            }
            ExprKind::Unreadable => return,
            ExprKind::Call(call) => Diagnostic::error(
                "outside-task",
                format!("`{}` stands outside of a task", call.callee.name),
            )
            .at(call.callee.span, "")
            .help("put it between the brackets of task(…), or give it a name: x = …"),
            _ => Diagnostic::error("outside-task", format!("{} does nothing here", expr.noun()))
                .at(expr.span, "")
                .help("a recipe is a list of tasks: task(in.…, out.…)"),
        };
        self.found.push(found);
    }
}
