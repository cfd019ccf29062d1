//! What is kept of a task across the lives of its agent: positions and ledger, in one file, so that
//! they never contradict each other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use swak_buffer::{make_folders, sync_folder};
use swak_sdk::data::Name;
use swak_sdk::ledger::{Count, GivenUp, Sheet};

/// What is kept of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The task's name.
    pub task: String,
    /// The positions of its input.
    pub positions: BTreeMap<String, String>,
    /// Its ledger.
    pub sheet: Sheet,
}

/// Where the books of a task lie, newest first by name. Each is a whole file with a checksum; the
/// highest generation that is whole counts.
const FILES: [&str; 4] = [NEW, "state", "state.old", SPARE];

/// Written over while it has this name, so that a kill may leave half of it.
const NEW: &str = "state.new";

/// The books before the old ones, or where those were shorter, nothing but as many bytes. The next ones
/// are written into the room that they have: on a full disk there is no other.
const SPARE: &str = "state.spare";

/// The books of a task in its folder, as they were found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The newest that are whole.
    pub(crate) books: Option<Books>,
    pub(crate) generation: u64,
    /// Files that are there and are not whole, although no kill leaves them so.
    pub(crate) damaged: Vec<PathBuf>,
    /// The file that holds the newest.
    newest: Option<&'static str>,
}

