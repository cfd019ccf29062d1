//! A buffer, with a channel of its own.

use swak_sdk::data::Chunk;
use swak_sdk::plugin::erased::AnyBuffer;
use swak_sdk::plugin::{BufferEmitter, Inbox, Shutdown, Stopped};
use tokio::sync::mpsc;

use crate::step::{Failure, StepInfo};

/// Runs a buffer until it has ended.
pub(crate) async fn buffer_stage(
    buffer: Box<dyn AnyBuffer>,
    step: StepInfo,
    out: BufferEmitter,
    inbox: mpsc::Receiver<Chunk>,
    shutdown: Shutdown,
) -> Result<(), Failure> {
    let inbox = Inbox::new(inbox, step.counters.clone());
    buffer.run(inbox, out, shutdown).await.map_err(|error| {
        // A later part is gone, and says why.
        if error.is::<Stopped>() { Failure::Gone } else { step.failed(error) }
    })
}
