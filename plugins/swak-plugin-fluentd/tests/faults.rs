//! What networks, receivers and senders do to each other, and that nothing is lost by it.

mod common;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::input::Input;
use common::proxy::{Fault, Proxy};
use common::{
    ack, bench, chunk_of, connect, encode, event, event_of, free_port, read_ack, read_to_end, until,
};
use rmpv::Value;
use swak_sdk::ack::Outcome;
use swak_sdk::data::{Batch, Chunk, Record, RecordRef, Timestamp};
use swak_test::lines;

/// So many records in so many batches, each a line with its number.
fn numbered(batches: usize, each: usize) -> Vec<Batch> {
    let line = |i: usize| Record::from_line(format!("line {i}").into_bytes(), Timestamp::now());
    (0..batches).map(|b| Batch::new((b * each..(b + 1) * each).map(line).collect())).collect()
}

fn lines_of(chunk: &Chunk) -> Vec<usize> {
    let number = |record: RecordRef<'_>| {
        let message = record.get("message").expect("lines become the field `message`");
        let text = message.as_str().expect("it is text");
        text.strip_prefix("line ").and_then(|n| n.parse().ok()).expect("a numbered line")
    };
    chunk.iter().map(number).collect()
}

/// Receives until nothing comes any more and the sender has ended.
fn receive(input: &mut Input, sender: &thread::JoinHandle<()>, wanted: usize) -> Vec<usize> {
    let mut received = Vec::new();
    loop {
        match input.next_within(Duration::from_millis(100)) {
            Some(chunk) => {
                received.extend(lines_of(&chunk));
                chunk.settle(Outcome::Delivered);
            }
            None if sender.is_finished() && received.len() >= wanted => return received,
            None => {}
        }
    }
}

fn send(port: u16, options: &'static str, batches: usize, each: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let call =
            format!("out.Fluentd(\"127.0.0.1\", port={port}, ack_timeout=\"300ms\"{options})");
        let ran = bench().chain(&call, numbered(batches, each));
        assert_eq!(ran.counters("2").sent, (batches * each) as u64, "{:?}", ran.ended());
    })
}

#[test]
fn a_bad_network_loses_nothing_doubles_nothing_and_changes_no_order() {
    // Of each kind several, at different places: in the greeting of nothing, in messages, in acks.
    let mut faults = Vec::new();
    for i in 0..6 {
        faults.extend([
            Fault::CutUp(1 + i * 700),
            Fault::CutDown(i * 40 + 17),
            Fault::Garbled(3 + i * 41),
            Fault::Twice,
            Fault::Silent,
            Fault::Slow(1),
            Fault::CutDown(0),
        ]);
    }
    for options in ["", ", compress=\"gzip\"", ", mode=\"forward\"", ", mode=\"message\""] {
        let mut input = Input::start(&[]);
        let proxy = Proxy::start(input.port, faults.clone());
        let sender = send(proxy.port, options, 60, 20);
        let received = receive(&mut input, &sender, 1200);
        sender.join().expect("everything was sent");
        assert!(received.iter().copied().eq(0..1200), "{options}: {received:?}");
        assert!(proxy.connections() > 5, "{options}: the faults were met");
    }
}

#[test]
fn receivers_that_are_killed_lose_nothing_that_they_did_not_deliver() {
    let port = free_port();
    let sender = send(port, "", 100, 20);
    let mut delivered = Vec::new();
    for round in 0.. {
        let mut input = Input::start_at(port, Vec::new());
        // Each round gets a little further; what it has read and not delivered goes with it.
        for _ in 0..=round * 3 {
            let Some(chunk) = input.next_within(Duration::from_millis(300)) else { break };
            delivered.extend(lines_of(&chunk));
            chunk.settle(Outcome::Delivered);
        }
        if sender.is_finished() {
            break;
        }
        input.kill();
    }
    sender.join().expect("everything was sent");
    // One that was killed between delivery and ack has another deliver it again.
    delivered.sort_unstable();
    delivered.dedup();
    assert!(delivered.into_iter().eq(0..2000));
}

#[test]
fn a_slow_delivery_is_not_doubled_when_the_sender_loses_patience() {
    let mut input = Input::start(&[]);
    let proxy = Proxy::start(input.port, Vec::new());
    let sender = send(proxy.port, "", 1, 5);
    let chunk = input.next();
    // It is sent again and again meanwhile, on new connections.
    until(|| proxy.connections() >= 3);
    assert!(input.next_within(Duration::from_millis(50)).is_none());
    chunk.settle(Outcome::Delivered);
    assert!(receive(&mut input, &sender, 0).is_empty());
    sender.join().expect("the ack came to the last connection");
}

