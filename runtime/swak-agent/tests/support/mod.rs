//! An agent with three plugins of its own, run inside the test.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use swak_agent::{About, Console, EmbeddedRecipe};
use swak_sdk::data::{Record, Timestamp};
use swak_sdk::prelude::*;

/// Gives these lines and ends.
#[derive(Options)]
#[plugin(input, name = "Lines")]
pub(crate) struct LinesOptions {
    /// The lines.
    #[option(positional)]
    lines: Vec<String>,
    /// Give them again and again.
    #[option(default = false)]
    endless: bool,
}

struct Lines(LinesOptions);

impl Plugin for Lines {
    type Options = LinesOptions;

    fn new(options: LinesOptions, _: &BuildContext) -> Result<Self> {
        Ok(Lines(options))
    }
}

impl Input for Lines {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        loop {
            let time = Timestamp::from_parts(0, 0);
            let record = |line: &String| Record::from_line(line.clone().into_bytes(), time);
            out.emit(Batch::new(self.0.lines.iter().map(record).collect())).await?;
            if !self.0.endless {
                return Ok(());
            }
            tokio::select! {
                () = shutdown.triggered() => return Ok(()),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    }
}

/// Makes lines upper case.
#[derive(Options)]
#[plugin(transform, name = "Shout")]
pub(crate) struct ShoutOptions {
    /// Forget the first line of each batch: a mistake of this plugin's author.
    #[option(default = false)]
    forgets: bool,
}

struct Shout(ShoutOptions);

impl Plugin for Shout {
    type Options = ShoutOptions;

    fn new(options: ShoutOptions, _: &BuildContext) -> Result<Self> {
        Ok(Shout(options))
    }
}

impl Transform for Shout {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        if self.0.forgets {
            batch.records_mut().remove(0);
        }
        for record in batch.records_mut() {
            if let Some(line) = record.line() {
                record.set_content(Record::from_line(line.to_ascii_uppercase(), record.time()));
            }
        }
        out.emit(batch);
        Ok(())
    }
}

/// Appends lines to a file.
#[derive(Options)]
#[plugin(output, name = "Keep")]
pub(crate) struct KeepOptions {
    /// The file.
    #[option(positional)]
    path: PathBuf,
    /// Who may write.
    password: Option<Secret>,
    /// Fail for good.
    #[option(default = false)]
    broken: bool,
    /// Never come to an end after the first write.
    #[option(default = false)]
    hangs: bool,
}

struct Keep(KeepOptions);

impl Plugin for Keep {
    type Options = KeepOptions;

    fn new(options: KeepOptions, _: &BuildContext) -> Result<Self> {
        Ok(Keep(options))
    }
}

impl Output for Keep {
    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        assert!(!self.0.broken, "the output is broken");
        let mut text = Vec::new();
        for record in chunk.iter() {
            record.write_raw(&mut text);
            text.push(b'\n');
        }
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&self.0.path);
        opened
            .and_then(|mut file| file.write_all(&text))
            .map_err(|error| WriteError::Retry(error.into()))?;
        if self.0.hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// What came of a command.
pub(crate) struct Answer {
    pub(crate) status: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Registers the plugins above.
pub(crate) fn register(plugins: &mut Plugins) {
    plugins.add_crate("swak-plugin-demo", "0.3.0", |plugins| {
        plugins.input::<Lines>().transform::<Shout>().output::<Keep>();
    });
}

/// What the agent is, with or without a recipe in it.
pub(crate) fn about(recipe: Option<EmbeddedRecipe>) -> About {
    About { name: "swak-demo", version: "1.4.0", recipe, facts: "" }
}

/// Runs the agent without a recipe in it.
pub(crate) fn agent(args: &[&str]) -> Answer {
    agent_with(args, None, "")
}

/// Runs the agent.
pub(crate) fn agent_with(args: &[&str], recipe: Option<EmbeddedRecipe>, stdin: &str) -> Answer {
    answer(args, about(recipe), stdin)
}

/// Runs an agent of another name.
pub(crate) fn other_agent(args: &[&str]) -> Answer {
    answer(args, About { name: "swak-other", ..about(None) }, "")
}

fn answer(args: &[&str], about: About, stdin: &str) -> Answer {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut console = Console {
        stdin: &mut stdin.as_bytes(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        stdout_color: false,
        stderr_color: false,
    };
    let status = swak_agent::run_with(command_line(args), about, register, &mut console);
    let text = |bytes| String::from_utf8(bytes).expect("the agent writes UTF-8");
    Answer { status, stdout: text(stdout), stderr: text(stderr) }
}

/// The arguments after the program's name.
pub(crate) fn command_line(args: &[&str]) -> Vec<OsString> {
    std::iter::once("swak-demo").chain(args.iter().copied()).map(OsString::from).collect()
}
