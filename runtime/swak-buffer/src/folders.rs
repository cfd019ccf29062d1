//! Entries of folders that survive the end of the system.

use std::fs;
use std::io;
use std::path::Path;

/// Makes sure that the names in a folder are on the disk: without it a file that was made, renamed or
/// removed may be as before after a power failure. Windows writes them through by itself, and has no
/// call for it.
///
/// # Errors
/// The folder cannot be opened, or the disk has not taken them.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match fs::File::open(folder)?.sync_all() {
        // Some file systems, as those over the network, cannot and need not be told.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Makes a folder and those on the way to it, and sees to it that their names are on the disk: else what
/// is stored in it could go with it.
///
/// # Errors
/// One of them cannot be made, or the disk has not taken its name.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    make_folders(parent)?;
    match fs::create_dir(folder) {
        // Somebody else was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        result => result?,
    }
    match sync_folder(parent) {
        // It may be written to and not be looked at.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_folders_on_the_way_are_made_and_a_file_is_in_the_way() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b/c");
        make_folders(&deep).unwrap();
        make_folders(&deep).unwrap();
        assert!(deep.is_dir());
        sync_folder(&deep).unwrap();
        fs::write(deep.join("file"), "").unwrap();
        make_folders(&deep.join("file")).unwrap_err();
        make_folders(&deep.join("file/d")).unwrap_err();
    }
}
