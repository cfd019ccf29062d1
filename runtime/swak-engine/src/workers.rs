//! Several workers of one output: which of them writes a batch.

use std::hash::{DefaultHasher, Hash, Hasher};

use swak_sdk::data::Chunk;
use tokio::sync::mpsc;

use crate::route::Gone;
use crate::step::Failure;

/// Gives each batch to the worker of its source, so that the order of a source is kept. A worker
/// whose queue is full makes all wait.
pub(crate) async fn spread(
    workers: Vec<mpsc::Sender<Chunk>>,
    mut inbox: mpsc::Receiver<Chunk>,
) -> Result<(), Failure> {
    while let Some(chunk) = inbox.recv().await {
        let mut parts: Vec<Chunk> = workers.iter().map(|_| Chunk::default()).collect();
        for batch in chunk {
            let worker = worker_of(&batch.source, workers.len());
            parts[worker].push(batch);
        }
        for (worker, part) in workers.iter().zip(parts) {
            if !part.batches().is_empty() {
                worker.send(part).await.map_err(|_| Gone::Part)?;
            }
        }
    }
    Ok(())
}

fn worker_of(source: &str, workers: usize) -> usize {
    // `DefaultHasher::new` has fixed keys: a source stays with its worker.
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    (hasher.finish() % workers.max(1) as u64) as usize
}
