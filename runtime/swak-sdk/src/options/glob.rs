//! Glob patterns of files: `/var/log/**/*.log`.

use std::fmt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::scalar::{BACKSLASH_HELP, read_text};
use super::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A glob pattern of files.
///
/// `*` and `?` stay within a folder, `**` crosses folders, `[a-z]` and `{a,b}` choose. On Windows
/// both `/` and `\` separate folders and letter case does not count; elsewhere `\` takes the
/// meaning from the character after it.
#[derive(Clone)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
    base: PathBuf,
    literal: bool,
}

impl Glob {
    /// Compiles a pattern. The error says what is wrong with it, in words for people.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pattern matches no file".to_owned());
        }
        if text.ends_with(is_separator) {
            return Err("this names a folder, not files".to_owned());
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(format!("it holds the control character {control:?}"));
        }
        let glob = GlobBuilder::new(strip_here(text))
            .literal_separator(true)
            .case_insensitive(cfg!(windows))
            .build()
            .map_err(|error| error.kind().to_string())?;
        let (base, literal) = split_base(text);
        Ok(Glob { text: text.to_owned(), matcher: glob.compile_matcher(), base, literal })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folder below which all matches lie, to start walking at; `.` for a pattern that begins
    /// with a wildcard. For a pattern without wildcards it is the folder of the one file.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The one file that this names, when there are no wildcards in it.
    pub fn literal(&self) -> Option<&Path> {
        self.literal.then(|| Path::new(&self.text))
    }

    /// Whether matches may lie in folders below [`Glob::base`].
    pub fn is_recursive(&self) -> bool {
        let depth = |path: &Path| path.components().filter(|c| c.as_os_str() != ".").count();
        self.text.contains("**") || depth(Path::new(&self.text)) > depth(&self.base) + 1
    }

    /// Whether the path, written from the same root as the pattern, matches.
    pub fn is_match(&self, path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        self.matcher.is_match(path.strip_prefix(".").unwrap_or(path))
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl OptionValue for Glob {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Glob)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Glob)?;
        Glob::new(text).map_err(|what| {
            let error = OptionError::new(literal.span, format!("not a glob pattern: {what}"));
            if text.ends_with(is_separator) {
                error.with_help(format!("for all files in it, write `{text}*`"))
            } else if text.contains(char::is_control) {
                error.with_help(BACKSLASH_HELP)
            } else {
                error.with_help("a pattern is written /var/log/*.log, with `[*]` for a real `*`")
            }
            .into()
        })
    }
}

fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
}

/// `./x` matches `x`: both are the same file.
fn strip_here(text: &str) -> &str {
    text.strip_prefix("./").or(text.strip_prefix(".\\").filter(|_| cfg!(windows))).unwrap_or(text)
}

/// The folders before the first that holds a wildcard, and whether there is none at all.
fn split_base(text: &str) -> (PathBuf, bool) {
    let is_special = |c: char| "*?[{".contains(c) || (!cfg!(windows) && c == '\\');
    let fixed = text.find(is_special).unwrap_or(text.len());
    let base = match text[..fixed].rfind(is_separator) {
        // The root, `/` or `C:\`, keeps its separator.
        Some(end) if end == 0 || text[..end].ends_with(':') => &text[..=end],
        Some(end) => &text[..end],
        None => ".",
    };
    // What is found below is shown with one kind of separator.
    let base = match cfg!(windows) {
        true => PathBuf::from(base.replace('/', "\\")),
        false => PathBuf::from(base),
    };
    (base, fixed == text.len())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, text};
    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(pattern).expect("a pattern of this test is one")
    }

    #[test]
    fn stars_stay_in_a_folder_and_two_cross_them() {
        let flat = glob("/var/log/*.log");
        assert!(flat.is_match("/var/log/a.log"));
        assert!(!flat.is_match("/var/log/a/b.log"));
        assert!(!flat.is_match("/var/log/a.txt"));
        assert!(!flat.is_recursive());
        let deep = glob("/var/**/*.log");
        assert!(deep.is_match("/var/a.log") && deep.is_match("/var/log/a/b.log"));
        assert!(deep.is_recursive() && glob("/a/*/b.log").is_recursive());
        let either = glob("/var/{log/a,tmp/b}/[0-9].txt");
        assert!(either.is_match("/var/tmp/b/7.txt"));
        assert!(!either.is_match("/var/tmp/c/7.txt"));
    }

    #[test]
    fn the_base_is_where_walking_starts() {
        for (pattern, base) in [
            ("/var/log/*.log", "/var/log"),
            ("/var/log/app.log", "/var/log"),
            ("/*.log", "/"),
            ("logs/a?/x", "logs"),
            ("*.log", "."),
            ("./*.log", "."),
            ("/var/{log/a,tmp}/x", "/var"),
            ("/var/lo[gk]/x", "/var"),
        ] {
            assert_eq!(glob(pattern).base(), Path::new(base), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_without_wildcards_names_one_file() {
        let one = glob("/var/log/app.log");
        assert_eq!(one.literal(), Some(Path::new("/var/log/app.log")));
        assert!(one.is_match("/var/log/app.log") && !one.is_recursive());
        assert_eq!(glob("/var/log/*").literal(), None);
    }

    #[test]
    fn the_current_folder_may_be_written_or_not() {
        assert!(glob("./a/*.log").is_match("a/x.log"));
        assert!(glob("a/*.log").is_match("./a/x.log"));
        assert!(!glob("./*.log").is_recursive());
    }

    #[test]
    fn what_is_not_a_pattern() {
        let e = error::<Glob>(text("/var/log/[a"));
        assert!(e.message.starts_with("not a glob pattern: "), "{}", e.message);
        assert!(e.help.unwrap().contains("[*]"));
        assert!(error::<Glob>(text("")).message.contains("empty"));
        let e = error::<Glob>(text("/var/log/"));
        assert_eq!(e.help.unwrap(), "for all files in it, write `/var/log/*`");
        assert!(Glob::new("{a,b").is_err());
        let e = error::<Glob>(text("C:/logs\new*.log"));
        assert!(e.message.contains(r"the control character '\n'"), "{}", e.message);
        assert!(e.help.unwrap().contains(r#"r"C:\"#));
    }
}
