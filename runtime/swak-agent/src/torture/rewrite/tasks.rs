//! Tasks and their steps: which can be fed, and where their records come out.

use std::collections::{BTreeMap, BTreeSet};

use swak_recipe::diag::{Diagnostic, Diagnostics};
use swak_recipe::syntax::{Arg, Call, Expr, ExprKind, Script, Statement};
use swak_sdk::options::{Glob, Kind, OptionSpec, PluginSpec, TextKind};

use super::outputs::no_port;
use super::places::{below, files_for};
use super::sockets::Sent;
use super::values::{argument, change_texts, is_text_of, set, text, texts};
use super::{Expect, Place, Sender, Sink, SinkKind, SourcePlan};

/// How many files are made up for a pattern that names none.
const FILES_FOR_A_PATTERN: usize = 3;

/// What is known while a recipe is rewritten.
pub(super) struct Rewriter<'a> {
    pub(super) place: Place<'a>,
    pub(super) senders: Vec<Sender>,
    pub(super) sinks: Vec<Sink>,
    pub(super) units: usize,
    /// Whether the first step after each input parses JSON.
    pub(super) json: bool,
    /// Whether each input receives syslog.
    pub(super) syslog: bool,
    pub(super) skips_present: bool,
    pub(super) notes: Vec<String>,
}

