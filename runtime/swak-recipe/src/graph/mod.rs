//! A recipe as a picture: Graphviz dot and Mermaid.
//!
//! Steps are nodes, records flow along the edges; each task is a frame. Options are shown as they
//! are written, those that their plugin calls secret as `***`.

mod layout;
mod text;

use crate::check::Catalog;
use crate::model::Recipe;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz.
    Dot,
    /// Mermaid, which many pages draw by themselves.
    Mermaid,
}

/// Draws a recipe. The catalog tells which options are secret.
pub fn graph(recipe: &Recipe, catalog: &dyn Catalog, format: Format) -> String {
    let graph = layout::lay_out(recipe, catalog);
    match format {
        Format::Dot => text::dot(&graph),
        Format::Mermaid => text::mermaid(&graph),
    }
}

/// What is drawn.
#[derive(Default)]
struct Graph {
    tasks: Vec<Frame>,
    edges: Vec<Edge>,
    nodes: usize,
}

/// A task.
struct Frame {
    name: String,
    nodes: Vec<Node>,
}

struct Node {
    id: usize,
    shape: Shape,
    /// The first line is the name.
    lines: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Input,
    Transform,
    Output,
    Flow,
    Choice,
}

struct Edge {
    from: usize,
    to: usize,
    label: String,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Solid,
    /// From task to task.
    Link,
    /// What cannot be delivered.
    DeadLetter,
}

#[cfg(test)]
mod tests;
