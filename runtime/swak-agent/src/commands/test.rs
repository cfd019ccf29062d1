//! `test`: one task in the foreground.

use std::collections::BTreeSet;
use std::sync::Arc;

use swak_engine::{Ended, RestartPolicy, Settings};
use swak_recipe::diag::Diagnostic;
use swak_recipe::model::{Step, Task};
use swak_sdk::Plugins;

use super::trace::Tracer;
use super::{Result, recipe, running, summary};
use crate::cli::{LogArgs, TestArgs};
use crate::failure::Failure;
use crate::paint::Paint;
use crate::{About, Console, logging};

pub(super) fn run(
    args: &TestArgs,
    log: &LogArgs,
    about: &About,
    plugins: Plugins,
    console: &mut Console<'_>,
) -> Result {
    let config = recipe::config(&args.settings.config)?;
    logging::start(log, &config.log, console.stderr_color)?;
    let mut recipe =
        recipe::checked_aloud(args.recipe.as_deref(), &config, about, &plugins, console)?;
    let chosen = choose(&recipe.tasks, args.task.as_deref())?;
    let name = recipe.tasks[chosen].name.clone();
    recipe.tasks = with_linked(recipe.tasks, chosen);
    for other in recipe.tasks.iter().filter(|task| task.name != name) {
        tracing::info!(task = other.name, "runs too: it is linked with `{name}`");
    }

    // A trial neither goes on from where the agent stands nor moves its positions.
    let own = match args.data_dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| no_folder(&error))?),
    };
    let given = args.data_dir.as_deref().or(own.as_ref().map(|own| own.path()));
    let mut settings = Settings::new(given.expect("there is an own folder if none was given"));
    settings.restart = RestartPolicy::Never;
    if let Some(limit) = args.settings.shutdown_timeout.or(config.shutdown_timeout) {
        settings.shutdown_limit = limit;
    }
    if args.trace {
        let tracer = Tracer::new(std::io::stderr(), Paint(console.stderr_color));
        settings.trace = Some(Arc::new(tracer));
    }
    let summary = running::to_the_end(recipe, plugins, settings, || {})?;
    let failed = summary.tasks.iter().find_map(|task| match &task.ended {
        Ended::Failed(reason) => Some(format!("task `{}` failed: {reason}", task.name)),
        _ => None,
    });
    match failed {
        Some(message) => Err(Failure::tried("task-failed", message)),
        None => {
            summary::log(&summary);
            Ok(())
        }
    }
}

/// As in a container that holds nothing but the agent.
fn no_folder(error: &std::io::Error) -> Failure {
    let message = format!("cannot make a folder for the trial: {error}");
    Failure::Tried(
        Diagnostic::error("cannot-start", message).help("name one with --data-dir").into(),
    )
}

/// The task of that place, from 1, or of that name; the first one when none is said.
fn choose(tasks: &[Task], said: Option<&str>) -> Result<usize> {
    let Some(said) = said else { return Ok(0) };
    let by_name = || tasks.iter().position(|task| task.name == said);
    let found = match said.parse::<usize>() {
        Ok(place) => place.checked_sub(1).filter(|&i| i < tasks.len()),
        Err(_) => None,
    };
    found.or_else(by_name).ok_or_else(|| {
        let names: Vec<_> =
            tasks.iter().enumerate().map(|(i, task)| format!("{} {}", i + 1, task.name)).collect();
        Diagnostic::error("unknown-task", format!("the recipe has no task `{said}`"))
            .help(format!("its tasks are: {}", names.join(", ")))
            .into()
    })
}

/// The chosen task, and those that give to it or take from it: without them it would wait for ever.
fn with_linked(tasks: Vec<Task>, chosen: usize) -> Vec<Task> {
    let links: Vec<_> = tasks.iter().map(|task| links_of(&task.steps)).collect();
    let mut known = links[chosen].clone();
    let mut taken = BTreeSet::from([chosen]);
    loop {
        let before = taken.len();
        for (i, links) in links.iter().enumerate() {
            if !links.is_disjoint(&known) {
                known.extend(links.iter().cloned());
                taken.insert(i);
            }
        }
        if taken.len() == before {
            break;
        }
    }
    let mut place = 0..;
    let is_taken = |_: &Task| place.next().is_some_and(|i| taken.contains(&i));
    tasks.into_iter().filter(is_taken).collect()
}

fn links_of(steps: &[Step]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for step in steps {
        match step {
            Step::Link(link) => {
                names.insert(link.name.clone());
            }
            Step::Tee(tee) => names.extend(tee.branches.iter().flat_map(|b| links_of(b))),
            Step::When(when) => {
                names.extend(links_of(&when.then));
                names.extend(when.otherwise.iter().flat_map(|steps| links_of(steps)));
            }
            Step::Plugin(_) | Step::Failover(_) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use swak_recipe::diag::Span;
    use swak_recipe::model::{Link, Tee};

    use super::*;

    fn task(name: &str, links: &[&str]) -> Task {
        let link = |name: &&str| {
            vec![Step::Link(Link { name: (*name).to_owned(), span: Span::default() })]
        };
        let branches = links.iter().map(link).collect();
        Task {
            name: name.into(),
            span: Span::default(),
            steps: vec![Step::Tee(Tee { branches, span: Span::default() })],
            dead_letter: None,
            unacked: None,
            restart_after: None,
        }
    }

    #[test]
    fn a_task_is_chosen_by_place_or_name() {
        let tasks = [task("people", &[]), task("errors", &[])];
        assert_eq!(choose(&tasks, None).unwrap(), 0);
        assert_eq!(choose(&tasks, Some("2")).unwrap(), 1);
        assert_eq!(choose(&tasks, Some("errors")).unwrap(), 1);
        for wrong in ["0", "3", "error", ""] {
            let Err(Failure::Given(found)) = choose(&tasks, Some(wrong)) else {
                panic!("there is no task `{wrong}`")
            };
            assert!(found.to_string().contains("1 people, 2 errors"), "{found}");
        }
    }

    #[test]
    fn what_is_linked_comes_along() {
        let all = || {
            vec![
                task("a", &["x"]),
                task("b", &[]),
                task("c", &["y", "x"]),
                task("d", &["y"]),
                task("e", &["z"]),
            ]
        };
        let names = |chosen| {
            let taken = with_linked(all(), chosen);
            taken.into_iter().map(|task| task.name).collect::<Vec<_>>()
        };
        assert_eq!(names(0), ["a", "c", "d"]);
        assert_eq!(names(3), ["a", "c", "d"]);
        assert_eq!(names(1), ["b"]);
    }
}