/// What feeds a task that is kept.
pub(super) struct Fed {
    /// The files that it follows.
    pub(super) include: Vec<Glob>,
    pub(super) exclude: Vec<Glob>,
    /// What is sent to it.
    pub(super) sent: Vec<Sent>,
    pub(super) expect: Expect,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Rewriter {
            place,
            senders: Vec::new(),
            sinks: Vec::new(),
            units: 0,
            json: true,
            syslog: true,
            skips_present: false,
            notes: Vec::new(),
        }
    }

    /// Rewrites all tasks, and leaves out those that nothing can feed.
    pub(super) fn script(&mut self, script: &mut Script) -> Result<Vec<Fed>, Diagnostics> {
        self.leave_out(script)?;
        let mut fed = Vec::new();
        let mut receivers: BTreeMap<String, Vec<Expect>> = BTreeMap::new();
        for statement in &mut script.statements {
            let ExprKind::Call(task) = &mut statement.value.kind else { continue };
            let dead_letter = self.dead_letter(task)?;
            let mut steps: Vec<&mut Expr> = task
                .args
                .iter_mut()
                .filter(|arg| arg.name.is_none())
                .map(|arg| &mut arg.value)
                .collect();
            let (first, rest) = steps.split_first_mut().expect("a checked task has an input");
            let (expect, _) = self.steps(rest)?;
            let expect = match dead_letter {
                Some(dead_letter) => Expect::Either(vec![expect, dead_letter]),
                None => expect,
            };
            match link_name(first) {
                Some(name) => receivers.entry(name.to_owned()).or_default().push(expect),
                None => {
                    let begins_with_json =
                        rest.first().is_some_and(|step| callee(step) == "out.JsonParser");
                    self.json &= begins_with_json;
                    self.syslog &= callee(first).contains("Syslog");
                    fed.push(self.input(first, expect)?);
                }
            }
        }
        let receive = |name: &str| receivers.get(name).cloned().unwrap_or_default();
        for one in &mut fed {
            one.expect = one.expect.resolved(&receive);
        }
        Ok(fed)
    }

    /// The files to write for the tasks.
    pub(super) fn sources(&self, fed: &[Fed]) -> Result<Vec<SourcePlan>, Diagnostics> {
        let mut paths = BTreeSet::new();
        for one in fed {
            for pattern in &one.include {
                let files = files_for(pattern, &one.exclude, FILES_FOR_A_PATTERN);
                if files.is_empty() {
                    let message =
                        format!("no name was found that fits `{pattern}` and no `exclude`");
                    return Err(Diagnostic::error("cannot-torture", message)
                        .help("give the input a pattern of which one file is easily made up")
                        .into());
                }
                paths.extend(files);
            }
        }
        // A file that two tasks follow must come out of both.
        let follows = |one: &Fed, path: &std::path::PathBuf| {
            one.include.iter().any(|glob| glob.is_match(path))
                && !one.exclude.iter().any(|glob| glob.is_match(path))
        };
        let expect = |path: &std::path::PathBuf| {
            let all = fed.iter().filter(|one| follows(one, path)).map(|one| one.expect.clone());
            all.fold(Expect::nowhere(), Expect::and)
        };
        let file = |path| SourcePlan { expect: expect(&path), path, sent: None };
        let mut all: Vec<SourcePlan> = paths.into_iter().map(file).collect();
        for (one, Sent { transport, address }) in
            fed.iter().flat_map(|one| one.sent.iter().map(move |sent| (one, sent)))
        {
            let name = format!("{transport}-{}", address.replace(':', "-")).to_lowercase();
            all.push(SourcePlan {
                path: self.place.files.join(name),
                sent: Some((*transport, address.clone())),
                expect: one.expect.clone(),
            });
        }
        Ok(all)
    }

    /// The plugin that a call names.
    pub(super) fn spec(&self, call: &Call) -> Option<&'a PluginSpec> {
        let catalog = self.place.catalog;
        catalog.specs().into_iter().find(|spec| spec.path() == call.callee.name)
    }

    /// Takes out the tasks that nothing can feed, and those that only they would feed.
    fn leave_out(&mut self, script: &mut Script) -> Result<(), Diagnostics> {
        let mut why = Vec::new();
        script.statements.retain(|statement| {
            let unfit = input(statement).and_then(|input| self.unfit(input));
            why.extend(unfit.clone());
            unfit.is_none()
        });
        loop {
            let sent: BTreeSet<String> = script.statements.iter().flat_map(sent_by).collect();
            let before = script.statements.len();
            script.statements.retain(|statement| {
                input(statement).and_then(link_name).is_none_or(|name| sent.contains(name))
            });
            if script.statements.len() == before {
                break;
            }
        }
        if script.statements.is_empty() {
            let message = format!("this recipe cannot be tortured: {}", why.join("; "));
            return Err(Diagnostic::error("cannot-torture", message)
                .help("torture writes files that a recipe follows, and sends to inputs that listen for lines or for what an output of this agent sends")
                .help("to torture the steps of this recipe, begin it with in.FileTailing(\"…\") instead")
                .into());
        }
        self.notes.extend(why.into_iter().map(|why| format!("a task is left out: {why}")));
        Ok(())
    }

    /// Why an input cannot be fed.
    fn unfit(&self, input: &Expr) -> Option<String> {
        if link_name(input).is_some() {
            return None;
        }
        let spec = self.spec(input.as_call()?)?;
        let reads = spec.options.iter().any(|option| is_text_of(&option.ty, TextKind::Glob));
        let call = input.as_call()?;
        let can_be_sent_to =
            self.sender_for(call, spec).is_some() || self.takes_lines(call, spec).is_some();
        if reads || can_be_sent_to {
            return None;
        }
        let name = spec.path();
        let listens = spec.options.iter().any(|one| is_text_of(&one.ty, TextKind::Address));
        Some(match listens {
            true => format!("torture cannot send to `{name}` as this recipe has it"),
            false => format!("`{name}` reads no files, and listens to nobody"),
        })
    }

    /// Leads an input to files of our own.
    fn input(&mut self, input: &mut Expr, expect: Expect) -> Result<Fed, Diagnostics> {
        let ExprKind::Call(call) = &mut input.kind else {
            unreachable!("only calls are inputs that can be fed")
        };
        let spec = self.spec(call).expect("a checked recipe names plugins that are there");
        if let Some(start) = spec.option("start").and_then(|option| argument(call, spec, option)) {
            self.skips_present |= texts(start, self.place.environment).contains(&"end".to_owned());
        }
        if let Some((address, output)) = self.sender_for(call, spec) {
            return self.listener(call, spec, address, output, expect);
        }
        if let Some(address) = self.takes_lines(call, spec) {
            return self.sockets(call, spec, address, expect);
        }
        let (mut include, mut exclude) = (Vec::new(), Vec::new());
        for option in spec.options.iter().filter(|option| is_text_of(&option.ty, TextKind::Glob)) {
            let Some(value) = argument(call, spec, option) else { continue };
            let folder = self.place.files;
            change_texts(value, self.place.environment, &mut |text| below(folder, text));
            let mut globs = Vec::new();
            for text in texts(value, self.place.environment) {
                globs.push(Glob::new(&text).map_err(|error| {
                    let message = format!("`{text}` is no pattern any more: {error}");
                    Diagnostic::error("cannot-torture", message)
                        .help("name a folder without special characters with --keep")
                })?);
            }
            match &*option.name {
                "exclude" => exclude.extend(globs),
                _ if option.positional => include.extend(globs),
                _ => {}
            }
        }
        Ok(Fed { include, exclude, sent: Vec::new(), expect })
    }

    /// Lets an input that listens do so on loopback, and gives it a sender that follows a file.
    fn listener(
        &mut self,
        call: &mut Call,
        spec: &PluginSpec,
        address: &OptionSpec,
        output: String,
        expect: Expect,
    ) -> Result<Fed, Diagnostics> {
        let port = (self.place.free_port)().map_err(|error| no_port(&error))?;
        set(call, spec, address, text(port.clone()));
        let options = self.shared(call, spec, &output);
        let path = self.place.files.join(format!("sent-{}.log", self.senders.len()));
        let glob = Glob::new(&path.to_string_lossy()).map_err(|error| {
            Diagnostic::error("cannot-torture", format!("`{}`: {error}", path.display()))
        })?;
        self.notes.push(format!("`{output}` of another agent sends to `{}`", spec.path()));
        self.senders.push(Sender { path, output, address: port, options });
        Ok(Fed { include: vec![glob], exclude: Vec::new(), sent: Vec::new(), expect })
    }

    fn dead_letter(&mut self, task: &mut Call) -> Result<Option<Expect>, Diagnostics> {
        let named = |arg: &&mut Arg| arg.name.as_ref().is_some_and(|key| key.name == "dead_letter");
        let Some(arg) = task.args.iter_mut().find(named) else { return Ok(None) };
        let unit = self.new_unit();
        self.output(&mut arg.value, unit)?;
        Ok(Some(Expect::Unit(unit)))
    }

    /// Where records come out that go into these steps, and whether none goes further.
    fn steps(&mut self, steps: &mut [&mut Expr]) -> Result<(Expect, bool), Diagnostics> {
        let Some((first, rest)) = steps.split_first_mut() else {
            return Ok((Expect::nowhere(), false));
        };
        let (after, after_ends) = self.steps(rest)?;
        let word = callee(first).to_owned();
        Ok(match word.as_str() {
            "failover" => (self.failover(first)?.and(after), true),
            "tee" => {
                let mut all = after;
                for branch in branches(first) {
                    all = self.branch(branch)?.0.and(all);
                }
                (all, true)
            }
            "when" => {
                let mut ways = Vec::new();
                let mut all_end = true;
                let mut count = 0;
                for branch in branches(first) {
                    let (expect, ends) = self.branch(branch)?;
                    count += 1;
                    all_end &= ends;
                    ways.push(if ends { expect } else { expect.and(after.clone()) });
                }
                if count < 2 {
                    ways.push(after);
                }
                let ends = after_ends || (all_end && count > 1);
                (Expect::Either(ways), ends)
            }
            "link" => {
                let name = link_name(first).unwrap_or_default().to_owned();
                (Expect::Link(name).and(after), true)
            }
            "sleep" => (after, after_ends),
            _ => match self.plugin(first)? {
                Some(unit) => (Expect::Unit(unit).and(after), true),
                None => (after, after_ends),
            },
        })
    }

    fn branch(&mut self, branch: &mut Expr) -> Result<(Expect, bool), Diagnostics> {
        let ExprKind::List(steps) = &mut branch.kind else { return Ok((Expect::nowhere(), false)) };
        self.steps(&mut steps.iter_mut().collect::<Vec<_>>())
    }

    /// The unit of an output; `None` for a transform.
    fn plugin(&mut self, step: &mut Expr) -> Result<Option<usize>, Diagnostics> {
        let ExprKind::Call(call) = &mut step.kind else { return Ok(None) };
        let spec = self.spec(call).expect("a checked recipe names plugins that are there");
        if spec.kind == Kind::Output {
            let unit = self.new_unit();
            self.output(step, unit)?;
            return Ok(Some(unit));
        }
        self.transform(call, spec);
        Ok(None)
    }

    fn failover(&mut self, failover: &mut Expr) -> Result<Expect, Diagnostics> {
        let unit = self.new_unit();
        let ExprKind::Call(call) = &mut failover.kind else { return Ok(Expect::nowhere()) };
        let is = |arg: &Arg, name| arg.name.as_ref().is_some_and(|key| key.name == name);
        let drains = call
            .args
            .iter()
            .any(|arg| is(arg, "drain_back") && arg.value.kind == ExprKind::Bool(true));
        for arg in &mut call.args {
            if arg.name.is_none() || is(arg, "last") {
                self.output(&mut arg.value, unit)?;
            }
            if is(arg, "last") && drains {
                let last = self.sinks.last_mut().expect("it was led to somewhere just now");
                if let SinkKind::Files(folder) = &last.kind {
                    last.kind = SinkKind::Between(folder.clone());
                }
            }
        }
        Ok(Expect::Unit(unit))
    }

    fn new_unit(&mut self) -> usize {
        self.units += 1;
        self.units - 1
    }
}

