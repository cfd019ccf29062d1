//! Listings of folders, which are read again only when something may have changed in them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::discover::Found;
use super::identify::Identity;

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What lies in folders, by name and by identity.
#[derive(Debug, Default)]
pub(super) struct Folders {
    listings: HashMap<PathBuf, Listing>,
}

#[derive(Debug)]
struct Listing {
    age: Age,
    names: Vec<OsString>,
    /// The files, once somebody asked for them.
    files: Option<Vec<Found>>,
    /// Whether anybody asked since the last [`Folders::sweep`].
    is_used: bool,
}

impl Folders {
    /// The names in a folder; none when there is no such folder.
    pub(super) fn names(&mut self, folder: &Path) -> io::Result<&[OsString]> {
        Ok(self.listing(folder)?.map_or(&[], |listing| &listing.names))
    }

    /// The files in a folder. What cannot be looked at does not hide the others.
    pub(super) fn files(&mut self, folder: &Path, identity: Identity) -> io::Result<&[Found]> {
        let path = folder.to_owned();
        let Some(listing) = self.listing(folder)? else { return Ok(&[]) };
        let names = &listing.names;
        let look = |name: &OsString| Found::at(path.join(name), identity).ok().flatten();
        Ok(listing.files.get_or_insert_with(|| names.iter().filter_map(look).collect()))
    }

    /// Forgets listings that nobody asked for since the last time.
    pub(super) fn sweep(&mut self) {
        self.listings.retain(|_, listing| std::mem::take(&mut listing.is_used));
    }

    fn listing(&mut self, folder: &Path) -> io::Result<Option<&mut Listing>> {
        let is_unchanged = match self.listings.get(folder) {
            Some(listing) => listing.age.is_unchanged(folder).unwrap_or(false),
            None => false,
        };
        if !is_unchanged {
            self.listings.remove(folder);
            match Listing::read(folder) {
                Ok(listing) => self.listings.insert(folder.to_owned(), listing),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
        }
        let mut listing = self.listings.get_mut(folder);
        if let Some(listing) = &mut listing {
            listing.is_used = true;
        }
        Ok(listing)
    }
}

impl Listing {
    fn read(folder: &Path) -> io::Result<Self> {
        let reading = Age::reading(folder)?;
        let entries = fs::read_dir(folder)?;
        let names = entries.map(|e| Ok(e?.file_name())).collect::<io::Result<_>>()?;
        Ok(Listing { age: reading.settled(), names, files: None, is_used: true })
    }
}

/// When some folders were changed.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<PathBuf, Option<SystemTime>>);

impl Changes {
    /// Those of the folders in which these files lie.
    pub(super) fn of<'p>(files: impl Iterator<Item = &'p PathBuf>) -> Self {
        let mut changes = HashMap::new();
        for folder in files.map(|file| folder_of(file)) {
            if !changes.contains_key(folder) {
                changes.insert(folder.to_owned(), changed(folder).unwrap_or_default());
            }
        }
        Changes(changes)
    }

    /// The folders in which something came or went since.
    pub(super) fn since(self) -> Vec<PathBuf> {
        let is_other = |(folder, before): &(PathBuf, Option<SystemTime>)| {
            changed(folder).is_ok_and(|now| now != *before)
        };
        self.0.into_iter().filter(is_other).map(|(folder, _)| folder).collect()
    }
}

/// How old what is known of a folder is.
#[derive(Debug)]
pub(super) struct Age {
    changed: Option<SystemTime>,
    read: Instant,
}

impl Age {
    /// Of a folder that is about to be read.
    pub(super) fn reading(folder: &Path) -> io::Result<Self> {
        Ok(Age { changed: changed(folder)?, read: Instant::now() })
    }

    /// Of a folder that was read.
    pub(super) fn settled(self) -> Self {
        let now = SystemTime::now();
        let settled = |t: &SystemTime| now.duration_since(*t).is_ok_and(|age| age > FRESH);
        Age { changed: self.changed.filter(settled), ..self }
    }

    /// Whether nothing has come or gone in the folder since.
    pub(super) fn is_unchanged(&self, folder: &Path) -> io::Result<bool> {
        let is_trusted = self.changed.is_some() && self.read.elapsed() < TRUST;
        Ok(is_trusted && self.changed == changed(folder)?)
    }
}

/// A folder is read again after this time although it seems unchanged: not every file system
/// keeps the time of a folder's last change, and a clock may jump.
const TRUST: Duration = Duration::from_secs(10);

/// A change this shortly before a folder was read may not be the last one of the same time stamp.
const FRESH: Duration = Duration::from_secs(2);

fn changed(folder: &Path) -> io::Result<Option<SystemTime>> {
    Ok(fs::metadata(folder)?.modified().ok().filter(|_| cfg!(unix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_what_is_in_it_now() {
        let folder = tempfile::tempdir().unwrap();
        let mut folders = Folders::default();
        assert!(folders.names(folder.path()).unwrap().is_empty());
        fs::write(folder.path().join("a.log"), "a").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        assert_eq!(folders.names(folder.path()).unwrap().len(), 2);
        let files = folders.files(folder.path(), Identity::Auto).unwrap();
        assert_eq!(files[0].path, folder.path().join("a.log"));
        let id = files[0].id;
        fs::rename(folder.path().join("a.log"), folder.path().join("b.log")).unwrap();
        let files = folders.files(folder.path(), Identity::Auto).unwrap();
        assert_eq!((files.len(), files[0].id), (1, id));
        assert!(folders.names(&folder.path().join("none")).unwrap().is_empty());
        folders.sweep();
        folders.sweep();
        assert!(folders.listings.is_empty());
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_one_we_are_in() {
        assert_eq!(folder_of(Path::new("a.log")), Path::new("."));
        assert_eq!(folder_of(Path::new("/logs/a.log")), Path::new("/logs"));
    }
}
