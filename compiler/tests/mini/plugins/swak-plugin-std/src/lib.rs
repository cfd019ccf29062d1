//! One plugin.

pub fn register(plugins: &mut swak_sdk::Plugins) {
    plugins.register("in.Nothing");
}

// For the eye of the compiler that reads this; there is no such feature, so that rustc does not.

/// Brings nothing in.
#[cfg(feature = "never")]
#[derive(Options)]
#[plugin(input, name = "Nothing")]
pub struct NothingOptions {}
