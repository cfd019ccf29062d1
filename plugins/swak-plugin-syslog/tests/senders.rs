//! `in.Syslog` with senders that others wrote: util-linux's `logger` and Python's `logging`.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::Command;

use swak_sdk::data::Record;
use swak_test::{Bench, Running};

/// One listener of each kind, and what reaches it.
struct Bed {
    folder: tempfile::TempDir,
    port: u16,
    running: Running,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let port = common::free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let call = format!(
            "in.Syslog([\"udp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{port}\", \
             \"unixgram://{}\", \"unix://{}\"])",
            path("datagram"),
            path("stream"),
        );
        let running = Bench::new(swak_plugin_syslog::register).input(&call);
        let bed = Bed { folder, port, running };
        // The sockets are bound in order, and before any of them is read.
        common::until(|| bed.path("stream").exists());
        bed
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `logger` with these arguments and a text, and gives the record that comes of it.
    fn logger(&mut self, arguments: &str, text: &str) -> Record {
        let arguments = arguments.split_whitespace();
        run(Command::new("logger").args(arguments).arg(text), "apt-get install bsdutils");
        self.next()
    }

    fn next(&mut self) -> Record {
        let record = self.running.wait_for(1).pop();
        record.expect("it waited for one")
    }
}

fn run(command: &mut Command, install: &str) {
    let status = command.status().unwrap_or_else(|error| {
        panic!("{command:?} cannot be run: {error}; install it with `{install}`")
    });
    assert!(status.success(), "{command:?} ended with {status}");
}

fn field(record: &Record, name: &str) -> String {
    record.view().get(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn expect(record: &Record, fields: [(&str, &str); 5]) {
    for (name, value) in fields {
        assert_eq!(field(record, name), value, "{name} of {record:?}");
    }
}

/// `logger` writes the same message in both formats over every kind of socket.
#[test]
fn logger_over_every_kind_of_socket() {
    let sockets = |bed: &Bed| {
        [
            format!("--server 127.0.0.1 --port {} --udp", bed.port),
            format!("--server 127.0.0.1 --port {} --tcp", bed.port),
            format!("--server 127.0.0.1 --port {} --tcp --octet-count", bed.port),
            format!("--socket {} --udp", show(&bed.path("datagram"))),
            format!("--socket {} --tcp", show(&bed.path("stream"))),
        ]
    };
    for format in ["--rfc5424", "--rfc3164"] {
        for socket in 0..5 {
            let mut bed = Bed::new();
            let socket = &sockets(&bed)[socket];
            let arguments = format!("{socket} {format} --tag web --id=77 -p local3.warning");
            let record = bed.logger(&arguments, "caffè: 12 [ok]");
            expect(
                &record,
                [
                    ("facility", "local3"),
                    ("severity", "warning"),
                    ("app_name", "web"),
                    ("proc_id", "77"),
                    ("message", "caffè: 12 [ok]"),
                ],
            );
            let age = swak_sdk::data::Timestamp::now().seconds() - record.time().seconds();
            assert!((-5..600).contains(&age), "{arguments}: it is {age} seconds old");
            bed.running.stop();
        }
    }
}

#[test]
fn logger_with_structured_data() {
    let mut bed = Bed::new();
    let arguments = format!(
        "--server 127.0.0.1 --port {} --tcp --rfc5424=notq --msgid ID47 \
         --sd-id zoo@123 --sd-param tiger=\"hungry\" --sd-param zebra=\"run\\]ning\"",
        bed.port
    );
    let record = bed.logger(&arguments, "x");
    assert_eq!(field(&record, "msg_id"), "ID47");
    let mut json = Vec::new();
    record.view().write_json(&mut json);
    let json = String::from_utf8(json).unwrap();
    let expected = r#""structured_data":{"zoo@123":{"tiger":"hungry","zebra":"run]ning"}}"#;
    assert!(json.contains(expected), "{json}");
    bed.running.stop();
}

#[test]
fn python_over_every_kind_of_socket() {
    let script = r"
import logging, logging.handlers, socket, sys
kind, address = sys.argv[1], sys.argv[2]
address = ('127.0.0.1', int(address)) if address.isdigit() else address
handler = logging.handlers.SysLogHandler(
    address, logging.handlers.SysLogHandler.LOG_LOCAL5,
    socket.SOCK_STREAM if kind == 'stream' else socket.SOCK_DGRAM)
handler.ident = 'py[5]: '
logger = logging.getLogger('x')
logger.addHandler(handler)
logger.error('héllo')
handler.close()
";
    for (kind, is_path) in
        [("datagram", false), ("stream", false), ("datagram", true), ("stream", true)]
    {
        let mut bed = Bed::new();
        let address = if is_path { show(&bed.path(kind)) } else { bed.port.to_string() };
        let mut python = Command::new("python3");
        run(python.args(["-c", script, kind, &address]), "apt-get install python3");
        expect(
            &bed.next(),
            [
                ("facility", "local5"),
                ("severity", "err"),
                ("app_name", "py"),
                ("proc_id", "5"),
                ("message", "héllo"),
            ],
        );
        bed.running.stop();
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
