//! The same input gives the same bytes on every machine.

use std::fs;

use crate::machine::Machine;
use crate::place::Place;
use crate::waiting::root;

/// Steps after an input, and before an output; each tries something that could differ.
const STEPS: [(&str, &str); 6] = [
    ("lines", "out.Filter(\"message != ''\")"),
    ("json", "out.JsonParser()"),
    (
        "regex",
        "out.RegexParser([\
         r\"^\\[(?<at>\\w+ \\w+ \\d+ [\\d:]+ \\d+)\\] \\[(?<level>\\w+)\\] (?<message>.*)$\", \
         r\"^(?<day>\\d+-\\d+-\\d+) (?<clock>[\\d:]+), (?<level>\\w+) +(?<part>\\w+) +(?<message>.*)$\", \
         r\"^(?<month>\\w+) +(?<date>\\d+) (?<clock>[\\d:]+) (?<host>\\S+) \
         (?<program>[^\\[:]+)(?:\\[(?<pid>\\d+)\\])?: (?<message>.*)$\"], \
         types={\"pid\": \"int\", \"date\": \"float\"}, time=\"at\", \
         time_format=\"%a %b %d %H:%M:%S %Y\", time_zone=\"Asia/Seoul\")",
    ),
    ("csv", "out.CsvParser([\"a\", \"b\", \"c\"], types={\"b\": \"float\"})"),
    (
        "reform",
        "out.Reform(write={\"length\": \"{{ message|length }}\", \
         \"upper\": \"{{ message|upper }}\", \"half\": \"{{ message|length / 2 }}\"})",
    ),
    ("tail", "out.Filter(\"'error' in message or 'fail' in message|lower\")"),
];

/// What logs rarely hold.
const ODD: &[u8] = b"{\"a\":1e300,\"b\":-0.0,\"c\":0.1,\"d\":18446744073709551615,\"e\":\"\\u00e9\\ud83d\\ude00\"}\n\
    {\"nested\":{\"list\":[1,2.50,null,true],\"empty\":{}},\"text\":\"tab\\t\"}\r\n\
    1,2.5,three\n\"quoted, with \"\"quotes\"\"\",1e-7,\n\
    caf\xc3\xa9 \xe2\x9c\x93 \xff\xfe no UTF-8\n\
    \n   \na line with a carriage return \r in it\n\
    [Sun Dec 04 04:47:44 2005] [error] summer time\nlast line without an end";

#[test]
fn linux_x86_64_in_an_empty_chroot_gives_what_the_host_gives() {
    gives_what_the_host_gives(Machine::Chroot);
}

#[test]
fn linux_aarch64_under_qemu_gives_what_the_host_gives() {
    gives_what_the_host_gives(Machine::Qemu);
}

#[test]
fn windows_x86_64_under_wine_gives_what_the_host_gives() {
    gives_what_the_host_gives(Machine::Wine);
}

fn gives_what_the_host_gives(machine: Machine) {
    let logs = logs();
    let (theirs, ours) = (outputs(machine, &logs), outputs(Machine::Host, &logs));
    assert_eq!(theirs.len(), logs.len() * STEPS.len());
    for ((name, their), (_, our)) in theirs.iter().zip(&ours) {
        assert!(!our.is_empty() || name.ends_with("tail"), "nothing came out of {name}");
        assert!(their == our, "{name} differs on {machine:?}");
    }
}

/// What comes out of each log by each step, all in one run.
fn outputs(machine: Machine, logs: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let place = Place::on(machine);
    let mut recipe = String::new();
    let mut names = Vec::new();
    for (log, text) in logs {
        place.write(log, text);
        for (name, step) in STEPS {
            let out = format!("{log}.{name}");
            recipe += &format!(
                "task(in.FileTailing(\"{log}\", follow=False, keep_cr=True), {step}, \
                 out.File(\"{out}\"))\n"
            );
            names.push(out);
        }
    }
    place.write("all.swak", recipe);
    place.succeed(&["run", "all.swak", "--data-dir", "data"]);
    let read = |name: String| {
        let bytes = fs::read(place.path(&name)).unwrap_or_default();
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

/// The real logs beside this repository, where they are, and what they do not hold.
fn logs() -> Vec<(String, Vec<u8>)> {
    let mut logs = vec![("odd".to_owned(), ODD.to_vec())];
    let folder = root().parent().expect("the repository lies in a folder").join("shared/data");
    for name in ["Apache", "Linux", "Mac", "OpenSSH", "Windows"] {
        match fs::read(folder.join(format!("{name}_2k.log"))) {
            Ok(text) => logs.push((name.to_owned(), text)),
            Err(why) => eprintln!("without the log of {name}: {why}"),
        }
    }
    logs
}
