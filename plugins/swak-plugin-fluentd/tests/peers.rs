//! Both plugins against implementations of the Forward protocol that others wrote: the Node.js
//! library `@fluent-org/logger`, which is client and server, and the `fluent-logger` of Node.js,
//! Python and Go.

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::bench;
use swak_sdk::data::{Map, Record, Timestamp, Value};
use swak_test::{Ran, records};

const INSTALL_NODE: &str = "npm ci --prefix plugins/swak-plugin-fluentd/tests/peers";
const INSTALL_PYTHON: &str = "python3 -m pip install \
    --target plugins/swak-plugin-fluentd/tests/peers/python \
    -r plugins/swak-plugin-fluentd/tests/peers/requirements.txt";

const INSTALL_GO: &str = "apt-get install golang-go golang-github-fluent-fluent-logger-golang-dev";

/// The clients for Node.js, and the modes that they have.
const CLIENTS: [(&str, &[&str]); 2] = [
    ("send.js", &["Message", "Forward", "PackedForward", "CompressedPackedForward"]),
    ("send-logger.cjs", &["Message", "PackedForward", "CompressedPackedForward"]),
];

#[test]
fn the_node_clients_are_understood_in_every_mode() {
    for (client, modes) in CLIENTS {
        for mode in modes {
            let ran = receive("", |port| node(client, &[&port.to_string(), mode]));
            expect_twenty(&ran, &format!("{client} {mode}"));
        }
    }
}

#[test]
fn the_node_clients_are_let_in_with_key_user_and_password() {
    let security = r#"{"security": {"clientHostname": "client", "sharedKey": "key",
        "username": "ann", "password": "secret"}}"#;
    let options = ", shared_key=\"key\", self_hostname=\"server\", users={\"ann\": \"secret\"}";
    for (client, modes) in CLIENTS {
        let ran = receive(options, |port| node(client, &[&port.to_string(), modes[0], security]));
        expect_twenty(&ran, client);
    }
}

#[cfg(feature = "tls")]
#[test]
fn the_node_clients_are_understood_over_tls_with_certificates_of_their_own() {
    let files = common::certificates::Certificates::new();
    let of_client = format!(
        r#"{{"ca": "{}", "cert": "{}", "key": "{}"}}"#,
        files.text("ca.pem"),
        files.text("client.pem"),
        files.text("client-key.pem")
    );
    let options = format!(
        ", tls=True, tls_cert_file=\"{}\", tls_key_file=\"{}\", tls_client_ca_file=\"{}\"",
        files.text("server.pem"),
        files.text("server-key.pem"),
        files.text("ca.pem")
    );
    for (client, modes) in CLIENTS {
        let mode = modes.last().expect("each has some");
        let ran = receive(&options, |port| node(client, &[&port.to_string(), mode, &of_client]));
        expect_twenty(&ran, client);
    }
}

#[cfg(unix)]
#[test]
fn the_node_clients_are_understood_over_a_unix_socket() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    for (client, modes) in CLIENTS {
        let path = folder.path().join(format!("{client}.sock"));
        let json = format!(r#"{{"path": "{}"}}"#, path.display());
        let mut running = bench().input(&format!("in.Fluentd(unix_path=\"{}\")", path.display()));
        common::until(|| path.exists());
        run(node(client, &["0", modes[0], &json]));
        running.wait_for(20);
        expect_twenty(&running.stop(), client);
    }
}

#[test]
fn the_python_client_is_understood() {
    let ran = receive("", |port| {
        assert!(peers().join("python").is_dir(), "the library is missing: {INSTALL_PYTHON}");
        let mut send = Command::new("python3");
        send.arg(peers().join("send.py")).arg(port.to_string());
        send
    });
    expect_twenty(&ran, "python");
}

#[test]
fn the_go_client_is_understood() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let send = folder.path().join("send");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&send).arg(peers().join("send.go"));
    // Debian has its libraries there, without modules.
    build.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
    build.env("GOCACHE", folder.path().join("cache"));
    let built = build.status().unwrap_or_else(|error| panic!("go: {error}: {INSTALL_GO}"));
    assert!(built.success(), "the library is missing: {INSTALL_GO}");
    let client = |place: &str| {
        let mut client = Command::new(&send);
        client.arg(place);
        client
    };
    expect_twenty(&receive("", |port| client(&port.to_string())), "go");
    #[cfg(unix)]
    {
        let path = folder.path().join("go.sock");
        let mut running = bench().input(&format!("in.Fluentd(unix_path=\"{}\")", path.display()));
        common::until(|| path.exists());
        run(client(&path.display().to_string()));
        running.wait_for(20);
        expect_twenty(&running.stop(), "go");
    }
}

#[test]
fn the_node_server_understands_and_acknowledges_every_mode() {
    for options in ["", ", compress=\"gzip\"", ", mode=\"forward\"", ", mode=\"message\""] {
        expect_three("{}", options);
    }
}

