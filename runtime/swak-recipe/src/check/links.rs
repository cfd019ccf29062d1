//! Links between tasks: both ends are there, and no records go round in a circle.

use std::collections::{BTreeMap, HashMap};

use super::ENOUGH;
use super::catalog::nearest;
use crate::diag::{Diagnostic, Span};
use crate::model::{Link, Step, Task};
use crate::syntax::Spelling;

/// How a link's name begins that is known only where the recipe runs; no written one has it.
pub(super) const LATER: &str = "\0later-";

/// Notes every link that lacks an end, has two receivers, or closes a circle.
pub(super) fn check(tasks: &[Task], spelling: Spelling, found: &mut Vec<Diagnostic>) {
    let mut receivers: BTreeMap<&str, (usize, &Link)> = BTreeMap::new();
    let mut senders: BTreeMap<&str, Vec<(usize, &Link)>> = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        let mut steps = task.steps.as_slice();
        if let Some((Step::Link(link), rest)) = steps.split_first() {
            steps = rest;
            match receivers.get(link.name.as_str()) {
                Some((_, first)) => found.push(two_receivers(link, first, spelling)),
                None => {
                    receivers.insert(&link.name, (index, link));
                }
            }
        }
        let mut sent = Vec::new();
        collect(steps, &mut sent);
        for link in sent {
            senders.entry(&link.name).or_default().push((index, link));
        }
    }
    // A name that is known only where the recipe runs has no other end here.
    let later = |name: &str| name.starts_with(LATER);
    for (name, sent) in &senders {
        if !receivers.contains_key(name) && !later(name) {
            for (_, link) in sent {
                let near = nearest(name, receivers.keys().copied());
                found.push(no_receiver(link, near, spelling));
            }
        }
        if found.len() >= ENOUGH {
            return;
        }
    }
    for (name, (_, link)) in &receivers {
        if !senders.contains_key(name) && !later(name) {
            let near = nearest(name, senders.keys().copied());
            found.push(no_sender(link, near, spelling));
        }
        if found.len() >= ENOUGH {
            return;
        }
    }
    circles(tasks, &receivers, &senders, found);
}

/// The links that these steps send into.
fn collect<'a>(steps: &'a [Step], out: &mut Vec<&'a Link>) {
    for step in steps {
        match step {
            Step::Link(link) => out.push(link),
            Step::Tee(tee) => tee.branches.iter().for_each(|branch| collect(branch, out)),
            Step::When(when) => {
                collect(&when.then, out);
                collect(when.otherwise.as_deref().unwrap_or_default(), out);
            }
            Step::Plugin(_) | Step::Failover(_) => {}
        }
    }
}

/// One way from a task to another.
struct Way {
    to: usize,
    at: Span,
}

fn circles(
    tasks: &[Task],
    receivers: &BTreeMap<&str, (usize, &Link)>,
    senders: &BTreeMap<&str, Vec<(usize, &Link)>>,
    found: &mut Vec<Diagnostic>,
) {
    let mut ways: HashMap<usize, Vec<Way>> = HashMap::new();
    for (name, sent) in senders {
        let Some((to, _)) = receivers.get(name) else { continue };
        for (from, link) in sent {
            ways.entry(*from).or_default().push(Way { to: *to, at: link.span });
        }
    }
    // Depth first and without recursion: a recipe may hold a hundred thousand tasks.
    let mut done = vec![false; tasks.len()];
    let mut depth: Vec<Option<usize>> = vec![None; tasks.len()];
    for start in 0..tasks.len() {
        // Each element: a task, the next of its ways, and where the way into it stands.
        let mut path: Vec<(usize, usize, Span)> = vec![(start, 0, Span::default())];
        if done[start] {
            continue;
        }
        depth[start] = Some(0);
        while let Some((task, next, _)) = path.last_mut() {
            let task = *task;
            let Some(way) = ways.get(&task).and_then(|ways| ways.get(*next)) else {
                done[task] = true;
                depth[task] = None;
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(first) = depth[way.to] {
                found.push(circle(tasks, &path[first..], way));
            } else if !done[way.to] {
                depth[way.to] = Some(path.len());
                path.push((way.to, 0, way.at));
            }
        }
    }
}

fn circle(tasks: &[Task], path: &[(usize, usize, Span)], last: &Way) -> Diagnostic {
    let mut names: Vec<_> = path.iter().map(|(task, ..)| tasks[*task].name.as_str()).collect();
    names.push(&tasks[last.to].name);
    let mut found = Diagnostic::error(
        "link-cycle",
        format!("records go round in a circle: {}", names.join(" → ")),
    )
    .at(last.at, "back to where they came from");
    for (_, _, at) in path.iter().skip(1).take(8) {
        found = found.label(*at, "from here");
    }
    found.help("links join tasks in one direction; take one of these links out")
}

fn two_receivers(link: &Link, first: &Link, spelling: Spelling) -> Diagnostic {
    Diagnostic::error(
        "link-two-receivers",
        format!("two tasks receive from the link `{}`", link.name),
    )
    .at(link.span, "again here")
    .label(first.span, "first here")
    .help(match spelling {
        Spelling::Python => "send into two links with tee([link(\"a\")], [link(\"b\")])",
        Spelling::Yaml => "send into two links with tee: [[{link: a}], [{link: b}]]",
    })
}

fn no_receiver(link: &Link, near: Option<&str>, spelling: Spelling) -> Diagnostic {
    let found = Diagnostic::error(
        "link-no-receiver",
        format!("nothing receives from the link `{}`", link.name),
    )
    .at(link.span, "these records go nowhere");
    found.help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("begin a task with it: {}", spelled(link, spelling, "task(", ", …)")),
    })
}

fn no_sender(link: &Link, near: Option<&str>, spelling: Spelling) -> Diagnostic {
    let found =
        Diagnostic::error("link-no-sender", format!("nothing sends into the link `{}`", link.name))
            .at(link.span, "no record will ever come");
    found.help(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("end a task with it: {}", spelled(link, spelling, "task(in.…, ", ")")),
    })
}

/// The link as it is written, in Python between these words.
fn spelled(link: &Link, spelling: Spelling, before: &str, after: &str) -> String {
    let name = link.name.escape_debug();
    match spelling {
        Spelling::Python => format!("{before}link(\"{name}\"){after}"),
        Spelling::Yaml => format!("- link: {name}"),
    }
}
