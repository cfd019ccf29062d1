use std::fs;

use swak_sdk::options::{Kind, TextKind, TypeSpec};

use super::*;

/// A crate of these files.
fn crate_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    folder
}

fn scan_files(files: &[(&str, &str)]) -> Scanned {
    scan(&crate_of(files).path().join("lib.rs"))
}

#[test]
fn a_plugin_is_read_with_its_options() {
    let scanned = scan_files(&[(
        "lib.rs",
        r#"
        /// Follows files. One record
        /// a line.
        ///
        /// More.
        #[derive(Debug, swak_sdk::options::Options)]
        #[plugin(input, name = "Follow")]
        pub struct FollowOptions {
            /// Which files.
            #[option(positional)]
            path: Vec<String>,
            /// Longest line.
            #[option(default = "1m")]
            max_line: ByteSize,
            /// How many.
            #[option(default = 3, range = 1..=9, newer_key = "x")]
            r#type: u16,
            /// Word.
            password: Option<Secret>,
            /// What to do.
            #[option(name = "when_full", default = "wait")]
            full: Full,
            /// Of another crate.
            other: elsewhere::Thing,
            /// Nested.
            tls: Tls,
        }
        /// What to do.
        #[derive(Choice)]
        enum Full {
            /// Wait.
            Wait,
            /// Drop.
            DropOldest,
            /// Named.
            #[choice(name = "err")]
            Error,
        }
        /// Encryption.
        #[derive(Options)]
        struct Tls {
            /// The file.
            ca: std::path::PathBuf,
        }
        "#,
    )]);
    assert_eq!(scanned.gaps, []);
    let [spec] = scanned.plugins.as_slice() else { panic!("{:?}", scanned.plugins) };
    assert_eq!((spec.kind, spec.path().as_str()), (Kind::Input, "in.Follow"));
    assert_eq!(spec.summary, "Follows files.");
    let option = |name: &str| spec.option(name).unwrap_or_else(|| panic!("no {name}"));
    assert!(option("path").positional && option("path").required);
    assert_eq!(option("path").ty, TypeSpec::List(Box::new(TypeSpec::Text(TextKind::Plain))));
    assert_eq!(option("max_line").ty, TypeSpec::Text(TextKind::Size));
    assert_eq!(option("max_line").default.as_deref(), Some("\"1m\""));
    assert_eq!(option("type").ty, TypeSpec::Int { min: 1, max: 9 });
    assert!(option("password").secret && !option("password").required);
    assert_eq!(option("other").ty, TypeSpec::Any);
    let TypeSpec::Choice(words) = &option("when_full").ty else { panic!("a choice") };
    let words: Vec<_> = words.iter().map(|w| w.name.as_ref()).collect();
    assert_eq!(words, ["wait", "drop_oldest", "err"]);
    let TypeSpec::Struct(fields) = &option("tls").ty else { panic!("a struct") };
    assert_eq!(fields[0].ty, TypeSpec::Text(TextKind::Path));
}

/// A plugin of that name and nothing else.
fn plugin(name: &str) -> String {
    format!("#[derive(Options)] #[plugin(output, name = \"{name}\")] struct {name}Options {{}}\n")
}

#[test]
fn modules_are_followed_as_the_compiler_does() {
    let scanned = scan_files(&[
        (
            "lib.rs",
            "mod a; mod b; #[path = \"odd/c.rs\"] mod c; mod d { mod e; } #[cfg(test)] mod t;",
        ),
        ("a.rs", &format!("mod inner; {}", plugin("A"))),
        ("a/inner.rs", &plugin("Inner")),
        ("b/mod.rs", &format!("mod beside; {}", plugin("B"))),
        ("b/beside.rs", &plugin("Beside")),
        ("odd/c.rs", &format!("mod near; {}", plugin("C"))),
        ("odd/near.rs", &plugin("Near")),
        ("d/e.rs", &plugin("E")),
        ("t.rs", &plugin("Test")),
        ("unused.rs", &plugin("Unused")),
    ]);
    assert_eq!(scanned.gaps, []);
    let names: Vec<_> = scanned.plugins.iter().map(|p| p.name.as_ref()).collect();
    assert_eq!(names, ["A", "B", "Beside", "C", "E", "Inner", "Near"]);
}

#[test]
fn a_name_is_what_the_use_lines_make_of_it() {
    let scanned = scan_files(&[
        (
            "lib.rs",
            "pub mod shared; mod one; mod two; mod three; mod four;
             #[derive(Choice)] enum Mode { Root }",
        ),
        ("shared.rs", "mod deep; pub use deep::Mode; pub use self::deep::*;"),
        (
            "shared/deep.rs",
            "#[derive(Choice)] pub enum Mode { Deep } #[derive(Choice)] pub enum Way { Out }",
        ),
        (
            "one.rs",
            "use crate::shared::{self, Mode as M};
             #[derive(Options)] #[plugin(output, name = \"One\")]
             struct O { a: M, b: shared::Way, c: super::Mode, d: Mode, e: other::Mode }",
        ),
        (
            "two.rs",
            "use super::shared::*; use super::Gone;
             #[derive(Options)] #[plugin(output, name = \"Two\")]
             struct O { a: Way, b: crate::shared::deep::Mode, c: Gone }",
        ),
        (
            "three.rs",
            "use crate::four::Round; #[derive(Options)] #[plugin(output, name = \"X\")]
             struct O { a: Round }",
        ),
        ("four.rs", "pub use crate::three::Round;"),
    ]);
    let words = |plugin: usize| -> Vec<String> {
        let word = |ty: &TypeSpec| match ty {
            TypeSpec::Choice(words) => words[0].name.to_string(),
            other => other.noun(),
        };
        scanned.plugins[plugin].options.iter().map(|o| word(&o.ty)).collect()
    };
    assert_eq!(words(0), ["deep", "out", "root", "any value", "any value"]);
    assert_eq!(words(1), ["out", "deep", "any value"]);
    assert_eq!(words(2), ["any value"]);
}

