//! `in.FileTailing`: follows growing files.
//!
//! One thread reads all files of an input in turns of one block. A file is known by its identity
//! and by hashes of what was read, never by its name alone, so that it is followed through renames
//! and is not taken for another that got its inode. `discover` finds files, `follow` keeps them and
//! gives them their turns, `tail` is one of them, `parked` holds the positions of those that are not
//! followed now. What a file holds is read by `content`, unpacked by `gzip`, and becomes records by
//! `cursor`, `encoding` and `multiline`.

mod content;
mod cursor;
mod discover;
mod encoding;
mod fingerprint;
mod follow;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod gzip;
mod multiline;
mod parked;
mod position;
mod read;
mod tail;

use std::time::Duration;

use swak_sdk::prelude::*;

pub use content::Compression;
pub use encoding::Encoding;
pub use multiline::{MultilineOptions, Preset};

use discover::Discovery;
use follow::{Follower, Pace};
use multiline::Multiline;
use tail::{BLOCK, Settings};

/// Follows growing files, one record a line.
///
/// Every complete line of a followed file is delivered at least once and in order, through
/// restarts, rotation by renaming and rotation by copying and truncating. A renamed file is read to
/// its end before the new one of its name is begun. A last line without a line end waits for it,
/// and comes once. The text of a record is that of the line, byte for byte, without the line end,
/// which is a line feed, or carriage return and line feed. The record's source is the file's path.
///
/// ```swak
/// task(
///     in.FileTailing(["/var/log/*.log", "/srv/**/*.log"], exclude="/srv/cache/**", start="end"),
///     out.File("all.log")
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
    /// Where to begin in files that are there when the agent starts for the first time. Files that
    /// appear later are always read from their beginning.
    #[option(default = "beginning")]
    pub start: Start,
    /// Wait for more at the end of the files. With `False`, the task ends when all files that were
    /// there at its start are read; a last line without a line end is taken then.
    #[option(default = true)]
    pub follow: bool,
    /// Longest line kept, in bytes; the rest of a longer one is cut off and counted as an error.
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
    /// stands in the file, with the line ends between its lines.
    pub multiline: Option<MultilineOptions>,
    /// How soon a file that just grew is looked at again. A file that stays quiet is looked at less
    /// and less often, at the least as often as `rescan` says.
    #[option(default = "100ms")]
    pub poll: Duration,
    /// How often to look for new and renamed files.
    #[option(default = "1s")]
    pub rescan: Duration,
    /// How long a file that was renamed or deleted is still followed after its last growth: who
    /// writes it may not have noticed yet.
    #[option(default = "5s")]
    pub rotate_wait: Duration,
    /// How long a last line may wait for its end before it is taken as it is. Left out: for ever.
    pub last_line_wait: Option<Duration>,
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
}

/// Blocks that are kept for the next read.
const KEEP: usize = 16;

impl Plugin for FileTailing {
    type Options = FileTailingOptions;

    fn new(options: FileTailingOptions, cx: &BuildContext) -> Result<Self> {
        ensure!(!options.path.is_empty(), "`path` needs at least one pattern");
        ensure!(!options.poll.is_zero(), "`poll` must be longer than nothing");
        Ok(FileTailing {
            settings: Settings {
                pool: BlockPool::new(BLOCK, KEEP),
                max_line: super::check_max_line(options.max_line)?,
                keep_cr: options.keep_cr,
                encoding: options.encoding,
                compression: options.compression,
                multiline: options.multiline.map(Multiline::new).transpose()?,
                counters: cx.counters().clone(),
            },
            pace: Pace {
                follow: options.follow,
                skip_present: options.start == Start::End,
                poll: options.poll,
                rescan: options.rescan,
                rotate_wait: options.rotate_wait,
                last_line_wait: options.last_line_wait,
            },
            include: options.path,
            exclude: options.exclude,
        })
    }
}

impl BlockingInput for FileTailing {
    fn run(self, out: BlockingEmitter, shutdown: Shutdown) -> Result<()> {
        let discovery = Discovery::new(self.include, self.exclude);
        // Files were followed before, up to places that nobody knows any more: what came after them
        // must not be passed over.
        let skip_present = self.pace.skip_present && !out.checkpoints().were_lost();
        let pace = Pace { skip_present, ..self.pace };
        match Follower::new(&self.settings, pace, discovery, &out).run(&shutdown) {
            Ok(()) | Err(Stopped) => Ok(()),
        }
    }
}
