//! The checks of this repository: `cargo ci` lists them, `cargo ci NAME…` runs some of them,
//! `cargo ci all` runs all that do not take an hour.

mod checks;
mod context;
mod manifest;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use checks::{CHECKS, Check, LONG_CHECKS};
use context::Context;

/// Runs the checks of this repository; without a name, lists them.
#[derive(Parser)]
#[command(name = "cargo ci", bin_name = "cargo ci")]
struct Cli {
    /// The checks to run, in this order; `all` is every one but the long ones. What follows `fuzz`
    /// are its targets, what follows `bench` are its arguments
    names: Vec<String>,
    /// Put right what can be put right: fmt, clippy, reference, the corpora of fuzz
    #[arg(long)]
    fix: bool,
    /// Go on after a check has failed, and name all that did
    #[arg(long)]
    keep_going: bool,
    /// How long `fuzz` runs each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
}

fn main() -> ExitCode {
    // The benchmark reads its own arguments.
    let mut args: Vec<_> = env::args().collect();
    let after_bench = args.iter().position(|arg| arg == "bench").map(|at| at + 1);
    let of_bench = args.split_off(after_bench.unwrap_or(args.len()));
    let mut cli = Cli::parse_from(args);
    let after_fuzz = cli.names.iter().position(|name| name == "fuzz").map(|at| at + 1);
    let mut targets = cli.names.split_off(after_fuzz.unwrap_or(cli.names.len()));
    targets.extend(of_bench);
    if cli.names.is_empty() {
        list();
        return ExitCode::SUCCESS;
    }
    let chosen = match choose(&cli.names) {
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprintln!("error: there is no check `{unknown}`; `cargo ci` lists them");
            return ExitCode::from(2);
        }
    };
    let cx = Context::new(cli.fix, targets, cli.seconds);
    let mut failed = Vec::new();
    for check in chosen {
        eprintln!("==> {}: {}", check.name, check.what);
        let start = Instant::now();
        match (check.run)(&cx) {
            Ok(()) => eprintln!("    {} ok in {:.1} s", check.name, start.elapsed().as_secs_f32()),
            Err(reason) => {
                eprintln!("error: {}: {reason}", check.name);
                failed.push(check.name);
                if !cli.keep_going {
                    break;
                }
            }
        }
    }
    match failed.as_slice() {
        [] => ExitCode::SUCCESS,
        names => {
            eprintln!("failed: {}", names.join(", "));
            ExitCode::FAILURE
        }
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Check>, String> {
    let mut chosen = Vec::new();
    for name in names {
        match CHECKS.iter().chain(LONG_CHECKS).find(|check| check.name == name) {
            Some(check) => chosen.push(check),
            None if name == "all" => chosen.extend(CHECKS),
            None => return Err(name.clone()),
        }
    }
    Ok(chosen)
}

fn list() {
    let all = || CHECKS.iter().chain(LONG_CHECKS);
    let width = all().map(|check| check.name.len()).max().unwrap_or(0);
    for check in all() {
        let long = if LONG_CHECKS.iter().any(|l| l.name == check.name) { " (long)" } else { "" };
        eprintln!("{:width$}  {}{long}", check.name, check.what);
    }
}
