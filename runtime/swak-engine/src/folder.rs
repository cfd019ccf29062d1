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
    let owner = check_owner(folder, agent)?;
    let path = folder.join(OWNER);
    if matches!(owner, Owner::Unreadable) {
        tracing::warn!("{} is damaged, and is written anew", path.display());
    }
    if let Some(agent) = agent
        && !matches!(owner, Owner::Named(_))
    {
        fs::write(path, encode(agent)).map_err(failed)?;
    }
    Ok(lock)
}

/// What the file says whose the folder is.
enum Owner {
    Nobody,
    Named(String),
    /// It is there, and is not as it was written.
    Unreadable,
}

/// A file that is not as it was written keeps nobody out.
fn check_owner(folder: &Path, agent: Option<&str>) -> Result<Owner, StartError> {
    let Some(agent) = agent else { return Ok(Owner::Nobody) };
    let owner = match fs::read(folder.join(OWNER)) {
        Ok(bytes) => decode(&bytes).map_or(Owner::Unreadable, Owner::Named),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Owner::Nobody,
        // What else is wrong with the folder is found when it is used.
        Err(_) => Owner::Unreadable,
    };
    match owner {
        Owner::Named(owner) if owner != agent => {
            Err(StartError::Foreign { folder: folder.to_owned(), owner })
        }
        owner => Ok(owner),
    }
}

/// The name and its checksum: a name in which a bit has flipped is a name too.
fn encode(agent: &str) -> String {
    format!("{agent}\n{:08x}\n", crc32fast::hash(agent.as_bytes()))
}

fn decode(file: &[u8]) -> Option<String> {
    let (name, _) = std::str::from_utf8(file).ok()?.split_once('\n')?;
    (encode(name).as_bytes() == file).then(|| name.to_owned())
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
    }

    #[test]
    fn a_name_that_was_damaged_keeps_nobody_out_and_is_written_anew() {
        let data = tempfile::tempdir().unwrap();
        let owner = data.path().join(OWNER);
        drop(claim(data.path(), Some("swak-a")).unwrap());
        let whole = fs::read(&owner).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&owner, damaged).unwrap();
            drop(claim(data.path(), Some("swak-a")).unwrap());
            assert_eq!(fs::read(&owner).unwrap(), whole, "bit {bit}");
        }
        for len in 0..whole.len() {
            fs::write(&owner, &whole[..len]).unwrap();
            drop(claim(data.path(), Some("swak-a")).unwrap());
        }
        assert_eq!(fs::read(&owner).unwrap(), whole);
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
