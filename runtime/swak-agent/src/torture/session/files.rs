//! Faults of the followed files: rotations, and times that jump.

use std::time::{Duration, Instant};

use super::super::fault::Fault;
use super::super::sources::locked;
use super::{Result, Session};

/// How long it is waited until all of a rotated file has come out.
const WAIT: Duration = Duration::from_secs(5);

impl Session {
    /// Rotates a file while the agent runs, or stands still.
    pub(super) fn rotate(&mut self, fault: Fault) -> Result<bool> {
        let Some(place) = self.any_file() else { return Ok(false) };
        let done = match fault {
            Fault::CopyTruncate => self.copy_and_truncate(place)?,
            Fault::Compress => self.compress(place)?,
            Fault::Rename => self.rename(place, 1)?,
            _ => {
                let times = self.random.within(2..6);
                self.rename(place, times)?
            }
        };
        if done {
            self.note(fault, None, 0);
            self.watch.events.last_mut().expect("it was noted just now").source = Some(place);
        }
        Ok(done)
    }

    /// Rotates files between a stop, or a kill, and the next start.
    pub(super) fn rotate_while_down(&mut self) -> Result<bool> {
        match self.random.chance(50) || !cfg!(unix) {
            true => {
                self.agent.kill();
                self.after_kill(Fault::StoppedRotate)?;
            }
            false => {
                self.stop()?;
                self.note(Fault::StoppedRotate, None, 0);
            }
        }
        for place in self.files() {
            let times = self.random.within(0..6);
            self.rename(place, times)?;
            self.pause_about(100)?;
        }
        self.start()?;
        Ok(true)
    }

    /// The times of files jump, and where it can be, the agent's clock.
    pub(super) fn jump(&mut self) -> Result<bool> {
        let files: Vec<_> = {
            let sources = locked(&self.sources);
            let old = sources.all.iter().flat_map(|source| source.old.iter().map(|old| &old.path));
            sources.all.iter().map(|source| &source.path).chain(old).cloned().collect()
        };
        self.clock.jump(&files, &mut self.random)?;
        self.note(Fault::Clock, None, 0);
        Ok(true)
    }

    fn any_file(&mut self) -> Option<usize> {
        let files = self.files();
        (!files.is_empty()).then(|| *self.random.pick(&files))
    }

    /// The sources that are files.
    fn files(&self) -> Vec<usize> {
        let sources = locked(&self.sources);
        (0..sources.all.len()).filter(|place| sources.all[*place].is_file()).collect()
    }

    /// Whether a file may be rotated: nobody cuts a file, and rotates it again before its copy can be
    /// found.
    fn is_settled(&self, place: usize) -> bool {
        locked(&self.sources).all[place].cut <= self.watch.met[place].0
    }

    fn rename(&mut self, place: usize, times: u64) -> Result<bool> {
        if !self.is_settled(place) {
            return Ok(false);
        }
        for _ in 0..times {
            let lines = self.random.within(0..20);
            let mut sources = locked(&self.sources);
            if lines > 0 {
                sources.write(place, lines)?;
            }
            let source = &mut sources.all[place];
            source.rename()?;
            source.tidy(self.watch.met[place].0)?;
        }
        Ok(true)
    }

    /// The writer waits for the lock meanwhile. What nobody has read by then is in the copy alone; but of a
    /// file of which nothing was read at all, nobody can tell that it was cut.
    fn copy_and_truncate(&mut self, place: usize) -> Result<bool> {
        let met = self.watch.met[place].0;
        if !self.is_settled(place) || met <= locked(&self.sources).all[place].begins {
            return Ok(false);
        }
        let mut sources = locked(&self.sources);
        let lines = self.random.within(0..50);
        if lines > 0 {
            sources.write(place, lines)?;
        }
        let source = &mut sources.all[place];
        source.copy_and_truncate()?;
        source.tidy(self.watch.met[place].0)?;
        // The file may grow beyond its old size before anybody looks.
        let lines = self.random.within(0..200);
        if lines > 0 {
            sources.write(place, lines)?;
        }
        Ok(true)
    }

    /// Half of the time the file is compressed at once, else when all of it has come out.
    fn compress(&mut self, place: usize) -> Result<bool> {
        if !self.rename(place, 1)? {
            return Ok(false);
        }
        let at_once = self.random.chance(50);
        let until = Instant::now() + WAIT;
        while !at_once && Instant::now() < until {
            self.pause(Duration::from_millis(5))?;
            let met = self.watch.met[place].0;
            if locked(&self.sources).all[place].old.first().is_none_or(|old| old.end <= met) {
                break;
            }
        }
        locked(&self.sources).all[place].compress()?;
        Ok(true)
    }
}
