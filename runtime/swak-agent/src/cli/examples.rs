//! The examples that help shows.

/// A command line after the agent's name, and what it does.
pub(super) type Example = (&'static str, &'static str);

/// For the agent as a whole.
pub(super) const TOP_EXAMPLES: &[Example] = &[
    ("list", "the plugins of this agent"),
    ("desc in.FileTailing", "what a plugin takes"),
    ("test my.swak --trace", "try the first task of a recipe"),
    ("run my.swak", "run all its tasks"),
];

/// For each command.
pub(super) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "run",
        &[
            ("run", "the recipe that was built in"),
            ("run my.swak", "another one"),
            ("run my.swak --config my.yml --data-dir /var/lib/my", ""),
        ],
    ),
    (
        "test",
        &[
            ("test my.swak", "the first task"),
            ("test my.swak -t 2", "the second one"),
            ("test my.swak -t errors --trace", "the one named `errors`, record by record"),
        ],
    ),
    ("check", &[("check my.swak", ""), ("check my.swak --json", "for editors and scripts")]),
    (
        "audit",
        &[
            ("audit", "of the last second of a running agent, or of a stopped one"),
            ("audit --data-dir /var/lib/my --json", ""),
        ],
    ),
    (
        "buffer",
        &[
            ("buffer check /var/lib/my", "all buffers of an agent"),
            ("buffer dump /var/lib/my", "what is not delivered yet"),
            ("buffer replay /var/lib/my --from 1200", "deliver this and all after it again"),
            ("buffer repair /var/lib/my", ""),
        ],
    ),
    (
        "graph",
        &[
            ("graph my.swak", "Mermaid, for a Markdown page"),
            ("graph my.swak --format dot | dot -Tsvg > my.svg", ""),
        ],
    ),
    ("list", &[("list", ""), ("list --json", "with kinds, crates and versions")]),
    (
        "desc",
        &[("desc in.FileTailing", ""), ("desc out.File --format markdown", "as in the reference")],
    ),
    ("schema", &[("schema > swak.schema.json", "then name the file to your YAML editor")]),
    (
        "convert",
        &[
            ("convert my.swak my.yml", ""),
            ("convert my.yml --to python", "to standard output"),
            ("convert - --from yaml < my.yml", ""),
        ],
    ),
    (
        "torture",
        &[
            ("torture my.swak", "every fault, for a minute"),
            ("torture my.swak --faults kill=20,rotate", "some of them"),
            ("torture my.swak --sample my.log --seed 1042", "with a line of a real log"),
        ],
    ),
    ("version", &[("version", ""), ("version --json", "")]),
];

/// As help shows them.
pub(super) fn examples(name: &str, lines: &[Example]) -> String {
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let mut text = String::from("Examples:");
    for (line, what) in lines {
        text.push_str("\n  ");
        match what.is_empty() {
            true => text.push_str(&format!("{name} {line}")),
            false => text.push_str(&format!("{name} {line:width$}  # {what}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::super::tests::{ABOUT, parse};
    use super::*;

    #[test]
    fn every_command_has_examples_that_parse() {
        let named: Vec<_> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        for subcommand in
            command(&ABOUT).get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help")
        {
            assert!(named.contains(&subcommand.get_name()), "{}", subcommand.get_name());
        }
        let all = EXAMPLES.iter().flat_map(|(_, lines)| lines.iter()).chain(TOP_EXAMPLES);
        for (line, _) in all {
            let ours = line.split([';', '|', '<', '>']).next().unwrap_or_default().trim();
            parse(&format!("swak-demo {ours}")).unwrap();
        }
    }
}
