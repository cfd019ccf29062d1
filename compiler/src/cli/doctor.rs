//! `doctor`: what this machine has to build with, what is missing, and getting it.

use std::path::Path;

use swak_recipe::diag::{Diagnostic, Diagnostics};

use super::args::DoctorArgs;
use super::report::{Report, complain};
use crate::build::Failure;
use crate::manifest;
use crate::target::Target;
use crate::toolchain::doctor::{self, Checkup};
use crate::toolchain::{Kind, Tools};

/// What is looked at when nothing is said.
const MAIN: [&str; 5] =
    ["linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-x86_64", "macos-aarch64"];

/// Looks, gets what is missing if that is asked for and looks again, and says whether all that is
/// needed is there.
pub(super) fn run(args: &DoctorArgs, report: &Report) -> Result<bool, Failure> {
    let (targets, wanted) = asked(args)?;
    // A build of the file takes place beside it.
    let folder = args.file.as_deref().and_then(|file| std::path::absolute(file).ok());
    let look = || folder.as_deref().and_then(Path::parent).map_or_else(Tools::find, Tools::find_in);
    let mut tools = look();
    let mut found = doctor::examine(&targets, wanted, &tools);
    if args.fix && !found.fixes().is_empty() {
        let failed = mend(&found, &tools, args.json);
        tools = look();
        found = doctor::examine(&targets, wanted, &tools);
        for why in failed {
            report.warning(&why);
        }
    }
    report.checkup(&found);
    Ok(found.ready)
}

fn mend(found: &Checkup, tools: &Tools, json: bool) -> Vec<String> {
    let say = |command: &str| complain(&format!("+ {command}\n"));
    let fixes = found.fixes().into_iter();
    fixes.filter_map(|fix| doctor::apply(fix, tools, json, say).err()).collect()
}

/// The targets: those that are named, else those of the build config, else the main ones.
fn asked(args: &DoctorArgs) -> Result<(Vec<Target>, Option<Kind>), Failure> {
    let mut targets = Vec::new();
    let mut wanted = args.toolchain;
    if let Some(file) = &args.file {
        let (config, found) = manifest::read(file).map_err(Failure::Input)?;
        wanted = wanted.or(config.toolchain);
        let listed = config.targets.unwrap_or_else(|| vec![Target::host()]);
        targets = Diagnostics::or_ok(found, listed).map_err(Failure::Input)?;
    }
    if !args.target.is_empty() {
        targets = named(args.target.iter().map(String::as_str))?;
    } else if args.file.is_none() {
        targets = named(MAIN.into_iter())?;
    }
    Ok((targets, wanted))
}

fn named<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Target>, Failure> {
    let mut targets: Vec<Target> = Vec::new();
    let mut mistakes = Vec::new();
    for word in words {
        match Target::named(word) {
            Ok(named) => targets.extend(named),
            Err(e) => mistakes.push(Diagnostic::error(e.code(), e.to_string()).help(e.help())),
        }
    }
    // Naming one twice asks for nothing else.
    let mut seen = Vec::new();
    targets.retain(|target| {
        !seen.contains(target) && {
            seen.push(target.clone());
            true
        }
    });
    Diagnostics::or_ok(mistakes, targets).map_err(Failure::Input)
}
