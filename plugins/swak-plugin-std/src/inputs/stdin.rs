//! `in.Stdin`: lines of standard input.

mod sent;

use std::io::{self, Read};
use std::sync::{Arc, LazyLock};

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;
use tokio::sync::{Mutex, mpsc};

use self::sent::Sent;
use super::stream_lines::{READ, StreamLines};

/// Reads lines from standard input; the task ends with it.
///
/// One task of an agent can read it. When that task is started again it goes on where it was, within
/// a line too, and what it had read and could not deliver comes again. When the agent ends, what it
/// has not delivered is lost: nothing can be read from standard input twice.
///
/// ```swak
/// task(in.Stdin(), out.JsonParser(), out.Filter("status >= 500"), out.Stdout())
/// ```
#[derive(Debug, Options)]
#[plugin(input, name = "Stdin")]
pub struct StdinOptions {
    /// Longest line kept. The rest of a longer one is cut off and counted as an error, and its record says
    /// `truncated`.
    #[option(default = "1m")]
    pub max_line: ByteSize,
}

/// The input.
pub struct Stdin {
    max_line: usize,
    counters: Arc<Counters>,
}

impl Plugin for Stdin {
    type Options = StdinOptions;

    fn new(options: StdinOptions, cx: &BuildContext) -> Result<Self> {
        let max_line = super::check_max_line(options.max_line)?;
        Ok(Stdin { max_line, counters: cx.counters().clone() })
    }
}

impl Input for Stdin {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let Ok(mut standing) = STDIN.try_lock() else {
            bail!("standard input is being read by another task; only one can have it");
        };
        let Standing { blocks, lines, sent } = &mut *standing;
        let lines = lines
            .get_or_insert_with(|| StreamLines::new(self.max_line, Arc::clone(&self.counters)));
        lines.count_in(self.counters);
        if let Some(begun) = sent.take_back() {
            lines.put_back(&begun);
        }
        if sent.hand_on(&out).await == Err(Stopped) {
            return Ok(());
        }
        let ended = loop {
            let block = tokio::select! {
                biased;
                () = shutdown.triggered() => break false,
                failed = sent.failed() => return Err(failed),
                block = blocks.recv() => block,
            };
            let Some(block) = block else { break true };
            let block = block.context("cannot read standard input")?;
            if let Some(batch) = lines.push(&block) {
                sent.add(batch, false);
            }
            if sent.hand_on(&out).await == Err(Stopped) {
                return Ok(());
            }
        };
        if let Some(batch) = lines.finish() {
            sent.add(batch, !ended);
        }
        // Stopped or not: this was the last one.
        let _ = sent.hand_on(&out).await;
        if ended {
            // The stages hear that nothing more comes, and give out what they hold.
            drop(out);
            sent.delivered().await?;
        }
        Ok(())
    }
}

/// What outlives the runs of the task.
struct Standing {
    blocks: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// With the beginning of a line whose end was not read yet; there from the first run on.
    lines: Option<StreamLines>,
    sent: Sent,
}

/// A read of standard input cannot be broken off, so one thread reads it as long as the agent runs,
/// and what it has read is not lost when a task is started again.
static STDIN: LazyLock<Mutex<Standing>> = LazyLock::new(|| {
    let (sender, blocks) = mpsc::channel(2);
    std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || read(&mut io::stdin().lock(), &sender))
        .expect("the system has room for one more thread");
    Mutex::new(Standing { blocks, lines: None, sent: Sent::default() })
});

fn read(from: &mut impl Read, to: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; READ];
    loop {
        let block = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => Ok(buffer[..n].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = block.is_err();
        if to.blocking_send(block).is_err() || failed {
            return;
        }
    }
}
