//! What may not be in an agent, and the file of licences.

use swak_makebuild::release::licenses::{Denied, Deny};
use swak_recipe::diag::{Diagnostic, Severity};

use crate::support::{Maker, Workspace, ending, some_graph, target};

fn deny(words: &[&str]) -> Deny {
    Deny::new(words.iter().map(|word| Denied::parse(word).expect("a licence")))
}

fn told(found: &[Diagnostic]) -> Vec<(bool, &str)> {
    found.iter().map(|d| (d.severity == Severity::Error, d.message.as_str())).collect()
}

#[test]
fn a_denied_crate_is_told_with_its_licence_and_the_way_to_it() {
    let workspace = Workspace::new();
    let graphs = ["linux-x86_64", "windows-x86_64"].map(|word| workspace.graph(&target(word)));
    let found = deny(&["GPL-3.0", "AGPL-3.0-only"]).check(&graphs);
    assert_eq!(
        told(&found),
        [
            (true, "`copyleft 2.0.0` is under `GPL-3.0-or-later`: `GPL-3.0` is denied"),
            // A crate of one's own that ships a text is looked at all the same.
            (false, "`optional 0.1.0` has a licence of its own: `deny` cannot be held against it"),
        ]
    );
    let way = "it is linked in by: swak-mini 1.4.0 → linked 1.2.3-rc.1+b → copyleft 2.0.0";
    assert_eq!(found[0].help[0], way);
    assert_eq!(deny(&["GPL-2.0-only"]).check(&graphs[..1]), []);
    assert_eq!(deny(&[]).check(&graphs), []);
}

#[test]
fn a_denied_crate_is_shown_with_the_word_that_denies_it() {
    let workspace = Workspace::new();
    workspace.write("build.yml", "name: x\nlicenses: {deny: [Zlib, GPL-3.0]}\n");
    let file = workspace.root().join("../build.yml");
    let (config, found) = swak_makebuild::manifest::read(&file).expect("YAML");
    assert_eq!(found, []);
    let graph = workspace.graph(&target("linux-x86_64"));
    let found = config.wanted.deny.check([&graph]);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    let said = one.render(false);
    assert!(said.contains("2 | licenses: {deny: [Zlib, GPL-3.0]}"), "{said}");
    assert!(said.contains("^^^^^^^"), "{said}");
}

#[test]
fn every_crate_that_is_linked_in_is_in_the_file_of_licences() {
    let workspace = Workspace::new();
    let targets = [target("linux-x86_64"), target("windows-x86_64")];
    let graph = workspace.graph(&targets[1]);
    let made = Maker::new(&[]).make(&graph, &targets);
    let text = String::from_utf8(ending(&made, "LICENSES.txt").bytes.clone()).expect("UTF-8");
    for line in [
        "linked 1.2.3-rc.1+b: MIT/Apache-2.0, https://example.com/linked [2] [3]",
        "windows-only 0.1.0: Zlib OR GPL-2.0-only [2]",
        "optional 0.1.0: its own licence [4]",
        "copyleft 2.0.0: GPL-3.0+ [1]",
        "    It ships no text of its licence: the standard one stands for it.",
        "Of linked 1.2.3-rc.1+b, windows-only 0.1.0",
        "You may do as you like.",
        "[1] GPL-3.0-or-later",
        "musl libc: MIT, https://musl.libc.org (only in linux-x86_64) [8]",
        "The runtime of mingw-w64: ZPL-2.1, https://www.mingw-w64.org (only in windows-x86_64) [9]",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{}", &text[..2_000]);
    }
    // The text of two crates differs only in its line breaks: it stands there once.
    assert_eq!(
        text.matches("Permission is").count() - text.matches("Permission is hereby").count(),
        1
    );
    for build_only in ["words", "helper", "tester", "swak-mini"] {
        assert!(!text.contains(&format!("\n{build_only} ")), "{build_only}");
    }
    let folder = workspace.root().display().to_string();
    assert!(!text.contains(&folder), "no path of this machine");
}

#[test]
fn an_unwinder_that_was_linked_in_is_in_the_file_of_licences() {
    let gnu = [target("linux-x86_64-gnu.2.17")];
    let mut maker = Maker::new(&[]);
    let unwinder = |maker: &Maker| {
        let made = maker.make(some_graph(), &gnu);
        let text = String::from_utf8(ending(&made, "LICENSES.txt").bytes.clone()).expect("UTF-8");
        text.contains("LLVM's libunwind and compiler-rt: Apache-2.0 WITH LLVM-exception")
    };
    assert!(!unwinder(&maker), "it loads the system's");
    maker.executable = b"\x7fELF\0libunwind: %s - %s\n\0".to_vec();
    assert!(unwinder(&maker), "zig's is in it");
}
