//! Faults of the disk: it is full, or its files are damaged.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::damage::damage;
use super::super::fault::Fault;
use super::super::folder::files_below;
use super::super::sources::locked;
use super::watch::GRACE;
use super::{PATIENCE, Result, Session};

/// Lines that are written for each damage.
const LINES: u64 = 5;

/// Damages in a row, before the files begin anew.
const IN_A_ROW: u32 = 20;

/// How much outputs may leave on a disk of our own before it is deleted.
const MOST_LEFT: u64 = 16 << 20;

impl Session {
    /// Fills the disk on which positions, buffers and written files lie, for a while.
    pub(super) fn fill_disk(&mut self) -> Result<bool> {
        // What is there now is whole.
        self.watch_once()?;
        let began = Instant::now();
        self.watch.full_since = Some(began);
        let Some(disk) = &self.disk else { return Ok(false) };
        disk.fill()?;
        self.note(Fault::DiskFull, None, 0);
        let event = self.watch.events.len() - 1;
        self.pause_about(4000)?;
        if self.random.chance(30) && self.aim.faults.contains_key(&Fault::Kill) {
            self.agent.kill();
            self.after_kill(Fault::Kill)?;
            self.start()?;
            self.pause_about(2000)?;
        }
        if let Some(disk) = &self.disk {
            disk.free()?;
        }
        // An output takes back what it could not write whole, at once.
        std::thread::sleep(Duration::from_millis(200));
        self.watch.full_since = None;
        // A buffer tries again each second, and only then counts what it has handed on as stored.
        self.watch.held_up.push((began, Instant::now() + GRACE));
        // One that ended by itself, or did not start, is told of.
        self.revive()?;
        let written = locked(&self.sources).written();
        let window = &mut self.watch.events[event].window;
        window.iter_mut().zip(written).for_each(|(window, end)| window.1 = end);
        Ok(true)
    }

    /// Damages files of the data folder of a stopped agent, several times in a row. All lines have come
    /// out before, so that none depends on what is damaged.
    pub(super) fn damage(&mut self) -> Result<bool> {
        self.end_outage()?;
        locked(&self.sources).set_rate(0);
        let mut rounds = 0;
        let wanted = self.aim.faults.get(&Fault::Damage).copied().unwrap_or(0);
        let left = wanted.saturating_sub(self.watch.done.get(&Fault::Damage).copied().unwrap_or(0));
        while rounds < left.clamp(1, IN_A_ROW) {
            if !self.catch_up(PATIENCE)? {
                break;
            }
            self.stop()?;
            if rounds == 0 {
                self.begin_files_anew()?;
            }
            let Some(path) = self.any_state_file()? else { break };
            let how = damage(&path, &mut self.random)?;
            let name = path.strip_prefix(&self.data).unwrap_or(&path).display().to_string();
            let problems = self.watch.problems.len();
            self.note_damage()?;
            self.start()?;
            if self.watch.problems.len() > problems {
                self.problem(format!("that was after this damage: {name}: {how}"));
            }
            for place in 0..self.expects.len() {
                locked(&self.sources).write(place, LINES)?;
            }
            rounds += 1;
        }
        if rounds > 0 && !self.catch_up(PATIENCE)? {
            self.problem("lines do not come out any more after damage".to_owned());
        }
        locked(&self.sources).set_rate(self.aim.rate);
        // The caller counts one.
        *self.watch.done.entry(Fault::Damage).or_default() += rounds.saturating_sub(1);
        Ok(rounds > 0)
    }

    /// Stops the agent when its outputs have left too much on a disk of our own, and deletes it.
    pub(super) fn make_room(&mut self) -> Result {
        if self.disk.is_none() || self.watch.full_since.is_some() || !self.has_left_much() {
            return Ok(());
        }
        if !cfg!(unix) || self.agent.ended().is_some() {
            return Ok(());
        }
        self.stop()?;
        self.start()
    }

    /// Deletes what was written and read, while nobody writes.
    pub(super) fn make_room_while_down(&mut self) -> Result {
        if self.disk.is_none() || self.watch.full_since.is_some() || !self.has_left_much() {
            return Ok(());
        }
        for (sink, folder) in &mut self.folders {
            let mut tally = self.tally.lock().expect("no panic while the tally is locked");
            let torn = folder.read_new(|mark| tally.arrive(*sink, mark))?;
            tally.torn += torn;
            folder.delete_all()?;
        }
        Ok(())
    }

    fn has_left_much(&self) -> bool {
        self.folders.iter().map(|(_, folder)| folder.size()).sum::<u64>() > MOST_LEFT
    }

    /// Without positions the files are read from their beginning; let that be short.
    fn begin_files_anew(&mut self) -> Result {
        let mut sources = locked(&self.sources);
        for (source, (met, _)) in sources.all.iter_mut().zip(&self.watch.met) {
            source.rename()?;
            source.delete_old(*met, 0)?;
        }
        Ok(())
    }

    /// All lines that are still in files may come again.
    fn note_damage(&mut self) -> Result {
        // A buffer may hold what was delivered long ago.
        let is_deep = |path: &PathBuf| {
            path.strip_prefix(&self.data).is_ok_and(|below| below.components().count() > 2)
        };
        let has_buffers = self.buffers.exists() || files_below(&self.data)?.iter().any(is_deep);
        let begins: Vec<u64> = {
            let sources = locked(&self.sources);
            let begins = sources.all.iter().map(|source| source.begins);
            begins.map(|begins| if has_buffers { 0 } else { begins }).collect()
        };
        self.note(Fault::Damage, None, 1);
        let event = self.watch.events.last_mut().expect("it was noted just now");
        event.window.iter_mut().zip(&begins).for_each(|(window, first)| window.0 = *first);
        self.watch.begins = begins;
        self.watch.begins_again = true;
        Ok(())
    }

    fn any_state_file(&mut self) -> Result<Option<PathBuf>> {
        let mut files = files_below(&self.data)?;
        files.extend(files_below(&self.buffers)?);
        // The lock holds nothing.
        files.retain(|path| path.file_name().is_some_and(|name| name != ".lock"));
        Ok(if files.is_empty() { None } else { Some(self.random.pick(&files).clone()) })
    }
}
