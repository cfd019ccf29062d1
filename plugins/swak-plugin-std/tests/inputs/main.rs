//! The inputs of this crate, each run by itself against real files and processes.

mod harness;
mod tailing;
