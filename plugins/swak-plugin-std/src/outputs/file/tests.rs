use std::fs;
use std::path::Path;
use std::sync::Arc;

use swak_sdk::prelude::*;
use swak_test::{Bench, Ran, fields, lines};
use tempfile::TempDir;

use super::FileOutput;

#[cfg(target_os = "linux")]
mod disk;
#[cfg(unix)]
mod shared;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for files")
}

/// Writes lines, one chunk for each, to `name` in a folder.
fn write(folder: &Path, name: &str, options: &str, input: &[&str]) -> Ran {
    let batches = input.iter().flat_map(|line| lines([line])).collect();
    let path = folder.join(name).display().to_string();
    let call = format!("out.LinedBuffer(1), out.File({path:?}{options})");
    let ran = Bench::new(crate::register).chain(&call, batches);
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    ran
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|e| format!("{name}: {e}"))
}

/// The names of all files below a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                names.push(name.replace('\\', "/"));
            }
        }
    }
    names.sort();
    names
}

/// An output made by hand, to be told when and what it writes.
pub(super) fn output(path: &str) -> FileOutput {
    output_with(path, &[])
}

fn output_with(path: &str, options: &[(&str, &str)]) -> FileOutput {
    output_of_run(path, options, &BuildContext::for_check())
}

/// That of a run, of which it knows what it goes on with.
fn output_of_run(path: &str, options: &[(&str, &str)], cx: &BuildContext) -> FileOutput {
    let text = |text: &str| Literal::bare(LiteralValue::Str(text.to_owned()));
    let key = |name: &str| Key { name: name.into(), span: Span::default() };
    let value = |value| match value {
        "False" => Literal::bare(LiteralValue::Bool(false)),
        other => text(other),
    };
    let named = options.iter().map(|(name, given)| (key(name), value(given))).collect();
    let args = Args { positional: vec![text(path)], named, ..Args::default() };
    let options = super::FileOptions::read(&args).expect("options of this test");
    FileOutput::new(options, cx).expect("options of this test")
}

fn write_now(output: &mut FileOutput, batch: Batch) -> Result<(), WriteError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(output.write(&batch.into()))
}

#[test]
fn folders_are_made_and_records_appended() {
    let folder = folder();
    write(folder.path(), "a/b/out.log", "", &["one", "two"]);
    write(folder.path(), "a/b/out.log", "", &["three"]);
    assert_eq!(read(folder.path(), "a/b/out.log"), "one\ntwo\nthree\n");
}

#[test]
fn a_torn_line_is_not_continued() {
    let folder = folder();
    let path = folder.path().join("out.log");
    for (before, options, after) in [
        ("whole\ntor", "", "whole\ntor\none\ntwo\n"),
        ("whole\n", "", "whole\none\ntwo\n"),
        ("tor", ", format=\"csv\", columns=\"message\"", "tor\none\ntwo\n"),
        ("\"tor\n", ", format=\"csv\", columns=\"message\"", "\"tor\n\"\none\ntwo\n"),
        ("\u{1}", ", format=\"msgpack\"", "\u{1}"),
        ("tor", ", append=False", "one\ntwo\n"),
    ] {
        fs::write(&path, before).unwrap();
        write(folder.path(), "out.log", options, &["one", "two"]);
        let found = fs::read(&path).unwrap();
        if options.contains("msgpack") {
            assert!(found.starts_with(b"\x01\x81\xa7message\xa3one\x81"), "{found:?}");
        } else {
            assert_eq!(String::from_utf8(found).unwrap(), after, "{before:?}{options}");
        }
    }
}

#[test]
fn a_torn_line_is_still_torn_when_a_write_was_taken_back() {
    let folder = folder();
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("a"), "tor").unwrap();
    let mut output = output(&format!("{}/{{{{ message }}}}", folder.path().display()));
    write_now(&mut output, lines(["a", "b"]).remove(0)).unwrap_err();
    assert_eq!(read(folder.path(), "a"), "tor");
    write_now(&mut output, lines(["a"]).remove(0)).unwrap();
    assert_eq!(read(folder.path(), "a"), "tor\na\n");
}

#[test]
fn without_append_a_file_is_emptied_once() {
    let folder = folder();
    fs::write(folder.path().join("out.log"), "old\n").unwrap();
    write(folder.path(), "out.log", ", append=False", &["one", "two"]);
    assert_eq!(read(folder.path(), "out.log"), "one\ntwo\n");
}

