//! The standard plugins: inputs that follow files, processes and made-up data; transforms that
//! parse and filter; buffers; outputs to files, standard output and TCP.
//!
//! [`register`] adds all of them to an agent.

mod blocking;
pub mod buffers;
mod formats;
mod identity;
pub mod inputs;
pub mod outputs;
mod process;
pub mod transforms;

use swak_sdk::Plugins;

/// Adds every plugin of this crate.
pub fn register(plugins: &mut Plugins) {
    inputs::register(plugins);
    transforms::register(plugins);
    buffers::register(plugins);
    outputs::register(plugins);
}
