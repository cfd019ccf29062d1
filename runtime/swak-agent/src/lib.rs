//! The command line of a Swak agent.
//!
//! The `main.rs` that `swak-makebuild` generates calls [`main`] with what the agent is and with a
//! function that registers its plugins. [`run_with`] is the same without a process around it.
//!
//! Exit status: 0 when all went well, 2 for a mistake in what was given (the command line, a recipe,
//! a config file), 1 for a failure in what was tried.

mod about;
mod cli;
mod commands;
mod config;
mod console;
mod data_dir;
mod describe;
mod facts;
mod failure;
mod logging;
mod paint;
mod signals;
mod source;
mod torture;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use swak_sdk::Plugins;

pub use about::{About, EmbeddedRecipe};
pub use console::Console;

use cli::Cli;

/// musl's allocator gives every larger piece back to the system, which clears it anew for the next batch.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// What an agent's `main` calls: registers the plugins and does what the command line says.
pub fn main(about: About, register: impl FnOnce(&mut Plugins)) -> ExitCode {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let color = paint::available();
    let mut console = Console {
        stdout_color: color && stdout.is_terminal(),
        stderr_color: color && stderr.is_terminal(),
        // Not locked: plugins read and write them too, from threads of their own.
        stdin: &mut &stdin,
        stdout: &mut &stdout,
        stderr: &mut &stderr,
    };
    ExitCode::from(run_with(std::env::args_os(), about, register, &mut console))
}

/// Does what a command line says and gives the exit status. The first argument is the program's
/// name, as in [`std::env::args_os`].
///
/// What a command answers goes to `console`; logs and what plugins write go to the process's own
/// streams.
pub fn run_with(
    args: impl IntoIterator<Item = OsString>,
    about: About,
    register: impl FnOnce(&mut Plugins),
    console: &mut Console<'_>,
) -> u8 {
    let cli = match Cli::from_args(args, &about) {
        Ok(cli) => cli,
        Err(error) => return cli::show(&error, console),
    };
    cli.color.apply(console);
    let mut plugins = Plugins::new();
    register(&mut plugins);
    let json = cli.command.wants_json();
    match commands::dispatch(cli, &about, plugins, console) {
        Ok(()) => 0,
        Err(failure) => failure.show(json, console),
    }
}
