//! The benchmark: the same work for Swak and for what users would pick instead, in one run.
//! `cargo ci bench` builds what it needs and starts it; `docs/benchmarks.md` is what it writes.

// All of it looks at processes through `/proc`.
#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod bulk;
#[cfg(target_os = "linux")]
mod cli;
#[cfg(target_os = "linux")]
mod contestant;
#[cfg(target_os = "linux")]
mod data;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod instructions;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod listen;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod meter;
#[cfg(target_os = "linux")]
mod paced;
#[cfg(target_os = "linux")]
mod progress;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod running;
#[cfg(target_os = "linux")]
mod sink;
#[cfg(target_os = "linux")]
mod startup;
#[cfg(target_os = "linux")]
mod stats;
#[cfg(target_os = "linux")]
mod store;
#[cfg(target_os = "linux")]
mod verify;
#[cfg(target_os = "linux")]
mod workload;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    cli::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("error: the benchmark reads `/proc` of Linux, and runs there only");
    std::process::ExitCode::from(2)
}
