use super::*;

fn triples(word: &str) -> Vec<String> {
    let target = Target::parse(word).unwrap_or_else(|e| panic!("{word}: {e}"));
    target.triples.iter().map(Triple::to_string).collect()
}

#[test]
fn this_machine_answers_to_alias_and_triple() {
    let host = Target::host();
    assert_eq!(Target::parse(&host.name), Ok(host.clone()));
    assert_eq!(Target::parse(HOST), Ok(host.clone()));
    assert!(host.runs_here());
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn an_executable_with_another_libc_does_not_run_here() {
    let runs = |word: &str| Target::parse(word).expect("a target").runs_here();
    for word in ["linux-x86_64", "linux-x86_64-gnu", "linux-x86_64-gnu.2.17"] {
        assert!(runs(word), "{word}");
    }
    for word in ["x86_64-linux-android", "x86_64-unknown-linux-gnux32", "linux-aarch64"] {
        assert!(!runs(word), "{word}");
    }
    let glibc = Triple { name: "x86_64-unknown-linux-gnu".to_owned(), glibc: None };
    assert!(!glibc.runs_on_any(true));
}

#[test]
fn every_alias_stands_for_triples_that_rust_knows_and_back() {
    for target in Target::named("all").expect("a word") {
        assert_eq!(Target::parse(&target.triples[0].to_string()), Ok(target));
    }
    assert_eq!(triples("linux-x86_64"), ["x86_64-unknown-linux-musl"]);
    assert_eq!(triples("macos-universal"), ["x86_64-apple-darwin", "aarch64-apple-darwin"]);
    assert_eq!(triples("s390x-unknown-linux-gnu"), ["s390x-unknown-linux-gnu"]);
}

#[test]
fn a_glibc_is_kept_with_its_target() {
    let target = Target::parse("linux-x86_64-gnu.2.17").expect("a target");
    assert_eq!(target.name, "linux-x86_64-gnu.2.17");
    assert_eq!(target.to_string(), "linux-x86_64-gnu.2.17 (x86_64-unknown-linux-gnu.2.17)");
    assert_eq!(Target::parse("x86_64-unknown-linux-gnu.2.17"), Ok(target));
    for word in [
        "linux-x86_64.2.17",
        "linux-x86_64-gnu.2.16",
        "linux-x86_64-gnu.3.0",
        "linux-x86_64-gnu.2.+20",
        "linux-x86_64-gnu.",
        "macos-universal.2.17",
    ] {
        let error = Target::parse(word).expect_err(word);
        assert_eq!(error.code(), "bad-glibc", "{word}");
    }
}

#[test]
fn an_unknown_target_is_guessed_and_the_list_is_given() {
    let error = Target::parse("linux-x86-64").expect_err("unknown");
    assert!(error.help().starts_with("did you mean `linux-x86_64`? The targets are:"));
    let error = Target::parse("plan9").expect_err("unknown");
    assert!(error.help().contains("macos-aarch64"), "{}", error.help());
    Target::parse(&"x".repeat(1_000_000)).expect_err("and soon");
}
