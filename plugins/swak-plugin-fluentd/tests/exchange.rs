//! `in.Fluentd` and `out.Fluentd` with each other, and with peers that behave badly.

mod common;

use std::io::Write;
use std::net::{Shutdown as Close, TcpListener, TcpStream};

use common::input::Input;
use common::{
    ack, bench, chunk_of, connect, event, free_port, is_silent, read_ack, read_to_end, until,
};
use rmpv::Value;
use swak_sdk::ack::Outcome;
use swak_test::{fields, lines};

#[test]
fn they_keep_what_all_plugins_promise() {
    swak_test::conformance(swak_plugin_fluentd::register);
}

#[test]
fn several_senders_lose_nothing_and_keep_their_order() {
    let port = free_port();
    let mut running = bench().input(&format!("in.Fluentd(\"127.0.0.1:{port}\")"));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            std::thread::spawn(move || {
                let events = (0..2500).map(|i| format!(r#"{{"sender":{sender},"i":{i}}}"#));
                let call = format!("out.Fluentd(\"127.0.0.1\", port={port}, tag=\"s{sender}\")");
                let ran = bench().chain(&call, fields(events));
                assert_eq!(ran.counters("2").sent, 2500, "{:?}", ran.ended());
            })
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    running.wait_for(10_000);
    let ran = running.stop();
    let found: Vec<_> = std::iter::zip(ran.tags(), ran.json()).collect();
    for sender in 0..4 {
        let tag = format!("s{sender}");
        let of_sender: Vec<_> = found.iter().filter(|(t, _)| *t == tag).map(|(_, r)| r).collect();
        let expected: Vec<_> =
            (0..2500).map(|i| format!(r#"{{"sender":{sender},"i":{i}}}"#)).collect();
        assert!(of_sender.into_iter().eq(&expected), "events of {tag}");
    }
}

#[test]
fn several_workers_keep_the_order_of_each_source() {
    let port = free_port();
    let mut running = bench().input(&format!("in.Fluentd(\"127.0.0.1:{port}\")"));
    let batch = |i: usize| {
        let source = format!("source {}", i % 7);
        let event = format!(r#"{{"source":"{source}","i":{i}}}"#);
        fields([event]).remove(0).with_source(source.into())
    };
    let call = format!(
        "out.Fluentd(\"127.0.0.1:{port}\", workers=4, batch_records=25, batch_wait=\"20ms\")"
    );
    let ran = bench().chain(&call, (0..1400).map(batch).collect());
    assert_eq!(ran.counters("2").sent, 1400, "{:?}", ran.ended());
    running.wait_for(1400);
    let found = running.stop().json();
    for n in 0..7 {
        let own = format!("\"source {n}\"");
        let own: Vec<_> = found.iter().filter(|event| event.contains(&own)).cloned().collect();
        let expected = (0..1400).filter(|i| i % 7 == n);
        let expected = expected.map(|i| format!(r#"{{"source":"source {n}","i":{i}}}"#));
        assert!(own.into_iter().eq(expected), "events of source {n}");
    }
}

#[test]
fn without_acks_and_without_keepalive_everything_comes_too() {
    let port = free_port();
    let mut running = bench().input(&format!("in.Fluentd(\"127.0.0.1:{port}\")"));
    let call =
        format!("out.Fluentd(\"127.0.0.1:{port}\", require_ack=False, keepalive=False, tag=\"t\")");
    bench().chain(&call, lines(["one", "two"]));
    running.wait_for(2);
    let ran = running.stop();
    assert_eq!(ran.json(), [r#"{"message":"one"}"#, r#"{"message":"two"}"#]);
    assert_eq!(ran.tags(), ["t", "t"]);
}

#[test]
fn a_receiver_of_small_messages_is_sent_small_ones() {
    let port = free_port();
    let mut running =
        bench().input(&format!("in.Fluentd(\"127.0.0.1:{port}\", max_message=\"2k\")"));
    let call = format!("out.Fluentd(\"127.0.0.1\", port={port}, message_size=\"1k\")");
    let ran = bench().chain(&call, lines((0..1000).map(|i| format!("line {i} of a thousand"))));
    assert_eq!(ran.counters("2").sent, 1000, "{:?}", ran.ended());
    running.wait_for(1000);
}

#[test]
fn what_is_not_acknowledged_is_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for attempt in 0.. {
            let (mut stream, _) = listener.accept().expect("the listener is bound");
            let Ok(message) = rmpv::decode::read_value(&mut stream) else { continue };
            let chunk = chunk_of(&message).to_owned();
            let _ = sender.send(message);
            match attempt {
                // Gone without a word.
                0 => {}
                // The ack of another chunk, and no more: the time to wait runs out.
                1 => {
                    write(&mut stream, &ack("another"));
                    read_to_end(&mut stream);
                }
                _ => write(&mut stream, &ack(&chunk)),
            }
        }
    });
    let call = format!("out.Fluentd(\"127.0.0.1\", port={port}, ack_timeout=\"300ms\")");
    let ran = bench().chain(&call, lines(["one", "two"]));
    assert_eq!(ran.counters("2").sent, 2);
    let received: Vec<_> = received.try_iter().collect();
    assert!(received.len() >= 3, "{received:?}");
    for message in &received {
        assert_eq!((&message[0], &message[1]), (&received[0][0], &received[0][1]));
        assert_eq!(message[2]["size"], Value::from(2));
    }
}

#[test]
fn an_ack_comes_when_the_records_are_delivered_and_not_before() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    for chunk in ["first", "second"] {
        peer.write_all(&event(Some(chunk))).unwrap();
    }
    let (first, second) = (input.next(), input.next());
    // Acks keep the order of the chunks.
    second.settle(Outcome::Rejected);
    assert!(is_silent(&mut peer));
    first.settle(Outcome::Delivered);
    assert_eq!([read_ack(&mut peer), read_ack(&mut peer)], ["first", "second"]);
}

#[test]
fn what_was_not_delivered_is_not_acknowledged() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&event(Some("first"))).unwrap();
    input.next().settle(Outcome::Errored);
    assert_eq!(read_to_end(&mut peer), b"");
}

#[test]
fn what_was_read_before_the_stop_is_acknowledged_after_it() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&event(Some("first"))).unwrap();
    let chunk = input.next();
    input.shutdown.trigger();
    assert!(input.runtime.block_on(input.chunks.recv()).is_none(), "the input has ended");
    chunk.settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut peer), "first");
    assert_eq!(read_to_end(&mut peer), b"");
}

