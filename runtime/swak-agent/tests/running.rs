//! `run` and `test`, with real tasks.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::path::Path;

use swak_agent::EmbeddedRecipe;

use support::{agent, agent_with};

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
    assert!(answer.stderr.starts_with("error[cannot-start]: "), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("help: name another folder with --data-dir"),
        "{}",
        answer.stderr
    );
}
