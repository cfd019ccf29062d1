//! `reference`: the Markdown reference of all plugins, one page a crate.

use std::fs;
use std::io;
use std::path::Path;

use swak_sdk::Plugins;

use super::Result;
use crate::Console;
use crate::cli::ReferenceArgs;
use crate::describe::markdown::{self, Page};
use crate::failure::Failure;

pub(super) fn run(args: &ReferenceArgs, plugins: &Plugins, console: &mut Console<'_>) -> Result {
    let pages = markdown::reference(plugins);
    let differing = differing(&args.out, &pages)?;
    if args.check {
        return match differing.as_slice() {
            [] => Ok(()),
            names => {
                let message = format!("out of date: {}", names.join(", "));
                Err(Failure::tried("reference-outdated", message))
            }
        };
    }
    if let Err(error) = write(&args.out, &pages, &differing) {
        let message = format!("cannot write to `{}`: {error}", args.out.display());
        return Err(Failure::tried("reference-unwritable", message));
    }
    for name in differing {
        console.print(&format!("{}\n", args.out.join(name).display()))?;
    }
    Ok(())
}

/// The pages that are missing or differ, and those of crates that are gone.
fn differing(folder: &Path, pages: &[Page]) -> Result<Vec<String>> {
    let mut names: Vec<_> = pages
        .iter()
        .filter(|page| {
            fs::read_to_string(folder.join(&page.file)).ok().as_ref() != Some(&page.text)
        })
        .map(|page| page.file.clone())
        .collect();
    let there = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => {
            let message = format!("cannot read the folder `{}`: {error}", folder.display());
            return Err(Failure::tried("reference-unreadable", message));
        }
    };
    for entry in there.flatten() {
        if let Ok(name) = entry.file_name().into_string()
            && name.starts_with("swak-plugin-")
            && name.ends_with(".md")
            && !pages.iter().any(|page| page.file == name)
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn write(folder: &Path, pages: &[Page], differing: &[String]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in differing {
        let path = folder.join(name);
        match pages.iter().find(|page| page.file == *name) {
            Some(page) => fs::write(path, &page.text)?,
            None => fs::remove_file(path)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(file: &str, text: &str) -> Page {
        Page { file: file.into(), text: text.into() }
    }

    #[test]
    fn only_what_differs_is_written_and_only_our_own_pages_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("swak-plugin-gone.md"), "old").unwrap();
        fs::write(at("swak-plugin-a.md"), "same").unwrap();
        fs::write(at("notes.md"), "mine").unwrap();
        let pages = [page("README.md", "index"), page("swak-plugin-a.md", "same")];
        let found = differing(folder.path(), &pages).unwrap();
        assert_eq!(found, ["README.md", "swak-plugin-gone.md"]);
        write(folder.path(), &pages, &found).unwrap();
        assert_eq!(fs::read_to_string(at("README.md")).unwrap(), "index");
        assert!(!at("swak-plugin-gone.md").exists());
        assert!(at("notes.md").exists());
        assert!(differing(folder.path(), &pages).unwrap().is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_lacks_every_page() {
        let folder = tempfile::tempdir().unwrap();
        let found = differing(&folder.path().join("none"), &[page("README.md", "x")]).unwrap();
        assert_eq!(found, ["README.md"]);
    }
}
