//! The command line: what is asked, what is answered.

mod args;
mod doctor;
mod inspect;
mod report;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use clap::Parser as _;
use swak_recipe::diag::{Diagnostic, Diagnostics, did_you_mean};

use crate::build::{self, Failure, Lines, Options, Progress, Silent, Terminal, Update};
use crate::resolve::Request;
use crate::scaffold;
use args::{BuildArgs, Cli, Command, PluginKind};
use report::Report;

/// Does what a command line says and gives the exit status: 0 when all went well, 2 for a mistake
/// in what was given, 1 for a failure in what was tried. The first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let mut cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            // Nobody is there to be told that nobody is there.
            drop(error.print());
            return status;
        }
    };
    cli.build.settle();
    let mut report = Report::new(cli.build.json);
    let done = match cli.command {
        Some(Command::Init { file }) => init(&file, &report).map(|()| 0),
        Some(Command::NewPlugin { name, kind, path }) => {
            new_plugin(&name, kind, &path, &report).map(|()| 0)
        }
        Some(Command::Doctor(args)) => {
            report = Report::new(args.json);
            doctor::run(&args, &report).map(|well| if well { 0 } else { 1 })
        }
        Some(Command::Inspect { file, json }) => {
            report = Report::new(json);
            inspect::run(&file, &report).map(|()| 0)
        }
        None => build(&cli.build, &report),
    };
    match done {
        Ok(status) => status,
        Err(failure) => {
            let status = failure.exit_status();
            report.failure(failure);
            status
        }
    }
}

/// `--update FILE` is read again with the file in its place.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Cli::try_parse_from(&arguments).or_else(|error| {
        let at = arguments.iter().position(|a| a == "--update");
        let is_file = |a: &OsString| a.to_string_lossy().contains(['.', '/', '\\']);
        match at {
            Some(at) if arguments.get(at + 1).is_some_and(is_file) => {
                let mut moved = arguments.clone();
                moved.swap(at, at + 1);
                Cli::try_parse_from(moved)
            }
            _ => Err(error),
        }
    })
}

/// Gives the exit status: 1 when some targets could not be made.
fn build(args: &BuildArgs, report: &Report) -> Result<u8, Failure> {
    let file = args.file.as_deref().expect("the command line is refused without a file");
    let request = Request {
        profile: args.profile,
        out: args.out.clone(),
        build_dir: args.build_dir.clone(),
        targets: args.targets.clone(),
        toolchain: args.toolchain,
    };
    let mut plan = build::plan(file, &request).map_err(|errors| meant_a_command(file, errors))?;
    let options = Options {
        locked: args.locked,
        offline: args.offline,
        update: match args.update.as_deref() {
            None => Update::Nothing,
            Some("") => Update::All,
            Some(name) => Update::Crate(name.to_owned()),
        },
        vendor: args.vendor.as_deref().map(crate::resolve::real),
    };
    if args.plan {
        build::check_before_cargo(&plan)?;
        report.plan(&plan);
        return Ok(0);
    }
    let variables = build::dropped_variables();
    if !variables.is_empty() && !args.check {
        report.warning(&format!(
            "{} {} set and not used: what is built depends on the build config alone",
            variables.join(", "),
            if variables.len() == 1 { "is" } else { "are" },
        ));
    }
    let mut progress = progress(args.json);
    if args.check {
        let checked = build::check(&mut plan, &options, &mut *progress)?;
        drop(progress);
        report.checked(&plan, &checked);
    } else if let Some(folder) = &args.generate_only {
        let folder = crate::resolve::real(folder);
        let checked = build::generate_only(&mut plan, &options, &folder, &mut *progress)?;
        drop(progress);
        report.generated(&plan, &checked, &folder);
    } else {
        let built = build::build(&mut plan, &options, &mut *progress)?;
        let whole = built.failed.is_empty();
        let compared = match args.verify && whole {
            true => build::verify(&plan, &built, &request, &options, &mut *progress).err(),
            false => None,
        };
        drop(progress);
        if args.verify && !whole {
            report.warning("nothing was compared, because not every target was made");
        }
        let status = compared.as_ref().map_or(u8::from(!whole), Failure::exit_status);
        report.built(&built, compared);
        return Ok(status);
    }
    Ok(0)
}

/// A word that is no file may be a command with a slip in it.
fn meant_a_command(file: &Path, errors: Diagnostics) -> Failure {
    let commands = ["init", "new-plugin", "doctor", "inspect", "help"];
    let Some(word) = file.to_str().and_then(|word| did_you_mean(word, commands)) else {
        return Failure::Input(errors);
    };
    let hint = |error: Diagnostic| match error.code {
        "file-not-found" => error.help(format!("did you mean the command `{word}`?")),
        _ => error,
    };
    let errors = errors.into_iter().map(hint).collect();
    Failure::Input(Diagnostics::from_vec(errors).expect("there was one before"))
}

fn init(file: &Path, report: &Report) -> Result<(), Failure> {
    scaffold::init(file).map_err(Failure::Input)?;
    report.line(&format!("wrote {0}: now `swak-makebuild {0}`", file.display()));
    Ok(())
}

fn new_plugin(name: &str, kind: PluginKind, path: &Path, report: &Report) -> Result<(), Failure> {
    let kind = match kind {
        PluginKind::Input => swak_sdk::options::Kind::Input,
        PluginKind::Transform => swak_sdk::options::Kind::Transform,
        PluginKind::Output => swak_sdk::options::Kind::Output,
    };
    let folder = scaffold::new_plugin(name, kind, path).map_err(Failure::Input)?;
    report.line(&format!("wrote {0}: now `cd {0}` and `cargo test`", folder.display()));
    Ok(())
}

fn progress(json: bool) -> Box<dyn Progress> {
    if json {
        Box::new(Silent)
    } else if std::io::stderr().is_terminal() {
        Box::new(Terminal::new())
    } else {
        Box::new(Lines::new(std::io::stderr()))
    }
}

/// Writes to standard output; who closed it does not want to know.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Cli {
        let words = std::iter::once("swak-makebuild").chain(words.split(' ')).map(OsString::from);
        let mut cli = parse(words).unwrap_or_else(|e| panic!("{e}"));
        cli.build.settle();
        cli
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn update_takes_a_crate_or_nothing() {
        let update = |words: &str| {
            let cli = parsed(words);
            (cli.build.update, cli.build.file.map(|f| f.display().to_string()))
        };
        let file = || Some("a.yml".to_owned());
        assert_eq!(update("a.yml"), (None, file()));
        assert_eq!(update("a.yml --update"), (Some(String::new()), file()));
        assert_eq!(update("--update a.yml"), (Some(String::new()), file()));
        assert_eq!(update("a.yml --update x"), (Some("x".to_owned()), file()));
        assert_eq!(update("--update x a.yml"), (Some("x".to_owned()), file()));
        assert_eq!(update("--update a.yml --offline"), (Some(String::new()), file()));
    }

    #[test]
    fn a_file_and_a_command_are_told_apart() {
        assert!(parsed("myprj-build.yml").command.is_none());
        assert!(parsed("./init").command.is_none());
        assert!(matches!(parsed("init").command, Some(Command::Init { .. })));
        assert!(matches!(parsed("doctor --fix a.yml").command, Some(Command::Doctor(_))));
        assert!(parse(["swak-makebuild", "--check"].map(OsString::from)).is_err());
        assert!(parse(["x", "a.yml", "--check", "--plan"].map(OsString::from)).is_err());
        assert!(parse(["x", "a.yml", "--locked", "--update"].map(OsString::from)).is_err());
    }
}