#[test]
fn the_node_server_lets_us_in_with_key_user_and_password() {
    let server = r#"{"security": {"serverHostname": "server", "sharedKey": "key",
        "authorize": true, "userDict": {"ann": "secret"}}}"#;
    expect_three(server, ", shared_key=\"key\", username=\"ann\", password=\"secret\"");
    let server = r#"{"security": {"serverHostname": "server", "sharedKey": "key",
        "authorize": false, "userDict": {}}}"#;
    expect_three(server, ", shared_key=\"key\"");
}

#[cfg(feature = "tls")]
#[test]
fn the_node_server_is_spoken_to_over_tls() {
    let files = common::certificates::Certificates::new();
    let server = format!(
        r#"{{"tlsOptions": {{"key": "{}", "cert": "{}", "ca": "{}", "requestCert": true}}}}"#,
        files.text("server-key.pem"),
        files.text("server.pem"),
        files.text("ca.pem")
    );
    let options = format!(
        ", tls=True, tls_ca_file=\"{}\", tls_cert_file=\"{}\", tls_key_file=\"{}\"",
        files.text("ca.pem"),
        files.text("client.pem"),
        files.text("client-key.pem")
    );
    expect_three(&server, &options);
}

#[cfg(unix)]
#[test]
fn the_node_server_is_spoken_to_over_a_unix_socket() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let path = folder.path().join("server.sock");
    let server = format!(r#"{{"listenOptions": {{"path": "{}"}}}}"#, path.display());
    expect_three(&server, &format!(", unix_path=\"{}\"", path.display()));
}

/// Sends three records to a server with these options, and looks at what it got.
fn expect_three(server: &str, options: &str) {
    let mut server = Server(
        node("receive.js", &[server])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("node cannot be run: {error}; apt-get install nodejs npm")
            }),
    );
    let output = server.0.stdout.take().expect("it is piped");
    let mut said = BufReader::new(output).lines().map(|line| line.expect("it is text"));
    let port = said.next().expect("it says its port");
    // The port of a Unix socket is 0.
    let place = if port == "0" { String::new() } else { format!(", port={port}") };

    let line = |text: &[u8], n| Record::from_line(text, Timestamp::from_parts(1_700_000_000, n));
    let mut input = vec![line("héllo".as_bytes(), 1), line(b"caf\xe9", 999_999_999)];
    let fields = [("a", 1)].into_iter().collect();
    input.push(Record::from_fields(fields, Timestamp::from_parts(1_700_000_001, 0)));
    let call = format!("out.Fluentd(\"127.0.0.1\"{place}, tag=\"{{{{ a or 'line' }}}}\"{options})");
    let ran = bench().chain(&call, records(input));
    assert_eq!(ran.counters("2").sent, 3, "{options}: {:?}", ran.ended());

    drop(server.0.stdin.take());
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            r#"["line",1700000000,1,{"message":"héllo"}]"#,
            r#"["line",1700000000,999999999,{"message":{"bytes":[99,97,102,233]}}]"#,
            r#"["1",1700000001,0,{"a":1}]"#,
        ],
        "{options}"
    );
    assert!(server.0.wait().expect("it can be waited for").success());
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// Runs a client against `in.Fluentd` and gives what came of twenty events.
fn receive(options: &str, client: impl FnOnce(u16) -> Command) -> Ran {
    let port = common::free_port();
    let mut running = bench().input(&format!("in.Fluentd(\"127.0.0.1:{port}\"{options})"));
    drop(common::connect(port));
    run(client(port));
    running.wait_for(20);
    running.stop()
}

fn run(mut client: Command) {
    let status = client.status().unwrap_or_else(|error| panic!("{client:?}: {error}"));
    assert!(status.success(), "{client:?} ended with {status}");
}

fn expect_twenty(ran: &Ran, client: &str) {
    let mut found: Vec<_> = std::iter::zip(ran.tags(), ran.records()).collect();
    // Modes that pack send the events of each tag together.
    found.sort_by_key(|(_, record)| record.time());
    assert_eq!(found.len(), 20, "{client}");
    for (i, (tag, record)) in found.into_iter().enumerate() {
        assert_eq!(tag, format!("peer.tag{}", i % 2), "{client}");
        assert_eq!(record.time().seconds(), 1_700_000_000 + i as i64, "{client}");
        let fields = record.fields().expect("an event has fields");
        let list = Value::List(vec![1.into(), 2.5.into(), Value::Null]);
        let map: Map = [("yes", true)].into_iter().collect();
        // Not every language keeps the order of fields.
        for (name, value) in [
            ("i", Value::from(i as i64)),
            ("text", "héllo".into()),
            ("list", list),
            ("map", map.into()),
            ("big", "x".repeat(i * 100).into()),
        ] {
            assert_eq!(fields.get(name), Some(&value), "{client}: {name} of {i}");
        }
        assert_eq!(fields.len(), 5, "{client}");
    }
}

fn peers() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "peers"].iter().collect()
}

fn node(script: &str, args: &[&str]) -> Command {
    assert!(peers().join("node_modules").is_dir(), "the library is missing: {INSTALL_NODE}");
    let mut command = Command::new("node");
    command.arg(peers().join(script)).args(args);
    command
}
