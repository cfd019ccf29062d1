//! What the commands that run nothing answer.

mod support;

use std::fs;
use std::io;

use serde_json::Value;
use swak_agent::{About, Console, EmbeddedRecipe};

use support::{about, agent, agent_with, command_line, register};

const GOOD: &str = "task(in.Lines([\"a\"]), out.Shout(), out.Keep(\"/tmp/x\"), name=\"loud\")\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the answer is JSON")
}

#[test]
fn list_names_every_plugin_by_kind() {
    let answer = agent(&["list"]);
    assert_eq!(answer.status, 0);
    assert_eq!(
        answer.stdout,
        "Inputs:\n  in.Lines   Gives these lines and ends.  (swak-plugin-demo 0.3.0)\n\n\
         Transforms:\n  out.Shout  Makes lines upper case.  (swak-plugin-demo 0.3.0)\n\n\
         Outputs:\n  out.Keep   Appends lines to a file.  (swak-plugin-demo 0.3.0)\n"
    );
    let list = json(&agent(&["list", "--json"]).stdout);
    assert_eq!(list["crates"][0]["name"], "swak-plugin-demo");
    assert_eq!(list["plugins"][0]["plugin"], "in.Lines");
    assert_eq!(list["plugins"][0]["version"], "0.3.0");
}

#[test]
fn desc_takes_a_name_with_or_without_its_package() {
    let with = agent(&["desc", "in.Lines"]);
    let without = agent(&["desc", "Lines"]);
    assert_eq!(with.status, 0);
    assert_eq!(with.stdout, without.stdout);
    assert!(with.stdout.contains("in.Lines(lines, endless=False)"), "{}", with.stdout);
    let answer = agent(&["desc", "out.Keep", "--format", "json"]);
    assert_eq!(json(&answer.stdout)["options"][1]["secret"], true);
    let answer = agent(&["desc", "out.Keep", "--format", "markdown"]);
    assert!(answer.stdout.starts_with("## out.Keep\n"), "{}", answer.stdout);
}

#[test]
fn desc_of_a_plugin_that_is_not_there_offers_the_nearest() {
    let answer = agent(&["desc", "in.Line"]);
    assert_eq!(answer.status, 2);
    assert_eq!(
        answer.stderr,
        "error[unknown-plugin]: there is no plugin `in.Line`\n\
         help: did you mean `in.Lines`?\n"
    );
    let answer = agent(&["desc", "Elasticsearch", "--format", "json"]);
    assert_eq!(answer.status, 2);
    assert_eq!(json(&answer.stdout)["diagnostics"][0]["code"], "unknown-plugin");
}

#[test]
fn version_says_what_is_in_it() {
    let recipe = EmbeddedRecipe { name: "demo.swak", text: GOOD };
    let answer = json(&agent(&["version", "--json"]).stdout);
    assert_eq!(answer["name"], "swak-demo");
    assert_eq!(answer["version"], "1.4.0");
    assert_eq!(answer["plugins"]["swak-plugin-demo"], "0.3.0");
    let target = answer["target"].as_str().unwrap();
    assert!(target.contains('-'), "{answer}");
    assert_eq!(
        agent_with(&["version"], Some(recipe), "").stdout,
        format!(
            "swak-demo 1.4.0\n\
             swak       {}\n\
             target     {target}\n\
             recipe     demo.swak\n\
             plugins    swak-plugin-demo 0.3.0\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    for flag in ["--version", "-V"] {
        assert_eq!(agent(&[flag]).stdout, "swak-demo 1.4.0\n");
    }
}

#[test]
fn version_tells_the_facts_of_the_build() {
    let facts = concat!(
        r#"<swak-facts 1>{"name":"swak-demo","version":"1.4.0","swak":"0.1.0","#,
        r#""target":"x86_64-pc-windows-gnu","toolchain":"rustc 1.95.0, zig 0.17.1","#,
        r#""profile":"release","plugins":{"swak-plugin-demo":"0.3.0"},"#,
        r#""config_sha256":"0123456789abcdef","lock_sha256":"fedcba9876543210"}</swak-facts>"#,
        "\n",
    );
    let ask = |args: &[&str]| {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut console = Console {
            stdin: &mut io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdout_color: false,
            stderr_color: false,
        };
        let about = About { facts, ..about(None) };
        assert_eq!(swak_agent::run_with(command_line(args), about, register, &mut console), 0);
        String::from_utf8(stdout).unwrap()
    };
    assert_eq!(
        ask(&["version"]),
        "swak-demo 1.4.0\n\
         swak       0.1.0\n\
         target     x86_64-pc-windows-gnu\n\
         toolchain  rustc 1.95.0, zig 0.17.1\n\
         profile    release\n\
         config     sha256 0123456789ab\n\
         lock       sha256 fedcba987654\n\
         plugins    swak-plugin-demo 0.3.0\n"
    );
    let answer = json(&ask(&["version", "--json"]));
    assert_eq!(answer["config_sha256"], "0123456789abcdef");
    assert_eq!(answer["profile"], "release");
}

#[test]
fn check_reads_a_file_standard_input_or_the_recipe_that_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.swak");
    fs::write(&path, GOOD).unwrap();
    let answer = agent(&["check", path.to_str().unwrap()]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.ends_with("good.swak: no mistakes; 1 task: loud\n"));

    assert_eq!(agent_with(&["check", "-"], None, GOOD).status, 0);
    let yaml = "tasks: [[{in.Lines: [[a]]}, {out.Keep: x}]]\n";
    assert_eq!(agent_with(&["check", "-"], None, yaml).status, 0);

    let recipe = EmbeddedRecipe { name: "demo.swak", text: GOOD };
    let answer = agent_with(&["check", "--json"], Some(recipe), "");
    assert_eq!(answer.status, 0);
    assert_eq!(json(&answer.stdout)["tasks"], serde_json::json!(["loud"]));
}

