//! A run: the agent, what is done to it, and what is watched meanwhile.

mod disks;
mod files;
mod processes;
mod servers;
mod watch;

pub(super) use watch::is_met;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::disk::Disk;
use super::events::{Event, History};
use super::expect::Expect;
use super::fault::Fault;
use super::folder::Folder;
use super::process::{Agent, Launch};
use super::proxy::Proxy;
use super::random::Random;
use super::sources::{Sources, locked};
use super::tally::Tally;
use servers::Outage;

/// What a run is to do.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    /// How long faults are done at least.
    pub(super) time: Duration,
    /// Which, and each how often at least.
    pub(super) faults: BTreeMap<Fault, u32>,
    /// Lines a second, all files together.
    pub(super) rate: u32,
    /// How long a server is away at most.
    pub(super) outage: Duration,
}

/// A run.
pub(super) struct Session {
    pub(super) aim: Aim,
    pub(super) sources: Arc<Mutex<Sources>>,
    pub(super) writer_failure: Arc<Mutex<Option<io::Error>>>,
    pub(super) tally: Arc<Mutex<Tally>>,
    /// By source.
    pub(super) expects: Vec<Expect>,
    /// Sinks that are files, with their numbers.
    pub(super) folders: Vec<(usize, Folder)>,
    /// Where outputs lie from which records are sent on.
    pub(super) lasts: Vec<PathBuf>,
    /// What stands before the sinks that are servers.
    pub(super) proxies: Vec<Proxy>,
    pub(super) launch: Launch,
    pub(super) agent: Agent,
    /// Where positions lie.
    pub(super) data: PathBuf,
    /// Where buffers lie, if there are any.
    pub(super) buffers: PathBuf,
    pub(super) disk: Option<Disk>,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) interrupted: Arc<AtomicBool>,
    pub(super) watch: Watch,
}

/// What is known of a run by now.
pub(super) struct Watch {
    pub(super) began: Instant,
    pub(super) history: History,
    pub(super) events: Vec<Event>,
    /// How often each fault was done.
    pub(super) done: BTreeMap<Fault, u32>,
    /// What is wrong beside the lines: an agent that ended by itself, for example.
    pub(super) problems: Vec<String>,
    /// By source: the line from which this life of the agent began, or a later one.
    begins: Vec<u64>,
    /// By source: the first line that was sent to this life of the agent.
    sent_from: Vec<u64>,
    /// Whether the agent is down, and begins again from there.
    begins_again: bool,
    /// How often the agent has ended by itself.
    ended: u32,
    outage: Option<Outage>,
    /// When acks were held up, by a server at fault, by a full disk, or while the agent stood still:
    /// from when to when.
    held_up: Vec<(Instant, Instant)>,
    /// The last outage, whose broken connections may still show.
    last_outage: Option<(usize, u64)>,
    /// What an output takes back when its disk is full must not be read before.
    full_since: Option<Instant>,
    /// By source: every line before this one has come out, and since when.
    met: Vec<(u64, Instant)>,
}

/// What went wrong with the torture itself.
pub(super) type Result<T = ()> = io::Result<T>;

/// So many problems are told; more of them say nothing new.
const MOST_PROBLEMS: usize = 50;

/// How long it may take until every line has come out, counted from the last that did: the engine
/// tries again after half a minute at most.
const PATIENCE: Duration = Duration::from_secs(60);

impl Watch {
    pub(super) fn new(sources: usize) -> Self {
        Watch {
            began: Instant::now(),
            history: History::new(sources),
            events: Vec::new(),
            done: BTreeMap::new(),
            problems: Vec::new(),
            begins: vec![0; sources],
            sent_from: vec![0; sources],
            begins_again: false,
            ended: 0,
            outage: None,
            held_up: Vec::new(),
            last_outage: None,
            full_since: None,
            met: vec![(0, Instant::now()); sources],
        }
    }
}

impl Watch {
    /// By source: every line before this one has come out.
    fn all_met(&self) -> Vec<u64> {
        self.met.iter().map(|(met, _)| *met).collect()
    }
}

