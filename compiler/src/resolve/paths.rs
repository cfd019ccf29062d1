//! Paths that are the same however a person wrote them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Component, Path, PathBuf, Prefix};

/// The path, absolute and without links, as far as it exists; what does not exist yet is taken as
/// it is written.
pub fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut missing = Vec::new();
    for ancestor in absolute.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            let mut whole = plain(&found);
            for name in missing.iter().rev() {
                match name {
                    Component::ParentDir => {
                        whole.pop();
                    }
                    other => whole.push(other),
                }
            }
            return whole;
        }
        missing.extend(ancestor.components().next_back());
    }
    absolute
}

/// The lock beside a build config: `myprj-build.lock` for `myprj-build.yml`. One that is itself called
/// so is not overwritten by its lock.
pub(super) fn lock_of(config: &Path) -> PathBuf {
    match config.extension() {
        Some(end) if end.eq_ignore_ascii_case("lock") => config.with_added_extension("lock"),
        _ => config.with_extension("lock"),
    }
}

/// A folder's name made from any text: letters, digits, `-`, `_` and `.` stay; a text that had
/// other characters gets a number that tells it from others.
pub(super) fn folder_name(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let word: String = text.chars().take(64).map(|c| if keep(c) { c } else { '_' }).collect();
    let only_dots = word.chars().all(|c| c == '.');
    if word == text && !only_dots {
        return word;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{}-{:016x}", word.trim_matches('.'), hasher.finish())
}

/// On Windows, a canonical path begins with `\\?\`, which many programs cannot read; for a path on
/// a drive it can be left away.
fn plain(path: &Path) -> PathBuf {
    let mut components = path.components();
    match components.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(letter) => {
                let mut plain = PathBuf::from(format!("{}:", char::from(letter)));
                plain.extend(components);
                plain
            }
            _ => path.to_owned(),
        },
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_is_made_from_the_part_that_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("exists");
        assert_eq!(real(&folder.path().join("a/b")), plain(&root).join("a/b"));
        assert_eq!(real(&folder.path().join("a/../c")), plain(&root).join("c"));
    }

    #[test]
    fn a_lock_is_never_the_build_config() {
        let lock = |config: &str| lock_of(Path::new(config)).display().to_string();
        assert_eq!(lock("p/my.prj-build.yml"), "p/my.prj-build.lock");
        assert_eq!(lock("p/myprj"), "p/myprj.lock");
        assert_eq!(lock("p/build.lock"), "p/build.lock.lock");
        assert_eq!(lock("p/build.Lock"), "p/build.Lock.lock");
    }

    #[test]
    fn a_folder_name_holds_nothing_dangerous() {
        assert_eq!(folder_name("myprj-build"), "myprj-build");
        for nasty in ["..", ".", "", "a/b", "스왴", "a b", "a\nb"] {
            let name = folder_name(nasty);
            assert_eq!(Path::new(&name).components().count(), 1, "{name}");
            assert!(!name.starts_with('.'), "{name}");
            assert!(name.is_ascii());
        }
        assert_ne!(folder_name("a b"), folder_name("a\tb"));
    }
}
