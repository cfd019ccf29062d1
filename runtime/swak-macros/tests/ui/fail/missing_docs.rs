use swak_sdk::options::{Choice, Options};

#[derive(Options)]
#[plugin(input, name = "Undocumented")]
struct UndocumentedOptions {
    path: String,
    /// Has one.
    port: u16,
    ///
    empty: u16,
}

/// A choice.
#[derive(Choice)]
enum Start {
    Beginning,
    /// Has one.
    End,
}

fn main() {}
