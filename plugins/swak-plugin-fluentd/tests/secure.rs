//! TLS, the handshake of the shared key, and who may connect at all.

mod common;

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use common::input::{Input, text};
use common::sender::{Options, Sender};
use common::{bench, connect, event, free_port, read_ack, read_to_end, until};
use rmpv::Value;
use swak_sdk::ack::Outcome;
use swak_sdk::options::{Literal, LiteralValue};
use swak_test::{Ran, lines};

#[test]
fn shared_key_and_users_let_in_whom_they_should_and_nobody_else() {
    let port = free_port();
    let receiver = format!(
        "in.Fluentd(\"127.0.0.1:{port}\", shared_key=\"key\", self_hostname=\"server\", \
         users={{\"ann\": \"secret\", \"bob\": \"other\"}})"
    );
    let mut running = bench().input(&receiver);
    let who =
        |key, user, password| [("shared_key", key), ("username", user), ("password", password)];
    let good = who("key", "ann", "secret");
    assert_eq!(sent(port, &good).counters("2").sent, 1);
    running.wait_for(1);
    assert_refused(port, &[], "it asks for a shared key");
    assert_refused(port, &[("shared_key", "key")], "it asks for a user");
    assert_refused(port, &who("wrong", "ann", "secret"), "shared_key mismatch");
    assert_refused(port, &who("key", "ann", "other"), "username/password mismatch");
    assert_refused(port, &who("key", "eve", "secret"), "username/password mismatch");
    let same_name = [&good[..], &[("self_hostname", "server")]].concat();
    assert_refused(port, &same_name, "same hostname");
    assert_eq!(sent(port, &good).counters("2").sent, 1);
    assert_eq!(running.wait_for(2).len(), 2, "only what was let in came");
    let errors = running.stop().counters("1").errors;
    assert!(errors >= 6, "each is counted: {errors}");
}

#[test]
fn a_receiver_that_does_not_have_the_key_is_found_out() {
    // It claims to let us in, in four ways.
    let pong = |host: &str, digest: &str| {
        Value::Array(vec!["PONG".into(), true.into(), "".into(), host.into(), digest.into()])
    };
    type Reply = Box<dyn Fn(&Value) -> Value + Send>;
    let replies: [(Reply, &str); 4] = [
        (Box::new(move |_| pong("server", "")), "does not have the same shared key"),
        (
            Box::new(move |ping| pong("server", ping[3].as_str().expect("a digest"))),
            "does not have the same shared key",
        ),
        // Our own answer, under our own name: what the name is compared for.
        (
            Box::new(move |ping| {
                pong(ping[1].as_str().expect("a name"), ping[3].as_str().expect("a digest"))
            }),
            "as we do",
        ),
        (Box::new(|_| Value::from("PONG")), "the handshake failed"),
    ];
    for (reply, told) in replies {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let options = Value::Map(vec![("nonce".into(), Value::Binary(vec![7; 16]))]);
            let helo = Value::Array(vec!["HELO".into(), options]);
            rmpv::encode::write_value(&mut stream, &helo).unwrap();
            let ping = rmpv::decode::read_value(&mut stream).unwrap();
            rmpv::encode::write_value(&mut stream, &reply(&ping)).unwrap();
            read_to_end(&mut stream)
        });
        assert_refused(port, &[("shared_key", "key")], told);
        assert_eq!(receiver.join().unwrap(), b"", "it gets no record");
    }
}

#[test]
fn a_connection_for_one_chunk_is_left_after_it() {
    let port = free_port();
    let receiver = format!("in.Fluentd(\"127.0.0.1:{port}\", shared_key=\"k\", keepalive=False)");
    let mut running = bench().input(&receiver);
    drop(connect(port));
    let proxy = common::proxy::Proxy::start(port, Vec::new());
    let mut sender = Sender::new(proxy.port, &[("shared_key", "k")]);
    for _ in 0..3 {
        assert_eq!(sender.write(), Ok(()));
    }
    running.wait_for(3);
    assert_eq!(proxy.connections(), 3);
}

