//! Agents for every system, built in one run by this compiler from the real runtime, and run: those
//! for Windows under Wine, those for Linux on aarch64 under QEMU, those for Linux on x86_64 in an
//! empty folder as their root. Those for macOS are looked at by a reader that is not ours.
//!
//! `cargo ci setup` installs what this takes.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod built;
mod delivered;
mod headers;
mod machine;
mod place;
mod runs;
mod same_output;
#[path = "../support/waiting.rs"]
mod waiting;
mod windows;
mod wine;
