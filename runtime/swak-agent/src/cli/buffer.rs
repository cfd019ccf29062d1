//! The flags of `buffer`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct BufferArgs {
    #[command(subcommand)]
    pub(crate) command: BufferCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BufferCommand {
    /// Count what a buffer holds, and find what is damaged or missing; the exit status is 1 if
    /// something is
    Check(BufferCheckArgs),
    /// Print the records that are not delivered yet, one JSON object a line
    Dump(BufferDumpArgs),
    /// Let the agent deliver again what is still on disk, from its next start on
    ///
    /// The read position goes back to the oldest frame that is still on disk, or to the one that
    /// --from names. Segments of which everything was delivered are deleted at once, so there is
    /// little to go back to beyond the segment that was being delivered. A frame before which others
    /// wait is refused without --skip. The agent must be stopped.
    Replay(BufferReplayArgs),
    /// Write damaged segments anew without what is damaged, and keep the damaged ones beside them
    ///
    /// Whole frames stay in their order; what is lost is marked, and the agent counts it when it
    /// comes there. The damaged files stay in the folder under the name `….damaged`. The agent must
    /// be stopped.
    Repair(BufferRepairArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BufferCheckArgs {
    /// The folder of a buffer, or one with buffers in it, as the agent's data folder is
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BufferDumpArgs {
    /// The folder of a buffer, or one with a single buffer in it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print delivered records, too, that are still on disk
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BufferReplayArgs {
    /// The folder of a buffer, or one with a single buffer in it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Begin with this frame: the `seq` that `dump --all` prints
    #[arg(long, value_name = "SEQ")]
    pub(crate) from: Option<u64>,
    /// Give up what waits before that frame; the agent counts it as dropped
    #[arg(long, requires = "from")]
    pub(crate) skip: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BufferRepairArgs {
    /// The folder of a buffer, or one with a single buffer in it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
