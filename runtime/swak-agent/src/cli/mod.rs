//! The command line: commands, flags and their help.

mod buffer;
mod examples;
mod torture;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{
    ArgAction, Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use swak_recipe::syntax::Spelling;
use swak_sdk::options::{ByteSize, Literal, LiteralValue, OptionValue};

use crate::{About, Console};

pub(crate) use buffer::{
    BufferArgs, BufferCheckArgs, BufferCommand, BufferDumpArgs, BufferRepairArgs, BufferReplayArgs,
};
use examples::{EXAMPLES, TOP_EXAMPLES, examples};
pub(crate) use torture::TortureArgs;

/// A data agent: reads, changes and delivers records as its recipe says.
#[derive(Debug, Parser)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// What is logged to standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct LogArgs {
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Log warnings and errors only; twice for errors only
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) quiet: u8,
    /// Log this level and above; SWAK_LOG can say it by module: `warn,swak_engine=trace`
    /// [default: info]
    #[arg(long, global = true, value_name = "LEVEL", conflicts_with_all = ["verbose", "quiet"])]
    pub(crate) log_level: Option<LogLevel>,
    /// How a log line is written [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run all tasks of a recipe until they end or the agent is stopped
    Run(RunArgs),
    /// Run one task in the foreground, without starting it again when it fails
    Test(TestArgs),
    /// Find every mistake in a recipe without running it
    Check(CheckArgs),
    /// Print what became of every record; fails when one is not accounted for
    Audit(AuditArgs),
    /// Look into the buffers on disk, deliver from them again, repair them
    Buffer(BufferArgs),
    /// Draw the tasks of a recipe
    Graph(GraphArgs),
    /// List the plugins of this agent
    List(ListArgs),
    /// Describe a plugin and its options
    Desc(DescArgs),
    /// Print the JSON Schema of recipes in YAML, for editors
    Schema,
    /// Write a recipe in the other spelling: Python calls or YAML
    Convert(ConvertArgs),
    /// Run a recipe against faults, and tell what is lost, doubled or out of order
    Torture(TortureArgs),
    /// Print what this agent is and what is in it
    Version(VersionArgs),
    /// Write the reference of all plugins as Markdown
    #[command(hide = true)]
    Reference(ReferenceArgs),
    /// Run a recipe as the agent that is tortured
    #[command(hide = true)]
    TortureAgent(RunArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The recipe; `-` is standard input [default: the recipe that was built in]
    pub(crate) recipe: Option<PathBuf>,
    /// Folder for positions and buffers [default: by the rules of the system]
    #[arg(long, value_name = "DIR", env = "SWAK_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The recipe; `-` is standard input [default: the recipe that was built in]
    pub(crate) recipe: Option<PathBuf>,
    /// The task: its place in the recipe, from 1, or its name [default: the first]
    #[arg(short, long, value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// Show each record before and after each step, on standard error
    #[arg(long)]
    pub(crate) trace: bool,
    /// Folder for positions and buffers [default: a new one, removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// How long a stop may take before what is left is given up [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) shutdown_timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Settings of the agent, and what `option("…")` in a recipe reads (YAML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The recipe; `-` is standard input [default: the recipe that was built in]
    pub(crate) recipe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Folder for positions and buffers, of a stopped or a running agent [default: by the rules of
    /// the system]
    #[arg(long, value_name = "DIR", env = "SWAK_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The recipe; `-` is standard input [default: the recipe that was built in]
    pub(crate) recipe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The language of the drawing
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    pub(crate) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Graphviz
    Dot,
    /// Mermaid, which Markdown viewers draw
    Mermaid,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DescArgs {
    /// The plugin as a recipe names it: `in.FileTailing`, or `FileTailing`
    pub(crate) plugin: String,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: DescFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DescFormat {
    Text,
    Markdown,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The recipe; `-` is standard input
    pub(crate) recipe: PathBuf,
    /// The file to write [default: standard output]
    pub(crate) output: Option<PathBuf>,
    /// The spelling to write [default: by the end of the output's name, else the other one]
    #[arg(long, value_name = "SPELLING")]
    pub(crate) to: Option<SpellingArg>,
    /// The spelling to read [default: by the end of the recipe's name]
    #[arg(long, value_name = "SPELLING")]
    pub(crate) from: Option<SpellingArg>,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpellingArg {
    /// Python's call syntax: `.swak`, `.swak.py`
    Python,
    /// YAML: `.yml`, `.yaml`
    Yaml,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write nothing; fail when a file differs
    #[arg(long)]
    pub(crate) check: bool,
}

impl Cli {
    /// Reads a command line.
    pub(crate) fn from_args(
        args: impl IntoIterator<Item = OsString>,
        about: &About,
    ) -> Result<Self, clap::Error> {
        let mut command = command(about);
        let matches = command.try_get_matches_from_mut(args)?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

impl Command {
    /// Whether a program reads the answer, errors included.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Command::Check(args) => args.json,
            Command::Audit(args) => args.json,
            Command::Buffer(args) => {
                matches!(&args.command, BufferCommand::Check(args) if args.json)
            }
            Command::List(args) => args.json,
            Command::Version(args) => args.json,
            Command::Torture(args) => args.json,
            Command::Desc(args) => args.format == DescFormat::Json,
            _ => false,
        }
    }
}

impl Color {
    /// Lets the flag have its way over what was found out about the streams.
    pub(crate) fn apply(self, console: &mut Console<'_>) {
        let color = match self {
            Color::Auto => return,
            Color::Always => true,
            Color::Never => false,
        };
        (console.stdout_color, console.stderr_color) = (color, color);
    }
}

impl From<SpellingArg> for Spelling {
    fn from(spelling: SpellingArg) -> Self {
        match spelling {
            SpellingArg::Python => Spelling::Python,
            SpellingArg::Yaml => Spelling::Yaml,
        }
    }
}

/// Shows help, or what is wrong with a command line, and gives the exit status.
pub(crate) fn show(error: &clap::Error, console: &mut Console<'_>) -> u8 {
    let text = error.render();
    let (color, is_error) = match error.use_stderr() {
        true => (console.stderr_color, true),
        false => (console.stdout_color, false),
    };
    let text = match color {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    if is_error {
        console.complain(&text.replacen("error:", &format!("error[{}]:", code(error.kind())), 1));
        return 2;
    }
    match console.print(&text) {
        Ok(()) => 0,
        Err(failure) => failure.show(false, console),
    }
}

/// The stable code of a mistake in a command line.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSubcommand => "unknown-command",
        ErrorKind::UnknownArgument => "unknown-argument",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => {
            "wrong-value"
        }
        ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand => "missing-argument",
        ErrorKind::ArgumentConflict => "conflicting-arguments",
        _ => "wrong-command-line",
    }
}

fn command(about: &About) -> clap::Command {
    let name = about.name;
    let mut command = Cli::command()
        .name(name)
        .bin_name(name)
        .version(about.version)
        // Colours are decided where the text is written.
        .color(ColorChoice::Always)
        .after_help(examples(name, TOP_EXAMPLES));
    for &(subcommand, lines) in EXAMPLES {
        command = command.mut_subcommand(subcommand, |c| c.after_help(examples(name, lines)));
    }
    command
}

fn duration(text: &str) -> Result<Duration, String> {
    value(text)
}

fn size(text: &str) -> Result<ByteSize, String> {
    value(text)
}

/// Reads a value as a recipe's options are read.
fn value<T: OptionValue>(text: &str) -> Result<T, String> {
    let literal = Literal::bare(LiteralValue::Str(text.to_owned()));
    T::read(&literal).map_err(|errors| match errors.0.into_iter().next() {
        Some(error) => match error.help {
            Some(help) => format!("{}; {help}", error.message),
            None => error.message,
        },
        None => format!("not {}", T::type_spec().noun()),
    })
}

#[cfg(test)]
pub(in crate::cli) mod tests {
    use super::*;

    pub(super) const ABOUT: About =
        About { name: "swak-demo", version: "1.2.3", recipe: None, facts: "" };

    pub(super) fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_args(line.split(' ').map(OsString::from), &ABOUT)
    }

    #[test]
    fn the_definition_is_sound() {
        command(&ABOUT).debug_assert();
    }

    #[test]
    fn a_duration_is_read_as_recipes_read_it() {
        let cli = parse("swak-demo run --shutdown-timeout 2M").unwrap();
        let Command::Run(args) = cli.command else { panic!("it says run") };
        assert_eq!(args.settings.shutdown_timeout, Some(Duration::from_secs(120)));
        let error = parse("swak-demo run --shutdown-timeout soon").unwrap_err().to_string();
        assert!(error.contains("expected a duration, found `soon`"), "{error}");
    }

    #[test]
    fn help_speaks_of_this_agent() {
        let error = parse("swak-demo test --help").unwrap_err();
        let text = error.render().to_string();
        assert!(text.contains("swak-demo test my.swak -t 2"), "{text}");
        assert!(text.contains("Usage: swak-demo test"), "{text}");
    }
}
