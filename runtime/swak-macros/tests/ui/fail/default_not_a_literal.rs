use swak_sdk::options::Options;

const PORT: u16 = 5;

/// A plugin.
#[derive(Options)]
#[plugin(input, name = "A")]
struct AOptions {
    /// A constant.
    #[option(default = PORT)]
    port: u16,
    /// A call.
    #[option(default = "a".to_owned())]
    path: String,
    /// A sum.
    #[option(default = 1 + 1)]
    sum: u16,
    /// Nothing.
    #[option(default)]
    nothing: u16,
    /// Bytes.
    #[option(default = b"x")]
    bytes: String,
    /// A key twice.
    #[option(default = {"a": 1, "a": 2})]
    twice: std::collections::BTreeMap<String, u8>,
}

fn main() {}
