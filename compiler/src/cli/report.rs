//! What is said at the end: to people, or as JSON to a program.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use swak_recipe::diag::Diagnostics;

use super::say;
use crate::build::{Built, Failure, told};
use crate::check::Checked;
use crate::resolve::Plan;
use crate::toolchain::doctor::Checkup;

/// Answers go to standard output, errors to standard error, or into the answer when that is JSON.
pub(super) struct Report {
    json: bool,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Report { json }
    }

    /// A line for people.
    pub(super) fn line(&self, line: &str) {
        say(&format!("{line}\n"));
    }

    pub(super) fn warning(&self, message: &str) {
        complain(&format!("warning: {message}\n"));
    }

    pub(super) fn plan(&self, plan: &Plan) {
        if self.json {
            self.answer(&serde_json::to_value(plan).expect("a plan is plain data"));
        } else {
            say(&plan.to_text());
        }
    }

    /// What was found in a file.
    pub(super) fn found(&self, value: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        if self.json { self.answer(&value()) } else { say(&text()) }
    }

    pub(super) fn checked(&self, plan: &Plan, checked: &Checked) {
        if self.json {
            return self.answer(&json!({ "errors": [], "warnings": checked.warnings }));
        }
        self.warnings(&checked.warnings);
        let mut line = format!(
            "{}: no mistakes; {}",
            plan.config.display(),
            count(plan.plugins.len(), "plugin crate"),
        );
        // How many there are is known when every crate could be read.
        if checked.declared.len() == plan.plugins.len() {
            let plugins = checked.declared.values().map(Vec::len).sum();
            line.push_str(&format!(" with {}", count(plugins, "plugin")));
        }
        self.line(&line);
    }

    pub(super) fn generated(&self, plan: &Plan, checked: &Checked, folder: &Path) {
        if self.json {
            let folder = folder.to_string_lossy();
            return self.answer(&json!({ "folder": folder, "warnings": checked.warnings }));
        }
        self.warnings(&checked.warnings);
        let extension = if cfg!(windows) { "bat" } else { "sh" };
        let script = folder.join(format!("{}.{extension}", plan.name.script()));
        self.line(&format!("wrote {}: now run {}", shown(folder), shown(&script)));
    }

    /// What was made, what was not, and what came of building it twice.
    pub(super) fn built(&self, built: &Built, compared: Option<Failure>) {
        let mut failed = told(&built.failed);
        failed.extend(compared.into_iter().flat_map(Failure::into_parts));
        if self.json {
            let mut answer = serde_json::to_value(built).expect("it is plain data");
            if !failed.is_empty() {
                add_errors(&mut answer, failed);
            }
            return self.answer(&answer);
        }
        self.warnings(&built.warnings);
        let what = format!(
            "{} from {}, built in {}",
            count(built.plugins, "plugin"),
            count(built.crates.len(), "crate"),
            seconds(built.time),
        );
        match built.targets.as_slice() {
            [one] if one.also.is_none() => {
                self.line(&format!("{}: {}, {what}", shown(&one.file), size(one.bytes)));
            }
            several => {
                for one in several {
                    let time = seconds(one.time);
                    self.line(&format!("{}: {}, {time}", shown(&one.file), size(one.bytes)));
                }
                self.line(&format!("{} {}: {what}", built.name, built.version));
            }
        }
        self.tell(failed);
    }

    pub(super) fn checkup(&self, found: &Checkup) {
        if self.json {
            return self.answer(&serde_json::to_value(found).expect("it is plain data"));
        }
        say(&found.to_text());
        if !found.ready && !found.fixes().is_empty() {
            complain("help: `--fix` runs the commands above\n");
        }
    }

    /// The error, the words of Cargo after it.
    pub(super) fn failure(&self, failure: Failure) {
        let parts = failure.into_parts();
        if self.json {
            let mut answer = json!({});
            add_errors(&mut answer, parts);
            return self.answer(&answer);
        }
        self.tell(parts);
    }

    fn tell(&self, parts: Vec<(Diagnostics, Option<String>)>) {
        for (i, (found, words)) in parts.into_iter().enumerate() {
            let between = if i > 0 { "\n" } else { "" };
            complain(&format!("{between}{}", found.render(wants_color())));
            if let Some(words) = words {
                complain(&format!("\n{}\n", words.trim_end()));
            }
        }
    }

    fn warnings(&self, warnings: &[String]) {
        for warning in warnings {
            complain(&format!("{warning}\n"));
        }
    }

    fn answer(&self, value: &Value) {
        let text = serde_json::to_string_pretty(value).expect("it is plain data");
        say(&format!("{text}\n"));
    }
}

/// `errors`, and `words`: what Cargo said about the first of them that it said something about.
fn add_errors(answer: &mut Value, parts: Vec<(Diagnostics, Option<String>)>) {
    let words = parts.iter().find_map(|(_, words)| words.clone());
    let errors: Vec<_> = parts.into_iter().flat_map(|(found, _)| found.into_iter()).collect();
    let errors = Diagnostics::from_vec(errors).expect("there is one in each part");
    answer["errors"] = errors.to_json();
    answer["words"] = words.into();
}

fn wants_color() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Writes to standard error; who closed it does not want to know.
pub(super) fn complain(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// A path as short as it can be said from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().map(|here| crate::resolve::real(&here));
    match here {
        Ok(here) => path.strip_prefix(here).unwrap_or(path).display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `3.4 MB`: millions of bytes.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `1 m 12 s`, `3.4 s`
fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        s => format!("{} m {} s", s / 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(3_400_000), "3.4 MB");
        assert_eq!(seconds(Duration::from_millis(3_400)), "3.4 s");
        assert_eq!(seconds(Duration::from_secs(72)), "1 m 12 s");
        assert_eq!(count(1, "crate"), "1 crate");
        assert_eq!(count(2, "crate"), "2 crates");
    }
}
