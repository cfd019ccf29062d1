use swak_sdk::options::Options;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// A port.
    #[option(default = 5)]
    port: Option<u16>,
    /// A path.
    #[option(default = None)]
    path: String,
}

fn main() {}
