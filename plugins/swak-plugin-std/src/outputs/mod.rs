//! Where records leave the agent.

mod file;
mod null;
mod stdout;
mod tcp;

use swak_sdk::Plugins;

/// Adds the outputs of this crate.
pub fn register(plugins: &mut Plugins) {
    plugins
        .output::<stdout::Stdout>()
        .output::<file::FileOutput>()
        .output::<tcp::Tcp>()
        .output::<null::Null>();
}