/// A receiver that answers each message as it is told to, one connection after the other.
struct Liar {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Liar {
    /// The first connections get these answers, which are given the chunk's id; the others the truth.
    fn start(answers: Vec<fn(&str) -> Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream: TcpStream = stream.expect("the listener is bound");
                let answer = answers.get(count.fetch_add(1, Ordering::SeqCst)).copied();
                while let Ok(message) = rmpv::decode::read_value(&mut stream) {
                    let answer = answer.unwrap_or(ack)(chunk_of(&message));
                    if stream.write_all(&answer).is_err() {
                        break;
                    }
                }
            }
        });
        Liar { port, connections }
    }
}

#[test]
fn a_receiver_that_lies_is_counted_and_left_and_the_records_are_kept() {
    let lies: Vec<fn(&str) -> Vec<u8>> = vec![
        |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        |_| b"\xc1".to_vec(),
        |_| ack("never asked for"),
        |_| ack("0123456789abcdef-0000000000000001"),
        |_| encode(&Value::from("ack")),
        |_| encode(&Value::Map(vec![("nack".into(), 1.into())])),
        |_| encode(&Value::Array(vec!["HELO".into(), Value::Map(vec![])])),
        |id| ack(id)[..10].to_vec(),
        // 4 GiB are announced.
        |_| b"\xc6\xff\xff\xff\xff".to_vec(),
    ];
    let n = lies.len();
    let liar = Liar::start(lies);
    let call = format!("out.Fluentd(\"127.0.0.1\", port={}, ack_timeout=\"3s\")", liar.port);
    let ran = bench().chain(&call, lines(["one", "two"]));
    assert_eq!(ran.counters("2").sent, 2, "{:?}", ran.ended());
    assert!(ran.counters("2").errors >= n as u64, "{:?}", ran.counters("2"));
    assert_eq!(liar.connections.load(Ordering::SeqCst), n + 1);
}

#[test]
fn an_ack_that_comes_twice_costs_the_connection_and_no_record() {
    let twice: fn(&str) -> Vec<u8> = |id| [ack(id), ack(id)].concat();
    let liar = Liar::start(vec![twice, twice]);
    let call = format!("out.Fluentd(\"127.0.0.1\", port={})", liar.port);
    let ran = bench().chain(&call, numbered(6, 2));
    assert_eq!(ran.counters("2").sent, 12, "{:?}", ran.ended());
}

#[test]
fn what_was_acknowledged_before_a_connection_broke_is_not_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let receiver = thread::spawn(move || {
        let mut received = Vec::new();
        // Two acks on each connection, then it breaks.
        while received.len() < 7 {
            let (mut stream, _) = listener.accept().expect("the listener is bound");
            for _ in 0..2 {
                let message = rmpv::decode::read_value(&mut stream).expect("a message comes");
                stream.write_all(&ack(message[3]["chunk"].as_str().expect("an id"))).unwrap();
                received.push(message[2]["message"].as_str().expect("a line").to_owned());
                if received.len() == 7 {
                    break;
                }
            }
            // What is unread would reset the connection, and the acks would be lost with it.
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            read_to_end(&mut stream);
        }
        received
    });
    let call = format!("out.Fluentd(\"127.0.0.1\", port={port}, mode=\"message\")");
    let ran = bench().chain(&call, numbered(1, 7));
    assert_eq!(ran.counters("2").sent, 7, "{:?}", ran.ended());
    let expected: Vec<_> = (0..7).map(|i| format!("line {i}")).collect();
    assert_eq!(receiver.join().expect("it got all"), expected);
}

/// A receiver that acknowledges a message after a while, and no more than so many in all.
fn slow_receiver(pause: Duration, most: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        let mut left = most;
        for stream in listener.incoming() {
            let mut stream = stream.expect("the listener is bound");
            count.fetch_add(1, Ordering::SeqCst);
            while let Ok(message) = rmpv::decode::read_value(&mut stream) {
                let Some(less) = left.checked_sub(1) else { continue };
                left = less;
                thread::sleep(pause);
                let _ = stream.write_all(&ack(message[3]["chunk"].as_str().expect("an id")));
            }
        }
    });
    (port, connections)
}

