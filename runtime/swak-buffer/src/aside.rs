//! Files that are no part of the buffer any more, and stay for whoever wants to look.

use std::io;

use crate::format::segment_number;
use crate::storage::Storage;

/// What is put aside while the buffer is used is no more than so many files.
const MOST: usize = 4;

/// The number of the segment that was put aside under this name.
pub(crate) fn aside_number(name: &str) -> Option<u64> {
    let (segment, number) = name.split_once(".damaged")?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    segment_number(segment)
}

/// Gives a file a name under which it is no part of the buffer.
pub(crate) fn put_aside<S: Storage>(storage: &S, name: &str) -> io::Result<String> {
    let aside = free_name(storage, name)?;
    storage.rename(name, &aside)?;
    Ok(aside)
}

/// `NAME.damaged`, or with a number behind it where that is taken.
pub(crate) fn free_name<S: Storage>(storage: &S, name: &str) -> io::Result<String> {
    let mut n = 1;
    loop {
        let candidate = match n {
            1 => format!("{name}.damaged"),
            n => format!("{name}.damaged{n}"),
        };
        match storage.size(&candidate) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(candidate),
            Err(error) => return Err(error),
            Ok(_) => n += 1,
        }
    }
}

/// Removes the oldest of what was put aside, until it is within four files and `limit` bytes; the newest
/// stays whatever its size.
pub(crate) fn prune<S: Storage>(storage: &S, limit: u64) -> io::Result<()> {
    let mut bytes = 0u64;
    for (i, name) in newest_first(storage)?.iter().enumerate() {
        bytes = bytes.saturating_add(storage.size(name)?);
        if i > 0 && (i >= MOST || bytes > limit) {
            storage.remove(name)?;
        }
    }
    Ok(())
}

/// Removes all that was put aside, because the disk is full. `false` when there was nothing.
pub(crate) fn clear<S: Storage>(storage: &S) -> io::Result<bool> {
    let names = newest_first(storage)?;
    for name in &names {
        storage.remove(name)?;
    }
    Ok(!names.is_empty())
}

fn newest_first<S: Storage>(storage: &S) -> io::Result<Vec<String>> {
    let mut names: Vec<_> = storage
        .list()?
        .into_iter()
        .filter_map(|name| aside_number(&name).map(|number| (number, name.len(), name)))
        .collect();
    // `.damaged10` is newer than `.damaged9`.
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names.into_iter().map(|(_, _, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::segment_name;
    use crate::simulated::Simulated;
    use crate::storage::StoredFile;

    #[test]
    fn only_what_was_put_aside_has_such_a_name() {
        let name = segment_name(7);
        assert_eq!(aside_number(&format!("{name}.damaged")), Some(7));
        assert_eq!(aside_number(&format!("{name}.damaged12")), Some(7));
        for other in [&name, "position.damaged", &format!("{name}.damaged.gz")] {
            assert_eq!(aside_number(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_stay() {
        let disk = Simulated::new(1);
        for first in [3, 5, 5, 5, 9, 12] {
            let name = segment_name(first);
            disk.create(&name).unwrap().write_at(&[&[0; 100]], 0).unwrap();
            put_aside(&disk, &name).unwrap();
        }
        let left = |disk: &Simulated| -> Vec<_> {
            newest_first(disk)
                .unwrap()
                .iter()
                .map(|n| n[18..].replace(".seg.damaged", "-"))
                .collect()
        };
        prune(&disk, 1000).unwrap();
        assert_eq!(left(&disk), ["12-", "09-", "05-3", "05-2"]);
        prune(&disk, 250).unwrap();
        assert_eq!(left(&disk), ["12-", "09-"]);
        prune(&disk, 10).unwrap();
        assert_eq!(left(&disk), ["12-"]);
        assert!(clear(&disk).unwrap());
        assert!(!clear(&disk).unwrap());
    }
}
