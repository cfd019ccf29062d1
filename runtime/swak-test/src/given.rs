//! `in.Given`: an input of records that a test made.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use swak_sdk::prelude::*;

/// Lines, as an input would read them.
pub fn lines<T: AsRef<[u8]>>(lines: impl IntoIterator<Item = T>) -> Vec<Batch> {
    let (mut block, mut ranges) = (Vec::new(), Vec::new());
    for line in lines {
        let start = block.len() as u32;
        block.extend_from_slice(line.as_ref());
        ranges.push(LineRange { start, end: block.len() as u32 });
        block.push(b'\n');
    }
    vec![Batch::from_lines(block.into(), ranges, Timestamp::now())]
}

/// Records with the fields of these JSON objects.
///
/// # Panics
/// If a text is not a JSON object.
pub fn fields<T: AsRef<str>>(objects: impl IntoIterator<Item = T>) -> Vec<Batch> {
    let record = |text: T| {
        let text = text.as_ref();
        let map = swak_sdk::data::json::parse_object(&text.into());
        let map = map.unwrap_or_else(|e| panic!("{text} is not a JSON object: {e}"));
        Record::from_fields(map, Timestamp::now())
    };
    records(objects.into_iter().map(record))
}

/// These records, in one batch.
pub fn records(records: impl IntoIterator<Item = Record>) -> Vec<Batch> {
    vec![Batch::new(records.into_iter().collect())]
}

/// Batches on their way to the `in.Given` that names them.
fn waiting() -> &'static Mutex<HashMap<String, Vec<Batch>>> {
    static WAITING: OnceLock<Mutex<HashMap<String, Vec<Batch>>>> = OnceLock::new();
    WAITING.get_or_init(Mutex::default)
}

/// Leaves batches for the `in.Given` of this name.
pub(crate) fn leave(id: &str, batches: Vec<Batch>) {
    waiting().lock().expect("no panic while batches are left").insert(id.to_owned(), batches);
}

/// Emits the records that a test has made, and ends.
#[derive(Options)]
#[plugin(input, name = "Given")]
pub(crate) struct GivenOptions {
    /// The name under which the test left them.
    #[option(positional)]
    id: String,
}

pub(crate) struct Given(GivenOptions);

impl Plugin for Given {
    type Options = GivenOptions;

    fn new(options: GivenOptions, _: &BuildContext) -> Result<Self> {
        Ok(Given(options))
    }
}

impl Input for Given {
    async fn run(self, out: Emitter, _: Shutdown) -> Result<()> {
        let left = waiting().lock().expect("no panic while batches are left").remove(&self.0.id);
        let mut deliveries = Vec::new();
        for batch in left.unwrap_or_default() {
            deliveries.push(out.emit_tracked(batch).await?);
        }
        // Without this emitter the stages are flushed; then all must be settled.
        drop(out);
        for delivery in deliveries {
            let outcome = delivery.await;
            ensure!(outcome != Outcome::Errored, "a batch was dropped without being settled");
        }
        Ok(())
    }
}