/// Every type of the plugins beside the runtime is understood, but for those that the crates read
/// by code of their own; so a mistake in a recipe is told before anything is compiled.
#[test]
fn the_plugins_beside_the_runtime_are_read() {
    let Some(root) = crate::resolve::built_from() else { return };
    let mut found = 0;
    for entry in fs::read_dir(root.join("plugins")).expect("a folder") {
        let library = entry.expect("readable").path().join("src/lib.rs");
        let scanned = scan(&library);
        assert_eq!(scanned.gaps, [], "{}", library.display());
        assert!(!scanned.plugins.is_empty(), "{}", library.display());
        for plugin in &scanned.plugins {
            assert!(!plugin.summary.is_empty(), "{}", plugin.path());
            let known = plugin.options.iter().filter(|o| o.ty != TypeSpec::Any).count();
            assert!(known * 2 >= plugin.options.len(), "{} is hardly understood", plugin.path());
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn what_cannot_be_read_is_a_gap_and_not_a_mistake() {
    let scanned = scan_files(&[
        ("lib.rs", &format!("mod broken; mod gone; mod empty; {}", plugin("A"))),
        ("broken.rs", "fn ("),
        ("empty.rs", ""),
    ]);
    assert_eq!(scanned.plugins.len(), 1);
    assert_eq!(scanned.gaps.len(), 2, "{:?}", scanned.gaps);
    assert!(
        scanned.gaps[0].why.starts_with("is not Rust at line 1, column "),
        "{:?}",
        scanned.gaps
    );
    assert!(scanned.gaps[1].why.contains("mod gone"), "{:?}", scanned.gaps);
    let scanned = scan_files(&[("lib.rs", "many! { #[plugin(input, name = \"X\")] }")]);
    assert_eq!(scanned.gaps.len(), 1);
    let scanned = scan_files(&[("lib.rs", "thread_local! { static X: u8 = 1; }")]);
    assert_eq!(scanned.gaps, []);
}

#[test]
fn modules_and_types_that_hold_themselves_come_to_an_end() {
    let scanned = scan_files(&[(
        "lib.rs",
        "#[path = \"lib.rs\"] mod me;
         #[derive(Options)] #[plugin(input, name = \"Loop\")] struct A { next: B }
         #[derive(Options)] struct B { a: B, b: B, c: B, d: B, e: B, f: B, g: B, h: B }
         type C = C; #[derive(Options)] struct D { c: C }",
    )]);
    assert_eq!(scanned.plugins.len(), 1);
}

#[test]
fn a_type_that_reads_itself_is_asked_what_it_says() {
    let scanned = scan_files(&[(
        "lib.rs",
        r#"
        #[derive(Options)]
        #[plugin(output, name = "Own")]
        struct OwnOptions {
            charset: Charset,
            named: own::Named,
            place: Place,
            wait: Wait,
            words: Option<Words>,
            same: Same,
            any: Unclear,
            round: Round,
        }
        struct Charset;
        impl OptionValue for Charset {
            fn type_spec() -> TypeSpec { TypeSpec::Text(TextKind::Encoding) }
            fn read(literal: &Literal) -> Result<Self, OptionErrors> { for_label(literal) }
        }
        mod own {
            pub struct Named;
            impl swak_sdk::options::OptionValue for super::own::Named {
                fn type_spec() -> TypeSpec { TypeSpec::Text(TextKind::Regex) }
                fn read(literal: &Literal) -> Result<Self, OptionErrors> {
                    if true { Ok(Named(Pattern::read(literal)?)) } else { panic!() }
                }
            }
        }
        enum Place { A }
        impl OptionValue for Place {
            fn type_spec() -> TypeSpec { TypeSpec::Text(TextKind::Address) }
            fn read(literal: &Literal) -> Result<Self, OptionErrors> {
                parse(String::read(literal)?)
            }
        }
        struct Wait;
        impl OptionValue for Wait {
            fn type_spec() -> TypeSpec { TypeSpec::Text(TextKind::Duration) }
            fn read(literal: &Literal) -> Result<Self, OptionErrors> { never_or(literal) }
        }
        struct Words;
        impl OptionValue for Words {
            fn type_spec() -> TypeSpec { TypeSpec::List(Box::new(String::type_spec())) }
        }
        struct Same;
        impl OptionValue for Same {
            fn type_spec() -> TypeSpec { <Vec<u8> as OptionValue>::type_spec() }
        }
        struct Unclear;
        impl OptionValue for Unclear {
            fn type_spec() -> TypeSpec { let x = 1; TypeSpec::Bool }
        }
        struct Round;
        impl OptionValue for Round {
            fn type_spec() -> TypeSpec { Round::type_spec() }
        }
        "#,
    )]);
    let types: Vec<_> = scanned.plugins[0].options.iter().map(|o| o.ty.clone()).collect();
    let text = |kind| TypeSpec::Text(kind);
    let list = |of| TypeSpec::List(Box::new(of));
    let byte = TypeSpec::Int { min: 0, max: 255 };
    assert_eq!(
        types,
        [
            // Any text: which ones it takes, only it knows.
            text(TextKind::Plain),
            text(TextKind::Regex),
            text(TextKind::Plain),
            TypeSpec::Any,
            TypeSpec::Optional(Box::new(list(text(TextKind::Plain)))),
            list(byte),
            TypeSpec::Any,
            TypeSpec::Any,
        ]
    );
}
