//! `schema`: the JSON Schema of recipes in YAML.

use swak_sdk::Plugins;

use super::Result;
use crate::describe::schema;
use crate::{About, Console};

pub(super) fn run(about: &About, plugins: &Plugins, console: &mut Console<'_>) -> Result {
    let specs: Vec<_> = plugins.iter().map(|entry| &entry.spec).collect();
    console.print_json(&schema::recipes(&format!("A recipe of {}", about.name), &specs))
}
