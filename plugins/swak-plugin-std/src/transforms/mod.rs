//! Transforms.

use swak_sdk::Plugins;

/// Adds the transforms of this crate.
pub fn register(plugins: &mut Plugins) {
    let _ = plugins;
}