/// Reads the books of every task in an agent's data folder, in the order of their names. They may be
/// those of a running agent, which writes them each second.
///
/// # Errors
/// When the folder cannot be read, or the books of a task cannot be.
pub fn read_all(data_dir: &Path) -> io::Result<Vec<Books>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(data_dir)? {
        let folder = entry?.path();
        if folder.is_dir() {
            let found = find(&folder)?;
            if found.books.is_none() && !found.damaged.is_empty() {
                let text = format!("{} is damaged", folder.join(FILES[1]).display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            all.extend(found.books);
        }
    }
    all.sort_by(|a, b| a.task.cmp(&b.task));
    Ok(all)
}

/// Looks for the books in the folder of a task.
pub(crate) fn find(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let (mut torn, mut unreadable) = (Vec::new(), None);
    for name in FILES {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => match decode(&bytes) {
                // Of equal ones the first: the others are what it was written over.
                Some((generation, books))
                    if found.books.is_none() || generation > found.generation =>
                {
                    (found.generation, found.books) = (generation, Some(books));
                    found.newest = Some(name);
                }
                Some(_) => {}
                None if [NEW, SPARE].contains(&name) => torn.push(path),
                None => found.damaged.push(path),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            // A bad place on the disk.
            Err(error) => {
                found.damaged.push(path);
                unreadable = Some(error);
            }
        }
    }
    if let (None, Some(error)) = (&found.books, unreadable) {
        return Err(error);
    }
    // Where there are no others, half of the first ones says that there was something.
    if found.books.is_none() {
        found.damaged.append(&mut torn);
    }
    Ok(found)
}

/// Gives the newest books their name if they have another, after a kill or when all others are damaged:
/// what is written next must not be written over them.
pub(crate) fn finish(folder: &Path, found: &Found) -> io::Result<()> {
    match found.newest {
        Some(NEW) => name_new(folder),
        Some(SPARE) => {
            fs::rename(folder.join(SPARE), folder.join(NEW))?;
            name_new(folder)
        }
        _ => Ok(()),
    }
}

/// Writes the books as this generation. A crash leaves those before or these; the generations before are
/// kept, for the case that the disk damages these. On a full disk they are written too, where a file can
/// be written over in its place: on most systems, but not where each write takes new room.
pub(crate) fn write(folder: &Path, generation: u64, books: &Books) -> io::Result<()> {
    use std::io::Write;
    make_folders(folder)?;
    let new = folder.join(NEW);
    if !new.exists() {
        rename_if_there(&folder.join(SPARE), &new)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&new)?;
    let room = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let (bytes, wanted) = encode(generation, books, room);
    file.write_all(&bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()?;
    drop(file);
    name_new(folder)?;
    // If there is no room for more now, the next ones take what they need.
    let _ = grow(&folder.join(SPARE), wanted);
    Ok(())
}

/// The new books get their name, those before are the old ones, and the old ones are spare.
fn name_new(folder: &Path) -> io::Result<()> {
    let [new, current, old, spare] = FILES.map(|name| folder.join(name));
    rename_if_there(&old, &spare)?;
    rename_if_there(&current, &old)?;
    fs::rename(&new, &current)?;
    sync_folder(folder)
}

/// Lets a file be at least so long, and loses nothing of it if that fails.
fn grow(path: &Path, length: usize) -> io::Result<()> {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    let room = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    file.write_all(&vec![0; length.saturating_sub(room)])
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts files aside that are not whole, and gives their new names.
pub(crate) fn put_aside(damaged: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let put = |path: &PathBuf| {
        let name = path.file_name().expect("it was found under a name").to_string_lossy();
        let aside = path.with_file_name(format!("{name}.damaged"));
        fs::rename(path, &aside).map(|()| aside)
    };
    damaged.iter().map(put).collect()
}

const MAGIC: &str = "swak-state 1";

/// Files are as long as so many bytes, or several times as long.
const BLOCK: usize = 4096;

/// One line that says what follows, then JSON, then empty lines up to the room that the file has, unless
/// that is too little or far too much. And how much room is wanted: as much again, to grow.
fn encode(generation: u64, books: &Books, room: usize) -> (Vec<u8>, usize) {
    let mut body = format!("{generation}\n").into_bytes();
    serde_json::to_writer(&mut body, &Stored::from(books)).expect("text and numbers are JSON");
    body.push(b'\n');
    let head = MAGIC.len() + " 01234567\n".len();
    let needed = head + body.len();
    let wanted = (2 * needed).next_multiple_of(BLOCK);
    let length = if (needed..wanted * 4).contains(&room) { room } else { wanted };
    body.resize(length - head, b'\n');
    let mut file = format!("{MAGIC} {:08x}\n", crc32fast::hash(&body)).into_bytes();
    file.append(&mut body);
    (file, wanted)
}

fn decode(file: &[u8]) -> Option<(u64, Books)> {
    let (head, body) = split_line(file)?;
    let checksum = std::str::from_utf8(head).ok()?.strip_prefix(MAGIC)?.strip_prefix(' ')?;
    if u32::from_str_radix(checksum, 16).ok()? != crc32fast::hash(body) {
        return None;
    }
    let (generation, json) = split_line(body)?;
    let generation = std::str::from_utf8(generation).ok()?.parse().ok()?;
    let stored: Stored = serde_json::from_slice(json).ok()?;
    Some((generation, stored.into()))
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// The books as JSON. Counts are pairs: records, bytes.
#[derive(Serialize, Deserialize)]
struct Stored {
    task: String,
    positions: BTreeMap<String, String>,
    ledger: StoredSheet,
}

#[derive(Serialize, Deserialize)]
struct StoredSheet {
    received: (u64, u64),
    copies: (u64, u64),
    found: (u64, u64),
    again: (u64, u64),
    delivered: (u64, u64),
    in_flight: (u64, u64),
    in_flight_once: (u64, u64),
    filtered: Vec<(String, u64, u64)>,
    buffered: Vec<(String, u64, u64)>,
    dropped: Vec<(String, String, u64, u64)>,
    #[serde(default)]
    given_up: BTreeMap<String, StoredGivenUp>,
}

#[derive(Serialize, Deserialize)]
struct StoredGivenUp {
    since: u64,
    counts: Vec<(String, u64, u64)>,
}

impl From<&Books> for Stored {
    fn from(books: &Books) -> Self {
        let sheet = &books.sheet;
        let pair = |count: Count| (count.records, count.bytes);
        let places = |counts: &BTreeMap<Name, Count>| {
            counts.iter().map(|(place, c)| (place.to_string(), c.records, c.bytes)).collect()
        };
        let dropped = |((place, reason), count): (&(Name, Name), &Count)| {
            (place.to_string(), reason.to_string(), count.records, count.bytes)
        };
        Stored {
            task: books.task.clone(),
            positions: books.positions.clone(),
            ledger: StoredSheet {
                received: pair(sheet.received),
                copies: pair(sheet.copies),
                found: pair(sheet.found),
                again: pair(sheet.again),
                delivered: pair(sheet.delivered),
                in_flight: pair(sheet.in_flight),
                in_flight_once: pair(sheet.in_flight_once),
                filtered: places(&sheet.filtered),
                buffered: places(&sheet.buffered),
                dropped: sheet.dropped.iter().map(dropped).collect(),
                given_up: sheet
                    .given_up
                    .iter()
                    .map(|(place, GivenUp { since, counts })| {
                        (place.to_string(), StoredGivenUp { since: *since, counts: places(counts) })
                    })
                    .collect(),
            },
        }
    }
}

impl From<Stored> for Books {
    fn from(stored: Stored) -> Self {
        let ledger = stored.ledger;
        let count = |(records, bytes)| Count { records, bytes };
        let places = |counts: Vec<(String, u64, u64)>| {
            counts.into_iter().map(|(place, r, b)| (Name::from(place), count((r, b)))).collect()
        };
        let dropped = |(place, reason, records, bytes): (String, String, u64, u64)| {
            ((Name::from(place), Name::from(reason)), count((records, bytes)))
        };
        Books {
            task: stored.task,
            positions: stored.positions,
            sheet: Sheet {
                received: count(ledger.received),
                copies: count(ledger.copies),
                found: count(ledger.found),
                again: count(ledger.again),
                delivered: count(ledger.delivered),
                in_flight: count(ledger.in_flight),
                in_flight_once: count(ledger.in_flight_once),
                filtered: places(ledger.filtered),
                buffered: places(ledger.buffered),
                dropped: ledger.dropped.into_iter().map(dropped).collect(),
                given_up: ledger
                    .given_up
                    .into_iter()
                    .map(|(place, StoredGivenUp { since, counts })| {
                        (Name::from(place), GivenUp { since, counts: places(counts) })
                    })
                    .collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(position: &str) -> Books {
        let count = Count { records: 2, bytes: 30 };
        let place = Name::from("2 out.Filter");
        Books {
            task: "web".into(),
            positions: [("a".to_owned(), position.to_owned())].into(),
            sheet: Sheet {
                received: Count { records: 6, bytes: 90 },
                filtered: [(place.clone(), count)].into(),
                buffered: [("3 out.DiskBuffer".into(), count)].into(),
                dropped: [((place.clone(), "odd".into()), count)].into(),
                given_up: [(place, GivenUp { since: 7, counts: [("odd".into(), count)].into() })]
                    .into(),
                ..Sheet::default()
            },
        }
    }

    #[test]
    fn books_are_written_into_the_room_that_they_have() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = || -> Vec<u64> {
            let length = |name| folder.path().join(name).metadata().map_or(0, |about| about.len());
            FILES.iter().map(length).collect()
        };
        write(folder.path(), 1, &books("1")).unwrap();
        assert_eq!(lengths(), [0, 4096, 0, 4096]);
        for generation in 2..=4 {
            write(folder.path(), generation, &books("1")).unwrap();
        }
        assert_eq!(lengths(), [0, 4096, 4096, 4096]);
        // Half of it is there: that is no damage, and its room is used all the same.
        fs::write(folder.path().join(NEW), [b'?'; 4096]).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!((found.generation, found.damaged.len()), (4, 0));
        // What still fits takes no more, and what is written next has the room that it wants.
        write(folder.path(), 5, &books(&"long".repeat(600))).unwrap();
        assert_eq!(lengths(), [0, 4096, 4096, 8192]);
        write(folder.path(), 6, &books(&"long".repeat(1100))).unwrap();
        assert_eq!(lengths(), [0, 8192, 4096, 12288]);
        assert_eq!(find(folder.path()).unwrap().generation, 6);
    }

    #[test]
    fn the_newest_are_named_before_others_are_written() {
        let folder = tempfile::tempdir().unwrap();
        for generation in 1..=3 {
            write(folder.path(), generation, &books(&generation.to_string())).unwrap();
        }
        // A kill between the renames.
        fs::rename(folder.path().join("state"), folder.path().join(NEW)).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!((found.generation, &found.books), (3, &Some(books("3"))));
        finish(folder.path(), &found).unwrap();
        assert!(!folder.path().join(NEW).exists());
        finish(folder.path(), &find(folder.path()).unwrap()).unwrap();
        fs::write(folder.path().join(NEW), "half of the next").unwrap();
        assert_eq!(find(folder.path()).unwrap().generation, 3);
    }

    #[test]
    fn the_last_that_are_whole_are_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        for generation in 1..=3 {
            write(folder.path(), generation, &books(&generation.to_string())).unwrap();
        }
        for name in ["state", "state.old"] {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        let found = find(folder.path()).unwrap();
        assert_eq!(found.books, Some(books("1")));
        finish(folder.path(), &found).unwrap();
        // A kill in the middle of the next write.
        fs::write(folder.path().join(NEW), "swak-sta").unwrap();
        assert_eq!(find(folder.path()).unwrap().books, Some(books("1")));
    }

    #[test]
    fn what_the_disk_cannot_read_is_put_aside_when_there_are_others() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1, &books("1")).unwrap();
        // Nothing reads a folder as a file.
        fs::create_dir(folder.path().join("state.old")).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!(found.books, Some(books("1")));
        assert_eq!(found.damaged, [folder.path().join("state.old")]);
        fs::remove_file(folder.path().join("state")).unwrap();
        assert!(find(folder.path()).is_err());
    }

    #[test]
    fn the_newest_whole_books_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        for generation in 1..=3 {
            write(folder.path(), generation, &books(&generation.to_string())).unwrap();
        }
        let found = find(folder.path()).unwrap();
        assert_eq!((found.generation, found.books), (3, Some(books("3"))));
        assert!(found.damaged.is_empty());
        // Every byte is covered.
        let whole = fs::read(path("state")).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 1 << (i % 8);
            assert_eq!(decode(&bytes), None, "byte {i}");
        }
        fs::write(path("state"), &whole[1..]).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!((found.generation, found.books), (2, Some(books("2"))));
        assert_eq!(found.damaged, [path("state")]);
        // A crash between the renames, and one before them.
        fs::rename(path("state.old"), path("state.new")).unwrap();
        assert_eq!(find(folder.path()).unwrap().generation, 2);
        fs::write(path("state"), whole).unwrap();
        fs::write(path("state.new"), "swak-sta").unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!((found.generation, found.damaged.len()), (3, 0));
        // Where nothing is whole it is all that tells of others.
        for name in ["state", "state.old", "state.spare"] {
            let _ = fs::remove_file(path(name));
        }
        assert_eq!(find(folder.path()).unwrap().damaged, [path("state.new")]);
    }

    #[test]
    fn an_agents_books_are_read_in_order() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(".lock"), "").unwrap();
        fs::create_dir(data.path().join("empty")).unwrap();
        for task in ["b", "a"] {
            let books = Books { task: task.into(), ..books("1") };
            write(&data.path().join(task), 1, &books).unwrap();
        }
        let tasks: Vec<_> = read_all(data.path()).unwrap().into_iter().map(|b| b.task).collect();
        assert_eq!(tasks, ["a", "b"]);
        fs::write(data.path().join("a/state"), "?").unwrap();
        assert!(read_all(data.path()).unwrap_err().to_string().ends_with("state is damaged"));
    }
}
