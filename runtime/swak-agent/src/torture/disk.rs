//! A small disk of our own, to be filled: `tmpfs`, which only root can mount.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::files_below;

/// A mounted disk. It is unmounted with this value.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

/// What takes the room.
const BALLAST: &str = "ballast";

impl Disk {
    /// Mounts a disk of so many bytes on a folder.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn mount(folder: &Path, size: u64) -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("it needs a disk of its own, which is made on Linux only".to_owned());
        }
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "swak-torture"])
            .arg(folder)
            .output();
        match mount {
            Ok(output) if output.status.success() => Ok(Disk { folder: folder.to_owned() }),
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr);
                let words = words.trim().to_owned();
                Err(format!("it needs a disk of its own, which only root can mount ({words})"))
            }
            Err(error) => Err(format!("`mount` cannot be run: {error}")),
        }
    }

    /// Takes all room that is left.
    ///
    /// # Errors
    /// Anything but that the disk is full.
    pub(super) fn fill(&self) -> io::Result<()> {
        let mut file = File::create(self.folder.join(BALLAST))?;
        let mut piece = vec![0; 1 << 20];
        while !piece.is_empty() {
            match file.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    piece.truncate(piece.len() / 2);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn free(&self) -> io::Result<()> {
        fs::remove_file(self.folder.join(BALLAST))
    }
}

/// Copies everything of a disk to a folder beside it, since it vanishes with the disk.
///
/// # Errors
/// As the system says.
pub(super) fn copy(folder: &Path, to: &Path) -> io::Result<()> {
    for path in files_below(folder)? {
        let below = path.strip_prefix(folder).expect("it was found below that folder");
        let to = to.join(below);
        fs::create_dir_all(to.parent().expect("it lies below a folder"))?;
        fs::copy(&path, &to)?;
    }
    Ok(())
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A disk that is still used stays mounted; there is nobody to tell.
        let _ = Command::new("umount").arg(&self.folder).output();
    }
}
