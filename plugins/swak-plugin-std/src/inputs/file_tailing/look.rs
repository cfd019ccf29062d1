//! Looking at the folders: which files are new, and which are gone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::discover::{Found, Scan, are_different};
use super::flux::DUST;
use super::folders::{Changes, folder_of};
use super::follow::Follower;
use super::followed::Followed;
use super::parked::Presence;
use super::position::Position;
use super::rotated::{Rotated, Sources};
use super::watch::Watched;
use crate::identity::FileId;

/// A file that is not followed.
#[derive(Clone)]
pub(super) struct New {
    pub(super) found: Found,
    /// A pattern names it.
    pub(super) is_named: bool,
    /// Whose rotation it is, where that was found with it.
    pub(super) source: Option<PathBuf>,
}

/// New files by their source.
type Groups = BTreeMap<PathBuf, Vec<New>>;

/// What a look finds.
struct Listing {
    scan: Scan,
    present: Present,
    sources: Sources,
    rotated: Rotated,
}

/// Which files there are.
#[derive(Default)]
struct Present {
    /// All that were found, with the times when they were made.
    files: HashMap<FileId, Option<i64>>,
    /// Those that patterns name.
    named: HashMap<FileId, Option<i64>>,
    new: Vec<New>,
}

impl Present {
    /// Whether a file was found that may be this one.
    fn has(files: &HashMap<FileId, Option<i64>>, id: FileId, born: Option<i64>) -> bool {
        files.get(&id).is_some_and(|found| !are_different(*found, born))
    }
}

