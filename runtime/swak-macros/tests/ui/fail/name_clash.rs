use swak_sdk::options::{Choice, Options};

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// One.
    path: String,
    /// Two.
    #[option(name = "path")]
    other: String,
    /// Not a name.
    #[option(name = "a-b")]
    third: String,
}

/// A choice.
#[derive(Choice)]
enum Start {
    /// One.
    DropOldest,
    /// Two.
    #[choice(name = "Drop_Oldest")]
    Other,
}

fn main() {}
