//! What peers get that keep to no measure: messages without end, connections that say nothing or
//! break off.

mod common;

use std::io::Write;
use std::net::{TcpStream, UdpSocket};

use common::{connect, free_port};
use socket2::SockRef;
use swak_sdk::data::{Record, Value};
use swak_test::Bench;

fn bench() -> Bench {
    Bench::new(swak_plugin_syslog::register)
}

fn field(record: &Record, name: &str) -> Value {
    record.view().get(name).map_or(Value::Null, |v| v.into_owned())
}

#[test]
fn what_is_too_long_is_cut_says_so_and_is_counted() {
    let (tcp, udp) = (free_port(), free_port());
    let mut running = bench().input(&format!(
        "in.Syslog([\"tcp://127.0.0.1:{tcp}\", \"udp://127.0.0.1:{udp}\"], max_message=\"1k\")"
    ));
    let long = format!("<13>app: {}", "y".repeat(2000));
    let mut stream = connect(tcp);
    write!(stream, "{long}\n{} {long}<13>app: short\n", long.len()).unwrap();
    // The length is a lie: the peer leaves in the middle.
    stream.write_all(b"500 <13>app: less").unwrap();
    drop(stream);
    running.wait_for(4);
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    for message in [&*long, "<13>app: short", "no priority", &"y".repeat(2000)] {
        datagrams.send_to(message.as_bytes(), ("127.0.0.1", udp)).unwrap();
    }
    let records = running.wait_for(8);
    let cut = |records: &[Record]| {
        records.iter().map(|r| field(r, "truncated") == Value::Bool(true)).collect::<Vec<_>>()
    };
    assert_eq!(cut(&records[..4]), [true, true, false, true]);
    assert_eq!(cut(&records[4..]), [true, false, false, true]);
    let lengths: Vec<_> =
        records.iter().map(|r| field(r, "message").as_bytes().map_or(0, <[u8]>::len)).collect();
    let most = 1024 - "<13>app: ".len();
    assert_eq!(lengths, [most, most, 5, 4, most, 5, 11, 1024]);
    let ran = running.stop();
    // Two of them have no priority, which is another error.
    assert_eq!(ran.counters("1").errors, 5 + 2);
}

/// Linux tells how many datagrams it dropped.
#[cfg(target_os = "linux")]
#[test]
fn datagrams_that_the_system_drops_are_counted() {
    let port = free_port();
    let mut running = bench()
        .input(&format!("in.Syslog(\"udp://127.0.0.1:{port}\", mode=\"raw\", receive_buffer=1)"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    common::until(|| socket.send(b"").is_ok() && matches!(socket.take_error(), Ok(None)));
    let mut sent = 0;
    for _ in 0..20_000 {
        socket.send(b"<13>one of many").unwrap();
        sent += 1;
    }
    // What was dropped is told with the next that comes in.
    common::until(|| {
        socket.send(b"<13>last").unwrap();
        sent += 1;
        std::thread::sleep(std::time::Duration::from_millis(10));
        running.arrived().last().and_then(Record::line).is_some_and(|line| **line == *b"<13>last")
    });
    let ran = running.stop();
    let dropped: u64 = ran.counters("1").dropped.values().sum();
    assert!(dropped > 0, "so many do not fit into a buffer of two");
    // The empty datagrams of the beginning are no messages.
    assert_eq!(ran.records().len() as u64 + dropped, sent);
}

#[test]
fn a_message_without_end_takes_no_memory() {
    let port = free_port();
    let mut running =
        bench().input(&format!("in.Syslog(\"tcp://127.0.0.1:{port}\", mode=\"raw\")"));
    let mut streams = [connect(port), connect(port)];
    streams[1].write_all(b"9999999999 <13>app: ").unwrap();
    let before = most_memory();
    let block = vec![b'x'; 1 << 20];
    for stream in &mut streams {
        for _ in 0..100 {
            stream.write_all(&block).unwrap();
        }
    }
    streams[0].write_all(b"\n<13>and on it goes\n").unwrap();
    running.wait_for(3);
    let lines = running.stop().lines();
    assert!(lines.contains(&"<13>and on it goes".to_owned()));
    assert_eq!(lines.iter().filter(|line| line.len() == 64 << 10).count(), 2);
    let grown = most_memory() - before;
    assert!(grown < 32 << 20, "{grown} bytes more were taken");
}

/// The most memory that this process ever had, in bytes; always 0 where the system does not tell.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    kilobytes.expect("a number of kilobytes") * 1024
}

#[test]
fn peers_that_connect_and_say_nothing_keep_nobody_out() {
    let port = free_port();
    let mut running = bench().input(&format!(
        "in.Syslog(\"tcp://127.0.0.1:{port}\", max_connections=20, idle_when_full=\"50ms\", mode=\"raw\")"
    ));
    let mut talking = connect(port);
    talking.write_all(b"<13>first\n").unwrap();
    running.wait_for(1);
    // Silent all of them, and some leave at once, without a word of farewell.
    let silent: Vec<TcpStream> = (0..300).map(|_| connect(port)).collect();
    for stream in silent.iter().step_by(3) {
        SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
    drop(silent.into_iter().step_by(3).collect::<Vec<_>>());
    let rest: Vec<TcpStream> = (0..100).map(|_| connect(port)).collect();
    let mut last = connect(port);
    last.write_all(b"<13>last\n").unwrap();
    let lines = running.wait_for_lines(2);
    assert_eq!(lines, ["<13>first", "<13>last"]);
    drop(rest);
    let ran = running.stop();
    assert!(ran.counters("1").errors >= 1, "that all seats are taken is counted");
}

#[test]
fn a_connection_that_breaks_loses_nothing_that_came() {
    let port = free_port();
    let mut running =
        bench().input(&format!("in.Syslog(\"tcp://127.0.0.1:{port}\", mode=\"raw\")"));
    let mut sent = Vec::new();
    for i in 0..50 {
        let mut stream = connect(port);
        // In the middle of a length, of a message that is counted, and of one that is a line.
        let rest = ["12", "100 <13>half", "<13>half"][i % 3];
        write!(stream, "<13>whole {i}\n{rest}").unwrap();
        sent.push(format!("<13>whole {i}"));
        sent.push(rest.trim_start_matches("100 ").to_owned());
    }
    let mut lines = running.wait_for_lines(sent.len());
    lines.sort();
    sent.sort();
    assert_eq!(lines, sent);
    // A reset, which throws away what the system has not handed on, takes nothing that was read.
    let mut stream = connect(port);
    stream.write_all(b"<13>one\n<13>two").unwrap();
    running.wait_for(sent.len() + 1);
    SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
    let all = running.wait_for_lines(sent.len() + 2);
    assert_eq!(all[sent.len()..], ["<13>one", "<13>two"]);
    running.stop();
}
