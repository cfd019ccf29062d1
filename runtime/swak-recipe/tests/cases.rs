//! Each folder in `cases/` is a recipe and all that is said about it.
//!
//! `recipe.swak` or `recipe.yml` is checked against the catalog in `support`; `stderr.txt` is the
//! text of what was found, empty when it is nothing. `SWAK_UPDATE=1 cargo nextest run -p
//! swak-recipe --test cases` writes the texts anew: read the difference before committing it.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use swak_recipe::diag::{Diagnostics, RECIPE_LIMIT, SourceFile};

#[test]
fn every_case_says_what_it_should() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = std::fs::read_dir(&cases)
        .expect("the folder of cases")
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() > 50, "only {} cases were found", folders.len());
    let update = std::env::var_os("SWAK_UPDATE").is_some();
    let mut wrong = String::new();
    for folder in folders {
        let said = said_about(&folder);
        let file = folder.join("stderr.txt");
        let wanted = std::fs::read_to_string(&file).map(|text| text.replace("\r\n", "\n"));
        if wanted.as_ref().is_ok_and(|wanted| *wanted == said) {
            continue;
        }
        if update {
            std::fs::write(&file, &said).expect("the text is written");
        } else {
            let wanted = wanted.unwrap_or_else(|error| error.to_string());
            let name = folder.file_name().unwrap_or_default().display();
            let _ = write!(wrong, "== {name}\n-- wanted\n{wanted}\n-- said\n{said}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn said_about(folder: &Path) -> String {
    let file = ["recipe.swak", "recipe.yml"]
        .iter()
        .find(|name| folder.join(name).exists())
        .unwrap_or_else(|| panic!("a recipe in {}", folder.display()));
    let read = SourceFile::read(&folder.join(file), RECIPE_LIMIT).expect("a readable recipe");
    // The place on this machine is no part of what is said.
    let source = SourceFile::new(*file, read.text());
    let environment = support::FixedEnvironment::for_cases();
    match swak_recipe::check(&source, &support::catalog(), &environment) {
        Ok(recipe) => {
            Diagnostics::from_vec(recipe.warnings).map_or_else(String::new, |w| w.render(false))
        }
        Err(found) => {
            assert!(found.has_errors(), "{}: refused for warnings alone", folder.display());
            found.render(false)
        }
    }
}
