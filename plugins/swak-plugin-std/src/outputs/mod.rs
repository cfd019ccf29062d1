//! Outputs.

use swak_sdk::Plugins;

/// Adds the outputs of this crate.
pub fn register(plugins: &mut Plugins) {
    let _ = plugins;
}
