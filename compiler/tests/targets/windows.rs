//! What is different on Windows alone, under Wine.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use crate::machine::Machine;
use crate::place::Place;
use crate::waiting::wait_until;

#[test]
fn a_path_may_have_backslashes_and_is_refused_where_they_were_escapes() {
    let place = Place::on(Machine::Wine);
    fs::create_dir(place.path("logs")).expect("a folder");
    place.write("logs/new.log", "one\n");
    for pattern in [r#"r"logs\n*.log""#, r#""LOGS/*.LOG""#] {
        place.write("read.swak", recipe(pattern));
        place.succeed(&["test", "read.swak"]);
        assert_eq!(place.lines("made/out"), ["one"], "{pattern}");
        fs::remove_file(place.path("made/out")).expect("it was made");
    }
    place.write("wrong.swak", recipe(r#""logs\new.log""#));
    let ran = place.run(&["check", "wrong.swak"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains(r"the control character '\n'"), "{said}");
}

fn recipe(pattern: &str) -> String {
    format!("task(in.FileTailing({pattern}, follow=False), out.File(r\"made\\out\"))\n")
}

#[test]
fn a_file_can_be_emptied_and_moved_away_while_it_is_written() {
    let place = Place::on(Machine::Wine);
    place.write("out", "from before\n");
    place.write("move.swak", "task(in.FileTailing(\"log\"), out.File(\"out\", append=False))\n");
    place.append("log", ["one".to_owned()]);
    let running = place.start("move.swak");
    wait_until("an emptied file", || (place.lines("out") == ["one"]).then_some(()));
    fs::rename(place.path("out"), place.path("out.old")).expect("it can be moved");
    place.append("log", ["two".to_owned()]);
    assert_eq!(place.wait_for_lines("out", 1), ["two"]);
    assert_eq!(running.stop().status, Some(0));
    assert_eq!(place.lines("out.old"), ["one"]);
}

#[test]
fn no_name_of_a_device_is_taken_for_a_file() {
    let place = Place::on(Machine::Wine);
    place.write("log", "nul\ncom1.txt\nC:\\x\n..\\up\n");
    place.write(
        "names.swak",
        "task(in.FileTailing(\"log\", follow=False), \
         out.File(r\"made\\{{ message }}\"), name=\"AUX\")\n\
         task(in.FileTailing(\"log\", follow=False), out.Null(), name=\"aux\")\n",
    );
    place.succeed(&["run", "names.swak", "--data-dir", "data"]);
    for made in ["_nul", "_com1.txt", "C_/x", "__/up"] {
        assert_eq!(place.lines(&format!("made/{made}")).len(), 1, "{made}");
    }
    for task in ["%41%55%58", "%61ux"] {
        assert!(place.path(&format!("data/{task}/state")).is_file(), "{task}");
    }
}

#[test]
fn the_shell_takes_quotes_as_they_are_written() {
    let place = Place::on(Machine::Wine);
    place.write("say it.bat", "@echo off\r\necho %1 %2\r\n");
    place.write("log", "a b\nc\n");
    place.write(
        "shell.swak",
        "task(in.Exec('\".\\\\say it.bat\" \"x y\" z', shell=True), out.File(\"said\"))\n\
         task(in.FileTailing(\"log\", follow=False), \
         out.Exec('copy {input} {output} >NUL', shell=True), out.File(\"copied\"))\n",
    );
    place.succeed(&["run", "shell.swak", "--data-dir", "data"]);
    assert_eq!(place.lines("said"), ["\"x y\" z"]);
    assert_eq!(place.lines("copied"), ["a b", "c"]);
}

#[test]
fn all_that_a_command_started_ends_with_the_agent() {
    let place = Place::on(Machine::Wine);
    // The shell starts another agent, which would go on for ever.
    place.write("inner.swak", "task(in.DummyData(rate=100), out.File(\"inner\"))\n");
    place.write(
        "outer.swak",
        "task(in.Exec(\"agent.exe run inner.swak --data-dir inner-data\", shell=True), out.Null())\n",
    );
    let running = place.start("outer.swak");
    place.wait_for_lines("inner", 1);
    assert_eq!(running.stop().status, Some(0));
    wait_until("the end of what was started", || processes_in(&place).is_empty().then_some(()));
}

/// The processes whose folder is the test's own.
fn processes_in(place: &Place) -> Vec<PathBuf> {
    let folder = place.path("").canonicalize().expect("it is there");
    let all = fs::read_dir("/proc").expect("Linux tells of its processes").flatten();
    let of_process = |path: PathBuf| fs::read_link(path.join("cwd")).ok().map(|cwd| (path, cwd));
    all.filter_map(|entry| of_process(entry.path()))
        .filter(|(_, cwd)| *cwd == folder)
        .map(|(process, _)| process)
        .collect()
}

#[test]
fn an_address_of_ipv6_listens_to_ipv4_too() {
    let place = Place::on(Machine::Wine);
    let port = free_port();
    place.write(
        "listen.swak",
        format!("task(in.Syslog(\"tcp://[::]:{port}\", mode=\"raw\"), out.File(\"out\"))\n"),
    );
    let running = place.start("listen.swak");
    let mut peer = wait_until("a listener", || TcpStream::connect(("127.0.0.1", port)).ok());
    peer.write_all(b"<13>app: hello\n").expect("somebody reads");
    assert_eq!(place.wait_for_lines("out", 1), ["<13>app: hello"]);
    drop(peer);
    assert_eq!(running.stop().status, Some(0));
}

/// A port that nobody has, nor gets by itself soon.
fn free_port() -> u16 {
    let listener = TcpListener::bind("[::]:0").expect("a port is free");
    listener.local_addr().expect("it has one").port()
}
