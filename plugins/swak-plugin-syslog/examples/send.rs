//! Sends syslog messages as fast as they are taken, or at a rate: to see what a receiver takes.
//!
//! ```text
//! cargo run --release -p swak-plugin-syslog --example send -- tcp 127.0.0.1:1514 rfc5424 1000000
//! ```
//!
//! The arguments: `tcp` or `udp`; the receiver; `rfc3164`, `rfc5424` or `structured`, which is RFC 5424
//! with structured data; how many messages; how many senders (4); how many messages a second all of
//! them together send (without it, as many as they can). Messages have 120 to 200 bytes and are the
//! same at every run; over TCP they end with a line feed.

use std::error::Error;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How many messages are made, and then sent over and over.
const DIFFERENT: usize = 4096;

/// How many are sent between two looks at the clock.
const BURST: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [protocol, receiver, format, count, more @ ..] = &arguments[..] else {
        return Err("give protocol, receiver, format, count, and if you like senders, rate".into());
    };
    let count: usize = count.parse()?;
    let senders: usize = more.first().map_or(Ok(4), |n| n.parse())?;
    let rate: Option<f64> = more.get(1).map(|n| n.parse()).transpose()?;
    let began = Instant::now();
    let threads: Vec<_> = (0..senders)
        .map(|sender| {
            let (protocol, receiver) = (protocol.clone(), receiver.clone());
            let messages = messages(format, sender);
            let count = count / senders + usize::from(sender < count % senders);
            let pace = Pace { began, rate: rate.map(|rate| rate / senders as f64) };
            std::thread::spawn(move || match &*protocol {
                "udp" => send_udp(&receiver, &messages, count, &pace),
                _ => send_tcp(&receiver, &messages, count, &pace),
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a sender does not panic")?;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{count} messages in {seconds:.2} s: {:.0} a second", count as f64 / seconds);
    Ok(())
}

/// When messages may be sent.
struct Pace {
    began: Instant,
    rate: Option<f64>,
}

impl Pace {
    /// Waits until this many messages may have been sent.
    fn wait(&self, sent: usize) {
        let Some(rate) = self.rate else { return };
        let due = self.began + Duration::from_secs_f64(sent as f64 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

fn send_udp(receiver: &str, messages: &[String], count: usize, pace: &Pace) -> std::io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(receiver)?;
    for i in 0..count {
        if i % BURST == 0 {
            pace.wait(i);
        }
        socket.send(messages[i % messages.len()].as_bytes())?;
    }
    Ok(())
}

fn send_tcp(receiver: &str, messages: &[String], count: usize, pace: &Pace) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(receiver)?;
    let bursts: Vec<String> = messages
        .chunks(BURST)
        .map(|burst| burst.iter().flat_map(|m| [m, "\n"]).collect())
        .collect();
    let mut sent = 0;
    for burst in bursts.iter().cycle() {
        if count - sent < BURST {
            break;
        }
        pace.wait(sent);
        stream.write_all(burst.as_bytes())?;
        sent += BURST;
    }
    for message in &messages[..count - sent] {
        stream.write_all(format!("{message}\n").as_bytes())?;
    }
    Ok(())
}

fn messages(format: &str, sender: usize) -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ sender as u64);
    (0..DIFFERENT).map(|i| message(format, sender, i, &mut random)).collect()
}

fn message(format: &str, sender: usize, i: usize, random: &mut Random) -> String {
    const PROGRAMS: [&str; 6] = ["sshd", "nginx", "postfix/smtpd", "systemd", "kernel", "cron"];
    const WORDS: [&str; 8] =
        ["accepted", "connection", "from", "192.0.2.17", "port", "closed", "session", "\"quoted\""];
    let priority = random.below(192);
    let program = PROGRAMS[random.below(6)];
    let (second, micros, pid) = (i / 256, random.below(1_000_000), 100 + random.below(60_000));
    let mut text = match format {
        "rfc3164" => {
            format!("<{priority}>Nov 21 10:30:{second:02} host{sender} {program}[{pid}]: ")
        }
        _ => format!(
            "<{priority}>1 2026-11-21T10:30:{second:02}.{micros:06}Z host{sender}.example.com \
             {program} {pid} ID{} ",
            random.below(100)
        ),
    };
    match format {
        "structured" => text += "[origin ip=\"192.0.2.17\" software=\"x\"][meta sequenceId=\"7\"] ",
        "rfc3164" => {}
        _ => text += "- ",
    }
    let length = 120 + random.below(72);
    while text.len() < length {
        text += WORDS[random.below(8)];
        text += " ";
    }
    text.pop();
    text
}

/// The generator of splitmix64: the same numbers at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
