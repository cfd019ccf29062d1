use swak_sdk::options::Options;

struct Mine;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// A type of the author.
    mine: Mine,
}

fn main() {}
