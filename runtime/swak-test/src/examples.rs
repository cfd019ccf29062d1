//! An example in a plugin's documentation is a test.

use swak_recipe::diag::SourceFile;
use swak_recipe::{ProcessEnvironment, check};
use swak_sdk::prelude::*;

use crate::{Bench, lines};

/// A fenced block in the documentation of a plugin.
struct Block {
    plugin: String,
    language: String,
    text: String,
}

/// Runs and checks the examples in the documentation of a crate's plugins.
///
/// A block of the language `example` holds the steps of a chain, then lines that go in, each behind
/// `< `, then records that come out as the output format `raw` writes them, each behind `> `. It is
/// run. A block of the language `swak` is a whole recipe; it is checked.
///
/// Gives the paths of the plugins that have no example of their own.
///
/// # Panics
/// If an example does not do what it says.
pub fn examples(register: fn(&mut Plugins)) -> Vec<String> {
    let mut plugins = Plugins::new();
    register(&mut plugins);
    let mut without = Vec::new();
    for entry in plugins.iter() {
        let path = entry.spec.path();
        let blocks = blocks(&entry.spec);
        for block in &blocks {
            match block.language.as_str() {
                "example" => run(block, register),
                "swak" => check_recipe(block, &plugins),
                _ => {}
            }
        }
        if !blocks.iter().any(|b| b.text.contains(&path)) {
            without.push(path);
        }
    }
    without
}

fn run(block: &Block, register: fn(&mut Plugins)) {
    let behind = |mark: char| -> Vec<&str> {
        let marked = block.text.lines().filter_map(|l| l.strip_prefix(mark));
        // Of an empty line the blank may be gone.
        marked.map(|l| l.strip_prefix(' ').unwrap_or(l)).collect()
    };
    let steps: Vec<_> = block.text.lines().take_while(|l| !l.starts_with('<')).collect();
    let (given, expected) = (behind('<'), behind('>'));
    assert!(!given.is_empty(), "the example of {} has no line that goes in", block.plugin);
    let ran = Bench::new(register).chain(&steps.join("\n"), lines(given));
    assert_eq!(ran.lines(), expected, "the example of {} does something else", block.plugin);
}

fn check_recipe(block: &Block, plugins: &Plugins) {
    let source = SourceFile::new(format!("{}.swak", block.plugin), block.text.as_str());
    if let Err(mistakes) = check(&source, plugins, &ProcessEnvironment::new()) {
        panic!("\n{}", mistakes.render(false));
    }
}

fn blocks(spec: &PluginSpec) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in spec.help.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.trim().to_owned();
                open = Some(Block { plugin: spec.path(), language, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the documentation of {} has a block without an end", spec.path());
    blocks
}
