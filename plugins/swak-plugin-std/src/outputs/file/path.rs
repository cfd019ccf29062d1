//! The path of the file that a record goes to.

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
        if let Some(path) = template.as_constant() {
            ensure!(!path.is_empty(), "`path` is empty; write where the file is");
            ensure!(
                !path.ends_with(is_separator),
                "`path` is a folder; write the name of the file too: {path}out.log"
            );
            return Ok(FilePath::Constant(path.into()));
        }
        let text = template.as_str();
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
        let stem = Path::new(&safe).file_stem().unwrap_or_default().to_ascii_uppercase();
        if safe.is_empty() || is_device(&stem.to_string_lossy()) {
            safe.insert(0, '_');
        }
    }
    safe.truncate(safe.floor_char_boundary(LONGEST_NAME));
    safe
}

/// Names that stand for devices in every folder of Windows.
fn is_device(stem: &str) -> bool {
    let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
    matches!(stem, "CON" | "PRN" | "AUX" | "NUL")
        || numbered.is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
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
    fn a_path_without_a_name_is_a_mistake() {
        for wrong in ["", "/var/log/"] {
            assert!(FilePath::new(Template::new(wrong).unwrap()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn windows_devices_are_known() {
        assert!(is_device("NUL") && is_device("COM1") && !is_device("COMA") && !is_device("COM10"));
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
