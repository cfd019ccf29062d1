use super::super::samples::{
    damaged, linux_gnu, linux_musl, macos_arm, macos_intel, windows_arm, windows_intel,
};
use super::*;
use crate::target::Target;

fn one(bytes: &[u8]) -> Part {
    look(bytes).expect("an executable").parts.swap_remove(0)
}

fn complaints(bytes: &[u8], target: &str) -> Vec<String> {
    let target = Target::parse(target).expect("a target");
    look(bytes).expect("an executable").complaints(&target.triples[0])
}

const FINE: [&str; 0] = [];

#[test]
fn each_format_says_what_it_is() {
    let musl = one(&linux_musl());
    assert_eq!((musl.processor.as_str(), musl.linkage), ("x86_64", Linkage::Static));
    let gnu = one(&linux_gnu());
    assert_eq!(gnu.linkage, Linkage::Dynamic);
    assert_eq!(gnu.libraries, ["libc.so.6"]);
    assert_eq!(gnu.interpreter.as_deref(), Some("/lib64/ld-linux-x86-64.so.2"));
    assert_eq!(gnu.glibc, Some(Glibc { major: 2, minor: 2 }));
    let mac = one(&macos_arm());
    assert_eq!(mac.libraries, ["/usr/lib/libSystem.B.dylib"]);
    assert_eq!(mac.minimum_system.as_deref(), Some("15.0"));
    let windows = one(&windows_arm());
    assert_eq!(windows.processor, "aarch64");
    assert_eq!(windows.subsystem, Some("console"));
    assert_eq!(windows.authenticode, Some(false));
    assert!(windows.libraries.contains(&"KERNEL32.dll".to_owned()));
    for part in [musl, gnu, mac, windows] {
        assert_eq!(part.facts, None);
    }
}

#[test]
fn what_is_fit_is_not_complained_of() {
    assert_eq!(complaints(&linux_musl(), "linux-x86_64"), FINE);
    assert_eq!(complaints(&linux_gnu(), "linux-x86_64-gnu.2.17"), FINE);
    assert_eq!(complaints(&windows_intel(), "windows-x86_64"), FINE);
    assert_eq!(complaints(&windows_arm(), "windows-aarch64"), FINE);
    assert_eq!(complaints(&macos_arm(), "macos-aarch64"), FINE);
}

#[test]
fn the_wrong_kind_of_file_is_told() {
    let format = "it is an executable of the format ELF, which x86_64-pc-windows-gnu does not run";
    assert_eq!(complaints(&linux_musl(), "windows-x86_64"), [format]);
    assert_eq!(complaints(&linux_musl(), "linux-aarch64"), ["it is for x86_64, not for aarch64"]);
    assert_eq!(complaints(&macos_intel(), "macos-aarch64"), ["it is for x86_64, not for aarch64"]);
    assert_eq!(complaints(&linux_gnu(), "linux-x86_64"), ["it is not static: it loads libc.so.6"],);
    assert_eq!(complaints(&macos_intel(), "macos-x86_64"), ["it has no signature"]);
}

#[test]
fn what_the_builders_machine_alone_has_is_told() {
    let mut look = look(&macos_arm()).expect("an executable");
    let part = &mut look.parts[0];
    part.libraries.push("/opt/homebrew/lib/libssl.3.dylib".to_owned());
    part.libraries.push("/usr/lib/../../home/x/libx.dylib".to_owned());
    part.library_paths = vec!["@executable_path/../lib".to_owned(), "/home/x/lib".to_owned()];
    part.signature = Some(Signature::Invalid { why: "why".to_owned() });
    let target = Target::parse("macos-aarch64").expect("a target");
    assert_eq!(
        look.complaints(&target.triples[0]),
        [
            "it loads /opt/homebrew/lib/libssl.3.dylib, which is not a part of macOS",
            "it loads /usr/lib/../../home/x/libx.dylib, which is not a part of macOS",
            "its signature is invalid: why",
            "it looks for libraries in /home/x/lib, a folder of this machine",
        ],
    );
}

#[test]
fn what_not_every_linux_has_is_told() {
    let mut look = look(&linux_gnu()).expect("an executable");
    let part = &mut look.parts[0];
    part.libraries = ["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libssl.so.3"]
        .map(str::to_owned)
        .into();
    part.interpreter = Some("/nix/store/x/ld-linux-x86-64.so.2".to_owned());
    part.glibc = Some(Glibc { major: 2, minor: 34 });
    part.library_paths = vec!["$ORIGIN/lib".to_owned(), "/usr/lib64".to_owned(), String::new()];
    let target = Target::parse("linux-x86_64-gnu.2.17").expect("a target");
    assert_eq!(
        look.complaints(&target.triples[0]),
        [
            "it loads libssl.so.3, which is not on every Linux",
            "it is loaded by /nix/store/x/ld-linux-x86-64.so.2, which is this machine's own",
            "it needs glibc 2.34, and 2.17 was named as the oldest",
        ],
    );
}