impl Session {
    /// Does faults until the aim is reached, then waits for what is still to come out. `tell` is
    /// given a line about how far it is, now and then.
    ///
    /// # Errors
    /// Something of the torture itself failed: a file that it writes, an agent that cannot be started.
    pub(super) fn run(&mut self, tell: &mut dyn FnMut(&str)) -> Result {
        locked(&self.sources).set_rate(self.aim.rate);
        let mut told = Instant::now();
        self.pause_about(300)?;
        while !self.interrupted.load(Ordering::Relaxed) {
            let Some(fault) = self.next_fault() else { break };
            if self.perform(fault)? {
                *self.watch.done.entry(fault).or_default() += 1;
            }
            self.pause_about(match fault {
                // Between two kills there must be time to get on.
                Fault::Kill | Fault::Stop | Fault::StoppedRotate => 1200,
                _ => 300,
            })?;
            self.revive()?;
            self.make_room()?;
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                tell(&self.state());
            }
        }
        tell("waiting for the last lines");
        self.end()
    }

    /// How far it is.
    fn state(&self) -> String {
        let written: u64 = locked(&self.sources).written().iter().sum();
        let met: u64 = self.watch.all_met().iter().sum();
        let done = self.watch.done.iter().map(|(fault, count)| format!("{fault} {count}"));
        let done = done.collect::<Vec<_>>().join(", ");
        let seconds = self.watch.began.elapsed().as_secs();
        format!("{seconds} s: {written} lines written, {met} have come out; {done}")
    }

    /// A fault to do now; `None` when all is done.
    fn next_fault(&mut self) -> Option<Fault> {
        let done = |fault: &Fault| self.watch.done.get(fault).copied().unwrap_or(0);
        let missing: Vec<(Fault, u32)> = self
            .aim
            .faults
            .iter()
            .map(|(fault, wanted)| (*fault, wanted.saturating_sub(done(fault))))
            .filter(|(_, missing)| *missing > 0)
            .collect();
        let in_time = self.watch.began.elapsed() < self.aim.time;
        match (missing.iter().map(|(_, missing)| u64::from(*missing)).sum::<u64>(), in_time) {
            (0, false) => None,
            (0, true) => {
                let all: Vec<_> = self.aim.faults.keys().copied().collect();
                if all.is_empty() {
                    // Without faults it only runs.
                    return self
                        .pause(Duration::from_millis(100))
                        .ok()
                        .and_then(|()| self.next_fault());
                }
                Some(*self.random.pick(&all))
            }
            // What is missing most comes most often.
            (sum, _) => {
                let mut place = self.random.within(0..sum);
                missing.into_iter().find_map(|(fault, count)| {
                    let count = u64::from(count);
                    let hit = place < count;
                    place = place.saturating_sub(count);
                    hit.then_some(fault)
                })
            }
        }
    }

    /// Does a fault; whether it could be done now.
    fn perform(&mut self, fault: Fault) -> Result<bool> {
        match fault {
            Fault::Kill => self.kill_and_start(),
            Fault::Stop => self.stop_and_start(),
            Fault::Freeze => self.freeze(),
            Fault::StoppedRotate => self.rotate_while_down(),
            Fault::Rename | Fault::Generations | Fault::CopyTruncate | Fault::Compress => {
                self.rotate(fault)
            }
            Fault::Dead | Fault::Slow | Fault::Hang | Fault::Cut | Fault::Lie => {
                self.begin_outage(fault)
            }
            Fault::DiskFull => self.fill_disk(),
            Fault::Damage => self.damage(),
            Fault::Clock => self.jump(),
        }
    }

    /// Ends all faults, waits until all has come out, and stops the agent twice: nothing may come
    /// after the first time.
    fn end(&mut self) -> Result {
        self.end_outage()?;
        locked(&self.sources).set_rate(0);
        self.catch_up(PATIENCE)?;
        self.stop()?;
        self.start()?;
        self.pause(Duration::from_secs(1))?;
        self.stop()?;
        self.watch_once()
    }
}
