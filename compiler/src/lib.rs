//! Turns a build config into a Swak agent.

pub mod generate;
pub mod manifest;
pub mod names;
pub mod resolve;
pub mod scan;
pub mod target;
