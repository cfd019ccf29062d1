//! How those who hold records hear that somebody waits for them.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// Tells whoever holds records of a task that somebody waits for them to arrive. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Pressure(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: watch::Sender<usize>,
    /// Tasks that hold what this one has sent to them.
    beyond: Mutex<Vec<Pressure>>,
}

/// Somebody waits, for as long as this lives.
#[derive(Debug)]
#[must_use = "it lasts for as long as this lives"]
pub struct Pressing(Pressure);

impl Pressure {
    /// Waits, or says so for somebody who does.
    pub fn press(&self) -> Pressing {
        self.change(|waiting| *waiting += 1);
        Pressing(self.clone())
    }

    /// Makes another task feel what presses this one; done before anybody presses. Links make no
    /// circles, and neither must these.
    pub fn reach(&self, other: Pressure) {
        self.0.beyond.lock().expect(UNBROKEN).push(other);
    }

    /// How many wait; moves with every change.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.0.waiting.subscribe()
    }

    fn change(&self, change: fn(&mut usize)) {
        self.0.waiting.send_modify(change);
        for other in &*self.0.beyond.lock().expect(UNBROKEN) {
            other.change(change);
        }
    }
}

impl Drop for Pressing {
    fn drop(&mut self) {
        self.0.change(|waiting| *waiting -= 1);
    }
}

const UNBROKEN: &str = "no panic while those that are pressed are listed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_presses_is_felt_as_far_as_it_reaches() {
        let pressures: [Pressure; 3] = Default::default();
        let [first, second, third] = &pressures;
        first.reach(second.clone());
        second.reach(third.clone());
        let felt = || pressures.clone().map(|p| *p.watch().borrow());
        let one = first.press();
        let two = second.press();
        assert_eq!(felt(), [1, 2, 2]);
        drop(one);
        assert_eq!(felt(), [0, 1, 1]);
        drop(two);
        assert_eq!(felt(), [0, 0, 0]);
    }
}
