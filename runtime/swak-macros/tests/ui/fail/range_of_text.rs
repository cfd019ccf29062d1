use swak_sdk::options::Options;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// Text has no range.
    #[option(range = 1..=5)]
    text: String,
}

fn main() {}
