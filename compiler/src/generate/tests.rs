use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use proptest::prelude::*;
use semver::{Version, VersionReq};

use super::*;
use crate::names::{AgentName, CrateName};
use crate::resolve::{GitReference, Plugin, Profile, Recipe, Runtime, Source, Trees};

fn plugin(name: &str, source: Source) -> Plugin {
    Plugin {
        name: CrateName::new(name).expect("a good name"),
        source,
        version: Some(Version::new(1, 2, 3)),
        features: Vec::new(),
        default_features: true,
        standard: false,
    }
}

fn plan() -> Plan {
    let tree = PathBuf::from("/home/me/swak");
    let mut features = plugin(
        "swak-plugin-tail",
        Source::Registry { version: VersionReq::parse("=0.4.1").expect("a requirement") },
    );
    features.features = vec!["gz".to_owned()];
    features.default_features = false;
    Plan {
        name: AgentName::new("myprj").expect("a good name"),
        version: Version::new(1, 4, 0),
        config: PathBuf::from("myprj-build.yml"),
        runtime: Runtime {
            source: Source::Path { path: tree.clone() },
            because: "a test",
            version: Some(Version::new(0, 1, 0)),
        },
        plugins: vec![
            plugin("swak-plugin-std", Source::Path { path: tree.join("plugins/swak-plugin-std") }),
            features,
            plugin(
                "swak-plugin-y",
                Source::Git {
                    url: "https://example.com/y".to_owned(),
                    reference: GitReference::Rev("9f2c".to_owned()),
                },
            ),
        ],
        recipe: Some(Recipe { path: PathBuf::from("/p/myprj.swak"), text: "task()\n".to_owned() }),
        targets: Vec::new(),
        toolchain: None,
        toolchains: Vec::new(),
        profile: Profile::Release,
        wanted: crate::release::Wanted::default(),
        lock: PathBuf::from("/p/myprj-build.lock"),
        config_sha256: "c0ffee".to_owned(),
        lock_sha256: None,
        build_dir: PathBuf::from("/home/me/p/.swak"),
        workspace: PathBuf::from("/home/me/p/.swak/build/myprj-build"),
        trees: Trees::of(&Source::Path { path: tree }, &[]),
        target_dir: PathBuf::from("/home/me/p/.swak/target"),
        out: PathBuf::from("/home/me/p/dist"),
    }
}

#[test]
fn the_source_registers_each_plugin_by_name() {
    let plan = plan();
    let made = workspace(&plan, &plan.workspace);
    assert_eq!(
        made.text("src/main.rs").expect("a source file"),
        r#"//! The agent `swak-myprj`, written by swak-makebuild.
fn main() -> std::process::ExitCode {
    swak_agent::main(
        swak_agent::About {
            name: "swak-myprj",
            version: env!("CARGO_PKG_VERSION"),
            recipe: Some(swak_agent::EmbeddedRecipe {
                name: "myprj.swak",
                text: include_str!("../recipe.swak"),
            }),
            facts: include_str!(concat!(env!("OUT_DIR"), "/facts.txt")),
        },
        |plugins| {
            plugins.add_crate("swak-plugin-std", "1.2.3", swak_plugin_std::register);
            plugins.add_crate("swak-plugin-tail", "1.2.3", swak_plugin_tail::register);
            plugins.add_crate("swak-plugin-y", "1.2.3", swak_plugin_y::register);
        },
    )
}
"#
    );
    assert_eq!(made.text("recipe.swak"), Some("task()\n"));
}

