use swak_sdk::options::Options;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// May be left out.
    #[option(positional, default = 5)]
    port: u16,
    /// May not.
    #[option(positional)]
    path: String,
}

/// Nested.
#[derive(Options)]
struct NestedOptions {
    /// Has no position.
    #[option(positional)]
    path: String,
}

fn main() {}
