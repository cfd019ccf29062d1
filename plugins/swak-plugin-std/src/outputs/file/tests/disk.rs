//! Disks that are full, folders that vanish.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use swak_test::lines;

use super::*;

/// A file system of its own, of 1 MiB.
struct Disk(TempDir);

impl Disk {
    /// `None` where this process may not mount anything.
    fn new() -> Option<Self> {
        let disk = Disk(folder());
        if disk.mount(&["-t", "tmpfs", "-o", "size=1m", "none"]) {
            return Some(disk);
        }
        println!("skipped: a file system can be mounted by root alone");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mount(&self, args: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        mount.args(args).arg(self.0.path());
        mount.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A hundred lines of a KiB.
fn many() -> (Batch, String) {
    let line = "x".repeat(1023);
    (lines([line.as_str(); 100]).remove(0), format!("{line}\n").repeat(100))
}

fn retried(output: &mut FileOutput, batch: Batch) -> String {
    let error = write_now(output, batch).unwrap_err();
    assert!(matches!(error, WriteError::Retry(_)), "{error}");
    error.to_string()
}

#[test]
fn a_full_disk_costs_no_line_and_tears_none() {
    for sync in ["never", "chunk"] {
        let Some(disk) = Disk::new() else { return };
        fs::write(disk.path("ballast"), vec![0; 700 << 10]).unwrap();
        let path = disk.path("out.log");
        let mut output = output_with(&path.display().to_string(), &[("sync", sync)]);
        let mut expected = String::new();
        let told = loop {
            let (batch, text) = many();
            match write_now(&mut output, batch) {
                Ok(()) => expected.push_str(&text),
                Err(error) => break error.to_string(),
            }
        };
        assert!(told.contains("cannot write to") && told.contains("No space left"), "{told}");
        // Whole chunks, however often it is tried.
        for _ in 0..3 {
            retried(&mut output, many().0);
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
        // Started again while the disk is full.
        output = output_with(&path.display().to_string(), &[("sync", sync)]);
        retried(&mut output, many().0);
        fs::remove_file(disk.path("ballast")).unwrap();
        let (batch, text) = many();
        write_now(&mut output, batch).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), expected + &text);
    }
}

#[test]
fn a_new_file_on_a_full_disk_is_written_when_there_is_room() {
    let Some(disk) = Disk::new() else { return };
    fs::write(disk.path("ballast"), vec![0; 1 << 20]).unwrap();
    let path = disk.path("a/b/{{ message }}.log").display().to_string();
    let mut output = output(&path);
    retried(&mut output, lines(["1", "2"]).remove(0));
    fs::remove_file(disk.path("ballast")).unwrap();
    write_now(&mut output, lines(["1", "2"]).remove(0)).unwrap();
    assert_eq!(read(&disk.path("a/b"), "1.log") + &read(&disk.path("a/b"), "2.log"), "1\n2\n");
}

#[test]
fn a_folder_that_becomes_writable_is_written_to() {
    let Some(disk) = Disk::new() else { return };
    // A file that is open for writing keeps its file system writable.
    assert!(disk.mount(&["-o", "remount,ro"]));
    let path = disk.path("logs/out.log");
    let mut output = output(&path.display().to_string());
    let told = retried(&mut output, lines(["two"]).remove(0));
    assert!(told.contains("cannot make") && told.contains("Read-only"), "{told}");
    assert!(disk.mount(&["-o", "remount,rw"]));
    write_now(&mut output, lines(["two"]).remove(0)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
}

#[test]
fn a_folder_that_vanishes_is_made_anew() {
    for sync in ["never", "chunk"] {
        let folder = folder();
        let path = folder.path().join("a/b/out.log");
        let mut output = output_with(&path.display().to_string(), &[("sync", sync)]);
        for text in ["one", "two"] {
            write_now(&mut output, lines([text]).remove(0)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{text}\n"));
            fs::remove_dir_all(folder.path().join("a")).unwrap();
        }
    }
}

#[test]
fn what_stands_in_the_way_is_waited_for() {
    let folder = folder();
    let (parent, path) = (folder.path().join("a"), folder.path().join("a/out.log"));
    let mut output = output(&path.display().to_string());
    write_now(&mut output, lines(["one"]).remove(0)).unwrap();
    let mut expect_wait = |make: &dyn Fn(&Path), remove: &dyn Fn(&Path), place: &Path| {
        fs::remove_file(&path).unwrap();
        if place == parent {
            fs::remove_dir(&parent).unwrap();
        }
        make(place);
        let told = retried(&mut output, lines(["two"]).remove(0));
        assert!(told.contains(&parent.display().to_string()), "{told}");
        remove(place);
        write_now(&mut output, lines(["two"]).remove(0)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    };
    let make_folder = |path: &Path| fs::create_dir(path).unwrap();
    let remove_folder = |path: &Path| fs::remove_dir(path).unwrap();
    expect_wait(&make_folder, &remove_folder, &path);
    let make_file = |path: &Path| fs::write(path, "").unwrap();
    let remove_file = |path: &Path| fs::remove_file(path).unwrap();
    expect_wait(&make_file, &remove_file, &parent);
}
