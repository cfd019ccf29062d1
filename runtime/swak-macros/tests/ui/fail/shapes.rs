use swak_sdk::options::{Choice, Options};

/// A tuple.
#[derive(Options)]
#[plugin(input, name = "A")]
struct Tuple(u16);

/// An enum.
#[derive(Options)]
#[plugin(input, name = "B")]
enum Enum {
    /// A.
    A,
}

/// Generic.
#[derive(Options)]
#[plugin(input, name = "C")]
struct Generic<T> {
    /// A.
    a: T,
}

/// A struct.
#[derive(Choice)]
struct Struct {
    /// A.
    a: u16,
}

/// Holds something.
#[derive(Choice)]
enum Holds {
    /// A.
    A(u16),
}

/// Empty.
#[derive(Choice)]
enum Empty {}

fn main() {}
