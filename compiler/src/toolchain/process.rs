//! Asking a program something.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The most that is read of an answer, in bytes.
const LONGEST: u64 = 1 << 20;

/// What a program writes to standard output, when it ends well.
pub(super) fn ask<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Option<String> {
    ask_in(Path::new("."), program, arguments)
}

/// As [`ask`], of a program that is started in a folder.
pub(super) fn ask_in<A: AsRef<OsStr>>(
    folder: &Path,
    program: &Path,
    arguments: &[A],
) -> Option<String> {
    let asked = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = || String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    asked.status.success().then(text)
}

/// As [`ask`], of a program that may wait for something that never comes: after the time it is
/// ended and has said nothing.
pub(super) fn ask_within(time: Duration, program: &Path, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let (send, answer) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(LONGEST).read_to_end(&mut bytes);
        // Nobody listens any more when the time is over.
        drop(send.send(read.map(|_| bytes)));
    });
    let start = Instant::now();
    let answered = answer.recv_timeout(time);
    // One that has closed its output may still go on.
    while answered.is_ok() && start.elapsed() < time && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(Duration::from_millis(5));
    }
    // Of one that has ended, this does nothing.
    drop(child.kill());
    let ended = child.wait().ok()?;
    let bytes = answered.ok()?.ok()?;
    ended.success().then(|| String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// A command as a person types it in a shell.
pub(super) fn shown(program: &Path, arguments: &[OsString]) -> String {
    let words = std::iter::once(program.as_os_str()).chain(arguments.iter().map(AsRef::as_ref));
    let words: Vec<_> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    words.join(" ")
}

/// A word, quoted for a shell where that has to be.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| {
        c.is_alphanumeric() || "-_./=:,+@%".contains(c) || cfg!(windows) && "~\\".contains(c)
    };
    match word {
        "" => "''".to_owned(),
        word if word.chars().all(plain) => word.to_owned(),
        word if cfg!(windows) => format!("\"{word}\""),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_asked_and_one_that_hangs_is_not_waited_for() {
        let sh = Path::new("/bin/sh");
        assert_eq!(ask(sh, &["-c", "echo 1.2"]).as_deref(), Some("1.2"));
        assert_eq!(ask(sh, &["-c", "echo 1.2; exit 3"]), None);
        let within = |script| ask_within(Duration::from_secs(60), sh, &["-c", script]);
        assert_eq!(within("echo 1.2").as_deref(), Some("1.2"));
        assert_eq!(within("echo 1.2; exit 3"), None);
        assert_eq!(ask_within(Duration::from_millis(50), sh, &["-c", "exec sleep 600"]), None);
        let closed = ["-c", "exec >&-; exec sleep 600"];
        assert_eq!(ask_within(Duration::from_millis(50), sh, &closed), None);
        assert_eq!(ask::<&str>(Path::new("/nowhere/zig"), &[]), None);
    }

    #[test]
    fn a_command_can_be_typed_as_it_is_shown() {
        let words: Vec<OsString> = ["-m", "it's 1", "", r"a\b", "~"].map(OsString::from).into();
        let text = shown(Path::new("/a b/c"), &words);
        assert_eq!(text, r"'/a b/c' -m 'it'\''s 1' '' 'a\b' '~'");
        let said = ask(Path::new("/bin/sh"), &["-c", &format!("printf '%s|' {text}")]);
        assert_eq!(said.as_deref(), Some(r"/a b/c|-m|it's 1||a\b|~|"));
    }
}
