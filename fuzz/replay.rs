//! Gives the corpus of a fuzz target to its function, in an ordinary test on a stable compiler: what
//! fuzzing once found stays found. The crates that have targets include this file in their tests.

use std::path::{Path, PathBuf};

/// Runs every file of `fuzz/corpus/TARGET`, and of `fuzz/past/TARGET`, where what once failed is kept.
pub(crate) fn replay(target: &str, run: fn(&[u8])) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fuzz =
        here.ancestors().map(|folder| folder.join("fuzz")).find(|f| f.join("corpus").is_dir());
    let fuzz = fuzz.expect("the corpora lie in the repository, above every crate");
    let corpus = files(&fuzz.join("corpus").join(target));
    assert!(!corpus.is_empty(), "`{target}` has no corpus");
    for file in corpus.into_iter().chain(files(&fuzz.join("past").join(target))) {
        // Shown when it fails.
        eprintln!("{}", file.display());
        run(&std::fs::read(&file).expect("a file of a corpus can be read"));
    }
}

/// The files of a folder, in order; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|e| e.expect("a folder can be read").path()).collect();
    files.sort();
    files
}
