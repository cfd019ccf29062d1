//! The texts of licences that a crate ships, or the standard ones where it ships none.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::graph::Crate;
use super::deny;
use super::system::Part;

/// The longest text that is read, in bytes; the longest licence of the SPDX list has a tenth.
const LONGEST: u64 = 1 << 20;
/// The most texts that are read of one crate.
const MOST: usize = 64;

/// The texts of one crate.
pub(super) struct Shipped {
    pub(super) texts: Vec<Text>,
    /// They are the standard texts, not the crate's own.
    pub(super) standard: bool,
    /// Whom to name where the standard text has a gap for it.
    pub(super) authors: String,
}

/// One text.
pub(super) struct Text {
    /// Its file's name, or the licence's.
    pub(super) title: String,
    /// As it is shown.
    pub(super) text: String,
    /// What equal texts share: their words, without line breaks and spaces.
    pub(super) key: String,
}

impl Text {
    fn new(title: impl Into<String>, text: &str) -> Self {
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        Text {
            title: title.into(),
            text: lines.join("\n").trim_matches('\n').to_owned(),
            key: text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}

impl Shipped {
    /// Those of a crate.
    pub(super) fn of(krate: &Crate) -> Self {
        let mut texts = Vec::new();
        let mut has_license = false;
        for path in files(krate) {
            let Some(text) = read(&path) else { continue };
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let lower = name.to_ascii_lowercase();
            // These go with a licence and are none.
            has_license |= !["notice", "copyright"].iter().any(|word| lower.starts_with(word));
            texts.push(Text::new(name, &text));
        }
        if !has_license {
            texts.extend(standard(krate.license.as_deref().unwrap_or_default()));
        }
        let standard = !has_license && !texts.is_empty();
        Shipped { texts, standard, authors: krate.authors.join(", ") }
    }

    /// Those of something that is no crate.
    pub(super) fn of_system(part: &Part) -> Self {
        let texts = match part.text {
            Some(text) => vec![Text::new(part.title, text)],
            None => standard(part.license),
        };
        Shipped { texts, standard: false, authors: String::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// The texts of the SPDX list for an expression.
fn standard(expression: &str) -> Vec<Text> {
    let Some(expression) = deny::read(expression) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for requirement in expression.requirements() {
        let exception = deny::exception(&requirement.req);
        let license = requirement.req.license.id();
        let found = license.map(|id| (id.name, id.text()));
        for (name, text) in found.into_iter().chain(exception.map(|id| (id.name, id.text()))) {
            if seen.insert(name) {
                texts.push(Text::new(name, text));
            }
        }
    }
    texts
}

/// The files with licences of a crate, ordered by name: at its top and in `LICENSES/`, where the
/// REUSE specification has them, and the one that its manifest names.
fn files(krate: &Crate) -> Vec<PathBuf> {
    let mut found: BTreeSet<PathBuf> = krate.license_file.iter().cloned().collect();
    let mut look = |folder: &Path, all: bool| {
        let Ok(entries) = fs::read_dir(folder) else { return };
        found.extend(entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).filter(
            |path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                path.is_file() && (all || is_license(&name.to_ascii_lowercase()))
            },
        ));
    };
    look(&krate.folder, false);
    look(&krate.folder.join("LICENSES"), true);
    found.into_iter().take(MOST).collect()
}

fn is_license(lower: &str) -> bool {
    let words = ["license", "licence", "copying", "copyright", "notice", "unlicense"];
    let source = [".rs", ".toml", ".json", ".yml", ".html"];
    words.iter().any(|word| lower.starts_with(word))
        && !source.iter().any(|end| lower.ends_with(end))
}

fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    (!text.trim().is_empty()).then(|| text.to_owned())
}
