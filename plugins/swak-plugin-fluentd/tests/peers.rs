//! Both plugins against implementations of the Forward protocol that others wrote: the Node.js
//! library `@fluent-org/logger`, which is client and server, and Python's `fluent-logger`.

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use swak_sdk::data::{Record, Timestamp};
use swak_test::{Bench, Ran, records};

const INSTALL_NODE: &str = "npm ci --prefix plugins/swak-plugin-fluentd/tests/peers";
const INSTALL_PYTHON: &str = "python3 -m pip install \
    --target plugins/swak-plugin-fluentd/tests/peers/python \
    -r plugins/swak-plugin-fluentd/tests/peers/requirements.txt";

#[test]
fn the_node_client_is_understood_in_every_mode() {
    for mode in ["Message", "Forward", "PackedForward", "CompressedPackedForward"] {
        let ran = receive(|port| {
            let mut send = node("send.js");
            send.args([port.to_string(), mode.to_owned()]);
            send
        });
        expect_twenty(&ran, mode);
    }
}

#[test]
fn the_python_client_is_understood() {
    let ran = receive(|port| {
        assert!(peers().join("python").is_dir(), "the library is missing: {INSTALL_PYTHON}");
        let mut send = Command::new("python3");
        send.arg(peers().join("send.py")).arg(port.to_string());
        send
    });
    expect_twenty(&ran, "python");
}

#[test]
fn the_node_server_understands_and_acknowledges() {
    let mut server =
        node("receive.js").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap_or_else(
            |error| panic!("node cannot be run: {error}; apt-get install nodejs npm"),
        );
    let output = server.stdout.take().expect("it is piped");
    let mut said = BufReader::new(output).lines().map(|line| line.expect("it is text"));
    let port: u16 = said.next().expect("it says its port").parse().expect("a number");

    let line = |text: &[u8], n| Record::from_line(text, Timestamp::from_parts(1_700_000_000, n));
    let mut input = vec![line("héllo".as_bytes(), 1), line(b"caf\xe9", 999_999_999)];
    let fields = [("a", 1)].into_iter().collect();
    input.push(Record::from_fields(fields, Timestamp::from_parts(1_700_000_001, 0)));
    let call = format!("out.Fluentd(\"127.0.0.1\", port={port}, tag=\"{{{{ a or 'line' }}}}\")");
    let ran = Bench::new(swak_plugin_fluentd::register).chain(&call, records(input));
    assert_eq!(ran.counters("2").sent, 3, "{:?}", ran.ended());

    drop(server.stdin.take());
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            r#"["line",1700000000,1,{"message":"héllo"}]"#,
            r#"["line",1700000000,999999999,{"message":{"bytes":[99,97,102,233]}}]"#,
            r#"["1",1700000001,0,{"a":1}]"#,
        ]
    );
    assert!(server.wait().expect("it can be waited for").success());
}

/// Runs a client against `in.Fluentd` and gives what came of twenty events.
fn receive(client: impl FnOnce(u16) -> Command) -> Ran {
    let port = common::free_port();
    let mut running = Bench::new(swak_plugin_fluentd::register)
        .input(&format!("in.Fluentd(\"127.0.0.1:{port}\")"));
    drop(common::connect(port));
    let mut client = client(port);
    let status = client.status().unwrap_or_else(|error| panic!("{client:?}: {error}"));
    assert!(status.success(), "{client:?} ended with {status}");
    running.wait_for(20);
    running.stop()
}

fn expect_twenty(ran: &Ran, client: &str) {
    let mut found: Vec<_> = std::iter::zip(ran.tags(), ran.records()).collect();
    // Modes that pack send the events of each tag together.
    found.sort_by_key(|(_, record)| record.time());
    assert_eq!(found.len(), 20, "{client}");
    for (i, (tag, record)) in found.into_iter().enumerate() {
        assert_eq!(tag, format!("peer.tag{}", i % 2), "{client}");
        assert_eq!(record.time().seconds(), 1_700_000_000 + i as i64, "{client}");
        let mut json = Vec::new();
        record.view().write_json(&mut json);
        let big = "x".repeat(i * 100);
        let expected = format!(
            r#"{{"i":{i},"text":"héllo","list":[1,2.5,null],"map":{{"yes":true}},"big":"{big}"}}"#
        );
        assert_eq!(String::from_utf8(json).expect("JSON is UTF-8"), expected, "{client}");
    }
}

fn peers() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "peers"].iter().collect()
}

fn node(script: &str) -> Command {
    assert!(peers().join("node_modules").is_dir(), "the library is missing: {INSTALL_NODE}");
    let mut command = Command::new("node");
    command.arg(peers().join(script));
    command
}
