//! With real programs, those that every Unix has.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use swak_sdk::prelude::*;
use swak_test::{Bench, Ran, conformance, fields, lines, records};

fn run<const N: usize>(call: &str, input: [&str; N]) -> Ran {
    Bench::new(crate::register).chain(call, lines(input))
}

fn mistakes(call: &str) -> String {
    Bench::new(crate::register).mistakes(call)
}

/// Why the one record of a chain went to its dead letter.
fn why_dead(call: &str) -> String {
    let ran = run(call, ["one"]);
    assert_eq!((ran.lines().len(), ran.dead_letters().len()), (0, 1), "{call}");
    ran.dead_letters().remove(0)
}

/// What a task failed with.
fn failure(call: &str) -> String {
    let ended = format!("{:?}", run(call, ["one"]).ended());
    assert!(ended.starts_with("Failed"), "{call} ended as {ended}");
    ended
}

/// Waits until something is so; far longer than it takes.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_last_two_arguments_are_the_files() {
    let ran = run("out.Exec(\"/bin/cp\")", ["one", "two words", ""]);
    assert_eq!(ran.lines(), ["one", "two words", ""]);
    assert!(ran.records().iter().all(|record| record.line().is_some()));
}

#[test]
fn one_process_for_each_chunk() {
    let call = r#"out.LinedBuffer(2), out.Exec("sh -c 'wc -l <$0 >$1'")"#;
    let ran = run(call, ["1", "2", "3"]);
    assert_eq!(ran.lines().iter().map(|n| n.trim().to_owned()).collect::<Vec<_>>(), ["2", "1"]);
    assert_eq!(ran.counters("3").filtered, 1, "two records became one");
}

#[test]
fn a_disk_buffer_holds_what_a_process_made_and_nothing_is_left_on_its_account() {
    for (script, delivered) in [("wc -l <$0 >$1", 2), ("cat $0 $0 >$1", 6)] {
        let steps = format!("out.LinedBuffer(2), out.Exec(\"sh -c '{script}'\"), out.DiskBuffer()");
        let ran = run(&steps, ["1", "2", "3"]);
        assert_eq!(ran.lines().len(), delivered, "{script}");
        let sheet = &ran.summary().tasks[0].ledger;
        sheet.check().unwrap();
        assert_eq!(sheet.all_buffered(), swak_sdk::ledger::Count::default(), "{script}");
        assert_eq!(sheet.delivered, sheet.received + sheet.found, "{script}");
    }
}

#[test]
fn a_list_a_string_a_shell_and_placeholders() {
    for call in [
        r#"["sed", "s/one two/x y/w {output}", "{input}"]"#,
        r#""sed 's/one two/x y/w {output}' {input}""#,
        r#""sed 's/one two/x y/' <{input} | cat >{output}", shell=True"#,
        r#""f() { sed 's/one two/x y/' \"$1\" >\"$2\"; }; f", shell=True"#,
    ] {
        assert_eq!(run(&format!("out.Exec({call})"), ["one two"]).lines(), ["x y"], "{call}");
    }
}

#[test]
fn an_output_without_end_is_refused() {
    let call = r#"out.Exec("ln -s /dev/zero {output}", max_output="1k", on_error="dead_letter")"#;
    let why = why_dead(call);
    assert!(why.contains("larger than max_output=1k"), "{why}");
}

