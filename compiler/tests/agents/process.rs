//! An agent as a process: what it says and how it ends.

use crate::support::{Place, agent, wait_until};

#[test]
fn mistakes_in_a_recipe_are_shown_together_and_nothing_runs() {
    let place = Place::new();
    let recipe = place.write(
        "bad.swak",
        "task(in.FileTaling(\"x\"), out.TimedBuffer(\"5x\"), out.File(\"made.txt\", fromat=\"raw\"))\n\
         task(out.Stdout())\n",
    );
    for command in ["check", "run", "test"] {
        let ran = place.run(&agent("swak"), &[command, &recipe.to_string_lossy()]);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(2), "{command}: {said}");
        for part in ["did you mean `in.FileTailing`?", "`5x`", "`format`", "bad.swak:2:6"] {
            assert!(said.contains(part), "{command} does not say {part}:\n{said}");
        }
        assert!(!place.path("made.txt").exists());
    }
}

#[test]
fn what_is_no_recipe_is_told_apart() {
    let place = Place::new();
    place.write("empty.swak", "");
    place.write("latin.swak", b"task(in.Stdin(), out.File(\"caf\xe9\"))");
    place.write("big.swak", vec![b'#'; 50 << 20]);
    place.write("bomb.yml", "a: &a [x,x]\nb: &b [*a,*a]\ntasks: [*b,*b]\n");
    std::fs::create_dir(place.path("folder.swak")).unwrap();
    for (file, part) in [
        ("missing.swak", "missing.swak"),
        ("empty.swak", "is empty"),
        ("latin.swak", "UTF-8"),
        ("big.swak", "large"),
        ("bomb.yml", "alias"),
        ("folder.swak", "folder"),
    ] {
        let ran = place.run(&agent("swak"), &["check", file]);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(2), "{file}: {said}");
        assert!(said.starts_with("error[") && said.contains(part), "{file}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_stop_flushes_what_is_held_and_exits_with_0() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        let (log, out) = (place.write("log", "one\ntwo\n"), place.path("out.txt"));
        let recipe = format!(
            "task(in.FileTailing({log:?}), out.Stdout(), out.TimedBuffer(\"5M\"), out.File({out:?}))"
        );
        let mut running = place.start_recipe(&agent("swak"), "stop.swak", &recipe);
        for line in ["one", "two"] {
            assert_eq!(running.stdout.recv().unwrap(), line);
        }
        assert!(place.lines("out.txt").is_empty());
        running.signal(signal);
        assert_eq!(running.wait().code(), Some(0), "after SIG{signal}");
        assert_eq!(place.lines("out.txt"), ["one", "two"]);
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_leaves_no_process_and_no_file_behind() {
    let place = Place::new();
    let recipe = "task(in.DummyData(count=1), \
        out.Exec([\"sh\", \"-c\", \"echo $$ > started; sleep 1000\"]), out.Stdout())";
    let mut running = place.start_recipe(&agent("swak"), "hang.swak", recipe);
    let process = place.wait_for_lines("started", 1).remove(0);
    let temporary = || {
        let entries = std::fs::read_dir(place.path("")).unwrap().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().starts_with("swak-")).count()
    };
    let alive = || {
        let asked = std::process::Command::new("kill").args(["-0", &process]).output();
        asked.expect("kill can be run").status.success()
    };
    assert!(temporary() > 0 && alive());
    running.signal("TERM");
    running.wait_for_log("stopping");
    running.signal("TERM");
    assert_eq!(running.wait().code(), Some(143));
    assert_eq!(temporary(), 0);
    wait_until("the end of the process", || (!alive()).then_some(()));
}

#[test]
fn a_task_in_the_foreground_that_fails_exits_with_1() {
    let place = Place::new();
    let recipe = place.write("fails.swak", "task(in.Exec(\"/no/such/program\"), out.Stdout())");
    let ran = place.run(&agent("swak"), &["test", &recipe.to_string_lossy()]);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("/no/such/program"), "{said}");
}
