//! Text with a name, read safely.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::{Diagnostic, Diagnostics, Span};

/// The largest recipe or build config that is read, in bytes: 4 MiB.
pub const RECIPE_LIMIT: u64 = 4 << 20;

/// A text and the name that people know it by. Cloning is cheap.
#[derive(Clone)]
pub struct SourceFile(Arc<Inner>);

struct Inner {
    name: String,
    text: String,
    /// Offsets at which lines begin.
    lines: Vec<usize>,
}

impl SourceFile {
    /// A text that is already there. A byte order mark at its beginning is dropped.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let lines =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        SourceFile(Arc::new(Inner { name: name.into(), text, lines }))
    }

    /// Reads a file of at most `limit` bytes; see [`RECIPE_LIMIT`].
    ///
    /// # Errors
    ///
    /// `file-not-found`, `file-is-folder`, `file-unreadable`, `file-too-large`, `file-not-utf8`,
    /// `file-empty`. Not more than `limit` bytes are ever read.
    pub fn read(path: &Path, limit: u64) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| cannot_open(path, &error))?;
        let about = file.metadata().map_err(|error| unreadable(&name, &error))?;
        if about.is_dir() {
            return Err(is_folder(&name).into());
        }
        // The size is known before reading for a plain file; a pipe is found out while reading.
        if about.is_file() && about.len() > limit {
            return Err(too_large(&name, Some(about.len()), limit).into());
        }
        Self::read_from(name, file, limit)
    }

    /// Reads what a reader gives, such as standard input, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`SourceFile::read`], apart from those that only a file can have.
    pub fn read_from(
        name: impl Into<String>,
        reader: impl Read,
        limit: u64,
    ) -> Result<Self, Diagnostics> {
        let name = name.into();
        let mut bytes = Vec::new();
        reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&name, &error))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(&name, None, limit).into());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            not_utf8(&name, at, error.as_bytes())
        })?;
        let source = SourceFile::new(name, text);
        if source.text().trim().is_empty() {
            let found = Diagnostic::error("file-empty", format!("`{}` is empty", source.name()));
            return Err(found.into());
        }
        Ok(source)
    }

    /// The name that people know it by, usually a path.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text at a place; empty when the place is not in it.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.range()).unwrap_or_default()
    }

    /// The same text with these places made unreadable; every other place stays where it is.
    pub(crate) fn masked(&self, places: &[Span]) -> Self {
        let mut places: Vec<_> = places.iter().map(|place| place.range()).collect();
        places.retain(|place| self.0.text.get(place.clone()).is_some_and(|text| !text.is_empty()));
        if places.is_empty() {
            return self.clone();
        }
        places.sort_by_key(|place| (place.start, place.end));
        let mut text = String::with_capacity(self.0.text.len());
        for place in places {
            // Places may lie in each other: what is behind was masked already.
            let start = place.start.max(text.len());
            text.push_str(&self.0.text[text.len()..start]);
            text.extend(self.0.text.get(start..place.end).unwrap_or_default().chars().map(mask));
        }
        text.push_str(&self.0.text[text.len()..]);
        SourceFile(Arc::new(Inner { name: self.0.name.clone(), text, lines: self.0.lines.clone() }))
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.0.text.len());
        let line = self.line_of(offset);
        let start = self.0.lines[line];
        let column = self.0.text.as_bytes()[start..offset]
            .iter()
            .filter(|byte| (**byte & 0xc0) != 0x80)
            .count();
        (line + 1, column + 1)
    }

    /// The whole lines that a place touches: the number of the first, from 1, and their bytes.
    pub(super) fn lines_around(&self, span: Span) -> (usize, std::ops::Range<usize>) {
        let clamp = |at: u32| (at as usize).min(self.0.text.len());
        let (first, last) = (self.line_of(clamp(span.start)), self.line_of(clamp(span.end)));
        let end = self.0.lines.get(last + 1).copied().unwrap_or(self.0.text.len());
        (first + 1, self.0.lines[first]..end)
    }

    fn line_of(&self, offset: usize) -> usize {
        // The first line begins at 0, so that the point is never 0.
        self.0.lines.partition_point(|start| *start <= offset) - 1
    }
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.name == other.0.name && self.0.text == other.0.text)
    }
}

impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SourceFile").field(&self.0.name).finish()
    }
}

/// A character of the same length in UTF-8 that says nothing.
fn mask(c: char) -> char {
    match (c, c.len_utf8()) {
        ('\n', _) => c,
        (_, 1) => '*',
        (_, 2) => '·',
        (_, 3) => '•',
        _ => '🞶',
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> Diagnostic {
    let name = path.display().to_string();
    // Windows refuses to open a folder, so that it has to be asked about here too.
    if path.is_dir() {
        return is_folder(&name);
    }
    if error.kind() != io::ErrorKind::NotFound {
        return unreadable(&name, error);
    }
    let found = Diagnostic::error("file-not-found", format!("there is no file `{name}`"));
    match near_name(path) {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None => found.help(format!("it was looked for from the folder `{}`", current_folder())),
    }
}

fn near_name(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = super::did_you_mean(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

fn current_folder() -> String {
    std::env::current_dir().map_or_else(|_| ".".into(), |folder| folder.display().to_string())
}

fn is_folder(name: &str) -> Diagnostic {
    Diagnostic::error("file-is-folder", format!("`{name}` is a folder, not a file"))
        .help("name a file in it")
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("file-unreadable", format!("cannot read `{name}`: {error}"))
}

fn too_large(name: &str, size: Option<u64>, limit: u64) -> Diagnostic {
    let size = size.map_or_else(String::new, |n| format!(" ({n} bytes)"));
    Diagnostic::error("file-too-large", format!("`{name}` is too large{size}"))
        .help(format!("at most {limit} bytes are read; is it the right file?"))
}

fn not_utf8(name: &str, at: usize, bytes: &[u8]) -> Diagnostic {
    let found = Diagnostic::error(
        "file-not-utf8",
        format!("`{name}` is not UTF-8 text: the byte at offset {at} is 0x{:02x}", bytes[at]),
    );
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        found.help("it looks like UTF-16; save it as UTF-8")
    } else if bytes[..bytes.len().min(4096)].contains(&0) {
        found.help("it looks like a binary file; is it the right one?")
    } else {
        found.help("save it as UTF-8")
    }
}
