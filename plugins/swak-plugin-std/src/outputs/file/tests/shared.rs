//! Files that other agents write to as well.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use swak_test::lines;

use super::*;

/// Another agent appends this, and is killed if that is no whole record.
fn append(path: &str, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn write_line(output: &mut FileOutput, line: &str) -> Result<(), WriteError> {
    write_now(output, lines([line]).remove(0))
}

#[test]
fn what_another_agent_has_torn_meanwhile_spoils_nothing() {
    let folder = folder();
    let path = folder.path().join("out").display().to_string();
    let map =
        |text: &str| [b"\x81\xa7message", &[0xa0 + text.len() as u8][..], text.as_bytes()].concat();
    // A text of 4 GiB, of which there is little.
    let torn_map = b"\x81\xa7message\xdb\xff\xff\xff\xffx";
    let cases = [
        (&[][..], &b"tor"[..], b"one\ntor\ntwo\nthree\n".to_vec()),
        (
            &[("format", "csv"), ("columns", "message")],
            b"\"tor\n",
            b"message\none\n\"tor\n\"\ntwo\nthree\n".to_vec(),
        ),
        (&[("format", "msgpack")], torn_map, ["one", "two", "three"].map(map).concat()),
    ];
    for (options, torn, expected) in cases {
        let _ = fs::remove_file(&path);
        let mut kept_open = output_with(&path, options);
        write_line(&mut kept_open, "one").unwrap();
        append(&path, torn);
        write_line(&mut kept_open, "two").unwrap();
        // One that starts looks at all of it, and finds nothing to mend.
        write_line(&mut output_with(&path, options), "three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), expected, "{options:?}");
    }
}

#[test]
fn nothing_is_cut_while_another_process_has_the_lock() {
    let folder = folder();
    let path = folder.path().join("out").display().to_string();
    let torn = b"\x81\xa7message\xa3on";
    for (content, options, after) in [
        (&b"tor"[..], &[][..], &b"tor\ntwo\n"[..]),
        (b"old\n", &[("append", "False")], b"two\n"),
        (torn, &[("format", "msgpack")], b"\x81\xa7message\xa3two"),
    ] {
        fs::write(&path, content).unwrap();
        let other = File::open(&path).unwrap();
        other.lock().unwrap();
        let mut output = output_with(&path, options);
        let error = write_line(&mut output, "two").unwrap_err();
        assert!(matches!(error, WriteError::Retry(_)), "{error}");
        assert!(error.to_string().contains("another process has locked it"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), content);
        drop(other);
        write_line(&mut output, "two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), after);
    }
    // It may be no agent, and have it for long: where nothing is torn, nothing waits for it.
    fs::write(&path, "one\n").unwrap();
    let other = File::open(&path).unwrap();
    other.lock().unwrap();
    write_line(&mut output(&path), "two").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
}

#[test]
fn a_file_that_is_moved_while_it_is_waited_for_is_written_to_no_more() {
    let folder = folder();
    let [path, aside] = ["out", "out.drain"].map(|name| folder.path().join(name));
    let mut first = output(&path.display().to_string());
    write_line(&mut first, "one").unwrap();
    let other = File::open(&path).unwrap();
    other.lock().unwrap();
    let waits = std::thread::spawn(move || write_line(&mut first, "two"));
    fs::rename(&path, &aside).unwrap();
    drop(other);
    waits.join().unwrap().unwrap();
    let text = |path| fs::read_to_string(path).unwrap();
    assert_eq!((text(&aside).as_str(), text(&path).as_str()), ("one\n", "two\n"));
}