#[test]
fn a_run_after_a_failure_empties_nothing() {
    let folder = folder();
    let path = folder.path().join("out.log").display().to_string();
    let options = [("append", "False")];
    fs::write(&path, "old\n").unwrap();
    let counters = Arc::default();
    let run = |resumes| {
        let cx = BuildContext::new("task", "2", "", false, Arc::clone(&counters)).resuming(resumes);
        output_of_run(&path, &options, &cx)
    };
    // Its input could not start, so that nothing came.
    drop(run(false));
    for (text, resumes, after) in
        [("one", true, "one\n"), ("two", true, "one\ntwo\n"), ("three", false, "three\n")]
    {
        let mut output = run(resumes);
        write_now(&mut output, lines([text]).remove(0)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
        assert!(output.hands_back().is_err() && output.writes_to().unwrap().alone.is_some());
    }
}

#[test]
fn a_csv_header_that_was_written_in_part_is_written_anew() {
    let folder = folder();
    let options = ", format=\"csv\", columns=[\"message\", \"b\"]";
    for torn in ["m", "message,", "message,b"] {
        fs::write(folder.path().join("out.csv"), torn).unwrap();
        write(folder.path(), "out.csv", options, &["one"]);
        assert_eq!(read(folder.path(), "out.csv"), "message,b\none,\n", "{torn}");
    }
}

/// Writes three long lines of one letter, in several parts: runs that need no copy, and line ends between
/// them.
fn write_chunk(output: &mut FileOutput, letter: &str) {
    let long = || lines([letter.repeat(20_000)]).remove(0);
    let chunk = Chunk::new(vec![long(), long(), long()]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(output.write(&chunk)).unwrap();
}

/// Two have written a hundred such chunks each, and none stands in another.
fn holds_whole_chunks(path: &str) {
    let text = fs::read_to_string(path).unwrap();
    let all: Vec<&str> = text.lines().collect();
    assert_eq!(all.len(), 600);
    for chunk in all.chunks(3) {
        assert!(chunk.iter().all(|line| line.len() == 20_000 && *line == chunk[0]));
    }
}

#[test]
fn two_outputs_append_whole_chunks_to_one_file() {
    let folder = folder();
    let path = folder.path().join("out.log").display().to_string();
    let run = |letter: &'static str| {
        let path = path.clone();
        move || {
            let mut output = output(&path);
            for _ in 0..100 {
                write_chunk(&mut output, letter);
            }
        }
    };
    let other = std::thread::spawn(run("a"));
    run("b")();
    other.join().unwrap();
    holds_whole_chunks(&path);
}

#[test]
#[cfg(unix)]
fn two_agents_append_whole_chunks_to_one_file() {
    const OTHER: &str = "SWAK_TEST_APPENDS_TO";
    // Turns are a process's own, so that this test runs itself again as the other one.
    let append = |path: &str, letter: &str| {
        for _ in 0..100 {
            // Opened anew each time, it is looked at how the file ends.
            let mut output = output(path);
            write_chunk(&mut output, letter);
        }
    };
    if let Ok(path) = std::env::var(OTHER) {
        return append(&path, "a");
    }
    let folder = folder();
    let path = folder.path().join("out.log").display().to_string();
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outputs::file::tests::two_agents_append_whole_chunks_to_one_file"])
        .env(OTHER, &path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !Path::new(&path).exists() {
        assert!(other.try_wait().unwrap().is_none(), "it writes to the file before it ends");
    }
    append(&path, "b");
    assert!(other.wait().unwrap().success());
    holds_whole_chunks(&path);
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_not_synced() {
    let mut output = output_with("/dev/null", &[("sync", "chunk")]);
    write_now(&mut output, lines(["one"]).remove(0)).unwrap();
}

#[test]
#[cfg(unix)]
fn rotation_moves_the_file_and_not_the_link_to_it() {
    let folder = folder();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere/out", folder.path().join("out.log")).unwrap();
    write(folder.path(), "out.log", ", rotate_size=4", &["one", "two", "six"]);
    let expected = ["elsewhere/out", "elsewhere/out.1", "elsewhere/out.2", "out.log"];
    assert_eq!(names(folder.path()), expected);
    assert_eq!(read(folder.path(), "out.log"), "six\n");
}

#[test]
fn every_format() {
    let folder = folder();
    for (name, options, expected) in [
        ("raw", "", "{\"a\":1}\n{\"a\":2}\n"),
        ("json", ", format=\"json\"", "{\"a\":1}\n{\"a\":2}\n"),
        ("csv", ", format=\"csv\", columns=[\"a\", \"b\"]", "a,b\n1,\n2,\n"),
        (
            "plain",
            ", format=\"csv\", columns=[\"a\", \"b\"], header=False, delimiter=\";\"",
            "1;\n2;\n",
        ),
        ("template", ", format=\"template\", template=\"<{{ a }}>\"", "<1>\n<2>\n"),
        ("msgpack", ", format=\"msgpack\"", "\u{0}"),
    ] {
        let path = folder.path().join(name).display().to_string();
        let call = format!("out.LinedBuffer(1), out.File({path:?}{options})");
        Bench::new(crate::register).chain(&call, fields([r#"{"a":1}"#, r#"{"a":2}"#]));
        if name == "msgpack" {
            assert_eq!(fs::read(path).unwrap(), b"\x81\xa1a\x01\x81\xa1a\x02");
        } else {
            assert_eq!(read(folder.path(), name), expected, "{name}");
        }
    }
}

#[test]
fn a_csv_header_stands_once_in_each_file() {
    let folder = folder();
    let options = ", format=\"csv\", columns=\"message\", rotate_size=\"14\"";
    write(folder.path(), "out.csv", options, &["one", "two", "three"]);
    write(folder.path(), "out.csv", options, &["x", "y"]);
    let all =
        ["out.csv.3", "out.csv.2", "out.csv.1", "out.csv"].map(|name| read(folder.path(), name));
    let expected = ["one", "two", "three", "x\ny"].map(|rows| format!("message\n{rows}\n"));
    assert_eq!(all, expected);
}

#[test]
fn a_template_gives_each_record_its_file() {
    let folder = folder();
    let path = format!("{}/{{{{ host }}}}/{{{{ tag }}}}.log", folder.path().display());
    let input = fields([
        r#"{"host":"a","n":1}"#,
        r#"{"host":"b","n":2}"#,
        r#"{"host":"a","n":3}"#,
        r#"{"host":"../../x","n":4}"#,
        r#"{"n":5}"#,
    ]);
    let call =
        format!("out.File({path:?}, format=\"template\", template=\"{{{{ n }}}}\", max_open=1)");
    Bench::new(crate::register).chain(&call, input);
    assert_eq!(names(folder.path()), ["__/__/x/test.log", "a/test.log", "b/test.log", "test.log"]);
    assert_eq!(read(folder.path(), "a/test.log"), "1\n3\n");
}

#[test]
fn rotation_by_size_keeps_so_many() {
    let folder = folder();
    let all = ["one", "two", "three", "four", "five"];
    let ran = write(folder.path(), "out.log", ", rotate_size=8, rotate_keep=2", &all);
    assert_eq!(ran.counters("3").errors, 0);
    assert_eq!(names(folder.path()), ["out.log", "out.log.1", "out.log.2"]);
    assert_eq!(read(folder.path(), "out.log.2"), "three\n");
    assert_eq!(read(folder.path(), "out.log.1"), "four\n");
    assert_eq!(read(folder.path(), "out.log"), "five\n");
}

#[test]
fn rotation_by_time_moves_a_file_of_yesterday_away() {
    let folder = folder();
    let path = folder.path().join("out.log");
    fs::write(&path, "old\n").unwrap();
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    fs::File::options().append(true).open(&path).unwrap().set_modified(yesterday).unwrap();
    write(folder.path(), "out.log", ", rotate_every=\"1d\"", &["new"]);
    assert_eq!(read(folder.path(), "out.log.1"), "old\n");
    assert_eq!(read(folder.path(), "out.log"), "new\n");
}

#[test]
fn synced_files_hold_the_same() {
    let folder = folder();
    write(folder.path(), "out.log", ", sync=\"chunk\"", &["one", "two"]);
    assert_eq!(read(folder.path(), "out.log"), "one\ntwo\n");
}

#[test]
#[cfg(unix)]
fn a_file_that_was_moved_or_deleted_is_made_anew() {
    let folder = folder();
    let path = folder.path().join("out.log");
    let mut output = output(&path.display().to_string());
    write_now(&mut output, lines(["one"]).remove(0)).unwrap();
    fs::rename(&path, folder.path().join("moved")).unwrap();
    write_now(&mut output, lines(["two"]).remove(0)).unwrap();
    fs::remove_file(&path).unwrap();
    write_now(&mut output, lines(["three"]).remove(0)).unwrap();
    assert_eq!(read(folder.path(), "moved"), "one\n");
    assert_eq!(read(folder.path(), "out.log"), "three\n");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_with_path_and_reason() {
    let mut output = output("/dev/full");
    let error = write_now(&mut output, lines(["one"]).remove(0)).unwrap_err();
    assert!(matches!(error, WriteError::Retry(_)));
    let told = error.to_string();
    assert!(told.contains("/dev/full") && told.contains("No space left"), "{told}");
}

#[test]
fn a_folder_in_the_way_is_an_error_with_path_and_reason() {
    let folder = folder();
    let mut output = output(&folder.path().display().to_string());
    let error = write_now(&mut output, lines(["one"]).remove(0)).unwrap_err();
    assert!(matches!(error, WriteError::Retry(_)));
    assert!(error.to_string().contains(&format!("cannot open {}", folder.path().display())));
}

#[test]
fn a_chunk_for_several_files_is_written_to_all_or_none() {
    let folder = folder();
    fs::create_dir(folder.path().join("b")).unwrap();
    fs::write(folder.path().join("a"), "before\n").unwrap();
    let mut output = output(&format!("{}/{{{{ message }}}}", folder.path().display()));
    let error = write_now(&mut output, lines(["a", "b"]).remove(0)).unwrap_err();
    assert!(error.to_string().contains("cannot open"), "{error}");
    assert_eq!(read(folder.path(), "a"), "before\n");
    fs::remove_dir(folder.path().join("b")).unwrap();
    write_now(&mut output, lines(["a", "b"]).remove(0)).unwrap();
    assert_eq!(read(folder.path(), "a"), "before\na\n");
    assert_eq!(read(folder.path(), "b"), "b\n");
}

#[test]
#[cfg(unix)]
fn a_name_that_no_file_can_have_is_the_records_fault() {
    let folder = folder();
    let mut output = output(&format!("{}/{{{{ message }}}}.log", folder.path().display()));
    write_now(&mut output, lines(["a"]).remove(0)).unwrap();
    for name in ["a.log/b".to_owned(), "a/".repeat(5000)] {
        let error = write_now(&mut output, lines([name]).remove(0)).unwrap_err();
        assert!(matches!(error, WriteError::Reject(_)), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_written_half_is_taken_back() {
    const LIMITED: &str = "SWAK_TEST_FILE_SIZE_LIMIT";
    // A limit holds for a whole process, so this test runs itself again as one: beyond 1024 bytes a
    // write stops in the middle, and the next one is an error.
    let Ok(path) = std::env::var(LIMITED) else {
        let folder = folder();
        let path = folder.path().join("out.log");
        fs::write(&path, "before\n").unwrap();
        let status = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$@\"", "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "outputs::file::tests::what_is_written_half_is_taken_back"])
            .env(LIMITED, &path)
            .status();
        assert!(status.unwrap().success());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\none\n");
        return;
    };
    let mut output = output(&path);
    let error = write_now(&mut output, lines(["x".repeat(2000)]).remove(0)).unwrap_err();
    assert!(error.to_string().contains("cannot write to"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "before\n");
    write_now(&mut output, lines(["one"]).remove(0)).unwrap();
}

#[test]
fn a_template_that_fails_rejects_the_chunk() {
    let folder = folder();
    let mut output = output(&format!("{}/{{{{ 1 / message }}}}", folder.path().display()));
    let error = write_now(&mut output, lines(["0"]).remove(0)).unwrap_err();
    assert!(matches!(error, WriteError::Reject(_)), "{error}");
}

#[test]
fn mistakes_are_told() {
    for (options, message) in [
        ("\"\"", "`path` is empty"),
        ("\"/var/log/\"", "`path` is a folder"),
        ("\"x\", rotate_size=0", "`rotate_size` is 0"),
        ("\"x\", rotate_every=\"10ms\"", "`rotate_every` is shorter than a second"),
        ("\"x\", rotate_keep=0", "rotate_keep"),
        ("\"x\", max_open=0", "max_open"),
        ("\"x\", sync=\"always\"", "always"),
        ("\"x\", format=\"csv\"", "columns="),
        ("\"{{ a\"", "not a template"),
    ] {
        let told = Bench::new(crate::register).mistakes(&format!("out.File({options})"));
        assert!(told.contains(message), "{options}:\n{told}");
    }
}
