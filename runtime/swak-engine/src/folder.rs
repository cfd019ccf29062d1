//! The data folder of an agent: whose it is, and that only one works in it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why nothing could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be made or written to.
    #[error("cannot use the data folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another agent runs in it.
    #[error("the data folder {} is used by another running agent", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// It holds the positions of an agent of another name.
    #[error("the data folder {} belongs to the agent `{owner}`", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        owner: String,
    },
}

// No folder of a task is named so: in those, a full stop is written `%2e`.
const LOCK: &str = ".lock";
const OWNER: &str = ".agent";

/// Takes the folder for as long as the file is held, and writes down whose it is. A folder that is
/// another agent's is not touched.
///
/// Two agents that share positions would each undo what the other has stored.
pub(crate) fn claim(folder: &Path, agent: Option<&str>) -> Result<File, StartError> {
    let failed = |source| StartError::Folder { folder: folder.to_owned(), source };
    check_owner(folder, agent)?;
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(StartError::Locked { folder: folder.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // Another one may have come in between.
    check_owner(folder, agent)?;
    let owner = folder.join(OWNER);
    if let Some(agent) = agent
        && !owner.exists()
    {
        fs::write(owner, format!("{agent}\n")).map_err(failed)?;
    }
    Ok(lock)
}

/// A file that does not say a name, for it was damaged, keeps nobody out.
fn check_owner(folder: &Path, agent: Option<&str>) -> Result<(), StartError> {
    let Some(agent) = agent else { return Ok(()) };
    let owner = fs::read_to_string(folder.join(OWNER)).unwrap_or_default();
    let owner = owner.trim();
    let is_name = !owner.is_empty() && owner.len() <= 100 && !owner.contains(char::is_control);
    if !is_name || owner == agent {
        return Ok(());
    }
    Err(StartError::Foreign { folder: folder.to_owned(), owner: owner.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_agents_and_one_process() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("state");
        let first = claim(&folder, Some("swak-a")).unwrap();
        let error = claim(&folder, Some("swak-a")).unwrap_err();
        assert!(matches!(error, StartError::Locked { .. }), "{error}");
        drop(first);
        drop(claim(&folder, Some("swak-a")).unwrap());
        let before = fs::read_dir(&folder).unwrap().count();
        let error = claim(&folder, Some("swak-b")).unwrap_err().to_string();
        assert!(error.ends_with("belongs to the agent `swak-a`"), "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before);
        fs::write(folder.join(OWNER), [0xff, 0, 1]).unwrap();
        drop(claim(&folder, Some("swak-b")).unwrap());
    }

    #[test]
    fn a_file_in_the_way_is_an_error_with_the_reason() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("file");
        fs::write(&folder, "").unwrap();
        let error = claim(&folder, None).unwrap_err();
        assert!(matches!(error, StartError::Folder { .. }), "{error}");
    }
}
