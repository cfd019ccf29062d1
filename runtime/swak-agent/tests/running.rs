//! `run` and `test`, with real tasks.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::path::Path;

use swak_agent::EmbeddedRecipe;

use support::{agent, agent_with, other_agent};

/// A folder, and the two files that the recipe in it writes.
struct Trial {
    folder: tempfile::TempDir,
}

impl Trial {
    fn new(recipe: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        fs::write(folder.path().join("my.swak"), recipe.replace("HERE", place)).unwrap();
        Trial { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(Path::new(&self.path(name))).ok()
    }
}

const TWO: &str = "\
task(in.Lines([\"a\", \"b\"]), out.Shout(), out.Keep(r\"HERE/one\"))
task(in.Lines([\"c\"]), out.Keep(r\"HERE/two\"), name=\"second\")
";

#[test]
fn run_runs_all_tasks_to_their_end() {
    let trial = Trial::new(TWO);
    let answer = agent(&["run", &trial.path("my.swak"), "--data-dir", &trial.path("data")]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(trial.text("one").as_deref(), Some("A\nB\n"));
    assert_eq!(trial.text("two").as_deref(), Some("c\n"));
}

#[test]
fn run_takes_the_recipe_that_is_built_in() {
    let trial = Trial::new("");
    let text = format!("task(in.Lines([\"a\"]), out.Keep(r\"{}\"))", trial.path("one"));
    let recipe = EmbeddedRecipe { name: "demo.swak", text: text.leak() };
    let answer = agent_with(&["run", "--data-dir", &trial.path("data")], Some(recipe), "");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(trial.text("one").as_deref(), Some("a\n"));
}

#[test]
fn test_runs_one_task_by_place_or_name() {
    for args in [vec!["-t", "2"], vec!["--task", "second"]] {
        let trial = Trial::new(TWO);
        let path = trial.path("my.swak");
        let answer = agent(&[&["test", path.as_str()], args.as_slice()].concat());
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        assert_eq!(trial.text("one"), None);
        assert_eq!(trial.text("two").as_deref(), Some("c\n"));
    }
    let trial = Trial::new(TWO);
    assert_eq!(agent(&["test", &trial.path("my.swak"), "--trace"]).status, 0);
    assert_eq!(trial.text("one").as_deref(), Some("A\nB\n"));
    assert_eq!(trial.text("two"), None);
    assert_eq!(agent(&["test", &trial.path("my.swak"), "-t", "3"]).status, 2);
}

#[test]
fn test_does_not_start_a_failed_task_again() {
    let trial = Trial::new("task(in.Lines([\"a\"]), out.Keep(r\"HERE/one\", broken=True))");
    let answer = agent(&["test", &trial.path("my.swak")]);
    assert_eq!(answer.status, 1);
    assert!(
        answer.stderr.starts_with("error[task-failed]: task `task-1` failed: "),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains("the output is broken"), "{}", answer.stderr);
}

#[test]
fn run_refuses_a_data_folder_that_is_a_file() {
    let trial = Trial::new(TWO);
    let recipe = trial.path("my.swak");
    let answer = agent(&["run", &recipe, "--data-dir", &recipe]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.starts_with("error[data-dir-unusable]: "), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("help: name another folder with --data-dir"),
        "{}",
        answer.stderr
    );
}

#[test]
fn audit_accounts_for_every_record_over_all_runs() {
    let trial = Trial::new(TWO);
    let (recipe, data) = (trial.path("my.swak"), trial.path("data"));
    for _ in 0..2 {
        assert_eq!(agent(&["run", &recipe, "--data-dir", &data]).status, 0);
    }
    let answer = agent(&["audit", "--data-dir", &data]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let task = |name: &str, records: u64| {
        format!(
            "{name}\n  received   {records} records  {records} bytes\n\
             \x20 delivered  {records} records  {records} bytes\n\
             \x20 in flight  0 records  0 bytes\n  every record is accounted for\n"
        )
    };
    assert_eq!(answer.stdout, task("second", 2) + &task("task-1", 4));
    let answer = agent(&["audit", "--data-dir", &data, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(json["tasks"][1]["delivered"]["records"], 4);
    assert_eq!(json["tasks"][1]["holds"], true);
}

#[test]
fn audit_fails_when_a_record_is_nowhere() {
    let trial = Trial::new(
        "task(in.Lines([\"a\", \"b\"]), out.Shout(forgets=True), out.Keep(r\"HERE/one\"))",
    );
    let data = trial.path("data");
    assert_eq!(agent(&["run", &trial.path("my.swak"), "--data-dir", &data]).status, 0);
    let answer = agent(&["audit", "--data-dir", &data]);
    assert_eq!(answer.status, 1);
    assert_eq!(
        answer.stderr,
        "error[ledger-unbalanced]: task task-1: +1 records (+0 bytes) are not accounted for\n"
    );
    let answer = agent(&["audit", "--data-dir", &data, "--json"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stdout.contains("\"holds\": false"), "{}", answer.stdout);
    let empty = trial.path("nobody");
    fs::create_dir(&empty).unwrap();
    let answer = agent(&["audit", "--data-dir", &empty]);
    assert_eq!(answer.status, 2);
    assert!(answer.stderr.starts_with("error[no-ledger]: "), "{}", answer.stderr);
}

#[test]
fn run_leaves_the_folder_of_another_agent_alone() {
    let trial = Trial::new(TWO);
    let (recipe, data) = (trial.path("my.swak"), trial.path("data"));
    assert_eq!(agent(&["run", &recipe, "--data-dir", &data]).status, 0);
    let answer = other_agent(&["run", &recipe, "--data-dir", &data]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.starts_with("error[data-dir-foreign]: "), "{}", answer.stderr);
    assert!(answer.stderr.contains("belongs to the agent `swak-demo`"), "{}", answer.stderr);
    assert_eq!(trial.text("one").as_deref(), Some("A\nB\n"), "it ran once");
}
