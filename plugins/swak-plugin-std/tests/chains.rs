//! Whole chains, from an input of this crate to an output of it.

use std::fs;
use std::path::Path;

use swak_plugin_std::register;
use swak_test::{Bench, conformance};

/// Runs a recipe to its end and gives what is in the file that it writes.
fn written(recipe: &str, file: &Path) -> String {
    let ran = Bench::new(register).start(recipe).wait();
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    fs::read_to_string(file).expect("the recipe writes this file")
}

#[test]
fn every_plugin_keeps_its_promises() {
    conformance(register);
}

#[test]
fn people_become_rows() {
    let folder = tempfile::tempdir().expect("a folder for files");
    let file = folder.path().join("people.csv");
    let recipe = format!(
        r#"task(
            in.DummyData(type="people", count=100, seed=1),
            out.JsonParser(),
            out.Reform(write={{"n": "{{{{ record|length }}}}"}}, keep=["n"]),
            out.Filter("n > 0"),
            out.File({:?}, format="csv", columns=["n"], rotate_size="1m"),
        )"#,
        file.display().to_string()
    );
    let rows = written(&recipe, &file);
    let mut lines = rows.lines();
    assert_eq!(lines.next(), Some("n"));
    assert_eq!(lines.filter(|n| n.parse::<u32>().is_ok_and(|n| n > 0)).count(), 100, "{rows:.200}");
}

#[test]
#[cfg(unix)]
fn a_followed_file_goes_through_a_buffer_and_a_program() {
    let folder = tempfile::tempdir().expect("a folder for files");
    let (log, file) = (folder.path().join("in.log"), folder.path().join("out.log"));
    let lines: String = (0..250).map(|i| format!("line {i}\n")).collect();
    fs::write(&log, &lines).expect("the file can be written");
    let recipe = format!(
        r#"task(
            in.FileTailing({:?}, follow=False),
            out.LinedBuffer(100),
            out.Exec("sh -c 'sed s/line/LINE/ <$0 >$1'"),
            out.TimedBuffer("5M"),
            failover(out.File("/dev/null/no"), last=out.File({:?})),
        )"#,
        log.display().to_string(),
        file.display().to_string()
    );
    assert_eq!(written(&recipe, &file), lines.replace("line", "LINE"));
}

/// Patterns that name every byte of the lines of five real logs.
const REAL: [(&str, &str); 5] = [
    ("Apache", r"^(?<a>\[)(?<at>[^]]+)(?<b>\] \[)(?<level>\w+)(?<c>\] )(?<message>(?s:.*))$"),
    ("Linux", SYSLOG),
    ("Mac", SYSLOG),
    ("OpenSSH", SYSLOG),
    (
        "Windows",
        r"^(?<at>\S+ \S+)(?<a>, )(?<level>\w+)(?<b>\s+)(?<component>\w+)(?<c>\s+)(?<message>(?s:.*))$",
    ),
];

const SYSLOG: &str = r"^(?<at>\w{3} [ \d]\d \d\d:\d\d:\d\d)(?<a> )(?<host>\S+)(?<b> )(?<tag>[^:]*)(?<c>:? ?)(?<message>(?s:.*))$";

#[test]
fn real_logs_come_out_byte_for_byte() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    for (name, pattern) in REAL {
        let log = format!("{folder}/{name}_2k.log");
        let Ok(text) = fs::read(&log) else {
            println!("skipped {name}: {log} is not here");
            continue;
        };
        let lines: Vec<&[u8]> =
            text.strip_suffix(b"\n").unwrap_or(&text).split(|b| *b == b'\n').collect();
        let ran = Bench::new(register)
            .input(&format!(
                "in.FileTailing({log:?}, follow=False, keep_cr=True), out.RegexParser(r'''{pattern}''')"
            ))
            .wait();
        let records = ran.records();
        assert_eq!((records.len(), ran.counters("2").errors), (lines.len(), 0), "{name}");
        for (record, line) in records.iter().zip(&lines) {
            let fields = record.fields().expect("every line was parsed");
            let parts = fields.iter().map(|(_, value)| value.as_bytes().expect("text or bytes"));
            assert_eq!(parts.collect::<Vec<_>>().concat(), *line, "{name}");
        }
    }
}

#[test]
fn a_task_that_holds_all_it_may_lets_go() {
    let ran = Bench::new(register)
        .start(
            "task(in.Counter(count=100000), out.LinedBuffer(1000000), out.TimedBuffer(\"1h\"), \
             out.Null(), unacked=\"1m\")",
        )
        .wait();
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    assert_eq!(ran.counters("4").sent, 100_000);
    let ledger = &ran.summary().tasks[0].ledger;
    assert_eq!((ledger.delivered.records, ledger.in_flight_once.records), (100_000, 0));
}

#[test]
fn what_stands_behind_a_disk_buffer_lets_go_when_that_waits_for_it() {
    let bench = Bench::new(register);
    // More than the buffer may have on its way, and the end of all of it.
    let ran = bench
        .start(
            "task(in.Counter(count=300000), out.DiskBuffer(max_unacked=\"1m\"), \
             out.LinedBuffer(1000000), out.Null())",
        )
        .wait();
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    assert_eq!(ran.counters("4").sent, 300_000);
}

#[test]
fn what_a_task_sends_to_another_is_let_go_there_when_it_waits() {
    let bench = Bench::new(register);
    let ran = bench
        .start(
            "task(in.Counter(count=100000), out.TimedBuffer(\"1h\"), link(\"x\"), unacked=\"1m\")\n\
             task(link(\"x\"), out.LinedBuffer(1000000), link(\"y\"))\n\
             task(link(\"y\"), out.TimedBuffer(\"1h\"), out.Null(batch_records=1000000, batch_wait=\"1h\"))",
        )
        .wait();
    let tasks = &ran.summary().tasks;
    assert!(tasks.iter().all(|task| format!("{:?}", task.ended) == "Finished"), "{tasks:#?}");
    assert_eq!(tasks[2].ledger.delivered.records, 100_000);
}
