//! The seed's recipe at work: follow, parse, buffer, and deliver to one Fluentd or another.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

use crate::support::{Place, agent, wait_until};

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

pub(crate) fn append(path: &Path, numbers: std::ops::Range<usize>) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a log");
    for n in numbers {
        writeln!(file, "2026-11-21 10:30:00.123 [INFO] web: request {n}").expect("written");
    }
}

/// The numbers of the requests, in the order in which they were delivered.
pub(crate) fn requests(lines: &[String]) -> Vec<usize> {
    let number = |line: &String| {
        let fields: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let message = fields["message"].as_str().expect("a message").to_owned();
        message.strip_prefix("request ").expect("a request").parse().expect("a number")
    };
    lines.iter().map(number).collect()
}

/// Each number came at least once, and the first time in order.
fn assert_complete(mut seen: Vec<usize>, count: usize) {
    let mut known = std::collections::HashSet::new();
    seen.retain(|n| known.insert(*n));
    assert_eq!(seen, (0..count).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn a_log_goes_to_the_fluentd_that_answers_and_to_the_file_when_none_does() {
    let (place, agent, port) = (Place::new(), agent("samples"), free_port());
    let (log, received) = (place.path("mylog.txt"), place.path("received.json"));
    let server =
        format!("task(in.Fluentd(\"127.0.0.1:{port}\"), out.File({received:?}, format=\"json\"))");
    let sender = format!(
        "task(in.FileTailing({log:?}), out.MyLogParser(), out.TimedBuffer(\"0.2s\"), \
         failover(out.Fluentd(\"127.0.0.1:{port}\"), out.Fluentd(\"127.0.0.1:{dead}\"), \
         last=out.File({failed:?}, format=\"json\"), start_by=\"ip\"))",
        dead = free_port(),
        failed = place.path("failed.json"),
    );
    let receiving = place.start_recipe(&agent, "server.swak", &server);
    append(&log, 0..100);
    let sending = place.start_recipe(&agent, "sender.swak", &sender);
    place.wait_for_lines("received.json", 100);
    receiving.kill();
    append(&log, 100..200);
    place.wait_for_lines("failed.json", 100);
    let receiving = place.start_recipe(&agent, "server.swak", &server);
    append(&log, 200..300);
    // Back to the server, in some seconds, without anybody's help.
    let mut next = 300;
    wait_until("a record at the server that came back", || {
        append(&log, next..next + 1);
        next += 1;
        std::thread::sleep(std::time::Duration::from_millis(200));
        (place.lines("received.json").len() > 100).then_some(())
    });
    assert_eq!(sending.stop().code(), Some(0));
    assert_eq!(receiving.stop().code(), Some(0));
    let mut all = requests(&place.lines("received.json"));
    all.extend(requests(&place.lines("failed.json")));
    all.sort_unstable();
    assert_complete(all, next);
}

#[test]
fn kill_9_loses_nothing_and_keeps_the_order() {
    let (place, agent) = (Place::new(), agent("samples"));
    let (log, out) = (place.path("mylog.txt"), place.path("out.json"));
    let recipe = format!(
        "task(in.FileTailing({log:?}), out.MyLogParser(), out.TimedBuffer(\"0.02s\"), \
         out.File({out:?}, format=\"json\"))"
    );
    File::create(&log).expect("a log");
    const ROUND: usize = 2000;
    for round in 0..5 {
        let running = place.start_recipe(&agent, "kill.swak", &recipe);
        append(&log, round * ROUND..(round + 1) * ROUND);
        let before = place.lines("out.json").len();
        wait_until("something new", || (place.lines("out.json").len() > before).then_some(()));
        running.kill();
    }
    let running = place.start_recipe(&agent, "kill.swak", &recipe);
    let last = format!("request {}\"", 5 * ROUND - 1);
    wait_until("the last record", || {
        place.lines("out.json").last().filter(|l| l.contains(&last)).cloned()
    });
    running.kill();
    assert_complete(requests(&place.lines("out.json")), 5 * ROUND);
}

#[cfg(unix)]
#[test]
fn a_log_that_is_rotated_under_load_is_delivered_whole() {
    let (place, agent) = (Place::new(), agent("samples"));
    let (log, out) = (place.path("mylog.txt"), place.path("out.json"));
    let recipe = format!(
        "task(in.FileTailing({log:?}, rotate_wait=\"1s\"), out.MyLogParser(), \
         out.File({out:?}, format=\"json\"))"
    );
    let running = place.start_recipe(&agent, "rotate.swak", &recipe);
    for round in 0..5 {
        append(&log, round * 500..round * 500 + 500);
        // What comes after one rotation may not come before the follower has seen it: a file that
        // is renamed twice between two looks is found by its identity.
        place.wait_for_lines("out.json", round * 500 + 1);
        std::fs::rename(&log, place.path(&format!("mylog.txt.{round}"))).expect("renamed");
    }
    append(&log, 2500..2600);
    let lines = place.wait_for_lines("out.json", 2600);
    assert_eq!(running.stop().code(), Some(0));
    assert_complete(requests(&lines), 2600);
}
