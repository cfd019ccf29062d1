//! `in.FileTailing`: follows growing files.
//!
//! A file is known by its identity and by hashes of what was read, never by its name alone, so that it
//! is followed through renames, truncation and compression, and is not taken for another that got its
//! inode. One thread keeps the files; others read them in turns.
//!
//! - Which files there are: `look`, with `discover` and `walk` (patterns), `rotated` (names of rotated
//!   files), `serial` (their order) and `folders`. What each of them is: `take_up` and `judge`, with
//!   `identify`, `proof` and `fingerprint` (is it what was read before?), `copies`, `waiting`, `position`,
//!   `progress` and `parked` (files that are not followed now).
//! - When they are read: `follow`, `followed`, `order` and `turns`, `watch` (what the system tells),
//!   `readers` (threads), `linger` (one of them waits for more), `budget` (descriptors).
//! - What they hold: `tail` (one file and its turns), `content` (unpacked by `gzip`), `read`; it becomes
//!   records by `cursor`, `blank`, `encoding` and `multiline`.

mod blank;
mod budget;
mod content;
mod copies;
mod cursor;
mod discover;
mod encoding;
mod fingerprint;
mod flux;
mod folders;
mod follow;
mod followed;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod gzip;
#[cfg(test)]
mod harness;
mod identify;
mod judge;
mod linger;
mod look;
mod multiline;
mod order;
mod parked;
mod position;
mod progress;
mod proof;
mod read;
mod readers;
mod rotated;
mod serial;
mod tail;
mod take_up;
mod turns;
mod waiting;
mod walk;
mod watch;

use std::time::Duration;

use swak_sdk::prelude::*;

pub use content::Compression;
pub use encoding::Encoding;
pub use identify::Identity;
pub use multiline::{MultilineOptions, Preset};

use discover::Discovery;
use follow::{Follower, Pace};
use multiline::Multiline;
use proof::Proof;
use rotated::Rotations;
use tail::{BLOCK, Settings};

