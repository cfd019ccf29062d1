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
    /// Stands for all of it.
    #[option(positional)]
    path: String,
    /// Cannot stand for it too.
    #[option(positional)]
    name: String,
}

fn main() {}
