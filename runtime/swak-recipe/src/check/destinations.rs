//! Files that several outputs write to.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::Checker;
use crate::diag::{Diagnostic, Span};
use crate::model::{Call, Step, Task};

/// One output, and why it must have its file alone.
struct Claim {
    span: Span,
    alone: Option<String>,
}

impl Checker<'_> {
    /// Notes every file that an output must have alone and that another one writes to as well.
    pub(super) fn destinations(&mut self, tasks: &[Task]) {
        let mut calls = Vec::new();
        for task in tasks {
            collect(&task.steps, &mut calls);
            calls.extend(task.dead_letter.iter().map(|call| (call, false)));
        }
        let mut claims: HashMap<PathBuf, Claim> = HashMap::new();
        for (call, is_drained) in calls {
            if self.has_enough() {
                return;
            }
            let Some(spec) = self.specs.get(&call.path()) else { continue };
            let Some(found) = self.catalog.writes_to(spec, &call.args) else { continue };
            let drained = is_drained.then(|| DRAINED.to_owned());
            let claim = Claim { span: call.span, alone: drained.or(found.alone) };
            let path = plain(&found.path);
            let first = claims.get(&path);
            self.found.extend(first.and_then(|first| collision(&found.path, first, &claim)));
            // Those that follow are held against one that must have it alone, if there is one.
            if first.is_none_or(|first| first.alone.is_none()) {
                claims.insert(path, claim);
            }
        }
    }
}

const DRAINED: &str = "what is written here is sent on and then removed, with drain_back";

/// The mistake of two outputs with one file; `None` when neither needs it alone.
fn collision(path: &Path, first: &Claim, second: &Claim) -> Option<Diagnostic> {
    let (why, of_first) = match (&second.alone, &first.alone) {
        (Some(why), _) => (why, false),
        (None, Some(why)) => (why, true),
        (None, None) => return None,
    };
    let message =
        format!("two outputs write to {}, and one of them must have it alone", path.display());
    let found = Diagnostic::error("file-not-shared", message);
    let found = match of_first {
        true => found.at(second.span, "this one writes there too").label(first.span, why.clone()),
        false => found.at(second.span, why.clone()).label(first.span, "this one writes there too"),
    };
    Some(found.help("give each of them a file of its own"))
}

/// The outputs below these steps, and whether what each writes is sent on.
fn collect<'a>(steps: &'a [Step], out: &mut Vec<(&'a Call, bool)>) {
    for step in steps {
        match step {
            Step::Plugin(call) => out.push((call, false)),
            Step::Failover(failover) => {
                out.extend(failover.outputs.iter().map(|call| (call, false)));
                out.extend(failover.last.iter().map(|call| (call, failover.drain_back)));
            }
            Step::Tee(tee) => tee.branches.iter().for_each(|branch| collect(branch, out)),
            Step::When(when) => {
                collect(&when.then, out);
                collect(when.otherwise.as_deref().unwrap_or_default(), out);
            }
            Step::Link(_) => {}
        }
    }
}

/// A path without what changes nothing in it: `./a//b` is `a/b`. What may lead through a symbolic link
/// stays as it is; the system is not asked.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}
