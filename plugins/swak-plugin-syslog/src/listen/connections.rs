//! Who may be connected at once, and who makes room for others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swak_sdk::plugin::Counters;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// The seats of all listeners together.
///
/// When none is free, the peer that has been silent for longest gives its seat up, if that is long
/// enough: whoever connects and says nothing must not keep others out.
#[derive(Debug)]
pub(crate) struct Connections {
    free: Arc<Semaphore>,
    most: usize,
    idle_when_full: Duration,
    seated: Mutex<HashMap<u64, Arc<Presence>>>,
    next: AtomicU64,
    /// It was said that there are no more seats.
    told: AtomicBool,
    counters: Arc<Counters>,
}

/// The right of a peer to be connected.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u64,
    presence: Arc<Presence>,
    of: Arc<Connections>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Presence {
    last_heard: Mutex<Instant>,
    leave: Notify,
    /// It was asked already, and is about to go.
    is_leaving: AtomicBool,
}

impl Connections {
    /// So many peers, of which those that are silent for this long make room when all are there.
    pub(crate) fn new(most: usize, idle_when_full: Duration, counters: Arc<Counters>) -> Self {
        Connections {
            free: Arc::new(Semaphore::new(most)),
            most,
            idle_when_full,
            seated: Mutex::default(),
            next: AtomicU64::new(0),
            told: AtomicBool::new(false),
            counters,
        }
    }

    /// Waits for a seat for a peer that is there. May be broken off.
    pub(crate) async fn seat(self: &Arc<Self>) -> Seat {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                return self.take(permit);
            }
            if !self.told.swap(true, Ordering::Relaxed) {
                self.counters.error();
                tracing::warn!(
                    "{} peers are connected, as many as `max_connections` allows; others wait",
                    self.most
                );
            }
            let look_again = self.ask_to_leave();
            tokio::select! {
                permit = Arc::clone(&self.free).acquire_owned() => {
                    return self.take(permit.expect("the semaphore is never closed"));
                }
                () = sleep_until(look_again) => {}
            }
        }
    }

    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let presence = Arc::new(Presence {
            last_heard: Mutex::new(Instant::now()),
            leave: Notify::new(),
            is_leaving: AtomicBool::new(false),
        });
        self.seated().insert(number, Arc::clone(&presence));
        Seat { number, presence, of: Arc::clone(self), _permit: permit }
    }

    /// Asks the peer that was silent for longest to leave, if that is long enough; when to look again.
    fn ask_to_leave(&self) -> Instant {
        let now = Instant::now();
        let seated = self.seated();
        let staying = seated.values().filter(|peer| !peer.is_leaving.load(Ordering::Relaxed));
        let longest = staying.map(|peer| (peer.last_heard(), peer)).min_by_key(|(heard, _)| *heard);
        match longest {
            Some((heard, peer)) if now - heard >= self.idle_when_full => {
                peer.is_leaving.store(true, Ordering::Relaxed);
                peer.leave.notify_one();
                now + self.idle_when_full
            }
            Some((heard, _)) => heard + self.idle_when_full,
            None => now + self.idle_when_full,
        }
    }

    fn seated(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Presence>>> {
        self.seated.lock().expect("no panic while peers are looked through")
    }
}

impl Seat {
    /// The peer has said something.
    pub(crate) fn heard(&self) {
        *self.presence.lock() = Instant::now();
    }

    /// Waits until somebody else wants the seat. May be broken off.
    pub(crate) async fn wanted(&self) {
        self.presence.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.of.seated().remove(&self.number);
        // That it was full is told anew when it is so again after a while of room.
        if self.of.free.available_permits() > self.of.most / 10 {
            self.of.told.store(false, Ordering::Relaxed);
        }
    }
}

impl Presence {
    fn lock(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.last_heard.lock().expect("no panic while a time is stored")
    }

    fn last_heard(&self) -> Instant {
        *self.lock()
    }
}
