//! The benchmark: the same work for Swak and for what users would pick instead, in one run.
//! `cargo ci bench` builds what it needs and starts it; `docs/benchmarks.md` is what it writes.

#[cfg(not(target_os = "linux"))]
compile_error!("the benchmark looks at processes through `/proc`: it runs on Linux alone");

mod bulk;
mod cli;
mod contestant;
mod data;
mod idle;
mod instructions;
mod limits;
mod listen;
mod machine;
mod meter;
mod paced;
mod progress;
mod report;
mod rounds;
mod running;
mod sink;
mod startup;
mod stats;
mod store;
mod verify;
mod workload;

fn main() -> std::process::ExitCode {
    cli::main()
}
