//! What the derive macros refuse, and how they say it.
//!
//! After a message was changed on purpose, `TRYBUILD=overwrite cargo test -p swak-macros --test ui`
//! writes the `.stderr` files again.

#[test]
fn macros_refuse_mistakes_at_their_place() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
