//! What the tests share.

use std::fs;
use std::path::Path;

/// Copies a folder. Manifests in the folders of tests are called `Cargo.toml.txt`, so that Cargo
/// takes none of them for a package of this repository; the copies have their right name.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        let to = to.join(if name == "Cargo.toml.txt" { "Cargo.toml" } else { &name });
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("writable");
        }
    }
}
