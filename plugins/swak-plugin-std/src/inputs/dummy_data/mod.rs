//! `in.DummyData`: made-up data, for trying things out and for measuring.

mod clock;
mod generate;
mod random;
mod words;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use swak_sdk::prelude::*;

use self::generate::Generator;
use super::pacing::Pacing;

/// Makes up realistic data: for trying out a recipe, and for measuring.
///
/// The same seed gives the same data on every machine, in made-up logs with the same times, which
/// begin with the year 2026. Without `seed`, the first start of a task in an agent gives the same data
/// each time, and each further start (after a `sleep`) goes on with other data.
///
/// ```swak
/// task(in.DummyData("nginx", rate=100, count=6000, seed=1), out.File("access.log"))
/// ```
#[derive(Debug, Options)]
#[plugin(input, name = "DummyData")]
pub struct DummyDataOptions {
    /// What to make up.
    #[option(positional, default = "people")]
    pub r#type: Data,
    /// How many records; then the task ends. Left out: 10, or without end when there is a `rate`.
    pub count: Option<u64>,
    /// Records a second. Left out: as fast as they are taken.
    #[option(range = 0.001..=1e9)]
    pub rate: Option<f64>,
    /// Where the random numbers begin.
    pub seed: Option<u64>,
}

/// What is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Data {
    /// Persons as fields: name, age, email, city, country.
    People,
    /// Lines of a web server in the combined log format.
    Nginx,
    /// JSON objects on one line each, with eight fields of mixed types.
    Json,
    /// Syslog messages as RFC 5424 has them.
    Syslog,
    /// Syslog messages as RFC 3164 has them.
    SyslogBsd,
}

/// The input.
pub struct DummyData {
    options: DummyDataOptions,
    step: String,
}

/// Records without `count` and `rate`: a screenful.
const FEW: u64 = 10;

/// Records of one batch.
const BATCH: u64 = 1000;

impl Plugin for DummyData {
    type Options = DummyDataOptions;

    fn new(options: DummyDataOptions, cx: &BuildContext) -> Result<Self> {
        Ok(DummyData { options, step: format!("{} {}", cx.task(), cx.step()) })
    }
}

impl Input for DummyData {
    async fn run(self, out: Emitter, mut shutdown: Shutdown) -> Result<()> {
        let DummyDataOptions { r#type, count, rate, seed } = self.options;
        let seed = seed.unwrap_or_else(|| next_start(&self.step));
        let mut generator = Generator::new(r#type, seed);
        let mut left = match (count, rate) {
            (Some(count), _) => count,
            (None, Some(_)) => u64::MAX,
            (None, None) => FEW,
        };
        let mut pacing = rate.map(Pacing::new);
        while left > 0 && !shutdown.is_triggered() {
            let most = left.min(BATCH);
            let n = match &mut pacing {
                Some(pacing) => pacing.due(most, &mut shutdown).await,
                None => most,
            };
            if n == 0 || out.emit(generator.batch(n as usize)).await == Err(Stopped) {
                break;
            }
            left -= n;
        }
        Ok(())
    }
}

/// How often a step was started in this process, from 1.
fn next_start(step: &str) -> u64 {
    static STARTS: LazyLock<Mutex<HashMap<String, u64>>> = LazyLock::new(Mutex::default);
    let mut starts = STARTS.lock().expect("no panic while starts are counted");
    let count = starts.entry(step.to_owned()).or_default();
    *count += 1;
    *count
}
