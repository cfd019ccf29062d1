//! How a task is told to stop.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::watch;

/// Tells that it is time to stop. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
    blocking: Arc<Blocking>,
}

#[derive(Debug, Default)]
struct Blocking {
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// The other end of a [`Shutdown`]. Dropping it stops nothing.
#[derive(Clone, Debug)]
pub struct ShutdownTrigger {
    sender: Arc<watch::Sender<bool>>,
    blocking: Arc<Blocking>,
}

impl Shutdown {
    /// A shutdown and its trigger.
    pub fn new() -> (ShutdownTrigger, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        let blocking = Arc::<Blocking>::default();
        let trigger = ShutdownTrigger { sender: Arc::new(sender), blocking: Arc::clone(&blocking) };
        (trigger, Shutdown { receiver, blocking })
    }

    /// Whether it is time to stop.
    pub fn is_triggered(&self) -> bool {
        *self.receiver.borrow()
    }

    /// Waits until it is time to stop.
    pub async fn triggered(&mut self) {
        if self.receiver.wait_for(|stop| *stop).await.is_err() {
            // Nobody is left who could stop this task.
            std::future::pending::<()>().await;
        }
    }

    /// Sleeps in a thread of its own; `true` when it is time to stop.
    pub fn blocking_sleep(&self, duration: Duration) -> bool {
        let stopped = self.blocking.stopped.lock().expect("no panic while a flag is locked");
        let wait = self.blocking.changed.wait_timeout_while(stopped, duration, |stop| !*stop);
        *wait.expect("no panic while a flag is locked").0
    }
}

impl ShutdownTrigger {
    /// Says that it is time to stop.
    pub fn trigger(&self) {
        self.sender.send_replace(true);
        *self.blocking.stopped.lock().expect("no panic while a flag is locked") = true;
        self.blocking.changed.notify_all();
    }
}