/// Follows growing files, one record a line.
///
/// Every complete line of a followed file is delivered at least once and in order, through
/// restarts, rotation by renaming, by copying and truncating, and by moving to another folder. A
/// rotated file is read to its end before the new one of its name is begun, also when it was rotated
/// several times, or had come and gone, while the agent was stopped. A last line without a line end
/// waits for it, and comes once; so do NUL bytes at the end of a file that was made as long as it will be,
/// until they are written over. The text of a record is that of the line, byte for byte, without the
/// line end, which is a line feed, or carriage return and line feed. The record's source is the path
/// under which its file was written: what is read of `app.log.1` after a rotation has `app.log` as its
/// source.
///
/// ```swak
/// task(
///     in.FileTailing(["/var/log/*.log", "/srv/**/*.log"], exclude="/srv/cache/**", start="end"),
///     out.File("all.log")
/// )
/// ```
///
/// Lines that belong together become one record, and files that were compressed by gzip are read too:
///
/// ```swak
/// task(
///     in.FileTailing("/var/log/app/*.log*", multiline={"start": r"^\d{4}-\d\d-\d\d ", "timeout": "2s"}),
///     out.File("app.json", format="json")
/// )
/// ```
#[derive(Debug, Options)]
#[plugin(input, name = "FileTailing")]
pub struct FileTailingOptions {
    /// The files to follow, as glob patterns: `/var/log/*.log`, `logs/**/*.txt`. Files that appear
    /// later are followed too.
    #[option(positional)]
    pub path: Vec<Glob>,
    /// Files to leave out, as glob patterns.
    #[option(default = [])]
    pub exclude: Vec<Glob>,
    /// Where followed files lie once they are rotated, as glob patterns: `/var/log/app/*.log.*`,
    /// `/var/log/old/*`. What was written since the agent began is read there if it was not read
    /// before; files from before that are left out. A file that `path` matches too is a rotated one, unless
    /// `path` names it without wildcards. Left out: names that lie beside the file, begin with its name,
    /// and go on as those of rotated files do: `app.log.1`, `app.log-20260102`, `app.log.old`; of these,
    /// those that `path` matches are read whole, also when they are from before.
    #[option(default = [])]
    pub rotated: Vec<Glob>,
    /// By what a file is known when it is renamed, truncated or replaced. `path` is for network drives
    /// that give a file a new inode now and then.
    #[option(default = "auto")]
    pub identity: Identity,
    /// Where to begin in files that are there when the agent starts for the first time. Files that
    /// appear later are always read from their beginning.
    #[option(default = "beginning")]
    pub start: Start,
    /// Wait for more at the end of the files. With `False`, the task ends when all files that were
    /// there at its start are read; a last line without a line end is taken then.
    #[option(default = true)]
    pub follow: bool,
    /// Longest line kept, in bytes. The rest of a longer one is cut off and counted as an error, and its
    /// record says `truncated`.
    #[option(default = "1m")]
    pub max_line: ByteSize,
    /// The encoding of the files. `utf-8` takes bytes as they are, whether they are UTF-8 or not;
    /// any other becomes UTF-8, and lines with bytes that mean nothing in it are counted as errors. A
    /// mark at the beginning of a file is no text; that of a UTF-16 file decides which of the two it
    /// is.
    #[option(default = "utf-8")]
    pub encoding: Encoding,
    /// Whether files are compressed. What a compressed file unpacks to is read as it grows, and its
    /// last line is taken, with or without a line end, when it is whole.
    #[option(default = "auto")]
    pub compression: Compression,
    /// A carriage return before a line feed belongs to the line.
    #[option(default = false)]
    pub keep_cr: bool,
    /// Joins lines to records: by a name as `multiline="java"`, or by patterns as
    /// `multiline={"start": "^\\d{4}-"}`. Left out: each line is a record. The text of a record is what
    /// stands in the file, with the line ends between its lines. A line longer than `max_line` is a
    /// record of its own.
    pub multiline: Option<MultilineOptions>,
    /// How soon a file that just grew is looked at again, where the system does not tell when files
    /// are written to; where it does, it is read at once, or within some milliseconds when several are
    /// written to all the time. A file that stays quiet is looked at
    /// less and less often, at the least as often as `rescan` says.
    #[option(default = "100ms")]
    pub poll: Duration,
    /// How often to look for new and renamed files, where the system does not tell of them; where it
    /// does, a tenth as often.
    #[option(default = "1s")]
    pub rescan: Duration,
    /// How long a file that was renamed or deleted is still followed after its last growth: who
    /// writes it may not have noticed yet.
    #[option(default = "5s")]
    pub rotate_wait: Duration,
    /// How long a last line may wait for its end before it is taken as it is. Left out: for ever.
    pub last_line_wait: Option<Duration>,
    /// Threads that read, at the most: one for every 64 files. Left out: one for each processor, up
    /// to 4.
    pub threads: Option<u32>,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Start {
    /// With the first line.
    Beginning,
    /// With the next line that is written.
    End,
}

/// The input.
pub struct FileTailing {
    settings: Settings,
    pace: Pace,
    include: Vec<Glob>,
    exclude: Vec<Glob>,
    rotated: Vec<Glob>,
}

/// How long small writes are gathered.
const GATHER: Duration = Duration::from_millis(10);

/// Blocks that are kept for the next read.
const KEEP: usize = 16;

impl Plugin for FileTailing {
    type Options = FileTailingOptions;

    fn new(options: FileTailingOptions, cx: &BuildContext) -> Result<Self> {
        ensure!(!options.path.is_empty(), "`path` needs at least one pattern");
        ensure!(!options.poll.is_zero(), "`poll` must be longer than nothing");
        ensure!(options.threads != Some(0), "`threads` is 1 or more");
        let multiline = options.multiline.map(Multiline::new).transpose()?;
        let threads = match options.threads {
            Some(threads) => threads as usize,
            None => std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
        };
        let record_wait = multiline.as_ref().map(Multiline::timeout);
        Ok(FileTailing {
            settings: Settings {
                pool: BlockPool::new(BLOCK + Proof::BACK, KEEP),
                max_line: super::check_max_line(options.max_line)?,
                keep_cr: options.keep_cr,
                encoding: options.encoding,
                compression: options.compression,
                multiline,
                identity: options.identity,
                counters: cx.counters().clone(),
            },
            pace: Pace {
                follow: options.follow,
                skip_present: options.start == Start::End,
                poll: options.poll,
                gather: GATHER.min(options.poll),
                rescan: options.rescan,
                rotate_wait: options.rotate_wait,
                last_line_wait: options.last_line_wait,
                record_wait,
                threads,
            },
            include: options.path,
            exclude: options.exclude,
            rotated: options.rotated,
        })
    }
}

impl BlockingInput for FileTailing {
    fn run(self, out: BlockingEmitter, shutdown: Shutdown) -> Result<()> {
        let identity = self.settings.identity;
        let rotations = Rotations::new(self.rotated, self.exclude.clone(), identity);
        let discovery = Discovery::new(self.include, self.exclude, identity);
        let follower = Follower::new(&self.settings, self.pace, discovery, rotations, &out);
        match follower.run(&shutdown) {
            Ok(()) | Err(Stopped) => Ok(()),
        }
    }
}
