//! Memory is bounded, whatever lines look like.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::agent::Agent;

/// What an agent may take in KiB, in a build for tests: the 64 MiB that may be on their way, what lies
/// in the channels, and the program itself.
const MOST: usize = 192 << 10;

/// Reads a file to its end. Gives how many records there were, and how many errors.
fn read(make: impl Fn(&Path), options: &str) -> (usize, usize) {
    read_all("in.log", make, options)
}

/// Reads all files that a pattern names.
fn read_all(pattern: &str, make: impl Fn(&Path), options: &str) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("in.log");
    make(&path);
    let path = folder.path().join(pattern).display().to_string();
    let recipe = format!("task(in.FileTailing({path:?}, follow=False{options}), out.Null())");
    let said = Agent::start(&recipe, &folder.path().join("data")).finish();
    let number = |name: &str| -> usize {
        let value = said.lines().find_map(|line| line.strip_prefix(name));
        value.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no {name} in {said}"))
    };
    let peak = number("peak=");
    assert!(peak > 0 && peak < MOST, "{peak} KiB for {options:?}");
    (number("records="), number("errors="))
}

/// A file of a GiB without a line end that takes no room on the disk. One that ended in NUL bytes would
/// be waited for.
fn endless(path: &Path) {
    let mut file = File::create(path).expect("a file can be made");
    file.seek(SeekFrom::Start(1 << 30)).expect("a file can have holes");
    file.write_all(b"xx").expect("there is room");
}

#[test]
fn a_file_without_a_line_end_is_one_line_that_is_cut() {
    assert_eq!(read(endless, ""), (1, 1));
}

#[test]
fn a_file_of_nul_bytes_is_waited_for_in_no_memory() {
    assert_eq!(read(|path| File::create(path).unwrap().set_len(1 << 30).unwrap(), ""), (0, 0));
}

#[test]
fn so_it_is_with_two_bytes_a_character() {
    assert_eq!(read(endless, ", encoding=\"utf-16\""), (1, 1));
}

#[test]
fn so_it_is_where_lines_are_joined() {
    assert_eq!(read(endless, ", multiline=\"python\""), (1, 1));
}

#[test]
fn millions_of_empty_lines_are_as_many_records() {
    let lines = 10_000_000;
    assert_eq!(read(|path| fs::write(path, "\n".repeat(lines)).unwrap(), ""), (lines, 0));
}

#[test]
fn lines_that_all_belong_together_are_records_of_the_greatest_size() {
    let lines = 4_000_000;
    let make = |path: &Path| fs::write(path, " \n".repeat(lines)).unwrap();
    let options =
        ", multiline={\"preset\": \"indented\", \"max_lines\": 1000000, \"max_size\": \"4m\"}";
    // Each is marked as cut, but for the last one.
    assert_eq!(read(make, options), (4, 3));
}

#[test]
fn many_long_lines_are_cut_one_by_one() {
    let make = |path: &Path| {
        let mut file = File::create(path).unwrap();
        let line = [&[b'x'; 3 << 20][..], b"\n"].concat();
        (0..100).for_each(|_| file.write_all(&line).unwrap());
    };
    assert_eq!(read(make, ""), (100, 100));
}

#[test]
fn a_file_that_unpacks_to_a_thousand_times_its_size_takes_no_more() {
    let make = |path: &Path| {
        let file = File::create(path).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        let block = vec![b'x'; 1 << 20];
        for i in 0..200 {
            gzip.write_all(&block).unwrap();
            if i % 50 == 49 {
                gzip.write_all(b"\n").unwrap();
            }
        }
        gzip.finish().unwrap();
    };
    assert_eq!(read(make, ""), (4, 4));
}

#[test]
fn hundreds_of_compressed_files_are_unpacked_a_few_at_a_time() {
    const FILES: usize = 600;
    const LINES: usize = 1_200;
    let make = |path: &Path| {
        // More than is read of a file at once.
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(format!("{}\n", "x".repeat(1_000)).repeat(LINES).as_bytes()).unwrap();
        let bytes = gzip.finish().unwrap();
        (0..FILES).for_each(|i| fs::write(path.with_extension(format!("{i}.gz")), &bytes).unwrap());
    };
    assert_eq!(read_all("*.gz", make, ""), (FILES * LINES, 0));
}