#[test]
fn what_windows_does_not_bring_is_told() {
    // A library of the compiler's, in the place of one of the system's.
    let mut bytes = windows_intel();
    let at = memchr::memmem::find(&bytes, b"KERNEL32.dll\0").expect("it loads it");
    bytes[at..at + 12].copy_from_slice(b"libunwin.dll");
    assert_eq!(
        complaints(&bytes, "windows-x86_64"),
        ["it loads libunwin.dll, which is not a part of Windows"],
    );
}

#[test]
fn facts_must_be_of_the_target() {
    let json = r#"{"name":"swak-myprj","version":"1.4.0","swak":"0.1.0","target":"TARGET","toolchain":"","profile":"release","plugins":{},"config_sha256":"","lock_sha256":""}"#;
    let with = |target: &str| {
        let mut bytes = linux_musl();
        let line = format!("<swak-facts 1>{}</swak-facts>", json.replace("TARGET", target));
        bytes.extend_from_slice(line.as_bytes());
        bytes
    };
    assert_eq!(complaints(&with("x86_64-unknown-linux-musl"), "linux-x86_64"), FINE);
    assert_eq!(
        complaints(&with("x86_64-pc-windows-gnu"), "linux-x86_64"),
        ["it says that it was built for x86_64-pc-windows-gnu"],
    );
    let found = look(&with("x")).expect("an executable");
    assert_eq!(found.facts().map(|facts| facts.name.as_str()), Some("swak-myprj"));
}

#[test]
fn what_is_no_executable_is_named() {
    let gzip = include_bytes!("../testdata/hello-x86_64-macos.gz");
    let cases: [(&[u8], &str); 8] = [
        (b"", "an empty file"),
        (b"name: myprj\n", "a text"),
        ("naïve".as_bytes(), "a text"),
        (b"#!/bin/sh\n", "a script"),
        (gzip, "a file compressed by gzip"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "a class of Java"),
        (b"\0\x01\x02", "a file of an unknown kind"),
    ];
    for (bytes, what) in cases {
        let error = look(bytes).expect_err(what);
        assert_eq!(error, LookError::NotExecutable(what));
    }
    let error = look(b"MZ this needs Windows").expect_err("no header");
    assert_eq!(error, LookError::NotExecutable("a program for DOS"));
    assert_eq!(look(b"\x7fELF").expect_err("cut off").code(), "damaged-executable");
}

#[test]
fn libraries_and_object_files_are_no_executables() {
    let mut object = linux_musl();
    object[16] = 1;
    assert_eq!(look(&object).expect_err("ET_REL"), LookError::NotExecutable("an object file"));
    let mut library = linux_musl();
    library[16] = 3;
    assert_eq!(look(&library).expect_err("ET_DYN"), LookError::NotExecutable("a library"));
    let mut library = macos_arm();
    library[12] = 6;
    assert_eq!(look(&library).expect_err("MH_DYLIB"), LookError::NotExecutable("a library"));
    let mut library = windows_arm();
    let header = usize::from(library[0x3c]);
    library[header + 23] |= 0x20;
    assert_eq!(look(&library).expect_err("DLL"), LookError::NotExecutable("a library"));
}

#[test]
fn no_damage_makes_it_panic() {
    // All of the dynamic part and the versions, wherever the linker put them.
    damaged(&linux_gnu(), usize::MAX, |bytes| drop(look(bytes)));
    damaged(&linux_musl(), 1024, |bytes| drop(look(bytes)));
}

#[test]
fn folders_that_many_entries_share_do_not_fill_the_memory() {
    // 4000 entries of the same 4000 colons: read in full, 16 million folders.
    const COUNT: u64 = 4000;
    let (dynamic, text) = (64 + 2 * 56, 64 + 2 * 56 + 16 * (COUNT + 2));
    let end = text + 4001;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable, of x86_64.
    [2u16, 62].iter().for_each(|n| file.extend_from_slice(&n.to_le_bytes()));
    file.extend_from_slice(&1u32.to_le_bytes());
    [0u64, 64, 0].iter().for_each(|n| file.extend_from_slice(&n.to_le_bytes()));
    file.extend_from_slice(&0u32.to_le_bytes());
    [64u16, 56, 2, 0, 0, 0].iter().for_each(|n| file.extend_from_slice(&n.to_le_bytes()));
    for (kind, at, size) in [(1u32, 0, end), (2, dynamic, text - dynamic)] {
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&4u32.to_le_bytes());
        [at, at, at, size, size, 8].iter().for_each(|n| file.extend_from_slice(&n.to_le_bytes()));
    }
    let runpaths = (0..COUNT).map(|_| [29, 0]);
    for entry in std::iter::once([5, text]).chain(runpaths).chain([[0, 0]]) {
        entry.iter().for_each(|n: &u64| file.extend_from_slice(&n.to_le_bytes()));
    }
    file.resize(end as usize, b':');
    *file.last_mut().expect("it is not empty") = 0;
    assert_eq!(one(&file).library_paths.len(), 4096);
}
