//! What every agent must do on the machine that it was built for.

use crate::built::{NAME, dist};
use crate::machine::Machine;
use crate::place::Place;

/// Gives each of these tests to each machine, so that each has a name of its own.
macro_rules! on_each_machine {
    ($($test:ident)*) => {
        on_each_machine! { linux_x86_64_in_an_empty_chroot, Chroot, $($test)* }
        on_each_machine! { linux_aarch64_under_qemu, Qemu, $($test)* }
        on_each_machine! { windows_x86_64_under_wine, Wine, $($test)* }
    };
    ($module:ident, $machine:ident, $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test(crate::machine::Machine::$machine);
                }
            )*
        }
    };
}

on_each_machine! {
    it_says_what_it_is
    it_lists_what_the_hosts_lists
    it_checks_recipes_as_the_hosts_does
    it_takes_a_file_to_a_file
    it_reads_a_file_that_is_renamed_to_its_end_and_the_new_one_once
    it_flushes_what_it_holds_when_it_is_stopped
    it_goes_on_where_it_stopped
    it_loses_nothing_when_it_is_killed
}

fn it_says_what_it_is(machine: Machine) {
    let place = Place::on(machine);
    let said = place.succeed(&["version", "--json"]);
    let facts: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(facts["name"], NAME);
    assert_eq!(facts["target"], machine.triple());
    assert_eq!(facts["profile"], "debug");
    let plugins = ["swak-plugin-fluentd", "swak-plugin-std", "swak-plugin-syslog"];
    let named: Vec<_> = facts["plugins"].as_object().expect("plugins").keys().collect();
    assert_eq!(named, plugins);
    for hash in ["config_sha256", "lock_sha256"] {
        let hash = facts[hash].as_str().expect("a hash");
        assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    }
    // What the file says without being run.
    let file = match machine {
        Machine::Wine => dist("windows-x86_64.exe"),
        Machine::Qemu => dist("linux-aarch64"),
        _ => dist("linux-x86_64"),
    };
    assert_eq!(crate::delivered::inspect(&file)["facts"], facts);
}

fn it_lists_what_the_hosts_lists(machine: Machine) {
    let list = |machine| Place::on(machine).succeed(&["list", "--json"]);
    assert_eq!(list(machine), list(Machine::Host));
}

fn it_checks_recipes_as_the_hosts_does(machine: Machine) {
    let place = Place::on(machine);
    let host = Place::on(Machine::Host);
    for place in [&place, &host] {
        place.write("good.swak", "task(in.FileTailing(\"log\"), out.Stdout())\n");
        place.write(
            "bad.swak",
            "task(in.FileTaling(\"x\"), out.TimedBuffer(\"5x\"), out.File(\"made\", fromat=\"raw\"))\n",
        );
    }
    place.succeed(&["check", "good.swak"]);
    let (ran, hosts) = (place.run(&["check", "bad.swak"]), host.run(&["check", "bad.swak"]));
    assert_eq!(ran.status.code(), Some(2));
    let (said, hosts) = [&ran, &hosts].map(|ran| String::from_utf8_lossy(&ran.stderr)).into();
    assert!(said.contains("did you mean `in.FileTailing`?"), "{said}");
    assert_eq!(said, hosts);
    assert!(!place.path("made").exists());
}

fn it_takes_a_file_to_a_file(machine: Machine) {
    let place = Place::on(machine);
    place.write("log", "kim,34\r\nlee,\"4\"\"2\"\nnot a row\n\npark,7");
    place.write(
        "file.swak",
        "task(in.FileTailing(\"log\", follow=False), \
         out.CsvParser([\"name\", \"age\"], types={\"age\": \"int\"}), out.File(\"made/out.json\"))\n",
    );
    let made = [
        r#"{"name":"kim","age":34}"#,
        r#"{"name":"lee","age":"4\"2"}"#,
        "not a row",
        "",
        r#"{"name":"park","age":7}"#,
    ];
    let made = made.join("\n") + "\n";
    for command in ["test", "run"] {
        place.succeed(&[command, "file.swak", "--data-dir", &format!("data-{command}")]);
        let file = place.path("made/out.json");
        assert_eq!(std::fs::read_to_string(&file).expect("it was made"), made, "{command}");
        std::fs::remove_file(file).expect("it is there");
    }
}

