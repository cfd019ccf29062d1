//! One plugin.

pub fn register(plugins: &mut swak_sdk::Plugins) {
    plugins.register("in.Nothing");
}
