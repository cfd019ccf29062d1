//! Acks to the peer, each when its chunk is delivered.

use swak_sdk::ack::{Delivery, Outcome};
use swak_sdk::data::Slice;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use super::connection::ConnectionError;
use crate::forward::write_ack;

/// A chunk that was handed on.
pub(super) struct Unanswered {
    pub(super) chunk: Slice,
    pub(super) delivery: Delivery,
}

/// Answers chunks in the order in which they came, until there are no more. A chunk that can never
/// be delivered is answered too: to send it again would change nothing.
pub(super) async fn answer(
    mut writer: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Unanswered>,
) -> Result<(), ConnectionError> {
    let mut bytes = Vec::new();
    while let Some(Unanswered { chunk, delivery }) = waiting.recv().await {
        match delivery.await {
            Outcome::Delivered | Outcome::Rejected => {
                bytes.clear();
                write_ack(&mut bytes, &chunk);
                writer.write_all(&bytes).await?;
            }
            Outcome::Errored => return Err(ConnectionError::NotDelivered),
        }
    }
    Ok(())
}