#[test]
fn the_manifest_says_where_each_crate_comes_from() {
    let plan = plan();
    let made = workspace(&plan, &plan.workspace);
    let text = made.text("Cargo.toml").expect("a manifest");
    for line in [
        r#"swak-agent = { path = "trees/swak/runtime/swak-agent" }"#,
        r#"swak-plugin-std = { path = "trees/swak/plugins/swak-plugin-std" }"#,
        r#"swak-plugin-tail = { version = "=0.4.1", default-features = false, features = ["gz"] }"#,
        r#"swak-plugin-y = { git = "https://example.com/y", rev = "9f2c" }"#,
        r#"swak-sdk = { path = "trees/swak/runtime/swak-sdk" }"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn the_facts_are_one_line_with_what_is_known_before_compiling() {
    let plan = plan();
    let made = workspace(&plan, &plan.workspace);
    assert_eq!(
        made.text("facts.json"),
        Some(concat!(
            r#"{"name":"swak-myprj","version":"1.4.0","swak":"0.1.0","target":"@TARGET@","#,
            r#""toolchain":"@TOOLCHAIN@","profile":"@PROFILE@","plugins":{"#,
            r#""swak-plugin-std":"1.2.3","swak-plugin-tail":"1.2.3","swak-plugin-y":"1.2.3"},"#,
            r#""config_sha256":"c0ffee","lock_sha256":""}"#,
            "\n"
        ))
    );
}

#[test]
fn a_workspace_for_plain_cargo_names_every_folder_as_it_is() {
    let plan = plan();
    let made = workspace(&plan, Path::new("/home/me/p/work"));
    let text = made.text("Cargo.toml").expect("a manifest");
    assert!(text.contains(r#"{ path = "../../swak/runtime/swak-agent" }"#), "{text}");
    assert!(made.links.is_empty());
}

#[test]
fn a_runtime_whose_plugins_all_lie_beside_it_needs_no_patch() {
    let mut plan = plan();
    plan.plugins.truncate(1);
    let made = workspace(&plan, &plan.workspace);
    assert!(!made.text("Cargo.toml").expect("a manifest").contains("[patch"));
}

#[test]
fn the_same_plan_gives_the_same_tree_and_touches_nothing_twice() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    let read = || -> BTreeMap<String, (String, SystemTime)> {
        workspace(&plan, &plan.workspace)
            .files()
            .map(|(name, _)| {
                let path = folder.path().join(name);
                let time = fs::metadata(&path).and_then(|m| m.modified()).expect("written");
                (name.to_owned(), (fs::read_to_string(&path).expect("written"), time))
            })
            .collect()
    };
    workspace(&plan, &plan.workspace).write(folder.path()).expect("writable");
    let first = read();
    workspace(&plan, &plan.workspace).write(folder.path()).expect("writable");
    assert_eq!(read(), first);
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        [
            "Cargo.toml",
            "build.rs",
            "facts.json",
            "myprj-build.bat",
            "myprj-build.sh",
            "recipe.swak",
            "src/main.rs"
        ]
    );
}

#[test]
fn what_an_earlier_plan_left_is_taken_away() {
    let mut plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    workspace(&plan, &plan.workspace).write(folder.path()).expect("writable");
    plan.recipe = None;
    plan.name = AgentName::default();
    workspace(&plan, &plan.workspace).write(folder.path()).expect("writable");
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|e| e.expect("readable").file_name().into_string().expect("ASCII"))
        .collect();
    names.sort();
    let files =
        ["Cargo.toml", "build.rs", "facts.json", "src", "swak-build.bat", "swak-build.sh", "trees"];
    assert_eq!(names, files);
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let plan = plan();
    let folder = tempfile::tempdir().expect("a folder");
    claim(folder.path()).expect("it is empty");
    workspace(&plan, folder.path()).write(folder.path()).expect("writable");
    claim(folder.path()).expect("it is ours");
    fs::write(folder.path().join("Cargo.toml"), "[package]\n").expect("writable");
    assert!(matches!(claim(folder.path()), Err(WriteError::Occupied(_))));
}

proptest! {
    /// Whatever a file, an address or a version is called: the files parse again (`workspace`
    /// panics if not) and depend on what the plan names and nothing else.
    #[test]
    fn no_word_of_a_person_gets_out_of_its_quotes(
        config in any::<String>(), recipe in any::<String>(), url in any::<String>(),
        rev in any::<String>(), folder in any::<String>(),
    ) {
        let mut plan = plan();
        plan.config = PathBuf::from(config);
        plan.recipe = Some(Recipe { path: PathBuf::from(recipe), text: String::new() });
        plan.plugins = vec![
            plugin("swak-plugin-a", Source::Git { url, reference: GitReference::Branch(rev) }),
            plugin("swak-plugin-b", Source::Path { path: PathBuf::from(format!("/x/{folder}")) }),
        ];
        workspace(&plan, &plan.workspace);
    }
}
