//! What the tests of this folder share.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod certificates;
pub(crate) mod input;
pub(crate) mod proxy;
pub(crate) mod sender;

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rmpv::Value;
use swak_test::Bench;

pub(crate) fn bench() -> Bench {
    Bench::new(swak_plugin_fluentd::register)
}

/// A port that nobody uses, neither of TCP nor of UDP.
///
/// Not one that the system picks: it gives such a port to somebody else as soon as it is free again,
/// and tests run side by side. These are below the ports that systems pick, and differ for each
/// process and call.
pub(crate) fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    loop {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let port =
            10_000 + (std::process::id().wrapping_mul(16).wrapping_add(call) % 20_000) as u16;
        let address = ("127.0.0.1", port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

/// Connects to a port on which somebody will listen soon.
pub(crate) fn connect(port: u16) -> TcpStream {
    let mut stream = None;
    until(|| {
        stream = TcpStream::connect(("127.0.0.1", port)).ok();
        stream.is_some()
    });
    stream.expect("it is connected")
}

/// Waits until it is done.
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it did not come about within a minute");
}

/// One event in Message mode.
pub(crate) fn event(chunk: Option<&str>) -> Vec<u8> {
    event_of(1, chunk)
}

/// One event in Message mode, whose field `a` is this.
pub(crate) fn event_of(a: i64, chunk: Option<&str>) -> Vec<u8> {
    let record = Value::Map(vec![("a".into(), a.into())]);
    let mut message = vec!["t".into(), 1_700_000_000.into(), record];
    message.extend(chunk.map(|chunk| Value::Map(vec![("chunk".into(), chunk.into())])));
    encode(&Value::Array(message))
}

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).expect("memory takes everything");
    bytes
}

pub(crate) fn ack(chunk: &str) -> Vec<u8> {
    encode(&Value::Map(vec![("ack".into(), chunk.into())]))
}

pub(crate) fn read_ack(stream: &mut impl Read) -> String {
    let ack = rmpv::decode::read_value(stream).expect("an ack comes");
    ack["ack"].as_str().expect("it names a chunk").to_owned()
}

/// The id of a message in any mode but Message.
pub(crate) fn chunk_of(message: &Value) -> &str {
    message[2]["chunk"].as_str().expect("an ack is asked for")
}

pub(crate) fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("it can be set");
    let silent = stream.read(&mut [0]).is_err();
    stream.set_read_timeout(None).expect("it can be set");
    silent
}

/// A peer that closes with bytes unread resets the connection, which is an end too.
pub(crate) fn read_to_end(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    bytes
}
