//! A steady number of records a second.

use std::time::Duration;

use swak_sdk::plugin::Shutdown;
use tokio::time::{Instant, sleep_until};

/// Says how many records are due, so that they come at a steady rate, whatever time the stages
/// after the input take.
#[derive(Debug)]
pub(super) struct Pacing {
    /// Records a second.
    rate: f64,
    begun: Instant,
    given: u64,
}

/// Records that are due within this time come at once: finer pacing would only cost processor time.
const TICK: Duration = Duration::from_millis(10);

impl Pacing {
    /// Begins now.
    pub(super) fn new(rate: f64) -> Self {
        Pacing { rate, begun: Instant::now(), given: 0 }
    }

    /// Waits until records are due and gives how many, at most `limit`; 0 when it is time to stop.
    pub(super) async fn due(&mut self, limit: u64, shutdown: &mut Shutdown) -> u64 {
        let per_tick = (self.rate * TICK.as_secs_f64()).max(1.0) as u64;
        // The first comes at once, the second after 1/rate seconds.
        let seconds = (self.given + per_tick - 1) as f64 / self.rate;
        let when =
            Duration::try_from_secs_f64(seconds).ok().and_then(|d| self.begun.checked_add(d));
        let Some(when) = when else {
            // Beyond the end of all clocks.
            shutdown.triggered().await;
            return 0;
        };
        tokio::select! {
            biased;
            () = shutdown.triggered() => return 0,
            () = sleep_until(when) => {}
        }
        let elapsed = self.begun.elapsed().as_secs_f64();
        let due = ((elapsed * self.rate) as u64 + 1).saturating_sub(self.given);
        let n = due.clamp(1, limit.max(1));
        self.given += n;
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn records_come_at_the_rate() {
        for rate in [0.5, 1.0, 7.0, 1000.0, 250_000.0] {
            let (_trigger, mut shutdown) = Shutdown::new();
            let begun = Instant::now();
            let mut pacing = Pacing::new(rate);
            let mut sum = 0;
            while begun.elapsed() < Duration::from_secs(20) {
                sum += pacing.due(10_000, &mut shutdown).await;
            }
            let expected = rate * 20.0;
            let off = (sum as f64 - expected).abs();
            assert!(off <= 1.0 + rate * 0.011 + 1.0 / rate, "{sum} records at {rate} a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn stops_in_the_middle_of_a_pause() {
        let (trigger, mut shutdown) = Shutdown::new();
        let mut pacing = Pacing::new(0.001);
        assert_eq!(pacing.due(10, &mut shutdown).await, 1);
        trigger.trigger();
        assert_eq!(pacing.due(10, &mut shutdown).await, 0);
    }
}
