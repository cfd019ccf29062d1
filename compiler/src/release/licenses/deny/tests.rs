use super::*;

/// Whether these words deny what a crate with this expression is under.
fn denied(words: &[&str], expression: &str) -> bool {
    let words: Vec<_> = words.iter().map(|w| Denied::parse(w).expect("a licence")).collect();
    let expression = read(expression).expect("an expression");
    !expression.evaluate(|license| !words.iter().any(|w| w.denies(license)))
}

#[test]
fn a_crate_is_denied_when_no_alternative_is_free() {
    assert!(denied(&["GPL-3.0-only"], "GPL-3.0-only"));
    assert!(!denied(&["GPL-3.0-only"], "MIT OR GPL-3.0-only"));
    assert!(denied(&["GPL-3.0-only"], "MIT AND GPL-3.0-only"));
    assert!(denied(&["GPL-3.0-only", "MIT"], "MIT OR GPL-3.0-only"));
    assert!(!denied(&["GPL-3.0-only"], "(GPL-3.0-only AND BSD-3-Clause) OR Zlib"));
}

#[test]
fn a_licence_of_gnu_without_a_suffix_means_both() {
    for expression in ["GPL-3.0-only", "GPL-3.0-or-later", "GPL-3.0", "GPL-3.0+", "gplv3"] {
        assert!(denied(&["GPL-3.0"], expression), "{expression}");
    }
    for expression in ["GPL-2.0-only", "LGPL-3.0-only", "AGPL-3.0-or-later"] {
        assert!(!denied(&["GPL-3.0"], expression), "{expression}");
    }
    assert!(!denied(&["GPL-3.0-only"], "GPL-3.0-or-later"));
    assert!(denied(&["GPL-3.0-or-later"], "GPL-3.0+"));
    assert!(denied(&["GPL-3.0-only"], "GPL-3.0"), "what the list calls it now");
    assert!(!denied(&["GPL-3.0-or-later"], "GPL-3.0"));
    assert!(denied(&["GPL-2.0"], "GPL-2.0-with-classpath-exception"));
}

#[test]
fn an_exception_counts_where_it_is_said() {
    let with = "Apache-2.0 WITH LLVM-exception";
    assert!(denied(&["Apache-2.0"], with));
    assert!(denied(&[with], with));
    assert!(!denied(&[with], "Apache-2.0"));
    assert!(denied(&["MPL-1.1"], "MPL-1.1+"));
    assert!(denied(&["LicenseRef-ours"], "LicenseRef-ours"));
}

#[test]
fn an_expression_is_read_as_crates_write_it() {
    assert!(!denied(&["MIT"], "MIT/Apache-2.0"));
    assert!(read("Apache 2.0 and some more").is_none());
    assert!(read("").is_none());
    assert!(read(&"(".repeat(100_000)).is_none());
}

#[test]
fn an_unknown_licence_is_guessed() {
    let help = |word: &str| Denied::parse(word).expect_err(word).help();
    assert_eq!(help("gpl-3.0"), "did you mean `GPL-3.0`?");
    assert_eq!(help("GPL-3.0-onyl"), "did you mean `GPL-3.0-only`?");
    assert_eq!(help("AGPL-3"), "did you mean `AGPL-3.0`?");
    assert_eq!(help("unlicenced"), "did you mean `unlicensed`?");
    assert!(help("everything that is not mine").starts_with("write an identifier"));
    // One licence a word.
    assert!(Denied::parse("MIT OR GPL-3.0").is_err());
    assert!(Denied::parse("").is_err());
    assert!(Denied::parse(&"x".repeat(100_000)).is_err());
}
