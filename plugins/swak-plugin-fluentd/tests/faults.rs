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
use swak_sdk::options::LiteralValue;
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
    let call = format!("out.Fluentd(\"127.0.0.1\", port={}, ack_timeout=\"500ms\")", liar.port);
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
    // Half a second for each of eight messages, and two seconds for the whole chunk.
    const LIMITS: &str = "mode=\"message\", ack_timeout=\"1500ms\"";
    let calls: [fn(u16) -> String; 2] = [
        |port| format!("out.Fluentd(\"127.0.0.1:{port}\", {LIMITS}, timeout=\"2s\")"),
        |port| format!("failover(out.Fluentd(\"127.0.0.1:{port}\", {LIMITS}), timeout=\"2s\")"),
    ];
    thread::scope(|scope| {
        for call in calls {
            scope.spawn(move || {
                let (port, connections) = slow_receiver(Duration::from_millis(500), usize::MAX);
                let call = call(port);
                let ran = bench().chain(&call, numbered(1, 8));
                let counters = ran.counters("2");
                assert_eq!((counters.errors, counters.sent), (0, 8), "{call}: {:?}", ran.ended());
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
         out.Fluentd(\"127.0.0.1:{}\"), timeout=\"300ms\")",
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

#[test]
fn a_peer_that_waits_for_its_ack_is_not_idle() {
    let mut input = Input::start(&[("idle_timeout", "100ms")]);
    let mut waiting = connect(input.port);
    waiting.write_all(&event(Some("id"))).unwrap();
    let chunk = input.next();
    let mut silent = connect(input.port);
    assert_eq!(read_to_end(&mut silent), b"", "nothing came from it");
    chunk.settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut waiting), "id");
    assert_eq!(read_to_end(&mut waiting), b"");
    until(|| input.errors() == 2);
}

#[test]
fn what_all_peers_together_have_pending_is_bounded() {
    let mut input = Input::start(&[("max_message", "1m"), ("max_pending", "1m")]);
    let begin = |port| {
        let mut peer = connect(port);
        let head = [&[0x92, 0xa1, b't', 0xc6][..], &800_000u32.to_be_bytes()].concat();
        peer.write_all(&head).expect("it is connected");
        peer
    };
    let mut peers = [0; 3].map(|_| begin(input.port));
    for peer in &mut peers {
        // The last waits for those before it, which do not finish, and is cut off.
        let _ = peer.write_all(&[0xc0; 700_000]);
    }
    until(|| input.errors() == 1);
    // Its memory is free again, and others still come in.
    let mut three = connect(input.port);
    three.write_all(&event(Some("id"))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut three), "id");
}

/// Begins a message of 800,000 bytes, and sends 700,000 of them.
fn begin_large(port: u16) -> TcpStream {
    let mut peer = connect(port);
    let head = [&[0x92, 0xa1, b't', 0xc6][..], &800_000u32.to_be_bytes()].concat();
    peer.write_all(&[&head[..], &[0xc0; 700_000]].concat()).expect("it is connected");
    peer
}

#[test]
fn peers_that_never_finish_make_room_for_others() {
    let limits = [("max_message", "1m"), ("max_pending", "1m"), ("message_timeout", "1s")];
    let mut input = Input::start(&limits);
    let port = input.port;
    // They go on and on, a byte at a time.
    let slow: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(move || {
                let mut peer = begin_large(port);
                while peer.write_all(&[0xc0]).is_ok() {
                    thread::sleep(Duration::from_millis(50));
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(input.errors(), 0, "nobody needs the room");
    let id = "chunk";
    let record = Value::Map(vec![("big".into(), "x".repeat(900_000).into())]);
    let option = Value::Map(vec![("chunk".into(), id.into())]);
    let mut peer = connect(port);
    let message = vec!["t".into(), 1_700_000_000.into(), record, option];
    peer.write_all(&encode(&Value::Array(message))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut peer), id);
    assert!((1..=2).contains(&input.errors()));
    input.kill();
    for peer in slow {
        peer.join().expect("it was disconnected");
    }
}

#[test]
fn a_peer_that_stops_in_the_middle_of_a_message_is_disconnected() {
    let mut input = Input::start(&[("message_timeout", "200ms")]);
    let mut silent = connect(input.port);
    let mut stopped = connect(input.port);
    stopped.write_all(&event(Some("id"))[..5]).unwrap();
    assert_eq!(read_to_end(&mut stopped), b"");
    until(|| input.errors() == 1);
    // Between two messages it may be silent.
    silent.write_all(&event(Some("id"))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut silent), "id");
}

#[test]
fn batches_end_by_what_their_records_take_in_memory() {
    let mut input = Input::start(&[]);
    let nils = Value::Map(vec![("n".into(), Value::Array(vec![Value::Nil; 10_000]))]);
    let event = Value::Array(vec![1_700_000_000.into(), nils]);
    let events = Value::Array(vec![event; 20]);
    let mut peer = connect(input.port);
    peer.write_all(&encode(&Value::Array(vec!["t".into(), events]))).unwrap();
    let mut records = 0;
    while records < 20 {
        let chunk = input.next();
        assert!(chunk.len() <= 2, "10,000 values of at least 24 bytes, and a mebibyte");
        records += chunk.len();
        chunk.settle(Outcome::Delivered);
    }
}

#[test]
fn a_chunk_id_that_is_too_long_is_refused_and_counted() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&event(Some(&"x".repeat(257)))).unwrap();
    assert_eq!(read_to_end(&mut peer), b"");
    until(|| input.errors() == 1);
    let long = "x".repeat(256);
    let mut peer = connect(input.port);
    peer.write_all(&event(Some(&long))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut peer), long);
}

/// Sends more than the task takes, whose outputs are down, and leaves.
fn send_and_leave(port: u16, messages: i64, acks: bool, reset: bool) {
    let mut peer = connect(port);
    for i in 0..messages {
        let id = format!("chunk {i}");
        // Each with a tag of its own, and so in a batch of its own.
        let mut message = event_of(i, acks.then_some(&id));
        message[2] = b'a' + (i % 26) as u8;
        peer.write_all(&message).expect("it is connected");
    }
    if reset {
        let socket = socket2::SockRef::from(&peer);
        socket.set_linger(Some(Duration::ZERO)).expect("it can be set");
    }
}

#[test]
fn peers_that_have_left_keep_no_place_while_the_outputs_are_down() {
    let left = |reset| {
        let one = vec![("max_connections", LiteralValue::Int(1))];
        let mut input = Input::start_at(free_port(), one);
        send_and_leave(input.port, 100, true, reset);
        // The next one is served, though nothing was taken.
        let mut next = connect(input.port);
        next.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        next.write_all(b"\xc1").unwrap();
        assert_eq!(read_to_end(&mut next), b"");
        until(|| input.errors() == 2);
        // What the task had taken comes; the rest its sender sends again.
        let mut taken = 0;
        while let Some(chunk) = input.next_within(Duration::from_millis(200)) {
            taken += chunk.len();
            chunk.settle(Outcome::Delivered);
        }
        assert!((1..100).contains(&taken), "{taken}");
    };
    thread::scope(|scope| {
        for reset in [true, false] {
            scope.spawn(move || left(reset));
        }
    });
}

#[test]
fn what_asked_for_no_ack_is_handed_on_when_its_peer_has_long_left() {
    let mut input = Input::start(&[]);
    send_and_leave(input.port, 100, false, false);
    // It has not waited for acks for as long as one may.
    thread::sleep(Duration::from_secs(7));
    let mut handed_on = 0;
    while handed_on < 100 {
        let chunk = input.next();
        handed_on += chunk.len();
        chunk.settle(Outcome::Delivered);
    }
    assert_eq!(input.errors(), 0);
}

#[test]
fn peers_whose_messages_do_not_fit_together_take_turns() {
    let mut input = Input::start(&[("max_message", "1m"), ("max_pending", "1m")]);
    let port = input.port;
    let senders: Vec<_> = (0..8)
        .map(|i| {
            thread::spawn(move || {
                let mut peer = connect(port);
                let id = format!("chunk {i}");
                let record = Value::Map(vec![("big".into(), "x".repeat(700_000).into())]);
                let option = Value::Map(vec![("chunk".into(), id.as_str().into())]);
                let message = vec!["t".into(), 1_700_000_000.into(), record, option];
                peer.write_all(&encode(&Value::Array(message))).unwrap();
                assert_eq!(read_ack(&mut peer), id);
            })
        })
        .collect();
    for _ in 0..8 {
        input.next().settle(Outcome::Delivered);
    }
    for sender in senders {
        sender.join().expect("it got its ack");
    }
    assert_eq!(input.errors(), 0);
}

#[test]
fn many_peers_wait_for_those_before_them_and_lose_nothing() {
    let port = free_port();
    let mut input = Input::start_at(port, vec![("max_connections", LiteralValue::Int(4))]);
    let peers: Vec<_> = (0..64)
        .map(|i| {
            thread::spawn(move || {
                let mut peer = connect(port);
                let id = format!("chunk {i}");
                peer.write_all(&event_of(i, Some(&id))).unwrap();
                assert_eq!(read_ack(&mut peer), id);
            })
        })
        .collect();
    for _ in 0..64 {
        input.next().settle(Outcome::Delivered);
    }
    for peer in peers {
        peer.join().expect("it got its ack");
    }
}
