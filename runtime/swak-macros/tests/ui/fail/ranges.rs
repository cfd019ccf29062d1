use swak_sdk::options::Options;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// Half open.
    #[option(range = 1..5)]
    half: u16,
    /// Empty.
    #[option(range = 5..=1)]
    empty: u16,
    /// Not a range.
    #[option(range = 5)]
    single: u16,
    /// Outside.
    #[option(default = 0, range = 1..=5)]
    outside: u16,
}

fn main() {}
