//! `in.Syslog` over real sockets of the loopback interface.

mod common;

use std::io::Write;
use std::net::{TcpListener, UdpSocket};

use common::{connect, free_port, until};
use swak_sdk::data::{Record, Value};
use swak_test::Bench;

#[test]
fn it_keeps_what_all_plugins_promise() {
    swak_test::conformance(swak_plugin_syslog::register);
}

#[test]
fn udp_from_several_peers_keeps_the_order_of_each() {
    let port = free_port();
    let bench = Bench::new(swak_plugin_syslog::register);
    let mut running = bench.input(&format!("in.Syslog(\"udp://127.0.0.1:{port}\")"));
    let peers = [sender(port), sender(port), sender(port)];
    for i in 0..100 {
        for (p, peer) in peers.iter().enumerate() {
            let message = format!("<13>Nov 21 10:30:00 host{p} app[{p}]: {i}");
            peer.send(message.as_bytes()).unwrap();
        }
    }
    running.wait_for(300);
    let ran = running.stop();
    for p in 0..3 {
        let host = Value::from(format!("host{p}"));
        let of_peer = ran.records().into_iter().filter(|r| field(r, "hostname") == host);
        let messages: Vec<_> = of_peer.map(|r| text(&r, "message")).collect();
        assert_eq!(messages, (0..100).map(|i| i.to_string()).collect::<Vec<_>>());
    }
    let own: Vec<_> = peers.iter().map(|p| p.local_addr().unwrap().to_string()).collect();
    assert!(ran.sources().iter().all(|source| own.contains(source)), "the source is the peer");
}

#[test]
fn what_was_sent_before_the_stop_is_read() {
    let port = free_port();
    let bench = Bench::new(swak_plugin_syslog::register);
    let running = bench.input(&format!("in.Syslog(\"udp://127.0.0.1:{port}\")"));
    let peer = sender(port);
    for i in 0..200 {
        peer.send(format!("<13>app: {i}").as_bytes()).unwrap();
    }
    assert_eq!(running.stop().records().len(), 200);
}

#[test]
fn tcp_with_both_framings_and_bytes_that_are_no_text() {
    let (port, other) = (free_port(), free_port());
    let bench = Bench::new(swak_plugin_syslog::register);
    let mut running = bench.input(&format!(
        "in.Syslog([\"tcp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{other}\"], max_message=1000)"
    ));
    let mut stream = connect(port);
    stream.write_all(b"<13>app: one\n14 <13>app: two\nx<13>app: caf\xe9\0no priority\n").unwrap();
    stream.write_all(&[&b"<13>app: "[..], &[b'y'; 2000], b"\n<13>app: last"].concat()).unwrap();
    drop(stream);
    connect(other).write_all(b"12 <13>app: six").unwrap();
    let records = running.wait_for(7);
    running.stop();
    let mut messages: Vec<_> = records.iter().map(|r| field(r, "message")).collect();
    let six = messages.iter().position(|m| *m == Value::from("six")).expect("from the other port");
    messages.remove(six);
    let y = "y".repeat(1000 - "<13>app: ".len());
    let expected = [
        Value::from("one"),
        Value::from("two\nx"),
        Value::Bytes(b"caf\xe9"[..].into()),
        Value::from("no priority"),
        Value::from(y),
        Value::from("last"),
    ];
    assert_eq!(messages, expected);
    assert!(records.iter().any(|r| r.line().is_some()), "what has no priority stays a line");
}

#[test]
fn raw_messages_are_lines() {
    let port = free_port();
    let bench = Bench::new(swak_plugin_syslog::register);
    let mut running = bench.input(&format!("in.Syslog(\"tcp://127.0.0.1:{port}\", mode=\"raw\")"));
    connect(port).write_all(b"<13>app: one\nno syslog\n").unwrap();
    assert_eq!(running.wait_for_lines(2), ["<13>app: one", "no syslog"]);
    running.stop();
}