#[test]
fn a_peer_that_does_not_shake_hands_is_not_waited_for() {
    let options = vec![("shared_key", text("k")), ("handshake_timeout", text("200ms"))];
    let mut input = Input::start_at(free_port(), options);
    let mut silent = connect(input.port);
    assert!(!read_to_end(&mut silent).is_empty(), "the greeting, and no more");
    let mut rude = connect(input.port);
    rude.write_all(&event(Some("id"))).unwrap();
    read_to_end(&mut rude);
    let mut endless = connect(input.port);
    // 1 MiB is announced by somebody who is not let in.
    endless.write_all(b"\x96\xc6\x00\x10\x00\x00").unwrap();
    read_to_end(&mut endless);
    until(|| input.errors() == 3);
    assert!(input.next_within(std::time::Duration::from_millis(20)).is_none());
}

#[test]
fn a_nonce_may_be_of_any_length() {
    use sha2::{Digest, Sha512};
    let hex = |parts: [&[u8]; 4]| -> String {
        let digest = Sha512::digest(parts.concat());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    for nonce in [Value::Binary(Vec::new()), Value::Binary(vec![255; 5000]), "as text".into()] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let bytes = nonce.as_slice().expect("text or bytes").to_vec();
            let options = Value::Map(vec![("nonce".into(), nonce)]);
            let say = |value: Value| rmpv::encode::write_value(&mut &stream, &value).unwrap();
            say(Value::Array(vec!["HELO".into(), options]));
            let ping = rmpv::decode::read_value(&mut &stream).unwrap();
            let part = |i: usize| ping[i].as_slice().expect("text or bytes");
            assert_eq!(part(3), hex([part(2), part(1), &bytes, b"key"]).as_bytes());
            let proof = hex([part(2), b"server", &bytes, b"key"]);
            say(Value::Array(vec![
                "PONG".into(),
                true.into(),
                "".into(),
                "server".into(),
                proof.into(),
            ]));
            let message = rmpv::decode::read_value(&mut &stream).unwrap();
            stream.write_all(&common::ack(common::chunk_of(&message))).unwrap();
        });
        assert_eq!(Sender::new(port, &[("shared_key", "key")]).write(), Ok(()));
        receiver.join().expect("the key was proved");
    }
}

#[test]
fn those_who_are_not_allowed_are_turned_away() {
    let allow = |network: &str| LiteralValue::List(vec![Literal::bare(text(network))]);
    let input = Input::start_at(free_port(), vec![("allow", allow("10.0.0.0/8"))]);
    let mut peer = connect(input.port);
    assert_eq!(read_to_end(&mut peer), b"");
    until(|| input.errors() == 1);

    let mut input = Input::start_at(free_port(), vec![("allow", allow("127.0.0.0/8"))]);
    let mut peer = connect(input.port);
    peer.write_all(&event(Some("id"))).unwrap();
    input.next().settle(Outcome::Delivered);
    assert_eq!(read_ack(&mut peer), "id");
}

#[cfg(feature = "tls")]
mod tls {
    use std::process::{Child, Command, Stdio};

    use swak_test::Running;

    use super::common::certificates::{Certificates, openssl};
    use super::common::{ack, chunk_of};
    use super::*;

    fn receiver(port: u16, files: &Certificates, more: &str) -> Running {
        bench().input(&format!(
            "in.Fluentd(\"127.0.0.1:{port}\", tls=True, tls_cert_file=\"{}\", \
             tls_key_file=\"{}\"{more})",
            files.text("server.pem"),
            files.text("server-key.pem")
        ))
    }

    #[test]
    fn only_a_receiver_with_the_right_certificate_gets_records() {
        let files = Certificates::new();
        let port = free_port();
        let mut running = receiver(port, &files, "");
        let (ca, other) = (files.text("ca.pem"), files.text("other-ca.pem"));
        let good = [("tls", "True"), ("tls_ca_file", &ca)];
        let under = |name| [("tls", "True"), ("tls_ca_file", &*ca), ("tls_server_name", name)];
        assert_eq!(sent(port, &good).counters("2").sent, 1);
        assert_eq!(sent(port, &under("localhost")).counters("2").sent, 1);
        running.wait_for(2);
        assert_refused(port, &[("tls", "True"), ("tls_ca_file", &other)], "certificate");
        assert_refused(port, &[("tls", "True")], "certificate");
        assert_refused(port, &under("elsewhere.example"), "not valid for name");
        assert_refused(port, &[], "");
        assert_eq!(running.stop().json().len(), 2);
    }

