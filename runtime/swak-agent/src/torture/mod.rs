//! `torture`: a recipe against faults.
//!
//! This process writes the files that the recipe follows, stands behind its outputs, and starts its
//! own executable again as the agent to be tortured, in a folder of its own. `rewrite` makes the
//! recipe fit for that, `session` does the faults and watches, `judge` says whether the contract was
//! kept. Every line that is written carries a `mark`, which is looked for in whatever comes out.

mod clock;
mod collector;
mod damage;
mod disk;
mod events;
mod expect;
mod fault;
mod folder;
mod held;
mod judge;
mod last;
mod line;
mod mark;
mod process;
mod proxy;
mod random;
mod relay;
mod report;
mod rewrite;
mod rotate;
mod rows;
mod session;
mod setup;
mod sources;
mod stand_in;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swak_recipe::diag::Diagnostic;
use swak_recipe::diag::SourceFile;
use swak_recipe::{Environment, Spelling};
use swak_sdk::Plugins;
use swak_sdk::plugin::Shutdown;

pub(crate) use fault::{Fault, Wanted};

use crate::cli::TortureArgs;
use crate::failure::Failure;
use crate::paint::Paint;
use crate::{About, Console, signals};
use events::Event;
use judge::{Evidence, SourceEvidence, Verdict};
use report::Report;
use setup::Setup;
use sources::locked;

/// Makes the plugins of an agent that torture starts, and lets it end with the torture.
pub(crate) fn prepare_agent(plugins: &mut Plugins) {
    plugins.output::<stand_in::StandIn>();
    process::end_with_parent();
}

/// What torture is given.
pub(crate) struct Given<'a> {
    pub(crate) args: &'a TortureArgs,
    /// A recipe that was checked.
    pub(crate) recipe: &'a SourceFile,
    pub(crate) spelling: Spelling,
    pub(crate) environment: &'a dyn Environment,
    pub(crate) plugins: &'a Plugins,
    pub(crate) about: &'a About,
}

/// Tortures the recipe and tells what came of it.
///
/// # Errors
/// `cannot-torture`, `nothing-arrives` and the like: this recipe, with these lines, cannot be
/// tortured. [`Failure::Reported`]: the contract is broken.
pub(crate) fn run(given: &Given<'_>, console: &mut Console<'_>) -> Result<(), Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    end_early_at_signal(&interrupted);
    let mut setup = Setup::new(given, &interrupted)?;
    let as_json = given.args.json;
    let mut tell = |line: &str| {
        if !as_json {
            console.complain(&format!("{line}\n"));
        }
    };
    tell(&format!("torture with seed {}, in {}", setup.seed, setup.root.display()));
    let first = setup.first_lines()?;
    if let Err(error) = setup.session.run(&mut tell) {
        // What is known by then is still told.
        setup.session.watch.problems.push(format!("the torture could not go on: {error}"));
    }
    if given.args.keep.is_some() && setup.session.disk.is_some() {
        let kept = disk::copy(&setup.root.join("state"), &setup.root.join("state-kept"));
        kept.map_err(|error| failed(&error))?;
    }
    let report = report(given, &setup, &first);
    if given.args.keep.is_some() {
        let text = format!("{:#}\n", report.json());
        std::fs::write(setup.root.join("report.json"), text).map_err(|error| failed(&error))?;
    }
    match as_json {
        true => console.print_json(&report.json())?,
        false => {
            let text = report.text(Paint(console.stdout_color));
            console.print(&text)?;
        }
    }
    if report.holds() { Ok(()) } else { Err(Failure::Reported) }
}

fn report(given: &Given<'_>, setup: &Setup, first: &[u64]) -> Report {
    let session = &setup.session;
    let tally = session.tally.lock().expect("no panic while the tally is locked");
    let sources = {
        let sources = locked(&session.sources);
        let expects = session.expects.iter();
        let both = sources.all.iter().zip(expects);
        let shown = |path: &std::path::Path| {
            path.strip_prefix(&setup.files).map_or_else(|_| path.to_owned(), |rest| rest.to_owned())
        };
        let evidence = |(source, expect): (&sources::Source, _)| SourceEvidence {
            path: shown(&source.path),
            expect,
            written: source.next,
            losses: source.losses(),
        };
        both.map(evidence).collect()
    };
    let verdict = Verdict::of(&Evidence {
        tally: &tally,
        events: &session.watch.events,
        sources,
        done: &session.watch.done,
        first,
        filtered: given.args.expect_filtered,
    });
    Report {
        verdict,
        seed: setup.seed,
        took: session.watch.began.elapsed(),
        events: session.watch.events.iter().map(Event::to_json).collect(),
        notes: setup.notes.clone(),
        problems: session.watch.problems.clone(),
        again: given.args.again(given.about.name, setup.seed),
        kept: given.args.keep.as_ref().map(|_| setup.root.display().to_string()),
    }
}

/// The first signal ends the faults, so that what came of them is told; the second one everything.
fn end_early_at_signal(interrupted: &Arc<AtomicBool>) {
    let interrupted = Arc::clone(interrupted);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        // Without it a signal ends the process, as it does any other.
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let (trigger, mut shutdown) = Shutdown::new();
            let Ok(second) = signals::listen(trigger) else { return };
            let first = async {
                shutdown.triggered().await;
                interrupted.store(true, Ordering::Relaxed);
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = first => {}
                status = second => std::process::exit(status.into()),
            }
        });
    });
}

/// Something of the torture itself failed.
fn failed(error: &std::io::Error) -> Failure {
    Failure::Tried(
        Diagnostic::error("torture-failed", format!("the torture cannot go on: {error}"))
            .help("with --keep DIR everything is kept, with what the agent said")
            .into(),
    )
}
