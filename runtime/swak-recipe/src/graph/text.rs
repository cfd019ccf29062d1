//! Nodes and edges as text.

use std::fmt::Write as _;

use super::{Graph, Shape, Style};

/// Graphviz.
pub(super) fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph recipe {\n  rankdir=LR;\n");
    out.push_str("  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for (i, task) in graph.tasks.iter().enumerate() {
        let _ = write!(out, "  subgraph cluster_{i} {{\n    label={};\n", dot_text(&task.name));
        for node in &task.nodes {
            let shape = match node.shape {
                Shape::Input => ", shape=cds, style=solid",
                Shape::Transform => "",
                Shape::Output => ", shape=cylinder, style=solid",
                Shape::Flow => ", shape=ellipse, style=solid",
                Shape::Choice => ", shape=diamond, style=solid",
            };
            let label = dot_text(&node.lines.join("\n"));
            let _ = writeln!(out, "    n{} [label={label}{shape}];", node.id);
        }
        out.push_str("  }\n");
    }
    for edge in &graph.edges {
        let style = match edge.style {
            Style::Solid => "",
            Style::Link => "style=dashed",
            Style::DeadLetter => "style=dotted",
        };
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!("label={}", dot_text(label)),
        };
        let about: Vec<_> =
            [label.as_str(), style].into_iter().filter(|part| !part.is_empty()).collect();
        let about =
            if about.is_empty() { String::new() } else { format!(" [{}]", about.join(", ")) };
        let _ = writeln!(out, "  n{} -> n{}{about};", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

/// Mermaid.
pub(super) fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (i, task) in graph.tasks.iter().enumerate() {
        let _ = writeln!(out, "  subgraph t{i} [{}]", mermaid_text(&task.name));
        for node in &task.nodes {
            let (open, close) = match node.shape {
                Shape::Input => (">", "]"),
                Shape::Transform => ("(", ")"),
                Shape::Output => ("[(", ")]"),
                Shape::Flow => ("([", "])"),
                Shape::Choice => ("{", "}"),
            };
            let label = mermaid_text(&node.lines.join("\n"));
            let _ = writeln!(out, "    n{}{open}{label}{close}", node.id);
        }
        out.push_str("  end\n");
    }
    for edge in &graph.edges {
        let arrow = match edge.style {
            Style::Solid => "-->",
            Style::Link | Style::DeadLetter => "-.->",
        };
        let label = match edge.label.as_str() {
            "" => String::new(),
            label => format!("|{}|", mermaid_text(label)),
        };
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    out
}

fn dot_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Everything that could be markup is written as a number.
fn mermaid_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            '"' | '#' | '<' | '>' | '&' | '`' | ';' | '\\' | '|' => {
                let _ = write!(out, "#{};", c as u32);
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
