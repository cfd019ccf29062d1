//! Paths and patterns of a recipe, moved below a folder of the torture's own.

use std::path::{Path, PathBuf};

use swak_sdk::options::Glob;

/// The path, pattern or template below a folder: `/var/log/*.log` in `/tmp/x` is
/// `/tmp/x/var/log/*.log`, so that what lay together lies together again.
pub(super) fn below(folder: &Path, text: &str) -> String {
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    // A drive is a folder, and nothing leads out.
    let text = match text.as_bytes() {
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => text.replacen(':', "", 1),
        _ => text,
    };
    let text = text.replace("../", "__/");
    let rest = text.trim_start_matches("./").trim_start_matches('/');
    let folder = folder.to_string_lossy();
    let folder = if cfg!(windows) { folder.replace('\\', "/") } else { folder.into_owned() };
    format!("{folder}/{rest}")
}

/// Files that a pattern matches and none of `exclude` does: the one that it names, else up to `count`
/// made-up ones. Empty when no name was found.
pub(super) fn files_for(pattern: &Glob, exclude: &[Glob], count: usize) -> Vec<PathBuf> {
    let fits = |path: &PathBuf| pattern.is_match(path) && !exclude.iter().any(|e| e.is_match(path));
    if let Some(path) = pattern.literal() {
        return Some(path.to_owned()).into_iter().filter(fits).collect();
    }
    let mut found = Vec::new();
    for word in WORDS {
        let path = PathBuf::from(filled(pattern.as_str(), word));
        if fits(&path) && !found.contains(&path) {
            found.push(path);
            if found.len() == count {
                break;
            }
        }
    }
    found
}

/// What stands for `*` and `?`. Several, since some may be excluded.
const WORDS: [&str; 8] = ["app", "web", "db", "1", "7", "x", "swak", "20261121"];

/// The pattern with its wildcards replaced.
fn filled(pattern: &str, word: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(word);
            }
            '?' => out.extend(word.chars().next()),
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // The first of a range or list; for what must not be there, something unusual.
                match inside.strip_prefix(['!', '^']) {
                    Some(_) => out.push('~'),
                    None => out.extend(inside.chars().next()),
                }
            }
            '{' => {
                let inside: String = chars.by_ref().take_while(|c| *c != '}').collect();
                out.push_str(&filled(inside.split(',').next().unwrap_or_default(), word));
            }
            '\\' if !cfg!(windows) => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pattern: &str, exclude: &[&str]) -> Vec<String> {
        let glob = |text: &str| Glob::new(text).unwrap();
        let exclude: Vec<_> = exclude.iter().map(|text| glob(text)).collect();
        let found = files_for(&glob(pattern), &exclude, 2);
        found.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_lay_together_lies_together() {
        let folder = Path::new("/t");
        for (path, expected) in [
            ("/var/log/*.log", "/t/var/log/*.log"),
            ("logs/a", "/t/logs/a"),
            ("./a", "/t/a"),
            ("../../etc/x", "/t/__/__/etc/x"),
            ("C:/logs/{{ host }}.log", "/t/C/logs/{{ host }}.log"),
        ] {
            assert_eq!(below(folder, path), expected);
        }
    }

    #[test]
    fn a_pattern_gives_files_that_match() {
        assert_eq!(files("/a/x.log", &[]), ["/a/x.log"]);
        assert_eq!(files("/a/*.log", &[]), ["/a/app.log", "/a/web.log"]);
        assert_eq!(files("/a/*.log", &["/a/a*"]), ["/a/web.log", "/a/db.log"]);
        assert_eq!(files("/a/**/x?.[0-9]", &[]), ["/a/app/xa.0", "/a/web/xw.0"]);
        assert_eq!(files("/a/{b,c}/*", &[]), ["/a/b/app", "/a/b/web"]);
        assert!(files("/a/*.log", &["/a/**"]).is_empty());
    }
}
