//! A tar archive (POSIX ustar), compressed with gzip.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::Entry;
use crate::release::Moment;

/// The entries in one folder, compressed.
pub(super) fn gz(folder: &str, entries: &[Entry], moment: Moment) -> Vec<u8> {
    compress(&tar(&format!("{folder}/"), entries, moment))
}

/// The entries, each behind the prefix, and before them the folders that they are in.
pub(super) fn tar(prefix: &str, entries: &[Entry], moment: Moment) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    for entry in entries {
        let path = format!("{prefix}{}", entry.path);
        for (at, _) in path.match_indices('/') {
            if folders.insert(path[..=at].to_owned()) {
                add(&mut builder, &path[..=at], EntryType::Directory, 0o755, &[], moment);
            }
        }
        add(&mut builder, &path, EntryType::Regular, entry.mode, &entry.bytes, moment);
    }
    builder.into_inner().expect("writing to memory does not fail")
}

/// As gzip, without a time or a name (RFC 1952).
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(bytes).and_then(|()| writer.finish()).expect("writing to memory does not fail")
}

fn add(
    builder: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    mode: u16,
    bytes: &[u8],
    moment: Moment,
) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(u32::from(mode));
    header.set_mtime(u64::from(moment.seconds()));
    header.set_uid(0);
    header.set_gid(0);
    let root = header.set_username("root").and_then(|()| header.set_groupname("root"));
    root.expect("the name is short");
    header.set_size(bytes.len() as u64);
    // A long name gets an entry of its own before it (GNU).
    builder.append_data(&mut header, path, bytes).expect("writing to memory does not fail");
}
