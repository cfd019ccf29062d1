//! The SBOM against the schema, and against the graph.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use swak_makebuild::release::graph::Graph;
use swak_makebuild::release::sums::sha256;
use swak_makebuild::target::Target;

use crate::support::{Maker, Workspace, ending, graph, target};

fn sbom(graph: &Graph, target: &Target) -> (Vec<u8>, Value) {
    let made = Maker::new(&[]).make(graph, std::slice::from_ref(target));
    let bytes = ending(&made, &format!("-{}.cdx.json", target.name)).bytes.clone();
    let value = serde_json::from_slice(&bytes).expect("JSON");
    (bytes, value)
}

/// By the library of CycloneDX's makers.
fn assert_valid(bytes: &[u8]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/release/python/validate.py");
    let mut child = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is there: apt-get install python3");
    child.stdin.take().expect("it is piped").write_all(bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|item| item[key].as_str().expect("a text")).collect()
}

#[test]
fn an_sbom_says_what_is_in_the_executable_and_what_made_it() {
    let workspace = Workspace::new();
    let windows = target("windows-x86_64");
    let (bytes, bom) = sbom(&workspace.graph(&windows), &windows);
    assert_valid(&bytes);
    let agent = &bom["metadata"]["component"];
    assert_eq!(agent["purl"], "pkg:generic/swak-My_prj@1.4.0-rc.1");
    assert_eq!(agent["hashes"][0]["content"], sha256(&Maker::new(&[]).executable));
    let scopes: Vec<_> = bom["components"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| (c["name"].as_str().expect("text"), c["scope"].as_str().expect("text")))
        .collect();
    assert_eq!(
        scopes,
        [
            ("copyleft", "required"),
            ("helper", "excluded"),
            ("linked", "required"),
            ("optional", "required"),
            ("windows-only", "required"),
            ("words", "excluded"),
        ]
    );
    let linked = &bom["components"][2];
    assert_eq!(linked["bom-ref"], "path+pkg:cargo/linked@1.2.3-rc.1%2Bb");
    assert_eq!(linked["purl"], "pkg:cargo/linked@1.2.3-rc.1%2Bb");
    assert_eq!(linked["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(bom["components"][3]["licenses"][0]["license"]["name"], "see OWN.txt in the crate");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(!text.contains(&workspace.root().display().to_string()), "no path of this machine");
}

#[test]
fn the_serial_number_is_made_from_the_content() {
    let workspace = Workspace::new();
    let [linux, windows] = ["linux-x86_64", "windows-x86_64"].map(target);
    let graph = workspace.graph(&linux);
    let (first, bom) = sbom(&graph, &linux);
    let (second, _) = sbom(&Workspace::new().graph(&linux), &linux);
    assert_eq!(first, second, "another folder, the same bytes");
    let (_, other) = sbom(&graph, &windows);
    assert_ne!(bom["serialNumber"], other["serialNumber"]);
}

#[test]
fn an_sbom_of_crates_from_a_registry_is_valid_and_whole() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/swak-agent");
    let host = Target::host();
    let graph = graph(&package, &host);
    let (bytes, bom) = sbom(&graph, &host);
    assert_valid(&bytes);
    let components = texts(&bom["components"], "bom-ref");
    assert_eq!(components.len(), graph.crates().len() - 1);
    let known: BTreeSet<&str> =
        components.into_iter().chain(bom["metadata"]["component"]["bom-ref"].as_str()).collect();
    let described: BTreeSet<&str> = texts(&bom["dependencies"], "ref").into_iter().collect();
    assert_eq!(described, known);
    let hashed = bom["components"].as_array().expect("a list");
    let hashed = hashed.iter().filter(|c| c["hashes"][0]["alg"] == "SHA-256");
    assert_eq!(hashed.count(), graph.crates().iter().filter(|c| c.checksum.is_some()).count());
}
