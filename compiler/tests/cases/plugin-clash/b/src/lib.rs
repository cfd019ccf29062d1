/// Same.
#[derive(Options)]
#[plugin(output, name = "Same")]
struct SameOptions {}
