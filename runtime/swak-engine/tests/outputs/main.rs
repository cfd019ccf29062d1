//! How records reach outputs, with outputs that a test breaks and mends while they run.

#[path = "../common/mod.rs"]
mod common;
mod failover;
mod options;
mod servers;

use swak_sdk::prelude::*;

fn register(plugins: &mut Plugins) {
    common::register(plugins);
    plugins.output::<servers::ToServer>().output::<servers::Store>();
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}
