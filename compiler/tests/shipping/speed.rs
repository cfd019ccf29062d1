//! Nothing is compiled that need not be.

use std::process::Output;

use crate::GOOD;
use crate::project::{Project, source, text};

const TARGETS: &str = "targets: [linux-x86_64, windows-x86_64]\n";

#[test]
fn a_plugin_that_is_added_is_compiled_with_the_agent_alone() {
    let project = Project::new(&format!("{GOOD}{TARGETS}"));
    let first = compiled(&project.built(&[]));
    for (name, times) in [("swak-sdk", 2), ("swak-agent", 2), ("swak-x", 2)] {
        assert_eq!(first.iter().filter(|n| *n == name).count(), times, "{first:?}");
    }
    let hashes = project.read("dist/SHA256SUMS");
    assert_eq!(compiled(&project.built(&[])), [""; 0]);
    assert_eq!(project.read("dist/SHA256SUMS"), hashes);

    let import = "import: [{crate: swak-plugin-new, path: new}]\n";
    project.write("x-build.yml", &format!("{GOOD}{TARGETS}{import}"));
    project.plugin("new", "0.1.0", &source("New", "New"));
    let manifest = project.read("new/Cargo.toml");
    let local = "{ path = \"../swak/runtime/swak-sdk\" }";
    project.write("new/Cargo.toml", &manifest.replace(local, "\"0.1\""));
    let mut added = compiled(&project.built(&[]));
    added.sort_unstable();
    assert_eq!(added, ["swak-plugin-new", "swak-plugin-new", "swak-x", "swak-x"]);
}

/// The crates that Cargo says it compiles, one for each target.
fn compiled(output: &Output) -> Vec<String> {
    let said = text(&output.stderr);
    let name = |line: &str| {
        let rest = line.trim_start().strip_prefix("Compiling ")?;
        rest.split(' ').next().map(str::to_owned)
    };
    said.lines().filter_map(name).collect()
}
