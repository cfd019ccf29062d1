//! Faults of the process: it is killed, stopped, and stands still.

use std::time::{Duration, Instant};

use swak_engine::books;

use super::super::fault::Fault;
use super::super::sources::locked;
use super::watch::last_error;
use super::{Result, Session};

/// An orderly stop takes no longer: the agent's own limit is ten seconds.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// An agent has started by then.
const START_LIMIT: Duration = Duration::from_secs(60);

/// What an agent says that could not deliver all in time.
const INTERRUPTED: &str = "stopped before all was delivered";

impl Session {
    pub(super) fn kill_and_start(&mut self) -> Result<bool> {
        self.agent.kill();
        self.after_kill(Fault::Kill)?;
        // Now and then once more, while it starts.
        while self.random.chance(15) {
            self.agent = self.launch.start()?;
            self.pause_about(150)?;
            self.agent.kill();
            self.after_kill(Fault::Kill)?;
        }
        self.start()?;
        Ok(true)
    }

    pub(super) fn stop_and_start(&mut self) -> Result<bool> {
        self.stop()?;
        self.start()?;
        Ok(true)
    }

    pub(super) fn freeze(&mut self) -> Result<bool> {
        let began = Instant::now();
        self.agent.freeze(true);
        self.pause_about(1500)?;
        if self.random.chance(40) && self.aim.faults.contains_key(&Fault::Rename) {
            // Whoever stands still sees nothing of this.
            self.rotate(Fault::Generations)?;
        }
        self.pause_about(1500)?;
        self.agent.freeze(false);
        self.watch.held_up.push((began, Instant::now()));
        self.note(Fault::Freeze, None, 0);
        Ok(true)
    }

    /// Starts the agent, which is down. One that ends at once is told of, and tried again.
    pub(super) fn start(&mut self) -> Result {
        self.make_room_while_down()?;
        for attempt in 0.. {
            self.agent = self.launch.start()?;
            let until = Instant::now() + START_LIMIT;
            while !self.agent.is_ready() && Instant::now() < until {
                if self.agent.ended().is_some() {
                    break;
                }
                self.pause(Duration::from_millis(2))?;
            }
            let Some(status) = self.agent.ended() else {
                self.note_start();
                break;
            };
            let said = last_error(&self.agent.said());
            let when = if self.watch.full_since.is_some() { " on a full disk" } else { "" };
            self.problem(format!("the agent does not start{when}: {status}{said}"));
            if self.watch.full_since.is_some() {
                return Ok(());
            }
            if attempt == 10 {
                return Err(std::io::Error::other(format!("the agent does not start{said}")));
            }
            self.pause(Duration::from_millis(500))?;
        }
        Ok(())
    }

    /// Stops the agent in good order.
    pub(super) fn stop(&mut self) -> Result {
        self.revive()?;
        let since = self.positions_stored();
        let status = self.agent.stop(STOP_LIMIT);
        locked(&self.sources).set_down(true);
        self.watch_once()?;
        let said = self.agent.said();
        // Panics end a task, not the agent.
        if said.contains("panicked") {
            self.problem(format!("a panic{}", last_error(&said)));
        }
        match status {
            None => {
                self.problem(format!("the agent does not stop within {STOP_LIMIT:?}"));
                self.note_end(Fault::Stop, since)?;
            }
            Some(status) if !status.success() => {
                self.problem(format!("a stop ends with {status}{}", last_error(&said)));
                self.note_end(Fault::Stop, since)?;
            }
            // What could not be delivered in time comes again after the next start.
            Some(_) if said.contains(INTERRUPTED) => self.note_end(Fault::Stop, since)?,
            Some(_) => {
                self.note(Fault::Stop, None, 0);
                // Whatever has come out is acked now, and its position stored.
                self.begins_at_last_event();
            }
        }
        self.audit();
        Ok(())
    }

    /// Asks the ledgers of an agent that is down whether every record is accounted for.
    fn audit(&mut self) {
        match books::read_all(&self.data) {
            Ok(all) => {
                for one in all {
                    if let Err(unbalanced) = one.sheet.check() {
                        self.problem(format!("the ledger of task {}: {unbalanced}", one.task));
                    }
                }
            }
            Err(error) => self.problem(format!("the ledgers cannot be read: {error}")),
        }
    }

    /// Notes what was on its way when the agent was killed.
    pub(super) fn after_kill(&mut self, fault: Fault) -> Result {
        let stored = self.positions_stored();
        self.watch_once()?;
        self.note_end(fault, stored)?;
        self.audit();
        Ok(())
    }
}
