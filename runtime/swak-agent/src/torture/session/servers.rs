//! Faults of the servers that outputs deliver to.

use std::time::{Duration, Instant};

use super::super::fault::Fault;
use super::super::last::left_by_last;
use super::super::sources::locked;
use super::{Result, Session};

/// A server at fault.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) began: Instant,
    until: Instant,
    /// Its place among the events.
    event: usize,
    /// Connections that were broken before.
    broken: u64,
}

/// The shortest time for which a server is away.
const SHORTEST: Duration = Duration::from_millis(200);

impl Session {
    /// One server or several are at fault from now on, for a while; other faults go on meanwhile.
    pub(super) fn begin_outage(&mut self, fault: Fault) -> Result<bool> {
        if let Some(outage) = &self.watch.outage {
            // One after the other.
            let left = outage.until.saturating_duration_since(Instant::now());
            self.pause(left.min(Duration::from_millis(500)))?;
            return Ok(false);
        }
        let all = self.random.chance(50);
        let chosen = self.random.within(0..self.proxies.len() as u64);
        for (proxy, place) in self.proxies.iter().zip(0..) {
            if all || place == chosen {
                proxy.set(Some(fault));
            }
        }
        let longest = u64::try_from(self.aim.outage.as_millis()).unwrap_or(u64::MAX);
        let shortest = SHORTEST.as_millis() as u64;
        // The first one is as long as it may be.
        let is_first = !self.watch.done.contains_key(&fault);
        let length = match is_first {
            true => longest,
            false => self.random.within(shortest..longest.max(shortest + 1)),
        };
        let began = Instant::now();
        let before = self.broken();
        self.settle_last_outage();
        let stored = self.positions_stored();
        self.note(fault, Some(stored), 0);
        let stored = left_by_last(&self.lasts, self.expects.len(), false)?;
        let event = self.watch.events.len() - 1;
        self.watch.events[event].stored = stored;
        let until = began + Duration::from_millis(length);
        self.watch.outage = Some(Outage { began, until, event, broken: before });
        Ok(true)
    }

    pub(super) fn end_outage_in_time(&mut self) -> Result {
        match &self.watch.outage {
            Some(outage) if Instant::now() >= outage.until => self.end_outage(),
            _ => Ok(()),
        }
    }

    /// All servers are well again.
    pub(super) fn end_outage(&mut self) -> Result {
        self.proxies.iter().for_each(|proxy| proxy.set(None));
        if let Some(outage) = self.watch.outage.take() {
            self.watch.held_up.push((outage.began, Instant::now()));
            // What was not sent by now has broken with no connection.
            let written = locked(&self.sources).written().into_iter().zip(self.may_be_out());
            let event = &mut self.watch.events[outage.event];
            for ((first, end), (written, sent)) in event.window.iter_mut().zip(written) {
                *end = written.min(sent).max(*first);
            }
            self.watch.last_outage = Some((outage.event, outage.broken));
            self.settle_last_outage();
        }
        Ok(())
    }

    /// Every connection that broke may have left a copy.
    pub(super) fn settle_last_outage(&mut self) {
        if let Some((event, before)) = self.watch.last_outage {
            self.watch.events[event].copies = self.broken() - before;
        }
    }

    fn broken(&self) -> u64 {
        self.proxies.iter().map(|proxy| proxy.broken()).sum()
    }
}
