//! What tests of single steps of an input need: one that stands still.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::data::{BlockPool, Chunk};
use swak_sdk::options::{Glob, Literal, LiteralValue, OptionValue};
use swak_sdk::plugin::{BlockingEmitter, Checkpoints, Emitter};
use swak_test::InMemory;
use tokio::sync::mpsc;

use super::content::Compression;
use super::discover::{Discovery, Found};
use super::encoding::Encoding;
use super::follow::{Follower, Pace};
use super::identify::Identity;
use super::rotated::Rotations;
use super::tail::{BLOCK, Settings, Tail, TurnError};

/// An input whose looks and turns a test takes by itself.
pub(super) struct Still {
    folder: tempfile::TempDir,
    settings: Settings,
    out: BlockingEmitter,
}

impl Still {
    /// One that is stopping: nobody takes what is emitted.
    pub(super) fn new() -> Self {
        Self::with(mpsc::channel(1).0)
    }

    /// One whose reader waits for who takes what is emitted once it has read more than a block, for as long
    /// as what this gives lives.
    pub(super) fn full() -> (Self, mpsc::Receiver<Chunk>) {
        let (sender, taker) = mpsc::channel(1);
        (Self::with(sender), taker)
    }

    fn with(sender: mpsc::Sender<Chunk>) -> Self {
        let utf8 = Literal::bare(LiteralValue::Str("utf-8".into()));
        let utf8 = Encoding::read(&utf8).expect("it is one");
        let settings = Settings {
            pool: BlockPool::new(BLOCK, 4),
            max_line: 1 << 20,
            keep_cr: false,
            encoding: utf8,
            identity: Identity::Auto,
            compression: Compression::Auto,
            multiline: None,
            counters: Arc::default(),
        };
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let (counters, ledger) = (Arc::default(), Arc::default());
        let out = Emitter::new(sender, "test".into(), checkpoints, counters, ledger).blocking();
        Still { folder: tempfile::tempdir().unwrap(), settings, out }
    }

    pub(super) fn follower(&self) -> Follower<'_> {
        let second = Duration::from_secs(1);
        let pace = Pace {
            follow: true,
            skip_present: false,
            poll: second,
            gather: second,
            rescan: second,
            rotate_wait: second,
            last_line_wait: None,
            record_wait: None,
            threads: 1,
        };
        let pattern = Glob::new(self.path("*.log").to_str().unwrap()).unwrap();
        let discovery = Discovery::new(vec![pattern], Vec::new(), Identity::Auto);
        let rotations = Rotations::new(Vec::new(), Vec::new(), Identity::Auto);
        Follower::new(&self.settings, pace, discovery, rotations, &self.out)
    }

    /// Reads a file; nobody takes what is emitted.
    pub(super) fn read(&self, tail: &mut Tail) {
        assert!(matches!(tail.turn(&self.settings, &self.out), Err(TurnError::Stopped)));
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that holds up its reader if it is [`Still::full`].
    pub(super) fn write_much(&self, name: &str) -> Found {
        self.write(name, &"a line\n".repeat(4 * BLOCK / 7))
    }

    pub(super) fn write(&self, name: &str, content: &str) -> Found {
        fs::write(self.path(name), content).unwrap();
        Found::at(self.path(name), Identity::Auto).unwrap().unwrap()
    }
}
