//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::resolve::Profile;
use crate::toolchain::Kind;

/// Turns a build config into an agent: one executable with the plugins that it names.
#[derive(Debug, Parser)]
#[command(name = "swak-makebuild", version, after_long_help = EXAMPLES, after_help = SHORT_EXAMPLES)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) build: BuildArgs,
}

/// What is built, and how.
#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The build config: `myprj-build.yml`
    #[arg(value_name = "FILE", required = true)]
    pub(super) file: Option<PathBuf>,
    /// Check the build config and its recipe, then stop
    #[arg(long, group = "stop")]
    pub(super) check: bool,
    /// Print what would be done, then stop
    #[arg(long, group = "stop")]
    pub(super) plan: bool,
    /// Write the workspace to DIR, ready for plain Cargo, then stop
    #[arg(long, value_name = "DIR", group = "stop")]
    pub(super) generate_only: Option<PathBuf>,
    /// Build for this target alone, of those that FILE lists: `windows-x86_64`; can be repeated
    #[arg(long = "target", value_name = "TARGET", value_delimiter = ',')]
    pub(super) targets: Vec<String>,
    /// Compile and link with this, not with what is chosen for each target
    #[arg(long, value_enum)]
    pub(super) toolchain: Option<Kind>,
    /// How to compile
    #[arg(long, value_enum, default_value_t)]
    pub(super) profile: Profile,
    /// The folder for the agent
    #[arg(long, value_name = "DIR", default_value = "dist")]
    pub(super) out: PathBuf,
    /// The folder for what is generated and compiled; builds that share one share what is compiled
    /// [default: .swak beside FILE]
    #[arg(long, value_name = "DIR", env = "SWAK_BUILD_DIR")]
    pub(super) build_dir: Option<PathBuf>,
    /// Fail if the lock beside FILE is missing or would change
    #[arg(long, conflicts_with = "update")]
    pub(super) locked: bool,
    /// Do without the network
    #[arg(long)]
    pub(super) offline: bool,
    /// Collect every crate in DIR and build from there; with --offline, from what is there
    #[arg(long, value_name = "DIR")]
    pub(super) vendor: Option<PathBuf>,
    /// Build a second time, in another folder, and compare
    #[arg(long, conflicts_with = "stop")]
    pub(super) verify: bool,
    /// Take newer versions than the lock has: of one crate, or of all
    #[arg(long, value_name = "CRATE", num_args = 0..=1, default_missing_value = "")]
    pub(super) update: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a build config with every key explained
    Init {
        /// The file to write
        #[arg(default_value = "myprj-build.yml")]
        file: PathBuf,
    },
    /// Write a plugin crate that builds and passes its tests as it stands
    NewPlugin {
        /// Its name: `weather` or `swak-plugin-weather`
        name: String,
        /// What it is
        #[arg(long, value_enum)]
        kind: PluginKind,
        /// The folder to put the crate's folder in
        #[arg(long, value_name = "DIR", default_value = ".")]
        path: PathBuf,
    },
    /// Look whether this machine has all that targets take, and say what brings what is missing
    Doctor(DoctorArgs),
    /// Say what an executable is, without running it: what it runs on, what it loads, what it was
    /// built from
    Inspect {
        /// The executable, of any system
        file: PathBuf,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
}

/// What is looked at.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The build config whose targets are meant [default: the main targets]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// A target, as a build config names it; may be given more than once
    #[arg(long, value_name = "TARGET")]
    pub(super) target: Vec<String>,
    /// With what to build, instead of what is chosen for each target
    #[arg(long, value_enum, value_name = "KIND")]
    pub(super) toolchain: Option<Kind>,
    /// Run the commands that bring what is missing, and look again
    #[arg(long)]
    pub(super) fix: bool,
    /// Answer as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PluginKind {
    /// Brings records in
    Input,
    /// Changes, holds or drops records
    Transform,
    /// Hands records to the outside
    Output,
}

impl BuildArgs {
    /// `--update FILE` reads as if FILE were the crate: a crate's name has no dot and no slash.
    pub(super) fn settle(&mut self) {
        if self.file.is_none()
            && let Some(word) = self.update.as_mut().filter(|w| w.contains(['.', '/', '\\']))
        {
            self.file = Some(PathBuf::from(std::mem::take(word)));
        }
    }
}

const SHORT_EXAMPLES: &str = "Try `swak-makebuild --help` for examples.";

const EXAMPLES: &str = "\
Examples:
  swak-makebuild init myprj-build.yml             a build config to begin with
  swak-makebuild myprj-build.yml                  builds dist/swak-myprj
  swak-makebuild myprj-build.yml --check          only looks for mistakes
  swak-makebuild myprj-build.yml --plan --json    what would be built, for a program
  swak-makebuild myprj-build.yml --target windows-x86_64
                                                  one of its targets alone
  swak-makebuild myprj-build.yml --profile small  the smallest executable
  swak-makebuild myprj-build.yml --verify         builds twice: the same bytes?
  swak-makebuild myprj-build.yml --locked --offline
                                                  exactly the crates of myprj-build.lock
  swak-makebuild myprj-build.yml --vendor crates  collects every crate; then, with --offline,
                                                  builds from there
  swak-makebuild myprj-build.yml --update swak-plugin-fluentd
                                                  a newer version of one crate
  swak-makebuild myprj-build.yml --generate-only work
                                                  a workspace for plain Cargo, with build scripts
  swak-makebuild new-plugin weather --kind input  a plugin crate to begin with
  swak-makebuild doctor --fix                     gets what the main targets take
  swak-makebuild doctor --target windows-x86_64   what that target takes
  swak-makebuild inspect dist/swak-myprj          what it is, without running it

A file that is called like a command is given with its folder: ./init

Exit status: 0 when all went well, 2 for a mistake in what was given, 1 for a failure in what was
tried.";