#[test]
fn every_format_reaches_the_program() {
    let record = || fields([r#"{"a":1,"b":"x;y"}"#]);
    for (options, expected) in [
        ("", r#"{"a":1,"b":"x;y"}"#),
        (r#", format="json", result="json""#, r#"{"a":1,"b":"x;y"}"#),
        (r#", format="csv", columns=["b", "a"], delimiter=";""#, "b;a\n\"x;y\";1"),
        (r#", format="template", template="<{{ a }}>""#, "<1>"),
    ] {
        let ran =
            Bench::new(crate::register).chain(&format!("out.Exec(\"cp\"{options})"), record());
        assert_eq!(ran.lines().join("\n"), expected, "{options}");
    }
}

#[test]
fn results_can_be_json() {
    let ran = run("out.Exec(\"cp\", result=\"json\")", [r#"{"a":1}"#, "no json"]);
    assert!(ran.records()[0].fields().is_some() && ran.records()[1].line().is_some());
    assert_eq!(ran.counters("2").errors, 1);
    let call = "out.Exec(\"cat\", mode=\"stream\", result=\"json\")";
    assert!(run(call, [r#"{"a":1}"#]).records()[0].fields().is_some());
}

#[test]
fn the_files_are_gone_afterwards() {
    for script in ["echo $0 >$1", "echo $0 >&2; exit 1"] {
        let call = format!("out.Exec(\"sh -c '{script}'\", on_error=\"dead_letter\")");
        let ran = run(&call, ["one"]);
        let said = ran.lines().into_iter().chain(ran.dead_letters()).next().unwrap();
        let start = said.find('/').unwrap();
        let end = said[start..].find("input").unwrap() + start;
        let folder = Path::new(&said[start..end]);
        assert!(said[start..end].contains("swak-exec-"), "{said}");
        assert!(!folder.exists(), "{}", folder.display());
    }
}

#[test]
fn a_failure_says_status_and_standard_error() {
    let script = "out.Exec(\"sh -c 'echo sorry, no >&2; exit 3'\", on_error=\"dead_letter\")";
    let why = why_dead(script);
    assert!(why.contains("exit status: 3") && why.contains("sorry, no"), "{why}");
    let why = why_dead("out.Exec(\"sh -c 'kill -9 $$'\", on_error=\"dead_letter\")");
    assert!(why.contains("signal: 9"), "{why}");
    let why = why_dead("out.Exec(\"/no/such/program\", on_error=\"dead_letter\")");
    assert!(why.contains("`/no/such/program` cannot be started"), "{why}");
    let why = why_dead("out.Exec(\"true\", on_error=\"dead_letter\")");
    assert!(why.contains("its output file cannot be read"), "{why}");
    let call = "out.Exec(\"sh -c 'head -c 2000 /dev/zero >$1'\", max_output=\"1k\", on_error=\"dead_letter\")";
    assert!(why_dead(call).contains("larger than max_output=1k"));
}

#[test]
fn without_more_words_nothing_is_lost_silently() {
    let why = failure("out.Exec(\"sh -c 'echo sorry >&2; exit 3'\")");
    assert!(why.contains("exit status: 3") && why.contains("sorry"), "{why}");
    let why = failure("out.Exec(\"false\", mode=\"stream\")");
    assert!(why.contains("exit status: 1"), "{why}");
}

#[test]
fn a_chunk_can_be_dropped() {
    let ran = run("out.Exec(\"false\", on_error=\"drop\")", ["one", "two"]);
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    assert_eq!(ran.counters("2").dropped["the program failed"], 2);
}

#[test]
fn a_program_that_takes_too_long_is_ended_with_all_it_started() {
    for mode in ["file", "stream"] {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("sleep 1000 & echo $! $$ >{}; sleep 1000", pids.display());
        let call = format!(
            "out.Exec([\"sh\", \"-c\", \"{script}\"], mode=\"{mode}\", timeout=0.5, \
             on_error=\"dead_letter\")"
        );
        let why = why_dead(&call);
        assert!(why.contains("it took longer than 500ms"), "{why}");
        let pids = fs::read_to_string(pids).unwrap();
        for pid in pids.split_whitespace() {
            let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
            wait_until("its end", || rustix::process::test_kill_process(pid).is_err());
        }
    }
}

#[test]
fn a_background_process_does_not_hold_up_a_chunk() {
    // `sleep` inherits standard error, whose end does not come with that of the program.
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("sleep 1000 & echo $! >{}; echo done >$1; exit 0", pid.display());
    let ran = run(&format!("out.Exec([\"sh\", \"-c\", \"{script}\"], timeout=30)"), ["one"]);
    assert_eq!(ran.lines(), ["done"]);
    let pid = fs::read_to_string(pid).unwrap().trim().parse().ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn an_answer_for_each_line() {
    let many: Vec<String> = (0..20_000).map(|i| format!("line {i}")).collect();
    let bench = Bench::new(crate::register);
    let ran = bench.chain("out.Exec(\"cat\", mode=\"stream\")", lines(&many));
    assert_eq!(ran.lines(), many);
    let mut input = lines(["a"]);
    input.extend(lines(["b", "c"]));
    let call = "out.Exec(\"sed -u 's/^/x/'\", mode=\"stream\")";
    assert_eq!(bench.chain(call, input).lines(), ["xa", "xb", "xc"]);
}

#[test]
fn an_answer_has_time_tag_and_source_of_its_record() {
    let times = [5, 7].map(Timestamp::from_nanos);
    let mut input = records(times.map(|time| Record::from_line("x", time)));
    input[0].source = "/a/file".into();
    input[0].tag = "web".into();
    let ran = Bench::new(crate::register).chain("out.Exec(\"cat\", mode=\"stream\")", input);
    assert_eq!(ran.records().iter().map(Record::time).collect::<Vec<_>>(), times);
    assert_eq!((ran.tags()[0].as_str(), ran.sources()[1].as_str()), ("web", "/a/file"));
}

#[test]
fn a_program_that_ended_is_started_again() {
    // Answers two lines, then ends: every chunk but the first finds it gone.
    let script = "read a; echo $a $$; read a; echo $a $$";
    let call =
        format!("out.LinedBuffer(2), out.Exec([\"sh\", \"-c\", \"{script}\"], mode=\"stream\")");
    let ran = run(&call, ["1", "2", "3", "4", "5", "6"]);
    let lines = ran.lines();
    assert_eq!(lines.iter().map(|line| &line[..1]).collect::<String>(), "123456");
    let pids: std::collections::HashSet<_> = lines.iter().map(|line| &line[2..]).collect();
    assert_eq!(pids.len(), 3);
}

#[test]
fn a_program_that_breaks_the_rules_has_failed() {
    let stream = |script: &str| {
        why_dead(&format!(
            "out.Exec([\"sh\", \"-c\", \"{script}\"], mode=\"stream\", on_error=\"dead_letter\", \
             max_output=\"1k\")"
        ))
    };
    let why = stream("read a; echo sorry >&2; exit 3");
    assert!(why.contains("exit status: 3") && why.contains("sorry"), "{why}");
    assert!(why.contains("answered 0 of 1 lines"), "{why}");
    let why = stream("read a; printf 'two\\nlines\\n'; read a");
    assert!(why.contains("more than one line for each line"), "{why}");
    let why = stream("read a; head -c 3000 /dev/zero; read a");
    assert!(why.contains("longer than `max_output`"), "{why}");
}

#[test]
fn a_line_too_many_at_the_end_is_counted() {
    for script in ["cat; echo more", "cat; yes"] {
        let call = format!("out.Exec([\"sh\", \"-c\", \"{script}\"], mode=\"stream\")");
        let ran = run(&call, ["one", "two"]);
        assert_eq!(ran.lines(), ["one", "two"]);
        assert_eq!(ran.counters("2").errors, 1, "{script}");
    }
}

#[test]
fn a_line_break_in_a_record_is_not_streamed() {
    let broken = Record::from_line("two\nlines", Timestamp::default());
    let whole = Record::from_line("one", Timestamp::default());
    let bench = Bench::new(crate::register);
    let call = "out.Exec(\"cat\", mode=\"stream\")";
    let ran = bench.chain(call, records([broken.clone(), whole]));
    assert_eq!((ran.lines(), ran.dead_letters().len()), (vec!["one".to_owned()], 1));
    let ran = bench.chain(call, records([broken]));
    assert_eq!((ran.lines().len(), ran.dead_letters().len()), (0, 1));
}

#[test]
fn mistakes_are_told() {
    for (call, message) in [
        ("out.Exec(\"\")", "the command is empty"),
        ("out.Exec([])", "the command is empty"),
        ("out.Exec(\"a 'b\")", "is not closed"),
        ("out.Exec([\"a\"], shell=True)", "the command is a list"),
        ("out.Exec(\"a\", mode=\"stream\", format=\"csv\")", "mode=\"stream\""),
        ("out.Exec(\"a\", format=\"csv\")", "columns="),
        ("out.Exec(\"a\", timeout=0)", "`timeout` is 0"),
        ("out.Exec(\"a\", on_error=\"ignore\")", "ignore"),
        ("out.Exec(\"a\", on_error=\"dead_letter\")", "this task has no dead letter"),
    ] {
        let told = mistakes(call);
        assert!(told.contains(message), "{call}:\n{told}");
    }
}

#[test]
fn odd_records_are_no_trouble() {
    conformance::transform(crate::register, "out.Exec(\"cp\")");
    conformance::transform(crate::register, "out.Exec(\"cat\", mode=\"stream\")");
}
