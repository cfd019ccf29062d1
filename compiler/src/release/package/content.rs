//! What is in a package, and where.

use super::{Entry, debian_name};
use crate::generate::templates::{Values, fill};
use crate::release::{Made, Release};
use crate::target::System;

/// The entries of an archive, ordered by path.
pub(super) fn archive(release: &Release<'_>, made: &Made<'_>, licenses: &str) -> Vec<Entry> {
    let system = made.target.system();
    let values = values(release, made);
    let package = release.name.package();
    let executable = format!("{package}{}", made.target.exe_suffix());
    let mut entries = vec![
        file(executable, made.executable.to_vec(), 0o755),
        file(recipe_file(release), example(release, &values), 0o644),
        file("README.md", fill("package/README.md", &values), 0o644),
        file("LICENSES.txt", licenses, 0o644),
    ];
    entries.extend(match system {
        System::Linux => Some(file(format!("{package}.service"), unit(&values), 0o644)),
        System::Macos => {
            Some(file(format!("{package}.plist"), fill("service/launchd.plist", &values), 0o644))
        }
        System::Windows => {
            let text = fill("service/task.xml", &values);
            Some(file(format!("{package}.task.xml"), utf16(&text), 0o644))
        }
        System::Other => None,
    });
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

/// The entries of a package for Linux, where the File Hierarchy Standard and systemd want them;
/// ordered by path.
pub(super) fn system(release: &Release<'_>, made: &Made<'_>, licenses: &str) -> Vec<Entry> {
    let values = values(release, made);
    let package = release.name.package();
    let documents = format!("usr/share/doc/{}", debian_name(release.name));
    let recipe = format!("etc/{package}/{}", recipe_file(release));
    let mut entries = vec![
        file(format!("usr/bin/{package}"), made.executable.to_vec(), 0o755),
        file(format!("usr/lib/systemd/system/{package}.service"), unit(&values), 0o644),
        Entry { config: true, ..file(recipe, example(release, &values), 0o644) },
        file(format!("{documents}/copyright"), licenses, 0o644),
        file(format!("{documents}/README.md"), fill("package/README.md", &values), 0o644),
    ];
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries
}

/// The recipe's name in a package; its extension says how it is spelled.
pub(super) fn recipe_file(release: &Release<'_>) -> &'static str {
    let is_yaml = release.recipe.is_some_and(|recipe| {
        let extension = recipe.path.extension().unwrap_or_default();
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    });
    if is_yaml { "recipe.yml" } else { "recipe.swak" }
}

fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>, mode: u16) -> Entry {
    Entry { path: path.into(), bytes: bytes.into(), mode, config: false }
}

fn unit(values: &Values) -> String {
    fill("service/systemd.service", values)
}

/// The recipe that is built in, else a small one to begin with.
fn example(release: &Release<'_>, values: &Values) -> String {
    match release.recipe {
        Some(recipe) => recipe.text.clone(),
        None => fill("package/recipe.swak", values),
    }
}

fn values(release: &Release<'_>, made: &Made<'_>) -> Values {
    let system = made.target.system();
    let package = release.name.package();
    let mut values = Values::new();
    values.insert("executable".into(), format!("{package}{}", made.target.exe_suffix()).into());
    values.insert("package".into(), package.into());
    values.insert("version".into(), release.version.to_string().into());
    values.insert("target".into(), made.target.name.clone().into());
    values.insert("recipe".into(), recipe_file(release).into());
    values.insert("has_recipe".into(), release.recipe.is_some().into());
    values.insert("standard".into(), release.standard.into());
    values.insert("linux".into(), (system == System::Linux).into());
    values.insert("macos".into(), (system == System::Macos).into());
    values.insert("windows".into(), (system == System::Windows).into());
    values
}

/// As the Task Scheduler writes and reads its files: UTF-16 with a mark, lines as on Windows.
fn utf16(text: &str) -> Vec<u8> {
    let text = text.replace('\n', "\r\n");
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}
