//! `in.Counter`: numbers.

use std::time::Duration;

use swak_sdk::prelude::*;

use super::pacing::Pacing;

/// Counts: each record has one field, `count`.
///
/// ```swak
/// task(
///     in.Counter(start=10, step=-1, count=11, interval="1s"),
///     out.Stdout("template", template="{{ count }} to go")
/// )
/// ```
#[derive(Debug, Options)]
#[plugin(input, name = "Counter")]
pub struct CounterOptions {
    /// The first number.
    #[option(positional, default = 1)]
    pub start: i64,
    /// What is added each time.
    #[option(positional, default = 1)]
    pub step: i64,
    /// How many numbers; then the task ends. Left out: without end, or until numbers of 64 bits end.
    #[option(positional)]
    pub count: Option<u64>,
    /// Time between two numbers. Left out: as fast as they are taken.
    #[option(positional)]
    pub interval: Option<Duration>,
}

/// The input.
pub struct Counter(CounterOptions);

/// Records of one batch.
const BATCH: u64 = 1000;

impl Plugin for Counter {
    type Options = CounterOptions;

    fn new(options: CounterOptions, _: &BuildContext) -> Result<Self> {
        Ok(Counter(options))
    }
}

impl Input for Counter {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let CounterOptions { start, step, count, interval } = self.0;
        let mut pacing =
            interval.filter(|i| !i.is_zero()).map(|i| Pacing::new(i.as_secs_f64().recip()));
        let mut left = count.unwrap_or(u64::MAX);
        let mut next = Some(start);
        while left > 0 && next.is_some() && !shutdown.is_triggered() {
            let most = left.min(BATCH);
            let n = match &mut pacing {
                Some(pacing) => pacing.due(most, &mut shutdown).await,
                None => most,
            };
            let now = Timestamp::now();
            let mut records = Vec::with_capacity(n as usize);
            while (records.len() as u64) < n
                && let Some(number) = next
            {
                let fields: Map = [("count", number)].into_iter().collect();
                records.push(Record::from_fields(fields, now));
                next = number.checked_add(step);
            }
            if records.is_empty() || out.emit(Batch::new(records)).await == Err(Stopped) {
                break;
            }
            left -= n;
        }
        Ok(())
    }
}
