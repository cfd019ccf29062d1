use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use swak_sdk::options::Key;
use swak_test::{Bench, Running, fields, lines};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::*;

/// A peer on a port of its own.
struct Peer {
    listener: TcpListener,
    address: String,
}

impl Peer {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Peer { listener, address }
    }

    fn accept(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(Running::PATIENCE)).unwrap();
        stream
    }

    /// Takes one connection, and gives what came on it up to its end.
    fn read_to_end(self) -> JoinHandle<String> {
        thread::spawn(move || read_to_end(self.accept()))
    }

    fn output(&self, options: &[(&str, &str)]) -> Result<Tcp> {
        output(&self.address, options)
    }
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn read_exactly(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).unwrap();
    read
}

fn output(address: &str, options: &[(&str, &str)]) -> Result<Tcp> {
    let text = |text: &str| Literal::bare(LiteralValue::Str(text.to_owned()));
    let named = options.iter().map(|(name, value)| {
        let key = Key { name: (*name).to_owned(), span: Span::default() };
        (key, text(value))
    });
    let args = Args { positional: vec![text(address)], named: named.collect(), ..Args::default() };
    Tcp::new(TcpOptions::read(&args)?, &BuildContext::for_check())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn chunk<L: AsRef<[u8]>>(given: impl IntoIterator<Item = L>) -> Chunk {
    Chunk::new(lines(given))
}

/// More than the buffers of both sides hold.
fn large() -> (Chunk, String) {
    let chunk = chunk((0..1_500).map(|i| format!("{i:08} {}", "x".repeat(20_000))));
    let mut text = Vec::new();
    for record in chunk.iter() {
        text.extend_from_slice(record.line().unwrap());
        text.push(b'\n');
    }
    (chunk, String::from_utf8(text).unwrap())
}

#[test]
fn records_are_sent_in_each_format() {
    for (options, expected) in [
        ("", &b"{\"a\":1,\"b\":\"x\"}\none\n"[..]),
        (", format=\"json\"", b"{\"a\":1,\"b\":\"x\"}\n{\"message\":\"one\"}\n"),
        (", format=\"csv\", columns=[\"message\", \"b\"]", b"message,b\n,x\none,\n"),
        (", format=\"csv\", columns=\"b\", header=False", b"x\n\"\"\n"),
        (", format=\"template\", template=\"<{{ message }}>\"", b"<>\n<one>\n"),
        (", format=\"msgpack\"", b"\x82\xa1a\x01\xa1b\xa1x\x81\xa7message\xa3one"),
    ] {
        let peer = Peer::new();
        let call = format!("out.Tcp({:?}{options})", peer.address);
        let received = thread::spawn(move || {
            let mut bytes = Vec::new();
            peer.accept().read_to_end(&mut bytes).unwrap();
            bytes
        });
        let mut input = fields([r#"{"a":1,"b":"x"}"#]);
        input.extend(lines(["one"]));
        let ran = Bench::new(crate::register).chain(&call, input);
        assert_eq!(format!("{:?}", ran.ended()), "Finished", "{call}");
        let received = received.join().unwrap();
        assert_eq!(received.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

#[test]
fn more_than_all_buffers_hold_arrives_whole() {
    let peer = Peer::new();
    let mut output = peer.output(&[("send_buffer", "64k")]).unwrap();
    let received = peer.read_to_end();
    let (chunk, text) = large();
    runtime().block_on(async {
        let before = tokio::time::Instant::now();
        output.write(&chunk).await.unwrap();
        assert!(output.progress().unwrap().last(before) > before);
        output.close().await.unwrap();
    });
    assert!(received.join().unwrap() == text);
}

#[test]
fn a_peer_that_has_closed_is_noticed_before_the_next_chunk() {
    let peer = Peer::new();
    let options = [("format", "csv"), ("columns", "message")];
    let mut output = peer.output(&options).unwrap();
    let ((go, told), (closed, is_closed)) = (mpsc::channel(), mpsc::channel());
    let received = thread::spawn(move || {
        let mut first = peer.accept();
        let first_read = read_exactly(&mut first, 12);
        told.recv_timeout(Running::PATIENCE).unwrap();
        drop(first);
        closed.send(()).unwrap();
        (String::from_utf8(first_read).unwrap(), read_to_end(peer.accept()))
    });
    runtime().block_on(async {
        output.connect().await.unwrap();
        output.write(&chunk(["one"])).await.unwrap();
        go.send(()).unwrap();
        is_closed.recv_timeout(Running::PATIENCE).unwrap();
        // The system may tell of the end a moment later: then the write itself fails.
        while let Err(error) = output.write(&chunk(["two"])).await {
            assert!(matches!(error, WriteError::NotConnected(_)), "{error:?}");
            output.connect().await.unwrap();
        }
        output.write(&chunk(["three"])).await.unwrap();
        output.close().await.unwrap();
    });
    let (first, second) = received.join().unwrap();
    // Each connection has its header.
    assert_eq!((&*first, &*second), ("message\none\n", "message\ntwo\nthree\n"));
}

#[test]
fn a_chunk_that_is_cut_off_comes_again_from_its_beginning() {
    let peer = Peer::new();
    let mut output = peer.output(&[]).unwrap();
    let received = thread::spawn(move || {
        // What it has not read resets the connection.
        read_exactly(&mut peer.accept(), 100_000);
        read_to_end(peer.accept())
    });
    let (chunk, text) = large();
    runtime().block_on(async {
        output.connect().await.unwrap();
        let cut = output.write(&chunk).await;
        assert!(matches!(cut, Err(WriteError::NotConnected(_))), "{cut:?}");
        assert_eq!(output.delivered(), 0);
        output.connect().await.unwrap();
        output.write(&chunk).await.unwrap();
        output.close().await.unwrap();
    });
    assert!(received.join().unwrap() == text);
}

#[test]
fn a_write_that_is_given_up_leaves_no_connection_with_half_a_line() {
    let peer = Peer::new();
    let mut output = peer.output(&[]).unwrap();
    let (chunk, text) = large();
    let received = runtime().block_on(async {
        output.connect().await.unwrap();
        let first = peer.accept();
        {
            // Nobody reads, so it comes to no end.
            let mut write = std::pin::pin!(output.write(&chunk));
            let limit = Duration::from_millis(50);
            assert!(timeout(limit, &mut write).await.is_err());
        }
        assert!(text.starts_with(&read_to_end(first)));
        let received = peer.read_to_end();
        output.write(&chunk).await.unwrap();
        output.close().await.unwrap();
        received
    });
    assert!(received.join().unwrap() == text);
}

#[test]
fn a_peer_that_answers_is_listened_to() {
    let peer = Peer::new();
    let mut output = peer.output(&[]).unwrap();
    // It stops reading as soon as nobody reads its answers.
    let echoed = thread::spawn(move || {
        let stream = peer.accept();
        std::io::copy(&mut &stream, &mut &stream).unwrap()
    });
    let (chunk, text) = large();
    runtime().block_on(async {
        output.write(&chunk).await.unwrap();
        output.close().await.unwrap();
    });
    assert_eq!(echoed.join().unwrap(), text.len() as u64);
}

#[test]
fn closing_waits_until_the_peer_has_read_everything() {
    static HAS_READ: AtomicBool = AtomicBool::new(false);
    let peer = Peer::new();
    let mut output = peer.output(&[]).unwrap();
    let (go, told) = mpsc::channel();
    let received = thread::spawn(move || {
        let mut stream = peer.accept();
        stream.write_all(b"welcome\n").unwrap();
        told.recv_timeout(Running::PATIENCE).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        HAS_READ.store(true, Ordering::SeqCst);
        text
    });
    runtime().block_on(async {
        output.write(&chunk(["one", "two"])).await.unwrap();
        go.send(()).unwrap();
        output.close().await.unwrap();
    });
    assert!(HAS_READ.load(Ordering::SeqCst));
    assert_eq!(received.join().unwrap(), "one\ntwo\n");
}

#[test]
fn a_peer_that_does_not_close_is_told_of() {
    let peer = Peer::new();
    let mut output = peer.output(&[("close_timeout", "20ms")]).unwrap();
    let error = runtime().block_on(async {
        output.write(&chunk(["one"])).await.unwrap();
        output.close().await.unwrap_err()
    });
    let told = format!("{error:#}");
    assert!(told.starts_with(&peer.address) && told.contains("within 20ms"), "{told}");
}

#[test]
fn a_refused_connection_is_told_with_its_peer() {
    // A port that no one can listen on without being root, and that nobody does.
    let mut output = output("127.0.0.1:1", &[]).unwrap();
    let error = runtime().block_on(output.connect()).unwrap_err();
    let told = format!("{error:#}").to_lowercase();
    assert!(told.starts_with("127.0.0.1:1: ") && told.contains("refused"), "{told}");
}

#[test]
fn a_record_that_cannot_be_written_costs_no_connection() {
    let peer = Peer::new();
    let template = "{{ message + 1 }}";
    let mut output = peer.output(&[("format", "template"), ("template", template)]).unwrap();
    let received = peer.read_to_end();
    runtime().block_on(async {
        let refused = output.write(&chunk(["one"])).await;
        assert!(matches!(refused, Err(WriteError::Reject(_))), "{refused:?}");
        let number = fields([r#"{"message":2}"#]);
        output.write(&Chunk::new(number)).await.unwrap();
        output.close().await.unwrap();
    });
    assert_eq!(received.join().unwrap(), "3\n");
}

#[test]
fn wrong_options_are_told() {
    for (address, options, told) in [
        ("localhost", &[][..], "to which port? Write it behind the address: \"localhost:5140\""),
        ("localhost:0", &[], "to which port?"),
        ("localhost:1", &[("close_timeout", "0s")], "longer than nothing"),
        ("localhost:1", &[("send_buffer", "0")], "from 1 to 1g"),
        ("localhost:1", &[("columns", "a")], "`columns` are for format=\"csv\""),
    ] {
        let error = output(address, options).err().map(|error| format!("{error:#}"));
        assert!(error.as_ref().is_some_and(|e| e.contains(told)), "{address}: {error:?}");
    }
}
