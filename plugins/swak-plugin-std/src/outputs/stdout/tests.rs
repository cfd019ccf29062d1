//! Standard output belongs to a whole process, so these tests run themselves again as one.

use std::io::Read;
use std::process::{Command, Stdio};

use swak_test::{Bench, fields, lines};

/// Set in the process that writes.
const CALL: &str = "SWAK_TEST_STDOUT_CALL";

/// The process that writes; nothing to do for anybody else.
#[test]
fn writer() {
    let Ok(call) = std::env::var(CALL) else { return };
    let mut input = fields([r#"{"a":1,"b":"x"}"#]);
    input.extend(lines((0..50_000).map(|i| format!("line {i}"))));
    let ran = Bench::new(crate::register).chain(&call, input);
    eprintln!("ended: {:?}", ran.ended());
}

fn spawn(call: &str) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "outputs::stdout::tests::writer", "--nocapture", "--quiet"]);
    command.env(CALL, call).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn written(call: &str) -> String {
    let out = spawn(call).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.contains("ended: Finished"), "{said}");
    // The test's own words stand around it.
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn records_are_written_in_each_format() {
    let all: String = (0..50_000).map(|i| format!("line {i}\n")).collect();
    for (call, first) in [
        ("out.Stdout()", "{\"a\":1,\"b\":\"x\"}\n"),
        ("out.Stdout(\"csv\", columns=[\"b\", \"message\"])", "b,message\nx,\n"),
        ("out.Stdout(\"csv\", columns=\"b\", header=False)", "\nx\n\"\"\n"),
        ("out.Stdout(format=\"template\", template=\"<{{ a }}>\")", "<1>\n<>\n"),
        ("out.Stdout(format=\"json\")", "{\"message\":\"line 49999\"}\n"),
    ] {
        let written = written(call);
        assert!(written.contains(first), "{call}: {written:.200}");
        assert_eq!(written.contains(&all), call == "out.Stdout()", "{call}");
        assert!(written.matches("b,message").count() <= 1);
    }
}

#[test]
fn a_closed_pipe_ends_the_task_without_a_panic() {
    let mut child = spawn("out.Stdout()");
    // More is written than fits into a pipe, so the writer is at it when the pipe is closed.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    drop(stdout);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(
        said.contains("ended: Failed(\"step 2 out.Stdout: standard output was closed"),
        "{said}"
    );
}
