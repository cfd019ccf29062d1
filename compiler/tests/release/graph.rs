//! The graph of crates against Cargo.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use swak_makebuild::release::graph::{Crate, Graph};
use swak_makebuild::target::Target;

use crate::support::{Workspace, graph, succeed, target, text};

fn shown(graph: &Graph, wanted: impl Fn(&Crate) -> bool) -> Vec<String> {
    graph.crates().iter().filter(|one| wanted(one)).map(|one| one.name.clone()).collect()
}

#[test]
fn a_crate_is_linked_in_or_only_used_while_building() {
    let workspace = Workspace::new();
    let linux = workspace.graph(&target("linux-x86_64"));
    assert_eq!(shown(&linux, |one| one.linked), ["copyleft", "linked", "swak-mini"]);
    assert_eq!(shown(&linux, |one| !one.linked), ["helper", "words"]);
    assert_eq!(linux.root().name, "swak-mini");
    // What only Windows brings, and the feature that only Windows turns on.
    let windows = workspace.graph(&target("windows-x86_64"));
    let more = ["copyleft", "linked", "optional", "swak-mini", "windows-only"];
    assert_eq!(shown(&windows, |one| one.linked), more);
    let both = Graph::union([linux.clone(), windows.clone()]).expect("two");
    assert_eq!(both, windows);
    assert_eq!(Graph::union([linux.clone()]), Some(linux));
}

#[test]
fn the_way_to_a_crate_is_along_what_is_linked_in() {
    let windows = Workspace::new().graph(&target("windows-x86_64"));
    let way = |name: &str| {
        let one = windows.crates().iter().find(|one| one.name == name).expect("it is there");
        windows.way_to(one).iter().map(|one| one.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(way("optional"), ["swak-mini", "linked", "optional"]);
    assert_eq!(way("swak-mini"), ["swak-mini"]);
    assert_eq!(way("helper"), ["helper"]);
}

/// The runtime's own crates, as many of them come from a registry.
#[test]
fn the_crates_are_those_of_cargo_tree() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/swak-agent");
    let host = Target::host();
    let graph = graph(&package, &host);
    for (edges, linked) in [("normal,build", false), ("normal,no-proc-macro", true)] {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["tree", "--offline", "--target", host.triples[0].name(), "--edges", edges])
            .args(["--prefix", "none", "--no-dedupe", "--format", "{p}"])
            .current_dir(&package);
        let tree = text(succeed(&mut command));
        let expected: BTreeSet<String> = tree
            .lines()
            .filter_map(|line| line.split(" (").next()?.split_once(" v"))
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let found = graph.crates().iter().filter(|one| one.linked || !linked);
        let found: BTreeSet<String> = found.map(Crate::to_string).collect();
        assert_eq!(found, expected, "{edges}");
    }
    let from_registry = graph.crates().iter().filter(|one| one.checksum.is_some());
    assert!(from_registry.count() > 20);
}