    #[test]
    fn a_certificate_that_signs_itself_is_trusted_when_it_is_named() {
        let files = Certificates::new();
        let port = free_port();
        let mut running = bench().input(&format!(
            "in.Fluentd(\"127.0.0.1:{port}\", tls=True, tls_cert_file=\"{}\", tls_key_file=\"{}\")",
            files.text("self.pem"),
            files.text("self-key.pem")
        ));
        let named = files.text("self.pem");
        assert_eq!(sent(port, &[("tls", "True"), ("tls_ca_file", &named)]).counters("2").sent, 1);
        running.wait_for(1);
        let other = files.text("ca.pem");
        assert_refused(port, &[("tls", "True"), ("tls_ca_file", &other)], "certificate");
    }

    #[test]
    fn only_a_sender_with_a_certificate_is_heard_where_one_is_asked_for() {
        let files = Certificates::new();
        let port = free_port();
        let ca = files.text("ca.pem");
        let mut running =
            receiver(port, &files, &format!(", tls_client_ca_file=\"{ca}\", shared_key=\"k\""));
        let anonymous = [("tls", "True"), ("tls_ca_file", &*ca), ("shared_key", "k")];
        let files_of =
            |name| [format!("{name}.pem"), format!("{name}-key.pem")].map(|file| files.text(&file));
        let [cert, key] = files_of("client");
        let known = [("tls_cert_file", &*cert), ("tls_key_file", &*key)];
        assert_eq!(sent(port, &[&anonymous[..], &known].concat()).counters("2").sent, 1);
        running.wait_for(1);
        assert_refused(port, &anonymous, "");
        let [cert, key] = files_of("self");
        let unknown = [("tls_cert_file", &*cert), ("tls_key_file", &*key)];
        assert_refused(port, &[&anonymous[..], &unknown].concat(), "");
        assert_eq!(running.stop().json().len(), 1);
    }

