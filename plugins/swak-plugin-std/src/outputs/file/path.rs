//! The path of the file that a record goes to.

use std::fs;
use std::path::{Path, PathBuf};

use swak_sdk::options::EvalError;
use swak_sdk::prelude::*;

/// The path of the file that a record goes to.
pub(super) enum FilePath {
    /// The same for all records.
    Constant(PathBuf),
    /// Made of a record. What records say never leads out of the root, the folder that stands
    /// before the first placeholder.
    Template { template: Template, root: String },
}

/// The most bytes of one name; file systems allow 255, and rotation adds a number.
const LONGEST_NAME: usize = 240;

impl FilePath {
    pub(super) fn new(template: Template) -> Result<Self> {
        let text = template.as_str();
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            bail!(
                "`path` holds the control character {c:?}; a backslash in quotes begins an escape: \
                 write r\"C:\\logs\\new.log\" or use /"
            );
        }
        if let Some(path) = template.as_constant() {
            ensure!(!path.is_empty(), "`path` is empty; write where the file is");
            ensure!(
                !path.ends_with(is_separator),
                "`path` is a folder; write the name of the file too: {path}out.log"
            );
            let name = path.rsplit(is_separator).next().unwrap_or_default();
            ensure!(
                !(cfg!(windows) && is_device(name)),
                "`path` names the device `{name}` of Windows, and what is written there is gone; write \
                 another name, or out.Null()"
            );
            return Ok(FilePath::Constant(path.into()));
        }
        let first = ["{{", "{%", "{#"].iter().filter_map(|open| text.find(open)).min();
        let before = &text[..first.unwrap_or(text.len())];
        let root = before.rfind(is_separator).map_or("", |end| &before[..=end]).to_owned();
        Ok(FilePath::Template { template, root })
    }

    /// The path for one record.
    pub(super) fn of(&self, scope: &Scope<'_>) -> Result<PathBuf, EvalError> {
        let (template, root) = match self {
            FilePath::Constant(path) => return Ok(path.clone()),
            FilePath::Template { template, root } => (template, root),
        };
        let rendered = template.render(scope)?;
        Ok(below(root, rendered.strip_prefix(root.as_str()).unwrap_or(&rendered)))
    }
}

/// The path with something more at the end of its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Where a path leads through symbolic links; what is at the end of them need not be there. What is
/// renamed or removed is the file, and never a link that somebody has made to keep it elsewhere.
pub(super) fn led_to(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    path
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

/// A path below a root that has at least one name.
fn below(root: &str, rest: &str) -> PathBuf {
    let mut path = PathBuf::from(root);
    let mut names = rest.split(is_separator).filter(|name| !name.is_empty()).peekable();
    if names.peek().is_none() {
        path.push("_");
    }
    for name in names {
        path.push(safe_name(name));
    }
    path
}

/// A name that names a file in its folder and nothing else.
fn safe_name(name: &str) -> String {
    let is_bad = |c: char| c.is_control() || (cfg!(windows) && "<>:\"|?*".contains(c));
    let mut safe: String = name.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    // `.` and `..` are other folders, and Windows drops dots and spaces at the end.
    if safe.chars().all(|c| c == '.') {
        safe = "_".repeat(safe.len());
    }
    if cfg!(windows) {
        let kept = safe.trim_end_matches(['.', ' ']).len();
        safe.truncate(kept);
        if safe.is_empty() || is_device(&safe) {
            safe.insert(0, '_');
        }
    }
    safe.truncate(safe.floor_char_boundary(LONGEST_NAME));
    safe
}

/// Whether a name stands for a device in every folder of Windows, whatever comes after its first full
/// stop. Microsoft, "Naming Files, Paths, and Namespaces".
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered.is_some_and(|n| {
            let mut digits = n.chars();
            let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
            digits.next().is_some_and(is_digit) && digits.next().is_none()
        })
}

fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path_of(template: &str, tag: &str) -> String {
        let path = FilePath::new(Template::new(template).unwrap()).unwrap();
        let record = RecordRef::from_line(b"text", Timestamp::default());
        path.of(&Scope { record, tag, source: "" }).unwrap().display().to_string()
    }

    #[test]
    #[cfg(unix)]
    fn what_records_say_stays_below_the_folder() {
        for (template, tag, path) in [
            ("/log/{{ tag }}.txt", "web", "/log/web.txt"),
            ("/log/{{ tag }}.txt", "a/b", "/log/a/b.txt"),
            ("/log/{{ tag }}/x", "../../etc", "/log/__/__/etc/x"),
            ("/log/{{ tag }}", "/etc/passwd", "/log/etc/passwd"),
            ("/log/{{ tag }}", "", "/log/_"),
            ("/log/{{ tag }}/x", "", "/log/x"),
            ("/log/p-{{ tag }}/x", "/..", "/log/p-/__/x"),
            ("{{ tag }}/x", "/etc", "etc/x"),
            ("/log/{{ tag }}", "a\0\nb", "/log/a__b"),
            ("/log/{{ time|strftime('%Y/%m') }}.log", "", "/log/1970/01.log"),
            ("/../{{ tag }}", "x", "/../x"),
            ("/plain/../x", "", "/plain/../x"),
        ] {
            assert_eq!(path_of(template, tag), path, "{template} of {tag:?}");
        }
        assert_eq!(path_of("/log/{{ tag }}", &"é".repeat(300)).len(), "/log/".len() + 240);
    }

    #[test]
    #[cfg(windows)]
    fn what_records_say_stays_below_the_folder() {
        for (template, tag, path) in [
            (r"C:\log\{{ tag }}.txt", "web", r"C:\log\web.txt"),
            (r"C:\log\{{ tag }}.txt", r"a\b", r"C:\log\a\b.txt"),
            (r"C:\log\{{ tag }}\x", r"..\..\etc", r"C:\log\__\__\etc\x"),
            (r"C:\log\{{ tag }}", r"D:\x", r"C:\log\D_\x"),
            (r"C:\log\{{ tag }}", r"\\server\share", r"C:\log\server\share"),
            (r"C:\log\{{ tag }}", "nul.txt", r"C:\log\_nul.txt"),
            (r"C:\log\{{ tag }}", "end. ", r"C:\log\end"),
            (r"C:\log\{{ tag }}", "a:stream", r"C:\log\a_stream"),
        ] {
            assert_eq!(path_of(template, tag), path, "{template} of {tag:?}");
        }
    }

    #[test]
    fn a_path_without_a_name_is_a_mistake() {
        for wrong in ["", "/var/log/"] {
            assert!(FilePath::new(Template::new(wrong).unwrap()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_with_a_control_character_is_a_mistake() {
        // Where `\n` and `\t` were to be a backslash and a letter.
        let error = FilePath::new(Template::new("C:\temp\new.log").unwrap()).err().unwrap();
        assert!(error.to_string().contains(r"write r"), "{error}");
    }

    #[test]
    #[cfg(windows)]
    fn a_device_is_a_mistake() {
        for wrong in ["nul", r"C:\log\NUL.log", "C:/log/aux.txt"] {
            assert!(FilePath::new(Template::new(wrong).unwrap()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn windows_devices_are_known() {
        for name in ["NUL", "nul.tar.gz", "aux .txt", "COM1", "lpt9.log", "com²", "conin$"] {
            assert!(is_device(name), "{name}");
        }
        for name in ["COMA", "COM10", "COM", "null", "a.nul", "console.log"] {
            assert!(!is_device(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_tag_leads_out_of_the_root(tag in r"([./\\a]|\.\.|\PC){0,12}") {
            let path = FilePath::new(Template::new("/root/{{ tag }}").unwrap()).unwrap();
            let record = RecordRef::from_line(b"text", Timestamp::default());
            let path = path.of(&Scope { record, tag: &tag, source: "" }).unwrap();
            let rest = path.strip_prefix("/root").unwrap();
            prop_assert!(rest.components().count() > 0);
            let normal = |c| matches!(c, std::path::Component::Normal(_));
            prop_assert!(rest.components().all(normal), "{}", path.display());
        }
    }
}
