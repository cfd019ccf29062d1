//! Inputs: where records come from.

pub mod counter;
pub mod dummy_data;
pub mod exec;
pub mod file_tailing;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod lines;
mod pacing;
pub mod stdin;
mod stream_lines;

use swak_sdk::options::ByteSize;
use swak_sdk::{Plugins, Result, ensure};

/// Adds the inputs of this crate.
pub fn register(plugins: &mut Plugins) {
    plugins
        .input::<counter::Counter>()
        .input::<dummy_data::DummyData>()
        .input::<exec::Exec>()
        .blocking_input::<file_tailing::FileTailing>()
        .input::<stdin::Stdin>();
}

/// The longest line that can be asked for: offsets in a block are 32 bits wide.
const LONGEST_LINE: u64 = 1 << 30;

/// The option `max_line` as a length in memory.
fn check_max_line(max_line: ByteSize) -> Result<usize> {
    ensure!(
        (1..=LONGEST_LINE).contains(&max_line.bytes()),
        "`max_line` is from 1 byte to 1g, not {max_line}"
    );
    Ok(max_line.as_usize())
}
