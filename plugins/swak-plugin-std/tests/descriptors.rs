//! `in.FileTailing` with few descriptors. In a process of its own, because the limit is the process's.
// A test fails by panicking.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use swak_test::Bench;

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn more_files_than_descriptors_are_followed() {
    let (limit, files) = (256, 500);
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: hard }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let append = |file: usize, text: &str| {
        let path = folder.path().join(format!("{file}.log"));
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let out = folder.path().join("out");
    let recipe = format!(
        "task(in.FileTailing({:?}, rescan=\"50ms\", poll=\"5ms\"), out.File({:?}))",
        folder.path().join("*.log").to_str().unwrap(),
        out.to_str().unwrap()
    );
    let running = Bench::new(swak_plugin_std::register).start(&recipe);
    let lines = || fs::read_to_string(&out).unwrap_or_default().lines().count();
    let mut most = 0;
    let mut wait_for = |count: usize| {
        for _ in 0..3000 {
            most = most.max(open_descriptors());
            if lines() >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{count} lines did not come, but {}", lines());
    };
    for round in 1..=3 {
        for file in 0..files {
            append(file, &format!("{file} {round}\n"));
        }
        wait_for(files * round);
    }
    // One that is closed by now is renamed out of the pattern.
    append(0, "0 last\n");
    fs::rename(folder.path().join("0.log"), folder.path().join("0.log.1")).unwrap();
    wait_for(files * 3 + 1);
    running.stop();
    assert_eq!(lines(), files * 3 + 1);
    assert!(most < limit as usize - 64, "others need descriptors too: {most} were open");
}
