//! Names: each use is replaced by what the name stands for.

use std::collections::{HashMap, HashSet};

use super::catalog::nearest;
use super::{ENOUGH, FLOW_WORDS};
use crate::diag::{Diagnostic, Span};
use crate::syntax::{Arg, Call, Expr, ExprKind, MAX_DEPTH, Script, Statement};

/// How many expressions a recipe may come to when all names are written out.
const MAX_EXPRESSIONS: usize = 200_000;

/// The recipe with every name written out, and without the statements that only gave names.
///
/// `complete` says that the whole text could be read, so that a name that nothing uses is one.
/// What cannot be replaced (a name that is not known, one that stands for itself) is noted and
/// left as it is.
pub fn inline(script: &Script, complete: bool, found: &mut Vec<Diagnostic>) -> Script {
    let bindings = bindings(script, found);
    let mut inliner = Inliner {
        bindings: &bindings,
        used: HashSet::new(),
        told: HashSet::new(),
        active: Vec::new(),
        expressions: 0,
        found,
    };
    let mut out = Script::default();
    for statement in &script.statements {
        if inliner.found.len() >= ENOUGH {
            break;
        }
        let binds_a_task = statement.value.as_call().is_some_and(|c| c.callee.name == "task");
        if statement.target.is_none() || binds_a_task {
            let value = inliner.expr(&statement.value, 0);
            out.statements.push(Statement { target: statement.target.clone(), value });
        }
    }
    let used = inliner.used;
    if !complete {
        // The use may stand where nothing could be read.
        return out;
    }
    for statement in &script.statements {
        let Some(name) = &statement.target else { continue };
        let is_task = statement.value.as_call().is_some_and(|c| c.callee.name == "task");
        let bound = bindings.contains_key(name.name.as_str());
        if found.len() >= ENOUGH {
            break;
        }
        if bound && !is_task && !used.contains(name.name.as_str()) {
            found.push(
                Diagnostic::warning(
                    "unused-name",
                    format!("nothing uses the name `{}`", name.name),
                )
                .at(name.span, "")
                .help("use it in a task, or remove it"),
            );
        }
    }
    out
}

/// What each name stands for. The first of two wins, the second is a mistake.
fn bindings<'a>(
    script: &'a Script,
    found: &mut Vec<Diagnostic>,
) -> HashMap<&'a str, (Span, &'a Expr)> {
    let mut bindings: HashMap<&str, (Span, &Expr)> = HashMap::new();
    for statement in &script.statements {
        let Some(name) = &statement.target else { continue };
        if found.len() >= ENOUGH {
            break;
        }
        if FLOW_WORDS.contains(&name.name.as_str()) {
            found.push(
                Diagnostic::error(
                    "bad-target",
                    format!("`{}` is a word of the recipe language", name.name),
                )
                .at(name.span, "")
                .help("take another name"),
            );
        } else if let Some((first, _)) = bindings.get(name.name.as_str()) {
            found.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("the name `{}` is given twice", name.name),
                )
                .at(name.span, "again here")
                .label(*first, "first here")
                .help("take another name for one of them"),
            );
        } else {
            bindings.insert(&name.name, (name.span, &statement.value));
        }
    }
    bindings
}

struct Inliner<'a, 'f> {
    bindings: &'a HashMap<&'a str, (Span, &'a Expr)>,
    used: HashSet<&'a str>,
    /// Names whose circle was told.
    told: HashSet<&'a str>,
    /// The names that are being written out, from the outermost.
    active: Vec<&'a str>,
    expressions: usize,
    found: &'f mut Vec<Diagnostic>,
}

impl<'a> Inliner<'a, '_> {
    fn expr(&mut self, expr: &'a Expr, depth: usize) -> Expr {
        self.expressions += 1;
        let nothing = Expr { kind: ExprKind::Unreadable, span: expr.span };
        if self.expressions > MAX_EXPRESSIONS {
            if self.expressions == MAX_EXPRESSIONS + 1 {
                self.found.push(
                    Diagnostic::error(
                        "recipe-too-large",
                        format!("written out, this recipe has more than {MAX_EXPRESSIONS} values"),
                    )
                    .at(expr.span, "the last one that was read")
                    .help("names that stand for names multiply; write less of them"),
                );
            }
            return nothing;
        }
        if depth > MAX_DEPTH {
            self.found.push(
                Diagnostic::error("too-deep", format!("nested deeper than {MAX_DEPTH} levels"))
                    .at(expr.span, "one level too deep, with all names written out"),
            );
            return nothing;
        }
        let kind = match &expr.kind {
            ExprKind::Name(name) => return self.name(name, expr, depth),
            ExprKind::List(items) => {
                ExprKind::List(items.iter().map(|item| self.expr(item, depth + 1)).collect())
            }
            ExprKind::Dict(entries) => ExprKind::Dict(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.expr(value, depth + 1)))
                    .collect(),
            ),
            ExprKind::Call(call) => ExprKind::Call(Call {
                callee: call.callee.clone(),
                args: call
                    .args
                    .iter()
                    .map(|arg| Arg {
                        name: arg.name.clone(),
                        value: self.expr(&arg.value, depth + 1),
                    })
                    .collect(),
            }),
            plain => plain.clone(),
        };
        Expr { kind, span: expr.span }
    }

    fn name(&mut self, name: &'a str, expr: &'a Expr, depth: usize) -> Expr {
        let Some((bound_at, bound)) = self.bindings.get(name) else {
            // A path is a plugin that is not called: the checker knows more about it.
            if !name.contains('.') && !FLOW_WORDS.contains(&name) {
                self.unknown(name, expr.span);
            }
            return expr.clone();
        };
        self.used.insert(name);
        if let Some(first) = self.active.iter().position(|active| *active == name) {
            if self.told.insert(name) {
                let mut circle: Vec<_> = self.active[first..].to_vec();
                circle.push(name);
                self.found.push(
                    Diagnostic::error("name-cycle", format!("`{name}` stands for itself"))
                        .at(expr.span, circle.join(" → "))
                        .label(*bound_at, "bound here")
                        .help("a name is replaced by its value, so that it cannot be in it"),
                );
            }
            return expr.clone();
        }
        self.active.push(name);
        let value = self.expr(bound, depth + 1);
        self.active.pop();
        value
    }

    fn unknown(&mut self, name: &str, span: Span) {
        let found = Diagnostic::error("unknown-name", format!("the name `{name}` is not known"))
            .at(span, "");
        let help = match name {
            "true" | "TRUE" | "yes" => "write True".to_owned(),
            "false" | "FALSE" | "no" => "write False".to_owned(),
            "null" | "none" | "nil" => "write None".to_owned(),
            _ => match nearest(name, self.bindings.keys().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("put it in quotes if it is text: \"{name}\"; or bind it: {name} = …")
                }
            },
        };
        self.found.push(found.help(help));
    }
}
