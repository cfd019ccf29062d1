//! `out.DiskBuffer`: a queue on disk.

mod content;
mod options;
mod stage;
mod worker;

use std::path::PathBuf;

use swak_buffer::{Durability, Settings};
use swak_sdk::prelude::*;

use options::{SyncPolicy, WhenFull};

/// Keeps records on disk until they are delivered.
///
/// What comes before it goes on while an output is slow or dead, and what is in it survives the end
/// of the agent and of the system. An input is told that its records are stored when they are as safe
/// as `sync` says; from then on the buffer sees to their delivery, in the order in which they came.
///
/// The agent's command `buffer` looks into a buffer and repairs one; its files are described in
/// [docs/buffer.md](../buffer.md).
///
/// A dead server is bridged for as long as 20 gigabytes last:
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/my.log"),
///     out.DiskBuffer(max_size="20g"),
///     out.Fluentd("192.168.0.1")
/// )
/// ```
#[derive(Options)]
#[plugin(transform, name = "DiskBuffer")]
pub(crate) struct DiskBufferOptions {
    /// The folder that holds it, which no other buffer may use. Left out: one in the agent's own data
    /// folder, for this step.
    #[option(positional)]
    path: Option<PathBuf>,
    /// The size of all its files together. Records that are on their way when the agent is stopped are
    /// kept even beyond it.
    #[option(default = "1g")]
    max_size: ByteSize,
    /// What happens when it is full.
    #[option(default = "wait")]
    when_full: WhenFull,
    /// When a record counts as stored, and the input goes on: `always` after a sync, for which all that
    /// came meanwhile waits together; a duration after the next sync, of which there is one each time it
    /// has passed, and what an output has taken before that needs none; `never` at once, so that it
    /// survives a crash of the agent and not one of the system.
    #[option(default = "500ms")]
    sync: SyncPolicy,
    /// The size of one file. A file goes when everything in it is delivered. Left out: 64m, or an
    /// eighth of `max_size` when that is less.
    segment_size: Option<ByteSize>,
    /// How much may be on its way to the next step and not be delivered yet; at least one chunk is.
    #[option(default = "16m")]
    max_unacked: ByteSize,
}

pub(crate) struct DiskBuffer {
    folder: PathBuf,
    settings: Settings,
    when_full: WhenFull,
    sync: SyncPolicy,
    max_unacked: usize,
}

/// How many bytes are kept in memory behind those that are on their way, so that they need not be read from
/// disk as soon as there is room for them.
const KEEP_IN_MEMORY: usize = 4 << 20;

/// A segment with nothing in it but a small record.
const LEAST_SEGMENT: u64 = 4096;

impl Plugin for DiskBuffer {
    type Options = DiskBufferOptions;

    fn new(options: DiskBufferOptions, cx: &BuildContext) -> Result<Self> {
        let max_size = options.max_size.bytes();
        ensure!(max_size >= 8 * LEAST_SEGMENT, "`max_size` is less than 32k");
        let segment_size = match options.segment_size {
            Some(size) => {
                let size = size.bytes();
                ensure!(size >= LEAST_SEGMENT, "`segment_size` is less than 4k");
                ensure!(
                    size <= max_size / 2,
                    "`segment_size` is more than half of `max_size`, so one file would be all of it"
                );
                size
            }
            None => (max_size / 8).min(64 << 20),
        };
        let durability = match options.sync {
            SyncPolicy::Never => Durability::Written,
            _ => Durability::Synced,
        };
        let settings =
            Settings { segment_size, max_size, durability, keep_in_memory: KEEP_IN_MEMORY };
        Ok(DiskBuffer {
            folder: options.path.unwrap_or_else(|| cx.data_dir().to_owned()),
            settings,
            when_full: options.when_full,
            sync: options.sync,
            max_unacked: options.max_unacked.as_usize(),
        })
    }
}

#[cfg(test)]
mod tests;