/// The first step of a task.
fn input(statement: &Statement) -> Option<&Expr> {
    let task = statement.value.as_call()?;
    task.args.iter().find(|arg| arg.name.is_none()).map(|arg| &arg.value)
}

/// The name of a `link("name")`.
fn link_name(step: &Expr) -> Option<&str> {
    let call = step.as_call().filter(|call| call.callee.name == "link")?;
    match &call.args.first()?.value.kind {
        ExprKind::Str(name) => Some(name),
        _ => None,
    }
}

/// The links that a task sends to.
fn sent_by(statement: &Statement) -> Vec<String> {
    fn walk(expr: &Expr, found: &mut Vec<String>) {
        found.extend(link_name(expr).map(str::to_owned));
        match &expr.kind {
            ExprKind::Call(call) => call.args.iter().for_each(|arg| walk(&arg.value, found)),
            ExprKind::List(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let Some(task) = statement.value.as_call() else { return Vec::new() };
    let mut found = Vec::new();
    let mut steps = task.args.iter().filter(|arg| arg.name.is_none());
    // The first one receives.
    steps.next();
    steps.for_each(|arg| walk(&arg.value, &mut found));
    found
}

/// The lists of steps of a `tee` or `when`, in the order in which they are written.
fn branches(step: &mut Expr) -> impl Iterator<Item = &mut Expr> {
    let args = match &mut step.kind {
        ExprKind::Call(call) => call.args.iter_mut(),
        _ => [].iter_mut(),
    };
    args.map(|arg| &mut arg.value).filter(|value| matches!(value.kind, ExprKind::List(_)))
}

fn callee(step: &Expr) -> &str {
    step.as_call().map_or("", |call| &call.callee.name)
}
