//! Plugins that fail in the ways that plugins fail.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;

pub(crate) fn register(plugins: &mut Plugins) {
    plugins.input::<Numbers>().output::<Flaky>();
    plugins.transform::<Hold>().transform::<Panic>().transform::<Sift>().transform::<Resumes>();
}

/// Counts down in one test process what is to go wrong only so often, over restarts.
pub(crate) fn count_down(name: &str, from: u64) -> bool {
    static LEFT: OnceLock<Mutex<HashMap<String, u64>>> = OnceLock::new();
    let mut left = LEFT.get_or_init(Mutex::default).lock().expect("no panic while it is counted");
    let left = left.entry(name.to_owned()).or_insert(from);
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

/// Emits the numbers from its stored position up to a last one, each as a line in a batch of its
/// own.
#[derive(Options)]
#[plugin(input, name = "Numbers")]
pub(crate) struct NumbersOptions {
    /// The last number; without one it goes on until it is told to stop.
    #[option(positional)]
    last: Option<u64>,
    /// Fails after this number.
    fail_after: Option<u64>,
    /// Fails when a record is not taken within 50 milliseconds.
    #[option(default = false)]
    impatient: bool,
    /// Goes on at the stored position; else each run begins with 1.
    #[option(default = true)]
    resume: bool,
    /// Waits at the end until it is told to stop.
    #[option(default = false)]
    stay: bool,
    /// The names of the sources that take turns.
    #[option(default = [])]
    sources: Vec<String>,
}

pub(crate) struct Numbers(NumbersOptions);

impl Plugin for Numbers {
    type Options = NumbersOptions;

    fn new(options: NumbersOptions, _: &BuildContext) -> Result<Self> {
        Ok(Numbers(options))
    }
}

impl Input for Numbers {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let stored = out.checkpoints().get("n").filter(|_| self.0.resume).map(|p| p.parse::<u64>());
        let first = stored.transpose()?.map_or(1, |n| n + 1);
        for n in first.. {
            if self.0.last.is_some_and(|last| n > last) || shutdown.is_triggered() {
                if self.0.stay {
                    shutdown.triggered().await;
                }
                return Ok(());
            }
            let record = Record::from_line(n.to_string().into_bytes(), Timestamp::now());
            let sources = &self.0.sources;
            let source = match sources.len() {
                0 => Name::default(),
                many => sources[n as usize % many].as_str().into(),
            };
            let batch = Batch::new(vec![record]).with_source(source);
            let emitted = out.emit_at(batch, "n", n.to_string());
            match self.0.impatient {
                true => tokio::time::timeout(Duration::from_millis(50), emitted).await??,
                false => emitted.await?,
            }
            if self.0.fail_after == Some(n) {
                bail!("the source broke after {n}");
            }
            if self.0.last.is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Ok(())
    }
}

/// Holds everything until the end.
#[derive(Options)]
#[plugin(transform, name = "Hold")]
pub(crate) struct HoldOptions {}

pub(crate) struct Hold(Vec<Batch>);

impl Plugin for Hold {
    type Options = HoldOptions;

    fn new(_: HoldOptions, _: &BuildContext) -> Result<Self> {
        Ok(Hold(Vec::new()))
    }
}

impl Transform for Hold {
    fn apply(&mut self, batch: Batch, _: &mut Outlet) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }

    fn flush(&mut self, out: &mut Outlet) -> Result<()> {
        out.emit_chunk(Chunk::new(std::mem::take(&mut self.0)));
        Ok(())
    }
}

/// Panics at a line.
#[derive(Options)]
#[plugin(transform, name = "Panic")]
pub(crate) struct PanicOptions {
    /// The line.
    #[option(positional)]
    at: String,
    /// How often, over all restarts in this process.
    #[option(positional)]
    times: u64,
    /// Under which name it is counted.
    #[option(positional)]
    name: String,
}

pub(crate) struct Panic(PanicOptions);

impl Plugin for Panic {
    type Options = PanicOptions;

    fn new(options: PanicOptions, _: &BuildContext) -> Result<Self> {
        Ok(Panic(options))
    }
}

impl Transform for Panic {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        let hit = batch.iter().any(|r| r.line() == Some(self.0.at.as_bytes()));
        if hit && count_down(&self.0.name, self.0.times) {
            panic!("line {} came", self.0.at);
        }
        out.emit(batch);
        Ok(())
    }
}

/// Puts into each line whether its run goes on with what the one before it has not finished, and how many
/// other steps there were, as far as their counters tell.
#[derive(Options)]
#[plugin(transform, name = "Resumes")]
pub(crate) struct ResumesOptions {}

