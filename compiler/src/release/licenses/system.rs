//! What is in an executable and is no crate of Cargo's.

use memchr::memmem;

use crate::target::{System, Triple};

/// Rust's standard library or a part of the C runtime.
pub(super) struct Part {
    /// What it is ordered by.
    pub(super) order: &'static str,
    pub(super) title: &'static str,
    /// An SPDX expression.
    pub(super) license: &'static str,
    pub(super) from: &'static str,
    /// Its own text; `None` stands for the standard ones.
    pub(super) text: Option<&'static str>,
}

/// What is linked in for a triple. On glibc and on macOS the C runtime is the system's own; but zig
/// links its unwinder, LLVM's, into executables for glibc, too.
pub(super) fn parts(triple: &Triple, executable: &[u8]) -> Vec<Part> {
    let mut parts = vec![Part {
        order: "1",
        title: "Rust's standard library",
        license: "MIT OR Apache-2.0",
        from: "https://github.com/rust-lang/rust, by the Rust project's contributors",
        text: None,
    }];
    let mingw = triple.system() == System::Windows && !triple.name().ends_with("-msvc");
    // It tells so of itself, in what it says before it gives up.
    let unwinds =
        || triple.system() == System::Linux && memmem::find(executable, b"\0libunwind: ").is_some();
    if triple.is_musl() || mingw || unwinds() {
        parts.push(Part {
            order: "2",
            title: "LLVM's libunwind and compiler-rt",
            license: "Apache-2.0 WITH LLVM-exception",
            from: "https://github.com/llvm/llvm-project",
            text: None,
        });
    }
    if triple.is_musl() {
        parts.push(Part {
            order: "3",
            title: "musl libc",
            license: "MIT",
            from: "https://musl.libc.org",
            text: Some(include_str!("texts/musl.txt")),
        });
    }
    if mingw {
        parts.push(Part {
            order: "4",
            title: "The runtime of mingw-w64",
            license: "ZPL-2.1",
            from: "https://www.mingw-w64.org",
            text: Some(include_str!("texts/mingw-w64.txt")),
        });
    }
    parts
}
