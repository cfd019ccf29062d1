use swak_sdk::options::Options;

/// An output.
#[derive(Options)]
#[plugin(output, name = "A")]
struct AOptions {
    /// Every output has it.
    workers: u32,
    /// So it has this one.
    #[option(name = "retry_wait")]
    wait: u32,
}

/// A transform has none of them.
#[derive(Options)]
#[plugin(transform, name = "B")]
struct BOptions {
    /// Its own.
    workers: u32,
}

fn main() {}
