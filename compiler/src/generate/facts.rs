//! The generated `facts.json`: what an agent says of itself, and what can be read from its file.
//!
//! What depends on the target is a placeholder here, which the generated `build.rs` fills in while
//! Cargo compiles: the workspace is the same for every target. What is not known, in a workspace
//! that is written without asking Cargo, is empty.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::resolve::Plan;

#[derive(Serialize)]
struct Facts<'a> {
    name: String,
    version: String,
    swak: String,
    target: &'static str,
    toolchain: &'static str,
    profile: &'static str,
    plugins: BTreeMap<&'a str, Option<String>>,
    config_sha256: &'a str,
    lock_sha256: &'a str,
}

/// One line of JSON.
pub(super) fn generate(plan: &Plan) -> String {
    let facts = Facts {
        name: plan.name.package(),
        version: plan.version.to_string(),
        swak: plan.runtime.version.as_ref().map_or_else(String::new, ToString::to_string),
        target: "@TARGET@",
        toolchain: "@TOOLCHAIN@",
        profile: "@PROFILE@",
        plugins: plan
            .plugins
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_ref().map(ToString::to_string)))
            .collect(),
        config_sha256: &plan.config_sha256,
        lock_sha256: plan.lock_sha256.as_deref().unwrap_or_default(),
    };
    let mut text = serde_json::to_string(&facts).expect("facts are plain data");
    text.push('\n');
    text
}
