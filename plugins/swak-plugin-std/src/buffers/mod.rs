//! What keeps records by itself, so that what comes before it need not wait for what comes after it.

mod disk_buffer;

use swak_sdk::Plugins;

/// Adds the buffers of this crate.
pub fn register(plugins: &mut Plugins) {
    plugins.buffer::<disk_buffer::DiskBuffer>();
}