pub(crate) struct Resumes(String);

impl Plugin for Resumes {
    type Options = ResumesOptions;

    fn new(_: ResumesOptions, cx: &BuildContext) -> Result<Self> {
        static STEPS: Mutex<Vec<Arc<Counters>>> = Mutex::new(Vec::new());
        let mut steps = STEPS.lock().expect("no panic while they are counted");
        let known = steps.iter().position(|step| Arc::ptr_eq(step, cx.counters()));
        let others = known.unwrap_or_else(|| {
            steps.push(Arc::clone(cx.counters()));
            steps.len() - 1
        });
        Ok(Resumes(format!("{} {others}", cx.resumes())))
    }
}

impl Transform for Resumes {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        for record in batch.records_mut() {
            record.set_content(Record::from_line(self.0.as_str(), record.time()));
        }
        out.emit(batch);
        Ok(())
    }
}

/// Leaves out the lines that end so: 2, loses those with 4, rejects those with 6.
#[derive(Options)]
#[plugin(transform, name = "Sift")]
pub(crate) struct SiftOptions {}

pub(crate) struct Sift;

impl Plugin for Sift {
    type Options = SiftOptions;

    fn new(_: SiftOptions, _: &BuildContext) -> Result<Self> {
        Ok(Sift)
    }
}

impl Transform for Sift {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        let mut take =
            |digit: &u8| batch.extract(|r| r.line().and_then(<[u8]>::last) == Some(digit));
        let (left_out, lost, bad) = (take(&b'2'), take(&b'4'), take(&b'6'));
        out.filter_out(left_out);
        out.drop_batch(lost, "a four");
        out.reject(bad, "a six");
        out.emit(batch);
        Ok(())
    }
}

/// What an output does.
#[derive(Choice, Clone, Copy)]
pub(crate) enum Behaviour {
    /// Asks to be tried again.
    Retry,
    /// Loses its connection.
    Disconnect,
    /// Can never write this.
    Reject,
    /// Can never write a chunk with a line that ends so: 7.
    RejectSevens,
    /// Can never write again.
    Fatal,
    /// Does not answer.
    Hang,
    /// Cannot be closed.
    Close,
}

/// Fails so many times, then writes the lines to a file.
#[derive(Options)]
#[plugin(output, name = "Flaky")]
pub(crate) struct FlakyOptions {
    /// The file.
    #[option(positional)]
    path: std::path::PathBuf,
    /// How it fails.
    #[option(positional)]
    behaviour: Behaviour,
    /// How often; left out, always.
    #[option(positional)]
    times: Option<u64>,
}

pub(crate) struct Flaky {
    options: FlakyOptions,
    failed: u64,
    connected: bool,
}

impl Plugin for Flaky {
    type Options = FlakyOptions;

    fn new(options: FlakyOptions, _: &BuildContext) -> Result<Self> {
        Ok(Flaky { options, failed: 0, connected: false })
    }
}

impl Output for Flaky {
    async fn connect(&mut self) -> Result<()> {
        assert!(!self.connected, "connected twice");
        self.connected = true;
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        assert!(self.connected, "written to without a connection");
        if self.options.times.is_none_or(|times| self.failed < times) {
            self.failed += 1;
            match self.options.behaviour {
                Behaviour::Retry => return Err(WriteError::Retry(anyhow!("not now"))),
                Behaviour::Disconnect => {
                    self.connected = false;
                    return Err(WriteError::NotConnected(anyhow!("gone")));
                }
                Behaviour::Reject => return Err(WriteError::Reject(anyhow!("never"))),
                Behaviour::RejectSevens => {
                    if chunk.iter().any(|r| r.line().is_some_and(|l| l.ends_with(b"7"))) {
                        return Err(WriteError::Reject(anyhow!("a seven")));
                    }
                }
                Behaviour::Fatal => return Err(WriteError::Fatal(anyhow!("closed"))),
                Behaviour::Hang => std::future::pending().await,
                Behaviour::Close => {}
            }
        }
        let mut text = Vec::new();
        for record in chunk.iter() {
            record.write_raw(&mut text);
            text.push(b'\n');
        }
        use std::io::Write;
        let mut file =
            std::fs::File::options().append(true).create(true).open(&self.options.path)?;
        file.write_all(&text)?;
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        ensure!(!matches!(self.options.behaviour, Behaviour::Close), "it is stuck");
        Ok(())
    }
}
