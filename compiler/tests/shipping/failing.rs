//! One target that fails, among others that do not.

use crate::project::{Project, source, text};
use crate::{GOOD, assert_as_it_was, json, names};

const BAD: &str = "#[cfg(windows)]\ncompile_error!(\"not for Windows\");\n";

#[test]
fn a_target_that_fails_leaves_no_old_files_and_the_others_are_made() {
    let project = Project::new(&format!(
        "{GOOD}targets: [windows-x86_64, linux-x86_64]\npackage: [zip, deb]\n\
         import: [{{crate: swak-plugin-bad, path: bad}}]\n"
    ));
    project.plugin("bad", "0.1.0", &source("Bad", "Bad"));
    project.built(&[]);
    let good = project.dist();
    let of_windows: Vec<_> = names(&good).into_iter().filter(|n| n.contains("windows")).collect();
    assert_eq!(
        of_windows,
        [
            "swak-x-2.1.0-windows-x86_64.zip",
            "swak-x-windows-x86_64.cdx.json",
            "swak-x-windows-x86_64.exe",
        ]
    );

    // When nothing can be made, all of it stays.
    project.plugin("bad", "0.2.0", &format!("{BAD}{}", source("Bad", "Bad")));
    let output = project.release(&["--target", "windows-x86_64"]);
    assert_eq!(output.status.code(), Some(1));
    the_crate_comes_first(&text(&output.stderr));
    assert_as_it_was(&good, &project.dist());

    // When the other can, what is left is new.
    let output = project.release(&[]);
    assert_eq!(output.status.code(), Some(1));
    the_crate_comes_first(&text(&output.stderr));
    assert!(text(&output.stdout).contains("dist/swak-x-linux-x86_64: "), "{output:?}");
    let left = project.dist();
    let rest: Vec<_> = names(&good).into_iter().filter(|n| !of_windows.contains(n)).collect();
    assert_eq!(names(&left), rest);
    assert!(left["swak-x"] != good["swak-x"], "the plugin has another version");
    let sums = project.read("dist/SHA256SUMS");
    assert!(sums.contains("  swak-x-linux-x86_64\n") && !sums.contains("windows"), "{sums}");
    let record = json(&left["swak-x.build.json"]);
    assert_eq!(record["targets"].as_array().map(Vec::len), Some(1), "{record}");

    let output = project.release(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output.stdout);
    assert_eq!(report["targets"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report["targets"][0]["name"], "linux-x86_64");
    let error = &report["errors"][0];
    assert_eq!(error["code"], "compile-failed");
    let message = error["message"].as_str().expect("a text");
    assert_eq!(message, "`swak-plugin-bad 0.2.0` does not compile for windows-x86_64");
    assert!(report["words"].as_str().is_some_and(|w| w.contains("not for Windows")), "{report}");
}

/// The name of the crate comes before what the compiler said.
#[track_caller]
fn the_crate_comes_first(told: &str) {
    let error =
        "error[compile-failed]: `swak-plugin-bad 0.2.0` does not compile for windows-x86_64";
    let at = told.find(error).unwrap_or_else(|| panic!("{told}"));
    assert!(told[at..].contains("not for Windows"), "{told}");
    assert!(!told[..at].contains("not for Windows"), "{told}");
}
