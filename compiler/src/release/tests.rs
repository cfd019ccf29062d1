use super::*;

#[test]
fn a_moment_is_what_the_builder_says_or_fixed() {
    assert_eq!(Moment::of(None), Moment::FIXED);
    assert_eq!(Moment::of(Some(" 1700000000\n")).seconds(), 1_700_000_000);
    for nonsense in ["", "yesterday", "-1", "0", "99999999999999"] {
        assert_eq!(Moment::of(Some(nonsense)), Moment::FIXED, "{nonsense}");
    }
}