#[test]
fn a_peer_that_sends_garbage_is_disconnected_and_the_others_are_not() {
    let mut input = Input::start(&[("max_message", "1k")]);
    let mut good = connect(input.port);
    good.write_all(&event(None)).unwrap();
    input.next().settle(Outcome::Delivered);

    let too_deep = [&[0x93, 0xa1, b't', 1][..], &[0x91; 100]].concat();
    let too_long = [&[0x92, 0xa1, b't', 0xc6, 0, 1, 0, 0][..], &[0; 100]].concat();
    let garbage: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xc1",
        b"\x93\xa1t\x01",
        b"\x91\xa1t",
        b"\x92\xa1t\xc4\x03\x92\x01\x81",
        &too_deep,
        &too_long,
    ];
    for garbage in garbage {
        let mut bad = connect(input.port);
        bad.write_all(garbage).unwrap();
        // What is only the beginning of something is garbage when nothing follows.
        bad.shutdown(Close::Write).unwrap();
        assert_eq!(read_to_end(&mut bad), b"");
    }
    // Each is counted when it is gone.
    until(|| input.cx.counters().snapshot().errors == 7);

    good.write_all(&event(Some("still here"))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut good), "still here");
}

#[test]
fn a_good_message_before_garbage_is_delivered_and_acknowledged() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&[&event(Some("good"))[..], b"\xc1"].concat()).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut peer), "good");
    assert_eq!(read_to_end(&mut peer), b"");
}

#[test]
fn a_good_message_that_asks_for_no_ack_is_delivered_before_garbage_too() {
    // The second is whole MessagePack, but no message.
    for garbage in [&b"\xc1"[..], b"\x91\xa1t"] {
        let mut input = Input::start(&[]);
        let mut peer = connect(input.port);
        peer.write_all(&[&event(None)[..], garbage].concat()).unwrap();
        let chunk = input.next();
        assert_eq!(chunk.len(), 1, "before {garbage:?}");
        chunk.settle(Outcome::Delivered);
        assert_eq!(read_to_end(&mut peer), b"");
    }
}

#[test]
fn an_event_that_is_none_is_dropped_and_counted_and_the_others_are_not() {
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(b"\x92\xa1t\x93\x92\x01\x80\xa1x\x92\x02\x80").unwrap();
    assert_eq!(input.next().len(), 2);
    let counters = input.cx.counters().snapshot();
    assert_eq!((counters.received, counters.dropped.values().sum::<u64>()), (3, 1));
}

