//! Agents of `build-configs/`, built by this compiler from the real runtime, and run.

mod delivery;
#[cfg(unix)]
mod failover;
mod process;
mod recipes;
mod support;
#[path = "../support/waiting.rs"]
mod waiting;
