//! Unix sockets, heartbeats, and connections that are kept.

mod common;

use std::net::UdpSocket;
use std::time::Duration;

use common::input::Input;
use common::proxy::Proxy;
use common::sender::Sender;
use common::{bench, connect, free_port, until};
use swak_sdk::ack::Outcome;
use swak_sdk::options::LiteralValue;
use swak_test::lines;

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_unix_socket_carries_records_and_goes_with_its_agent() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("forward.sock");
        // Left behind by one that was killed.
        drop(UnixListener::bind(&path).unwrap());
        let input =
            format!("in.Fluentd(unix_path=\"{}\", unix_permissions=\"0600\")", path.display());
        let mut running = bench().input(&input);
        let mode = || path.metadata().map(|m| m.permissions().mode() & 0o777).ok();
        until(|| mode() == Some(0o600) && std::os::unix::net::UnixStream::connect(&path).is_ok());
        let call = format!("out.Fluentd(unix_path=\"{}\", heartbeat=\"tcp\")", path.display());
        let ran = bench().chain(&call, lines(["one", "two"]));
        assert_eq!(ran.counters("2").sent, 2);
        running.wait_for(2);
        let ran = running.stop();
        assert_eq!(ran.sources(), [path.display().to_string(), path.display().to_string()]);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_is_never_open_to_more_than_it_should_be() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("s");
        let options = |path: &std::path::Path| {
            let path = LiteralValue::Str(path.display().to_string());
            vec![("unix_path", path), ("unix_permissions", LiteralValue::Str("0600".into()))]
        };
        let seen = path.clone();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let watcher = std::thread::spawn(move || {
            let mut modes = std::collections::BTreeSet::new();
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                modes.extend(seen.metadata().map(|m| m.permissions().mode() & 0o777));
            }
            modes
        });
        for _ in 0..50 {
            let input = Input::start_at(free_port(), options(&path));
            until(|| std::os::unix::net::UnixStream::connect(&path).is_ok());
            input.kill();
        }
        drop(stop);
        assert_eq!(watcher.join().unwrap().into_iter().collect::<Vec<_>>(), [0o600]);
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_path_that_is_taken_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        let told = |path: &std::path::Path| {
            let input = format!("in.Fluentd(unix_path=\"{}\")", path.display());
            format!("{:?}", bench().input(&input).wait().ended())
        };
        let file = folder.path().join("file");
        std::fs::write(&file, "precious").unwrap();
        assert!(told(&file).contains("no socket"));
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert!(told(&path).contains("in use"));
        assert!(path.exists());
        drop(listener);
    }

    #[test]
    fn a_socket_that_another_has_put_in_its_place_stays() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("s");
        let unix_path = LiteralValue::Str(path.display().to_string());
        let input = Input::start_at(free_port(), vec![("unix_path", unix_path)]);
        until(|| path.exists());
        std::fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        input.kill();
        assert!(path.exists());
        drop(other);
    }
}

#[test]
fn a_heartbeat_over_udp_is_answered() {
    let input = Input::start(&[]);
    drop(connect(input.port));
    assert_eq!(beat(input.port), Some(vec![0]));
    let deaf = Input::start_at(free_port(), vec![("heartbeat", LiteralValue::Bool(false))]);
    drop(connect(deaf.port));
    assert_eq!(beat(deaf.port), None);
}

/// What is answered to a heartbeat.
fn beat(port: u16) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.connect(("127.0.0.1", port)).expect("it needs nobody there");
    // A port where nobody listens says so at once.
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("it can be set");
    socket.send(&[0]).expect("it can be sent");
    let mut answer = [0; 8];
    socket.recv(&mut answer).ok().map(|n| answer[..n].to_vec())
}

#[test]
fn a_receiver_that_does_not_answer_the_heartbeat_is_not_connected_to() {
    let mut deaf = Input::start_at(free_port(), vec![("heartbeat", LiteralValue::Bool(false))]);
    drop(connect(deaf.port));
    let good = free_port();
    let mut running = bench().input(&format!("in.Fluentd(\"127.0.0.1:{good}\")"));
    drop(connect(good));
    let call = format!(
        "failover(out.Fluentd(\"127.0.0.1:{}\", heartbeat=\"udp\"), \
         out.Fluentd(\"127.0.0.1:{good}\", heartbeat=\"udp\"))",
        deaf.port
    );
    bench().chain(&call, lines(["one"]));
    running.wait_for(1);
    assert!(deaf.next_within(Duration::from_millis(20)).is_none());
}

#[test]
fn heartbeats_keep_a_connection_that_would_be_closed_as_idle() {
    let connections = |heartbeat| {
        let mut input = Input::start(&[("idle_timeout", "1500ms")]);
        drop(connect(input.port));
        let proxy = Proxy::start(input.port, Vec::new());
        let options = [("heartbeat", heartbeat), ("heartbeat_interval", "20ms")];
        let mut sender = Sender::new(proxy.port, &options);
        for pause in [Duration::from_secs(3), Duration::ZERO] {
            sender.start_write();
            input.next().settle(Outcome::Delivered);
            assert_eq!(sender.written(), Ok(()), "{heartbeat}");
            // The peer would have been sent away within this time.
            std::thread::sleep(pause);
        }
        proxy.connections()
    };
    std::thread::scope(|scope| {
        let silent = scope.spawn(|| connections("none"));
        assert_eq!(connections("tcp"), 1);
        assert_eq!(silent.join().expect("it sent both"), 2, "it was renewed");
    });
}

#[test]
fn a_connection_is_renewed_when_datagrams_are_no_longer_answered() {
    let mut input = Input::start(&[]);
    drop(connect(input.port));
    let (proxy, udp) = loop {
        // The proxy's port must be free for datagrams too.
        let proxy = Proxy::start(input.port, Vec::new());
        if let Ok(udp) = UdpSocket::bind(("127.0.0.1", proxy.port)) {
            break (proxy, udp);
        }
    };
    let beats = std::thread::spawn(move || {
        for _ in 0..5 {
            let (_, peer) = udp.recv_from(&mut [0; 8]).unwrap();
            udp.send_to(&[0], peer).unwrap();
        }
    });
    let options = [("heartbeat", "udp"), ("heartbeat_interval", "20ms")];
    let mut sender = Sender::new(proxy.port, &options);
    sender.start_write();
    input.next().settle(Outcome::Delivered);
    assert_eq!(sender.written(), Ok(()));
    // The last answer, and with it the socket, is gone.
    beats.join().unwrap();
    until(|| sender.errors() == 1);
    let error = sender.write().unwrap_err();
    assert!(error.contains(&format!("127.0.0.1:{}", proxy.port)), "{error}");
}

#[test]
fn a_connection_that_was_idle_too_long_is_not_used_again() {
    let mut input = Input::start(&[]);
    drop(connect(input.port));
    for (limit, connections) in [("1ms", 3), ("1h", 1)] {
        let proxy = Proxy::start(input.port, Vec::new());
        let mut sender = Sender::new(proxy.port, &[("keepalive_timeout", limit)]);
        for _ in 0..3 {
            sender.start_write();
            input.next().settle(Outcome::Delivered);
            assert_eq!(sender.written(), Ok(()));
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(proxy.connections(), connections, "{limit}");
    }
}