    #[test]
    fn files_that_are_not_there_or_hold_something_else_are_told() {
        let files = Certificates::new();
        let port = free_port();
        let (ca, key) = (files.text("ca.pem"), files.text("server-key.pem"));
        let tls = |more: Options<'_>, told| {
            assert_refused(port, &[&[("tls", "True")], more].concat(), told);
        };
        tls(&[("tls_ca_file", "/nowhere/ca.pem")], "/nowhere/ca.pem");
        tls(&[("tls_ca_file", &key)], "no certificate in PEM");
        tls(&[("tls_cert_file", &ca), ("tls_key_file", &ca)], "no private key in PEM");
        tls(&[("tls_cert_file", &ca), ("tls_key_file", &key)], "do not go together");
        let listening = bench().input(&format!(
            "in.Fluentd(\"127.0.0.1:{port}\", tls=True, tls_cert_file=\"/nowhere\", \
             tls_key_file=\"{key}\")"
        ));
        assert!(format!("{:?}", listening.wait().ended()).contains("/nowhere"));
    }

    #[test]
    fn a_handshake_that_hangs_is_left_by_both_sides() {
        let files = Certificates::new();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        assert_refused(port, &[("tls", "True"), ("connect_timeout", "200ms")], "connecting took");

        let options = vec![
            ("tls", LiteralValue::Bool(true)),
            ("tls_cert_file", text(&files.text("server.pem"))),
            ("tls_key_file", text(&files.text("server-key.pem"))),
            ("handshake_timeout", text("200ms")),
        ];
        let input = Input::start_at(free_port(), options);
        let mut silent = connect(input.port);
        assert_eq!(read_to_end(&mut silent), b"");
        // The beginning of a record of the handshake that never comes.
        let mut begun = connect(input.port);
        begun.write_all(b"\x16\x03\x01\x02\x00").unwrap();
        assert_eq!(read_to_end(&mut begun), b"");
        until(|| input.errors() == 2);
    }

    #[test]
    fn a_receiver_that_went_while_nothing_was_sent_costs_no_error() {
        let files = Certificates::new();
        let options = || {
            vec![
                ("tls", LiteralValue::Bool(true)),
                ("tls_cert_file", text(&files.text("server.pem"))),
                ("tls_key_file", text(&files.text("server-key.pem"))),
            ]
        };
        let mut input = Input::start_at(free_port(), options());
        let port = input.port;
        drop(connect(port));
        let ca = files.text("ca.pem");
        let mut sender = Sender::new(port, &[("tls", "True"), ("tls_ca_file", &ca)]);
        for _ in 0..3 {
            sender.start_write();
            input.next().settle(Outcome::Delivered);
            assert_eq!(sender.written(), Ok(()));
            input.kill();
            input = Input::start_at(port, options());
            drop(connect(port));
            // The sender's system has heard of it by now, but the sender may not have been woken yet.
            thread::sleep(std::time::Duration::from_millis(100));
        }
    }

    #[test]
    fn openssl_sends_over_both_versions_of_tls() {
        let files = Certificates::new();
        let mut input = Input::start_at(
            free_port(),
            vec![
                ("tls", LiteralValue::Bool(true)),
                ("tls_cert_file", text(&files.text("server.pem"))),
                ("tls_key_file", text(&files.text("server-key.pem"))),
            ],
        );
        drop(connect(input.port));
        for version in ["-tls1_2", "-tls1_3"] {
            let mut client = openssl();
            client.args(["s_client", "-quiet", "-verify_return_error", version]);
            client.args(["-connect", &format!("127.0.0.1:{}", input.port)]);
            client.args(["-CAfile", &files.text("ca.pem"), "-verify_hostname", "localhost"]);
            let mut client = Process::start(client);
            let id = format!("over {version}");
            client.write(&event(Some(&id)));
            input.next().settle(Outcome::Delivered);
            assert_eq!(read_ack(&mut client.0.stdout.as_mut().expect("it is piped")), id);
        }
    }

    #[test]
    fn openssl_receives_over_both_versions_of_tls() {
        let files = Certificates::new();
        for version in ["-tls1_2", "-tls1_3"] {
            let port = free_port();
            let mut server = openssl();
            server.args(["s_server", "-quiet", version]);
            server.args(["-accept", &format!("127.0.0.1:{port}")]);
            server.args([
                "-cert",
                &files.text("server.pem"),
                "-key",
                &files.text("server-key.pem"),
            ]);
            let mut server = Process::start(server);
            drop(connect(port));
            let ca = files.text("ca.pem");
            let sender =
                thread::spawn(move || sent(port, &[("tls", "True"), ("tls_ca_file", &ca)]));
            let message =
                rmpv::decode::read_value(server.0.stdout.as_mut().expect("it is piped")).unwrap();
            server.write(&ack(chunk_of(&message)));
            assert_eq!(sender.join().unwrap().counters("2").sent, 1, "{version}");
        }
    }

    /// A process that ends with the test.
    struct Process(Child);

    impl Process {
        fn start(mut command: Command) -> Self {
            let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            Process(pipes.spawn().expect("openssl can be run"))
        }

        fn write(&mut self, bytes: &[u8]) {
            let stdin = self.0.stdin.as_mut().expect("it is piped");
            stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("it reads");
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = (self.0.kill(), self.0.wait());
        }
    }
}

/// Sends a line with these options, until it is delivered.
fn sent(port: u16, options: Options<'_>) -> Ran {
    drop(connect(port));
    let options: Vec<_> = options
        .iter()
        .map(|(name, value)| match *value {
            "True" => format!(", {name}=True"),
            value => format!(", {name}=\"{value}\""),
        })
        .collect();
    let call = format!("out.Fluentd(\"127.0.0.1\", port={port}{})", options.concat());
    bench().chain(&call, lines(["one"]))
}

/// With these options nothing can be sent, and people are told why.
fn assert_refused(port: u16, options: Options<'_>, told: &str) {
    let error = Sender::new(port, options).write().expect_err("nobody lets us in");
    assert!(error.contains(told), "{options:?}: {error}");
}
