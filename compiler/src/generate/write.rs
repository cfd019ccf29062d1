//! Writing a workspace to a folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{File, Workspace};

/// The beginning of the first line of every `Cargo.toml` that this compiler writes.
const MARK: &str = "# Written by swak-makebuild";

/// Why a workspace could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The folder holds something else.
    #[error("{} is not empty and was not written by swak-makebuild", .0.display())]
    Occupied(PathBuf),
    /// A file or folder could not be written.
    #[error("cannot write {}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Workspace {
    /// Writes the files that are not yet as they should be, and takes away what an earlier
    /// workspace left that this one does not have.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), WriteError> {
        self.write_all(folder)?;
        for stale in self.stale(folder) {
            fs::remove_file(&stale).map_err(|source| WriteError::Io { path: stale, source })?;
        }
        Ok(())
    }

    /// Writes the files and the links, and takes nothing away.
    pub(super) fn write_all(&self, folder: &Path) -> Result<(), WriteError> {
        for (name, file) in self.files() {
            write_if_changed(&folder.join(name), file)?;
        }
        for (link, to) in &self.links {
            let link = folder.join(link);
            point(&link, to).map_err(|source| WriteError::Io { path: link, source })?;
        }
        Ok(())
    }

    /// Files of an earlier workspace: another recipe, the scripts of another name.
    fn stale(&self, folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                name == "recipe.swak"
                    || name == "recipe.yml"
                    || name.ends_with("-build.sh")
                    || name.ends_with("-build.bat")
            })
            .filter(|name| self.text(name).is_none())
            .map(|name| folder.join(name))
            .collect()
    }
}

/// Makes a file hold this text, through a temporary file and a rename; a file that already does is
/// left alone, with its time.
///
/// # Errors
/// When it cannot be written.
pub fn write_if_changed(path: &Path, file: &File) -> Result<(), WriteError> {
    let fail = |source| WriteError::Io { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|old| old == file.text.as_bytes()) {
        return Ok(());
    }
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).map_err(fail)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    temporary.write_all(file.text.as_bytes()).map_err(fail)?;
    set_mode(temporary.path(), file.executable).map_err(fail)?;
    temporary.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

/// Makes a folder, or finds that it is empty or was written by an earlier run.
///
/// # Errors
/// When it holds something else.
pub fn claim(folder: &Path) -> Result<(), WriteError> {
    let fail = |source| WriteError::Io { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(fail)?;
    let mut entries = fs::read_dir(folder).map_err(fail)?;
    let ours = fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|t| t.starts_with(MARK));
    if ours || entries.next().is_none() {
        Ok(())
    } else {
        Err(WriteError::Occupied(folder.to_owned()))
    }
}

/// Makes a link lead to a folder; one that does is left alone.
#[cfg(unix)]
fn point(link: &Path, to: &Path) -> io::Result<()> {
    if fs::read_link(link).is_ok_and(|old| old == to) {
        return Ok(());
    }
    fs::create_dir_all(link.parent().expect("a link is in a folder"))?;
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(to, link)
}

#[cfg(not(unix))]
fn point(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn set_mode(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}
