//! `in.Exec`: the output of a command.

mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;
use tokio::time::{Instant, sleep_until};

use self::process::{Ended, Process};
use super::stream_lines::StreamLines;
use crate::transforms::exec::command::{CommandLine, Program};

/// Runs a command; each line of its standard output is a record.
///
/// The command runs once, or again and again with `interval` or `restart`. What it says on standard
/// error goes to the agent's log. An exit status other than 0 is counted as an error and logged with
/// the last of what it said there. When the agent stops, the command is asked to end, and killed with
/// all that it started if it does not. A command that cannot be started is an error of the task.
///
/// ```swak
/// task(
///     in.Exec("df -kP", interval="1m", timeout="10s", env={"LC_ALL": "C"}),
///     out.RegexParser(
///         r"^\S+ +\d+ +(?<used>\d+) +(?<free>\d+) +\d+% +(?<mounted_on>/.*)$",
///         types={"used": "int", "free": "int"}, on_mismatch="drop"
///     ),
///     out.File("disks.json")
/// )
/// ```
#[derive(Debug, Options)]
#[plugin(input, name = "Exec")]
pub struct ExecOptions {
    /// The program and its arguments, as a list or as one string, which is taken apart at spaces
    /// and quotes as a shell does it.
    #[option(positional)]
    command: CommandLine,
    /// Whether the command is a line for the system's shell: `sh -c`, or `cmd /C` on Windows.
    #[option(default = false)]
    shell: bool,
    /// Run it again this long after its last start, or as soon as it has ended if that takes longer.
    interval: Option<Duration>,
    /// Run it again this long after it ended.
    restart: Option<Duration>,
    /// The longest that one run may take. Then the command is ended and an error counted. Left out:
    /// as long as it likes.
    timeout: Option<Duration>,
    /// Take lines of standard error as records too, in the order in which they come.
    #[option(default = false)]
    merge_stderr: bool,
    /// The folder to run it in. Left out: the agent's.
    cwd: Option<PathBuf>,
    /// Environment variables to set for it beside the agent's own.
    #[option(default = {})]
    env: Dict<Secret>,
    /// Longest line kept. The rest of a longer one is cut off and counted as an error, and its record says
    /// `truncated`.
    #[option(default = "1m")]
    max_line: ByteSize,
}

/// The input.
pub struct Exec {
    program: Program,
    again: Again,
    timeout: Option<Duration>,
    merge_stderr: bool,
    cwd: Option<PathBuf>,
    env: Dict<Secret>,
    max_line: usize,
    counters: Arc<Counters>,
}

/// When the command runs again.
enum Again {
    Never,
    AfterStart(Duration),
    AfterEnd(Duration),
}

impl Plugin for Exec {
    type Options = ExecOptions;

    fn new(options: ExecOptions, cx: &BuildContext) -> Result<Self> {
        let again = match (options.interval, options.restart) {
            (None, None) => Again::Never,
            (Some(interval), None) => Again::AfterStart(interval),
            (None, Some(pause)) => Again::AfterEnd(pause),
            (Some(_), Some(_)) => bail!(
                "`interval` counts from a start and `restart` from an end; give one of the two"
            ),
        };
        ensure!(options.interval != Some(Duration::ZERO), "`interval` must be longer than nothing");
        ensure!(options.timeout != Some(Duration::ZERO), "`timeout` must be longer than nothing");
        Ok(Exec {
            program: Program::new(options.command, options.shell)?,
            again,
            timeout: options.timeout,
            merge_stderr: options.merge_stderr,
            cwd: options.cwd,
            env: options.env,
            max_line: super::check_max_line(options.max_line)?,
            counters: cx.counters().clone(),
        })
    }
}

impl Input for Exec {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        loop {
            let started = Instant::now();
            let ended = self.run_once(&out, &mut shutdown).await?;
            self.report(&ended);
            let pause_until = match self.again {
                _ if ended == Ended::Stopped => return Ok(()),
                Again::Never => return Ok(()),
                Again::AfterStart(interval) => started + interval,
                Again::AfterEnd(pause) => Instant::now() + pause,
            };
            tokio::select! {
                biased;
                () = shutdown.triggered() => return Ok(()),
                () = sleep_until(pause_until) => {}
            }
        }
    }
}

impl Exec {
    async fn run_once(&self, out: &Emitter, shutdown: &mut Shutdown) -> Result<Ended> {
        let mut command = self.program.command(None);
        command.envs(self.env.iter().map(|(name, value)| (name, value.reveal())));
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        let lines = || StreamLines::new(self.max_line, Arc::clone(&self.counters));
        let process = Process::start(command, self.timeout)?;
        let source = Name::from(self.program.name());
        let stderr = self.merge_stderr.then(lines);
        process.read(lines(), stderr, &source, out, shutdown).await
    }

    fn report(&self, ended: &Ended) {
        let name = self.program.name();
        match ended {
            Ended::Well | Ended::Stopped => return,
            Ended::Badly { status, said } if said.is_empty() => {
                tracing::error!("`{name}` failed with {status}");
            }
            Ended::Badly { status, said } => {
                tracing::error!("`{name}` failed with {status}; it said: {said}");
            }
            Ended::TooLong => {
                let timeout = self.timeout.unwrap_or_default();
                tracing::error!("`{name}` was ended: it took longer than {timeout:?}");
            }
        }
        self.counters.error();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_not_shown() {
        let spec = ExecOptions::spec();
        let env = spec.options.iter().find(|option| option.name == "env").unwrap();
        assert!(env.secret);
    }
}
