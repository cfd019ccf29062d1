//! How much peers of `in.Fluentd` can hold, and for how long.

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use common::input::Input;
use common::{connect, encode, event, event_of, free_port, read_ack, read_to_end, until};
use rmpv::Value;
use swak_sdk::ack::Outcome;
use swak_sdk::options::LiteralValue;

#[test]
fn a_peer_that_waits_for_its_ack_is_not_idle() {
    let mut input = Input::start(&[("idle_timeout", "1s")]);
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
        // There is room for one and a half. Whoever waits for the others, which do not finish, is cut off.
        let _ = peer.write_all(&[0xc0; 700_000]);
    }
    until(|| (1..=2).contains(&input.errors()));
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
    let limits = [("max_message", "1m"), ("max_pending", "1m"), ("message_timeout", "3s")];
    let mut input = Input::start(&limits);
    let port = input.port;
    // They go on and on, a byte at a time, and far more often than they must.
    let slow: Vec<_> = (0..2)
        .map(|i| {
            thread::spawn(move || {
                // One after the other: of two that grow together, one would wait for the other.
                thread::sleep(Duration::from_secs(i));
                let mut peer = begin_large(port);
                while peer.write_all(&[0xc0]).is_ok() {
                    thread::sleep(Duration::from_millis(10));
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(3500));
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

/// One message that asks for an ack, and 49 that ask for none: each in a batch of its own, and together
/// more than wait in the task's queue.
fn one_with_ack() -> Vec<u8> {
    let messages = (0..50).flat_map(|i| {
        let mut message = event_of(i, (i == 0).then_some("id"));
        message[2] = b'a' + (i % 26) as u8;
        message
    });
    messages.collect()
}

/// Takes the other 49.
fn take_rest(input: &mut Input) {
    for i in 1..50 {
        let chunk = input.next();
        let first = chunk.iter().next().and_then(|record| record.get("a").and_then(|a| a.as_int()));
        assert_eq!((chunk.len(), first), (1, Some(i)));
        chunk.settle(Outcome::Delivered);
    }
}

#[test]
fn what_asked_for_no_ack_is_handed_on_when_an_ack_cannot_be_written() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&one_with_ack()).unwrap();
    let chunk = input.next();
    let socket = socket2::SockRef::from(&peer);
    socket.set_linger(Some(Duration::ZERO)).expect("it can be set");
    drop(peer);
    chunk.settle(Outcome::Delivered);
    until(|| input.chunks.len() == 16);
    take_rest(&mut input);
    until(|| input.errors() == 1);
}

#[test]
fn what_asked_for_no_ack_is_handed_on_when_another_message_is_not_delivered() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&one_with_ack()).unwrap();
    input.next().settle(Outcome::Errored);
    // It is told at once, though the task takes nothing.
    assert_eq!(read_to_end(&mut peer), b"");
    take_rest(&mut input);
    // And it is not heard any more, though it has not left.
    until(|| input.errors() == 1);
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
