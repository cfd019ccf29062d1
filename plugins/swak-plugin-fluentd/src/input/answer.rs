//! Acks to the peer, each when its chunk is delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use swak_sdk::ack::Outcome;
use swak_sdk::data::Slice;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::ConnectionError;
use super::seen::Verdict;
use crate::forward::write_ack;
use crate::transport::Writer;

/// How many chunks of one peer may wait for their delivery.
const MAX_UNANSWERED: usize = 256;

/// How long a peer may leave acks unread before it is taken for gone.
const MAX_WRITE: Duration = Duration::from_secs(30);

/// A chunk that was handed on.
struct Unanswered {
    chunk: Slice,
    verdict: Verdict,
}

/// Where chunks wait for their answers.
pub(super) struct Answering {
    queue: mpsc::Sender<Unanswered>,
    open: Arc<AtomicUsize>,
}

/// What gives the answers.
pub(super) struct Answers {
    queue: mpsc::Receiver<Unanswered>,
    open: Arc<AtomicUsize>,
}

/// Both ends of the answers to one peer.
pub(super) fn answers() -> (Answering, Answers) {
    let (sender, receiver) = mpsc::channel(MAX_UNANSWERED);
    let open = Arc::new(AtomicUsize::new(0));
    (Answering { queue: sender, open: Arc::clone(&open) }, Answers { queue: receiver, open })
}

impl Answering {
    /// Answers a chunk when it is known what became of it.
    pub(super) async fn answer(&self, chunk: Slice, verdict: Verdict) {
        self.open.fetch_add(1, Ordering::Relaxed);
        // When nobody answers any more, the connection is closing.
        let _ = self.queue.send(Unanswered { chunk, verdict }).await;
    }

    /// Leaves a chunk unanswered: the peer that wanted it has left.
    pub(super) fn let_go(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// What the peer waits for, to be looked at later.
    pub(super) fn owed(&self) -> Owed {
        Owed(Arc::clone(&self.open))
    }
}

/// The answers that are not given yet.
pub(super) struct Owed(Arc<AtomicUsize>);

impl Owed {
    /// Whether the peer waits for an answer.
    pub(super) fn is_some(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Answers {
    /// Answers chunks in the order in which they came, until there are no more. A chunk that can
    /// never be delivered is answered too: to send it again would change nothing. The peer is told when
    /// there will be no more answers.
    pub(super) async fn run(mut self, mut writer: Writer) -> Result<(), ConnectionError> {
        let answered = self.answer_all(&mut writer).await;
        // It may have closed its side already.
        let _ = within(writer.shutdown()).await;
        answered
    }

    async fn answer_all(&mut self, writer: &mut Writer) -> Result<(), ConnectionError> {
        let mut bytes = Vec::new();
        while let Some(Unanswered { chunk, verdict }) = self.queue.recv().await {
            match verdict.outcome().await {
                Outcome::Delivered | Outcome::Rejected => {
                    bytes.clear();
                    write_ack(&mut bytes, &chunk);
                    within(async {
                        writer.write_all(&bytes).await?;
                        writer.flush().await
                    })
                    .await?;
                }
                Outcome::Errored => return Err(ConnectionError::NotDelivered),
            }
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn within(write: impl Future<Output = std::io::Result<()>>) -> Result<(), ConnectionError> {
    timeout(MAX_WRITE, write).await.map_err(|_| ConnectionError::AcksUnread)??;
    Ok(())
}
