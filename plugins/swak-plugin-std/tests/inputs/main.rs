//! The inputs of this crate, each run by itself against real files and processes.
// A test fails by panicking, in its helpers too.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
mod exec;
mod generated;
mod harness;
mod stdin;
mod tailing;
mod tailing_blank;
mod tailing_copies;
mod tailing_identity;
mod tailing_model;
mod tailing_rotation;
mod tailing_schedule;
