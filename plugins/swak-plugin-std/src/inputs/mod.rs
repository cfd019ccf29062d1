//! Inputs: where records come from.

pub mod file_tailing;

use swak_sdk::Plugins;

/// Adds the inputs of this crate.
pub fn register(plugins: &mut Plugins) {
    plugins.blocking_input::<file_tailing::FileTailing>();
}
