//! Two plugins.

/// Brings something in.
#[derive(Options)]
#[plugin(input, name = "Bring")]
pub struct BringOptions {
    /// From where.
    #[option(positional)]
    from: String,
    /// How often.
    #[option(default = 1, range = 1..=9)]
    times: u32,
}

/// Takes everything.
#[derive(Options)]
#[plugin(output, name = "Take")]
pub struct TakeOptions {
    /// How.
    #[option(default = "fast")]
    way: Way,
}

/// How it is taken.
#[derive(Choice)]
enum Way {
    /// Soon.
    Fast,
    /// Late.
    Slow,
}
mod gone; fn (
