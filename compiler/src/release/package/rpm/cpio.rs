//! The archive in an `.rpm`: cpio in its "new" ASCII form (cpio(5)), each path with `.` in front.

use std::fmt::Write as _;

use super::{File, Files, is_folder};

/// The archive, not compressed.
pub(super) fn archive(files: &Files) -> Vec<u8> {
    let mut out = Vec::new();
    for (inode, file) in (1..).zip(&files.list) {
        add(&mut out, inode, &format!(".{}", file.path), file, files.time);
    }
    let end = File { path: String::new(), bytes: Vec::new(), mode: 0, config: false };
    add(&mut out, 0, "TRAILER!!!", &end, 0);
    out
}

fn add(out: &mut Vec<u8>, inode: u32, path: &str, file: &File, time: u32) {
    let links = if is_folder(file) { 2 } else { 1 };
    let size = super::size(file.bytes.len());
    // The name's length counts the nought byte behind it.
    let name = super::size(path.len() + 1);
    let numbers = [inode, u32::from(file.mode), 0, 0, links, time, size, 0, 0, 0, 0, name, 0];
    let mut header = String::from("070701");
    for number in numbers {
        write!(header, "{number:08x}").expect("a string takes what is written to it");
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    // Name and bytes each end at a multiple of four.
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(&file.bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}