#[test]
fn peers_beyond_the_limit_wait_and_silent_ones_leave() {
    let port = free_port();
    let bench = Bench::new(swak_plugin_syslog::register);
    let mut running = bench.input(&format!(
        "in.Syslog(\"tcp://127.0.0.1:{port}\", max_connections=1, idle_timeout=\"500ms\", mode=\"raw\")"
    ));
    let mut first = connect(port);
    first.write_all(b"<13>one\n").unwrap();
    // The first stays open and silent; the second comes in all the same.
    let mut second = connect(port);
    second.write_all(b"<13>two\n").unwrap();
    assert_eq!(running.wait_for_lines(2), ["<13>one", "<13>two"]);
    running.stop();
    drop((first, second));
}

#[cfg(unix)]
#[test]
fn unix_sockets_of_both_kinds() {
    use std::os::unix::net::{UnixDatagram, UnixStream};

    let folder = tempfile::tempdir().unwrap();
    let (log, stream) = (folder.path().join("log"), folder.path().join("stream"));
    // Left by a process that was killed.
    drop(UnixDatagram::bind(&log).unwrap());
    let bench = Bench::new(swak_plugin_syslog::register);
    let call = format!(
        "in.Syslog([\"unixgram://{}\", \"unix://{}\"], mode=\"raw\")",
        log.display(),
        stream.display()
    );
    let mut running = bench.input(&call);
    let sender = UnixDatagram::unbound().unwrap();
    until(|| sender.send_to(b"<13>one", &log).is_ok());
    running.wait_for(1);
    until(|| UnixStream::connect(&stream).is_ok_and(|mut s| s.write_all(b"<13>two\n").is_ok()));
    assert_eq!(running.wait_for_lines(2), ["<13>one", "<13>two"]);
    let ran = running.stop();
    let paths = [&log, &stream].map(|p| p.display().to_string());
    assert_eq!(ran.sources(), paths);
    assert!(!log.exists() && !stream.exists(), "they go with the agent");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let bench = Bench::new(swak_plugin_syslog::register);
    let ran = bench.input(&format!("in.Syslog(\"tcp://127.0.0.1:{port}\")")).wait();
    let ended = format!("{:?}", ran.ended());
    assert!(ended.contains(&format!("cannot listen on tcp://127.0.0.1:{port}")), "{ended}");
}

#[test]
fn mistakes_are_told_at_their_place() {
    let bench = Bench::new(swak_plugin_syslog::register);
    let told = |call: &str, words: &str| {
        let mistakes = bench.mistakes(call);
        assert!(mistakes.contains(words), "{call}: {mistakes}");
    };
    told("in.Syslog(\"127.0.0.1:514\")", "does not begin with a protocol");
    told("in.Syslog([])", "names nothing to listen on");
    told("in.Syslog(idle_timeout=0)", "`idle_timeout` must be longer than nothing");
    told("in.Syslog(time_zone=\"Seoul\")", "unknown time zone `Seoul`");
    told("in.Syslog(mode=\"row\")", "did you mean `raw`?");
    told("in.Syslog(max_message=\"1\")", "from 256 bytes");
    // As the parsers of the std plugins have it.
    for zone in ["UTC", "Asia/Seoul", "+09:00", "-0330", "local"] {
        let call = format!("in.Syslog(time_zone={zone:?}, format=\"rfc5424\")");
        assert_eq!(bench.mistakes(&call), "");
    }
}

/// A socket of which the other end is there: the system tells a sender when nobody listens. An empty
/// datagram is no message.
fn sender(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket can be bound");
    socket.connect(("127.0.0.1", port)).expect("an address can be set");
    until(|| socket.send(b"").is_ok() && matches!(socket.take_error(), Ok(None)));
    socket
}

fn field(record: &Record, name: &str) -> Value {
    record.view().get(name).map_or(Value::Null, |v| v.into_owned())
}

fn text(record: &Record, name: &str) -> String {
    field(record, name).as_str().unwrap_or_default().to_owned()
}
