//! What is left beside the executables, held against tools that other people wrote.

#![cfg(unix)]

mod archives;
mod deb;
mod graph;
mod licenses;
mod rpm;
mod sbom;
mod services;
mod support;
