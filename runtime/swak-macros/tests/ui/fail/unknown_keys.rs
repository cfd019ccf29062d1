use swak_sdk::options::{Choice, Options};

/// A plugin.
#[derive(Options)]
#[plugin(inptu, name = "A")]
struct AOptions {
    /// A port.
    #[option(defualt = 5)]
    port: u16,
    /// A port.
    #[option(secret, secret)]
    other: u16,
}

/// A choice.
#[derive(Choice)]
enum Start {
    /// A word.
    #[choice(rename = "x")]
    End,
}

fn main() {}