#[test]
fn a_receiver_that_is_slow_and_works_is_waited_for() {
    // A twentieth of a second for each of eighty messages, and three seconds for the whole chunk.
    const LIMITS: &str = "mode=\"message\", ack_timeout=\"3s\"";
    let calls: [fn(u16) -> String; 2] = [
        |port| format!("out.Fluentd(\"127.0.0.1:{port}\", {LIMITS}, timeout=\"3s\")"),
        |port| format!("failover(out.Fluentd(\"127.0.0.1:{port}\", {LIMITS}), timeout=\"3s\")"),
    ];
    thread::scope(|scope| {
        for call in calls {
            scope.spawn(move || {
                let (port, connections) = slow_receiver(Duration::from_millis(50), usize::MAX);
                let call = call(port);
                let ran = bench().chain(&call, numbered(1, 80));
                let counters = ran.counters("2");
                assert_eq!((counters.errors, counters.sent), (0, 80), "{call}: {:?}", ran.ended());
                assert_eq!(connections.load(Ordering::SeqCst), 1, "{call}");
            });
        }
    });
}

#[test]
fn a_receiver_that_hangs_after_a_good_beginning_is_left() {
    let (port, _) = slow_receiver(Duration::ZERO, 3);
    let mut good = Input::start(&[]);
    let call = format!(
        "failover(out.Fluentd(\"127.0.0.1:{port}\", mode=\"message\"), \
         out.Fluentd(\"127.0.0.1:{}\"), timeout=\"3s\")",
        good.port
    );
    let sender = thread::spawn(move || bench().chain(&call, numbered(1, 8)));
    let chunk = good.next();
    assert_eq!(lines_of(&chunk), (3..8).collect::<Vec<_>>(), "what the first has not acknowledged");
    chunk.settle(Outcome::Delivered);
    let ran = sender.join().expect("the other took it");
    let (hangs, took) = (ran.counters("2.1"), ran.counters("2.2"));
    assert_eq!((hangs.errors, hangs.sent, took.sent), (1, 3, 5));
}

#[test]
fn a_receiver_that_takes_nothing_holds_nobody_for_ever() {
    // Nobody accepts, and nobody reads: what the system takes is soon full.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let mut good = Input::start(&[]);
    let call = format!(
        "failover(out.Fluentd(\"127.0.0.1:{port}\", write_timeout=\"300ms\", ack_timeout=\"300ms\"), \
         out.Fluentd(\"127.0.0.1:{}\"))",
        good.port
    );
    let big = Record::from_line(vec![b'x'; 8 << 20], Timestamp::now());
    let sender = thread::spawn(move || {
        bench().chain(&call, vec![Batch::new(vec![big])]);
    });
    let chunk = good.next();
    assert_eq!(chunk.len(), 1);
    chunk.settle(Outcome::Delivered);
    sender.join().expect("the other took it");
}

#[test]
fn a_sender_that_resends_is_answered_and_not_delivered_twice() {
    let mut input = Input::start(&[]);
    let id = "0123456789abcdef-0000000000000001";
    let mut first = connect(input.port);
    first.write_all(&event(Some(id))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut first), id);
    // As if that ack had been lost.
    let mut second = connect(input.port);
    second.write_all(&event(Some(id))).unwrap();
    assert_eq!(read_ack(&mut second), id);
    // The same id with other events is another chunk.
    second.write_all(&event_of(2, Some(id))).unwrap();
    let chunk = input.next();
    assert_eq!(chunk.len(), 1);
    chunk.settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut second), id);
    assert_eq!(input.cx.counters().snapshot().received, 2);
}

#[test]
fn a_sender_that_resends_before_the_delivery_waits_for_it() {
    const ID: &str = "0123456789abcdef-0000000000000001";
    const OTHER: &str = "0123456789abcdef-0000000000000002";
    let mut input = Input::start(&[]);
    let mut first = connect(input.port);
    first.write_all(&event(Some(ID))).unwrap();
    let chunk = input.next();
    drop(first);
    let mut second = connect(input.port);
    second.write_all(&event(Some(ID))).unwrap();
    assert!(input.next_within(Duration::from_millis(100)).is_none());
    chunk.settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut second), ID);

    second.write_all(&event(Some(OTHER))).unwrap();
    let chunk = input.next();
    let mut third = connect(input.port);
    third.write_all(&event(Some(OTHER))).unwrap();
    assert!(input.next_within(Duration::from_millis(100)).is_none());
    chunk.settle(Outcome::Errored);
    assert_eq!(read_to_end(&mut third), b"", "it has the fate of the first");
    let mut fourth = connect(input.port);
    fourth.write_all(&event(Some(OTHER))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut fourth), OTHER);
}