fn it_reads_a_file_that_is_renamed_to_its_end_and_the_new_one_once(machine: Machine) {
    let place = Place::on(machine);
    place.write(
        "follow.swak",
        "task(in.FileTailing(\"log\", rescan=\"100ms\", rotate_wait=\"1s\"), out.File(\"out\"))\n",
    );
    place.append("log", numbered(0..10));
    let running = place.start("follow.swak");
    place.wait_for_lines("out", 10);
    std::fs::rename(place.path("log"), place.path("log.1")).expect("it can be renamed");
    // Who writes it may not have noticed yet.
    place.append("log.1", numbered(10..20));
    place.append("log", numbered(20..30));
    place.wait_for_lines("out", 30);
    place.append("log", numbered(30..40));
    place.wait_for_lines("out", 40);
    let ended = running.stop();
    assert_eq!(ended.status, Some(0), "{}", ended.log);
    assert_eq!(place.lines("out"), numbered(0..40).collect::<Vec<_>>());
}

fn it_flushes_what_it_holds_when_it_is_stopped(machine: Machine) {
    let place = Place::on(machine);
    place.write(
        "hold.swak",
        "task(in.FileTailing(\"log\"), tee([out.File(\"seen\")], \
         [out.TimedBuffer(\"5M\"), out.File(\"out\")]))\n",
    );
    place.append("log", numbered(0..3));
    let running = place.start("hold.swak");
    place.wait_for_lines("seen", 3);
    assert!(place.lines("out").is_empty());
    let ended = running.stop();
    assert_eq!(ended.status, Some(0), "{}", ended.log);
    assert_eq!(place.lines("out"), numbered(0..3).collect::<Vec<_>>());
    let by = if machine == Machine::Wine { "Ctrl-Break" } else { "SIGTERM" };
    assert!(ended.log.contains(by) && ended.log.contains("stopped: "), "{}", ended.log);
}

fn it_goes_on_where_it_stopped(machine: Machine) {
    let place = Place::on(machine);
    place.write("go.swak", "task(in.FileTailing(\"log\"), out.File(\"out\"))\n");
    for round in 0..3 {
        place.append("log", numbered(round * 10..round * 10 + 10));
        let running = place.start("go.swak");
        place.wait_for_lines("out", round * 10 + 10);
        let ended = running.stop();
        assert_eq!(ended.status, Some(0), "{}", ended.log);
    }
    assert_eq!(place.lines("out"), numbered(0..30).collect::<Vec<_>>());
}

fn it_loses_nothing_when_it_is_killed(machine: Machine) {
    const ROUND: usize = 1000;
    let place = Place::on(machine);
    place.write(
        "kill.swak",
        "task(in.FileTailing(\"log\"), out.TimedBuffer(\"0.02s\"), out.File(\"out\"))\n",
    );
    for round in 0..3 {
        place.append("log", numbered(round * ROUND..(round + 1) * ROUND));
        let running = place.start("kill.swak");
        let before = place.lines("out").len();
        place.wait_for_lines("out", before + 1);
        let ended = running.kill();
        assert_ne!(ended.status, Some(0), "{}", ended.log);
    }
    let running = place.start("kill.swak");
    let last = numbered(0..3 * ROUND).last();
    crate::waiting::wait_until("the last line", || {
        (place.lines("out").last() == last.as_ref()).then_some(())
    });
    assert_eq!(running.stop().status, Some(0));
    // At least once, and the first time in order.
    let mut seen = std::collections::HashSet::new();
    let mut lines = place.lines("out");
    lines.retain(|line| seen.insert(line.clone()));
    assert_eq!(lines, numbered(0..3 * ROUND).collect::<Vec<_>>());
}

fn numbered(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| format!("line {n}"))
}