#[test]
fn check_tells_every_mistake_with_its_place() {
    let bad = "task(in.Linse([\"a\"]), out.Keep(\"x\", paswort=\"p\"))\n";
    let answer = agent_with(&["check", "-"], None, bad);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    for part in ["<stdin>:1:6", "did you mean `in.Lines`?", "`out.Keep` has no option `paswort`"] {
        assert!(answer.stderr.contains(part), "{part}: {}", answer.stderr);
    }
    let answer = agent_with(&["check", "-", "--json"], None, bad);
    assert_eq!((answer.status, answer.stderr.as_str()), (2, ""));
    let answer = json(&answer.stdout);
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["diagnostics"].as_array().unwrap().len(), 2);
    assert_eq!(answer["diagnostics"][0]["line"], 1);
}

#[test]
fn a_recipe_that_is_not_there_is_a_mistake() {
    let answer = agent(&["check"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.starts_with("error[no-recipe]: "), "{}", answer.stderr);
    let answer = agent(&["run", "/no/such/recipe.swak"]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.starts_with("error[file-not-found]: "), "{}", answer.stderr);
}

#[test]
fn a_config_file_answers_option() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.yml");
    fs::write(&path, "keep:\n  path: /tmp/x\n").unwrap();
    let recipe = "task(in.Lines([\"a\"]), out.Keep(option(\"keep.path\")))\n";
    let config = ["check", "-", "--config", path.to_str().unwrap()];
    assert_eq!(agent_with(&config, None, recipe).status, 0);
    assert_eq!(agent_with(&["check", "-"], None, recipe).status, 2);
    fs::write(&path, "agent:\n  loglevel: info\n").unwrap();
    let answer = agent_with(&config, None, recipe);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.contains("did you mean `log_level`?"), "{}", answer.stderr);
}

#[test]
fn the_schema_names_every_plugin() {
    let schema = json(&agent(&["schema"]).stdout);
    for name in ["in.Lines", "out.Shout", "out.Keep", "failover", "tee"] {
        assert!(schema["$defs"][name].is_object(), "{name}");
    }
}

#[test]
fn graph_draws_in_either_language_and_shows_no_secret() {
    let recipe = "task(in.Lines([\"a\"]), out.Keep(\"/tmp/x\", password=\"hunter2\"))\n";
    let dot = agent_with(&["graph", "-", "--format", "dot"], None, recipe);
    let mermaid = agent_with(&["graph", "-"], None, recipe);
    assert!(dot.stdout.starts_with("digraph"), "{}", dot.stdout);
    assert!(mermaid.stdout.contains("out.Keep"), "{}", mermaid.stdout);
    for answer in [dot, mermaid] {
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        assert!(!answer.stdout.contains("hunter2"), "{}", answer.stdout);
    }
}

#[test]
fn convert_goes_to_the_other_spelling_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("my.swak"), GOOD).unwrap();
    let answer = agent(&["convert", &path("my.swak"), &path("my.yml")]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(fs::read_to_string(path("my.yml")).unwrap().starts_with("tasks:"));
    assert_eq!(agent(&["check", &path("my.yml")]).status, 0);

    let again = agent(&["convert", &path("my.yml")]);
    assert_eq!(again.status, 0, "{}", again.stderr);
    assert!(again.stdout.starts_with("task("), "{}", again.stdout);
    let piped = agent_with(&["convert", "-", "--to", "yaml"], None, &again.stdout);
    assert_eq!(piped.stdout, fs::read_to_string(path("my.yml")).unwrap());
}

#[test]
fn convert_writes_over_a_file_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("my.swak"), GOOD).unwrap();
    fs::write(path("my.yml"), "mine").unwrap();
    let answer = agent(&["convert", &path("my.swak"), &path("my.yml")]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.starts_with("error[file-exists]: "), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(path("my.yml")).unwrap(), "mine");
    assert_eq!(agent(&["convert", &path("my.swak"), &path("my.yml"), "--force"]).status, 0);
    assert_ne!(fs::read_to_string(path("my.yml")).unwrap(), "mine");
}

#[test]
fn a_wrong_command_line_is_a_mistake_and_help_is_none() {
    let answer = agent(&["chekc"]);
    assert_eq!((answer.status, answer.stdout.as_str()), (2, ""));
    assert!(answer.stderr.contains("'check'"), "{}", answer.stderr);
    for (line, code) in [
        (&["chekc"][..], "unknown-command"),
        (&["list", "--frobnicate"], "unknown-argument"),
        (&["graph", "--format", "png"], "wrong-value"),
        (&["run", "--shutdown-timeout", "soon"], "wrong-value"),
        (&["desc"], "missing-argument"),
    ] {
        let answer = agent(line);
        assert_eq!(answer.status, 2);
        let told = answer.stderr.strip_prefix(&format!("error[{code}]: "));
        assert!(told.is_some_and(|told| !told.contains("error")), "{}", answer.stderr);
    }
    let answer = agent(&["--help"]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
    assert!(answer.stdout.contains("swak-demo desc in.FileTailing"), "{}", answer.stdout);
    assert!(!answer.stdout.contains('\x1b'));
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    struct Gone;
    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut stderr = Vec::new();
    let mut console = Console {
        stdin: &mut io::empty(),
        stdout: &mut Gone,
        stderr: &mut stderr,
        stdout_color: false,
        stderr_color: false,
    };
    for args in [["list"], ["schema"], ["--help"]] {
        let status = swak_agent::run_with(command_line(&args), about(None), register, &mut console);
        assert_eq!(status, 0, "{args:?}");
    }
    assert!(stderr.is_empty());
}