impl Follower<'_> {
    /// Looks which files there are, and takes up those that are new.
    pub(super) fn scan(&mut self) {
        let mut began = (SystemTime::now(), Instant::now());
        self.parked.check_clock();
        let mut changes = Changes::of(self.known.keys());
        let mut there = self.list();
        let mut watched = self.watch_folders(&there.sources);
        if watched.anew {
            // What was changed before the system was asked to tell of it, it does not tell.
            began = (SystemTime::now(), Instant::now());
            changes = Changes::of(there.sources.iter());
            there = self.list();
            watched = self.watch_folders(&there.sources);
        }
        let Listing { scan, mut present, sources, rotated } = there;
        self.note_gone(&scan, &present);
        self.look_for_parked(&scan, &rotated, &mut present);
        let mut held = self.held();
        let groups = self.groups(std::mem::take(&mut present.new), &sources);
        let since = *self.in_flux.get_or_insert_with(Instant::now);
        let may_wait = since.elapsed() < MOST_FLUX && self.pace.follow;
        let first = self.next_number;
        let is_in_flux = self.are_in_flux(&groups, began) && may_wait;
        if is_in_flux || !self.take_up_all(groups, &mut held, may_wait) {
            self.next_scan = Instant::now() + DUST;
            return;
        }
        self.in_flux = None;
        if self.next_number > first {
            self.hold_begun(first, &changes.since());
        }
        self.release(&held);
        self.forget_what_is_gone(&present, began.1);
        let now = Instant::now();
        self.known.extend(sources.into_iter().map(|source| (source, now)));
        if !self.scanned && present.named.is_empty() && !scan.files.is_empty() {
            tracing::warn!(
                "all files that `path` matches are names of rotated files by `rotated`, so that none \
                 is followed"
            );
        }
        (self.scanned, self.is_first_start) = (true, false);
        self.next_scan = self.next_look(watched);
    }

    /// What there is, and what of it is new.
    fn list(&mut self) -> Listing {
        let scan = self.discovery.scan();
        let mut present = Present::default();
        // What `rotated` names too is found as such, unless it is named without wildcards.
        let literal: HashSet<PathBuf> = self.discovery.named().map(Path::to_owned).collect();
        let is_rotated =
            |found: &Found| self.rotations.is_named(&found.path) && !literal.contains(&found.path);
        let named: Vec<&Found> = scan.files.iter().filter(|found| !is_rotated(found)).collect();
        for found in named {
            // The same file by two names is followed once.
            if present.files.insert(found.id, found.born).is_none() {
                present.named.insert(found.id, found.born);
                self.meet(found, None, &mut present.new);
            }
        }
        let sources = self.sources(&present.new);
        self.set_targets(&scan.files);
        let rotated = self.rotations.find(&sources, &self.targets, &self.discovery);
        for (source, found) in &rotated.files {
            if present.files.insert(found.id, found.born).is_none() {
                self.meet(found, Some(source), &mut present.new);
            }
        }
        Listing { scan, present, sources, rotated }
    }

    /// Asks the system to tell what happens in all folders in which something may be found.
    fn watch_folders(&mut self, sources: &Sources) -> Watched {
        let folders = self.discovery.folders().chain(self.rotations.folders());
        let sources = sources.iter().chain(self.known.keys()).chain(self.targets.keys());
        self.watch.folders(folders.chain(sources.map(|source| folder_of(source))))
    }

    /// New files by their source.
    fn groups(&self, new: Vec<New>, sources: &Sources) -> Groups {
        let mut groups = Groups::new();
        for new in new {
            let named = || self.rotations.source_of(&new.found.path, sources, &self.targets);
            let source = new.source.clone().or_else(named).unwrap_or_else(|| {
                match self.parked.first_of_file(&new.found) {
                    Some((_, position)) => PathBuf::from(position.source()),
                    None => new.found.path.clone(),
                }
            });
            groups.entry(source).or_default().push(new);
        }
        groups
    }

    /// Whether some are being renamed just now.
    fn are_in_flux(&mut self, groups: &Groups, began: (SystemTime, Instant)) -> bool {
        let identity = self.settings.identity;
        groups.iter().any(|(source, group)| {
            let mut rotated =
                group.iter().filter(|new| new.found.path != *source).map(|new| &new.found);
            rotated.any(|found| {
                self.flux.is_in(folder_of(&found.path), began) || !found.is_there(identity)
            })
        })
    }

    /// See [`Follower::take_up`].
    fn take_up_all(&mut self, groups: Groups, held: &mut Vec<u64>, may_wait: bool) -> bool {
        let mut are_there = true;
        for (source, group) in groups {
            are_there &= self.take_up(&source, group, held, may_wait);
        }
        are_there
    }

    /// Lets files wait for one more look that are followed since this one, where something came or went in
    /// their folders since it began: it may be a copy of what was in one then, which is read before.
    fn hold_begun(&mut self, first: u64, changed: &[PathBuf]) {
        let is_one = |(_, file): &(&u64, &Followed)| {
            file.path.as_os_str() == file.source.as_str()
                && file.offset == 0
                && changed.iter().any(|folder| folder == folder_of(&file.path))
        };
        let all = self.files.range(first..).filter(is_one).map(|(number, _)| *number);
        all.collect::<Vec<_>>().into_iter().for_each(|number| self.hold(number));
    }

    /// Forgets what was known of files that are not there any more, as a look that began then found.
    fn forget_what_is_gone(&mut self, present: &Present, began: Instant) {
        // Without following, there is no other look.
        let wait = if self.pace.follow { self.pace.rotate_wait } else { Duration::ZERO };
        self.parked.expire(wait, began);
        self.waiting.judged.retain(|id, _| present.files.contains_key(id));
        self.unreadable.retain(|id| present.files.contains_key(id));
        self.begun_anew.retain(|id, _| present.files.contains_key(id));
        self.rotations.sweep();
        self.flux.sweep();
        self.known.retain(|_, seen| seen.elapsed() < FORGOTTEN);
    }

    /// When to look again, if nothing is told before.
    fn next_look(&self, watched: Watched) -> Instant {
        let is_unsettled =
            self.parked.has_orphans() || self.waiting.is_unsettled(self.pace.rotate_wait);
        let is_held = self.files.values().any(|file| file.is_held);
        let is_told = watched.all && !watched.anew;
        let wait = if is_held { self.pace.gather } else { self.rescan(is_told, is_unsettled) };
        let when = Instant::now() + wait;
        if wait > self.pace.rescan { self.together(when) } else { when }
    }

    /// A file that was found: followed already, or new. `source` is whose rotation it is, when no pattern
    /// names it.
    fn meet(&mut self, found: &Found, source: Option<&PathBuf>, new: &mut Vec<New>) {
        let is_named = source.is_none();
        let number = self.by_id.get(&found.id).copied();
        if let Some(number) = number
            && let Some(file) = self.files.get_mut(&number)
        {
            if found.may_be(file.id, file.born) {
                file.is_at(found);
                if is_named {
                    file.gone = None;
                }
                return;
            }
            // Its inode was used again: it was deleted.
            self.by_id.remove(&found.id);
        }
        new.push(New { found: found.clone(), is_named, source: source.cloned() });
    }

    /// Where the sources lie that are symbolic links.
    fn set_targets(&mut self, found: &[Found]) {
        let found = found.iter().filter_map(|found| Some((found.target.clone()?, &*found.path)));
        let parked = self.parked.targets();
        let followed = self.files.values();
        let followed =
            followed.filter_map(|file| Some((file.target.clone()?, Path::new(&file.source))));
        let targets = parked.chain(followed).chain(found);
        self.targets = targets.map(|(target, source)| (target, source.to_owned())).collect();
    }

    /// The paths under which files are written.
    fn sources(&self, new: &[New]) -> Sources {
        let mut sources: Sources = self.discovery.named().map(Path::to_owned).collect();
        sources.extend(self.parked.sources().map(PathBuf::from));
        sources.extend(self.files.values().map(|file| PathBuf::from(&file.source)));
        let mut all = sources.clone();
        all.extend(new.iter().filter(|new| new.is_named).map(|new| new.found.path.clone()));
        for new in new.iter().filter(|new| new.is_named) {
            if self.rotations.source_of(&new.found.path, &all, &self.targets).is_none() {
                sources.insert(new.found.path.clone());
            }
        }
        sources
    }

    /// Files to which no pattern leads any more are read to their ends.
    fn note_gone(&mut self, scan: &Scan, present: &Present) {
        let mut gone = Vec::new();
        for (number, file) in self.files.iter().filter(|(_, file)| file.gone.is_none()) {
            let is_being_deleted = || file.is_open && scan.is_being_deleted(&file.path);
            let is_named = Present::has(&present.named, file.id, file.born);
            if !is_named && (!scan.may_be_at(&file.path) || is_being_deleted()) {
                gone.push(*number);
            }
        }
        for number in gone {
            let Some(file) = self.files.get_mut(&number) else { continue };
            tracing::debug!(path = %file.path.display(), "renamed or deleted; reading what is left");
            file.gone = Some(Instant::now());
            file.read_again();
            let (id, born) = (file.id, file.born);
            if !file.is_open && !Present::has(&present.files, id, born) {
                // It can only be read under its new name.
                let target = file.target.as_deref().map(folder_of);
                let folders = std::iter::once(folder_of(&file.path)).chain(target);
                let found = folders.map(Path::to_owned).find_map(|folder| {
                    self.rotations.find_in_folder(&folder, |f| f.may_be(id, born)).ok()?
                });
                if let Some(found) = found {
                    file.is_at(&found);
                }
            }
            self.make_ready(number);
        }
    }

    /// Finds those that are not followed under names that nothing leads to, or knows that they are no
    /// more.
    fn look_for_parked(&mut self, scan: &Scan, rotated: &Rotated, present: &mut Present) {
        let is_first = !self.scanned;
        let rotations = &mut self.rotations;
        let mut elsewhere = Vec::new();
        // The number of a device changes when a machine starts anew; a moment does not come again.
        let inodes = present.files.iter().filter_map(|(id, born)| Some((id.inode, (*born)?)));
        let inodes: HashSet<(u64, i64)> = inodes.collect();
        let is_new = self.parked.look(
            |id, born| {
                Present::has(&present.files, id, born)
                    || born.is_some_and(|born| inodes.contains(&(id.inode, born)))
            },
            |position| {
                let target = position.target.as_deref().map(Path::new);
                let mut presence = Presence::Gone;
                for path in std::iter::once(Path::new(&position.path)).chain(target) {
                    if scan.may_be_at(path) || rotated.may_be_beside(path) {
                        return Presence::There;
                    }
                    let is_it = |found: &Found| found.may_be(position.id(), position.born);
                    match rotations.find_in_folder(folder_of(path), is_it) {
                        Ok(Some(found)) => {
                            elsewhere.push(New { found, is_named: false, source: None });
                            return Presence::There;
                        }
                        Ok(None) if is_unmounted(folder_of(path), position) => {
                            presence = Presence::Unmounted;
                        }
                        Ok(None) => {}
                        Err(_) => return Presence::There,
                    }
                }
                presence
            },
        );
        if is_new {
            self.waiting.new_orphans();
        }
        if is_first {
            for new in elsewhere {
                present.files.insert(new.found.id, new.found.born);
                present.new.push(new);
            }
        }
    }
}

