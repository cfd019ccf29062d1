//! Inputs: where records come from.

use swak_sdk::Plugins;

/// Adds the inputs of this crate.
pub fn register(plugins: &mut Plugins) {
    let _ = plugins;
}
