//! `out.TortureStandIn`: takes the place of outputs that torture has no server for.
//!
//! It is in no list and no reference: only the agents that torture starts have it. A chunk goes as
//! one frame over TCP: the length of what follows (4 bytes), a number (8 bytes), and the records, one
//! a line, as raw text or JSON. Numbers are big-endian. The answer is the frame's number, once the
//! records count as delivered; any other answer is a broken connection.

use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// As a recipe names it.
pub(super) const PATH: &str = "out.TortureStandIn";

/// How long a server may take to answer. The engine's own limit is longer than most torture.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Hands records to the torture that started this agent.
#[derive(Options)]
#[plugin(output, name = "TortureStandIn")]
pub(crate) struct StandInOptions {
    /// Where the torture listens.
    #[option(positional)]
    server: Address,
}

/// The output.
pub(crate) struct StandIn {
    server: Address,
    connection: Option<TcpStream>,
    /// The number of the next frame.
    next: u64,
    frame: Vec<u8>,
}

impl Plugin for StandIn {
    type Options = StandInOptions;

    fn new(options: StandInOptions, _: &BuildContext) -> Result<Self> {
        Ok(StandIn { server: options.server, connection: None, next: 0, frame: Vec::new() })
    }
}

impl Output for StandIn {
    async fn connect(&mut self) -> Result<()> {
        self.connection = None;
        self.connection = Some(TcpStream::connect(self.server.host_and_port(0)).await?);
        Ok(())
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        // Taken out, so that a write that is cut off leaves no connection with half a frame.
        let Some(mut connection) = self.connection.take() else {
            return Err(WriteError::NotConnected(anyhow!("there is no connection")));
        };
        self.next += 1;
        self.fill(chunk).map_err(WriteError::Reject)?;
        match timeout(ANSWER_WAIT, exchange(&mut connection, &self.frame)).await {
            Ok(Ok(answer)) if answer == self.next => {
                self.connection = Some(connection);
                Ok(())
            }
            Ok(Ok(_)) => Err(WriteError::NotConnected(anyhow!("the answer is garbage"))),
            Ok(Err(error)) => Err(WriteError::NotConnected(error.into())),
            Err(_) => Err(WriteError::NotConnected(anyhow!("no answer in {ANSWER_WAIT:?}"))),
        }
    }
}

impl StandIn {
    fn fill(&mut self, chunk: &Chunk) -> Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; 4]);
        self.frame.extend_from_slice(&self.next.to_be_bytes());
        for record in chunk.iter() {
            match record.line() {
                Some(line) => self.frame.extend_from_slice(line),
                None => {
                    record.write_json(&mut self.frame);
                }
            }
            self.frame.push(b'\n');
        }
        let length =
            u32::try_from(self.frame.len() - 4).context("the chunk is larger than 4 GiB")?;
        self.frame[..4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

async fn exchange(connection: &mut TcpStream, frame: &[u8]) -> std::io::Result<u64> {
    connection.write_all(frame).await?;
    connection.read_u64().await
}
