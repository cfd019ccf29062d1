use swak_sdk::options::Options;

/// Has no kind.
#[derive(Options)]
#[plugin(name = "A")]
struct NoKind;

/// Has no name.
#[derive(Options)]
#[plugin(input)]
struct NoName;

/// Has two kinds.
#[derive(Options)]
#[plugin(input, output, name = "A")]
struct TwoKinds;

/// Has a name that cannot be written.
#[derive(Options)]
#[plugin(input, name = "in.File")]
struct BadName;

/// Has two of them.
#[derive(Options)]
#[plugin(input, name = "A")]
#[plugin(output, name = "B")]
struct Twice;

fn main() {}