#[test]
fn an_event_that_is_too_deep_is_dropped_and_a_message_that_is_is_refused() {
    let nested = |depth: usize| [&vec![0x91; depth][..], &[0xc0]].concat();
    let message =
        |depth| [&b"\x92\xa1t\x92\x92\x01\x81\xa1a"[..], &nested(depth), b"\x92\x02\x80"].concat();
    let mut input = Input::start(&[]);
    let mut peer = connect(input.port);
    peer.write_all(&message(1000)).unwrap();
    let chunk = input.next();
    assert_eq!(chunk.len(), 1);
    let counters = input.cx.counters().snapshot();
    assert_eq!((counters.received, counters.dropped.values().sum::<u64>()), (2, 1));
    peer.write_all(&message(100_000)).unwrap();
    assert_eq!(read_to_end(&mut peer), b"");
    until(|| input.errors() == 1);
}

#[test]
fn mistakes_are_told_at_their_place() {
    let bench = bench();
    let told = |call: &str, words: &str| {
        let mistakes = bench.mistakes(call);
        assert!(mistakes.contains(words), "{call}: {mistakes}");
    };
    told("in.Fluentd(\":24224\")", "the host is missing");
    told("in.Fluentd(max_message=\"2g\")", "`max_message` is from 1k to 1g");
    told("in.Fluentd(idle_timeout=0)", "`idle_timeout` must be longer than nothing");
    told("out.Fluentd(ack_timeout=0)", "`ack_timeout` must be longer than nothing");
    told("out.Fluentd(\"tcp://host\")", "it is a URL");
    told("out.Fluentd(\"host\", port=0)", "from 1 to 65535");
    told("out.Fluentd(tag=\"{{ tag\")", "template");
    assert_eq!(bench.mistakes("out.Fluentd(\"192.168.0.1\")"), "", "as the sample recipe has it");
    for (mistake, words) in [
        ("mode=\"packed\"", "unknown word `packed`"),
        ("mode=\"forward\", compress=\"gzip\"", "only the mode `packed_forward` can be compressed"),
        ("message_size=0", "`message_size` is from 1 to 1g"),
        ("keepalive_timeout=0", "`keepalive_timeout` must be longer than nothing"),
        ("username=\"u\", shared_key=\"k\"", "`username` and `password` go together"),
        ("username=\"u\", password=\"p\"", "needs a `shared_key`"),
        ("self_hostname=\"me\"", "needs a `shared_key`"),
        ("shared_key=\"\"", "`shared_key` is empty"),
        ("tls_ca_file=\"ca.pem\"", "TLS is off: add `tls=True`"),
        ("tls_server_name=\"name\"", "TLS is off: add `tls=True`"),
        ("tls=True, tls_cert_file=\"c.pem\"", "go together"),
        ("unix_path=\"/run/x\", tls=True", "`tls` is for TCP"),
        ("unix_path=\"/run/x\", heartbeat=\"udp\"", "needs a host"),
        (
            "ack_timeout=\"2m\"",
            "`ack_timeout` is longer than `timeout`, which ends the wait after 60s",
        ),
        ("write_timeout=\"20s\", timeout=\"10s\"", "`write_timeout` is longer than `timeout`"),
        ("connect_timeout=\"61s\"", "`connect_timeout` is longer than `timeout`"),
    ] {
        told(&format!("out.Fluentd({mistake})"), words);
    }
    // Where it is told how to mend them, that mends all of them.
    for (mistake, help) in [
        ("ack_timeout=\"10m\"", "timeout=\"10m\""),
        ("ack_timeout=\"90\", write_timeout=\"1.5h\"", "timeout=\"1h30m\""),
    ] {
        told(&format!("out.Fluentd({mistake})"), help);
        assert_eq!(bench.mistakes(&format!("out.Fluentd({mistake}, {help})")), "");
    }
    // What nobody wrote cannot be wrong, and what is longer on both sides is not.
    for good in ["timeout=\"5s\"", "ack_timeout=\"2m\", timeout=\"3m\""] {
        assert_eq!(bench.mistakes(&format!("out.Fluentd({good})")), "");
    }
    for (mistake, words) in [
        ("allow=\"10.0.0.0/33\"", "expected a network"),
        ("allow=[\"localhost\"]", "does not begin with an IP address"),
        ("max_pending=\"1m\"", "less than `max_message`"),
        ("handshake_timeout=0", "`handshake_timeout` must be longer than nothing"),
        ("users={\"a\": \"b\"}", "needs a `shared_key`"),
        ("keepalive=False", "needs a `shared_key`"),
        ("tls=True", "give `tls_cert_file` and `tls_key_file`"),
        ("tls_client_ca_file=\"ca.pem\"", "TLS is off: add `tls=True`"),
        ("unix_permissions=\"0660\"", "those of `unix_path`"),
        ("unix_path=\"/run/x\", unix_permissions=\"rw\"", "four octal digits"),
    ] {
        told(&format!("in.Fluentd({mistake})"), words);
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) {
    // A peer that no longer waits has closed the connection.
    let _ = stream.write_all(bytes);
}
