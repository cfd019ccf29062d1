//! `graph`: the tasks of a recipe as a drawing.

use swak_recipe::graph::{Format, graph};
use swak_sdk::Plugins;

use super::{Result, recipe};
use crate::cli::{GraphArgs, GraphFormat};
use crate::{About, Console};

pub(super) fn run(
    args: &GraphArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    let config = recipe::config(&args.config)?;
    let recipe = recipe::checked_aloud(args.recipe.as_deref(), &config, about, plugins, console)?;
    let format = match args.format {
        GraphFormat::Dot => Format::Dot,
        GraphFormat::Mermaid => Format::Mermaid,
    };
    console.print(&graph(&recipe, plugins, format))
}