/// How long it is known that there was a source of which nothing is left.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How long is waited for renames to be done.
const MOST_FLUX: Duration = Duration::from_millis(500);

/// Whether a folder may lie on a file system that is mounted at other times: nothing is in it, or it is
/// not there, and what is there is not on the device of the file.
fn is_unmounted(folder: &Path, position: &Position) -> bool {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    let there = folder.ancestors().find_map(|folder| FileId::of_path(folder).ok());
    is_empty && there.is_none_or(|id| id.device != position.id().device)
}

// Only there it is known when a folder was changed.
#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::inputs::file_tailing::harness::Still;

    #[test]
    fn what_is_begun_while_its_folder_changes_waits_for_one_more_look() {
        let still = Still::new();
        let mut follower = still.follower();
        let source = still.path("a.log");
        let folder = || vec![folder_of(&source).to_owned()];
        let changes = |follower: &Follower<'_>| Changes::of(follower.known.keys());
        still.write("a.log", "1\n");
        follower.scan();
        assert_eq!(changes(&follower).since(), Vec::<PathBuf>::new());
        // A change within the same tick of the clock is none.
        let changed = loop {
            let before = changes(&follower);
            still.write("b", "");
            std::fs::remove_file(still.path("b")).unwrap();
            match before.since() {
                none if none.is_empty() => {}
                changed => break changed,
            }
        };
        assert_eq!(changed, folder());
        follower.hold_begun(1, &changed);
        assert!(!follower.files[&0].is_held, "it was begun before");
        follower.hold_begun(0, &[]);
        assert!(!follower.files[&0].is_held, "nothing changed");
        follower.hold_begun(0, &changed);
        assert!(follower.files[&0].is_held);
        follower.scan();
        assert!(!follower.files[&0].is_held, "nothing is begun, so that it waits no longer");
    }
}
