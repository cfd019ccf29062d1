//! What people see while Cargo works.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Is told how a build goes.
pub trait Progress {
    /// A new step begins: `compiling`.
    fn step(&mut self, name: &str);
    /// Something that people should see although the build goes on.
    fn notice(&mut self, line: &str);
    /// Cargo says a line.
    fn cargo_says(&mut self, line: &str);
    /// So many crates of so many are compiled; the last one is this.
    fn compiled(&mut self, done: usize, total: usize, name: &str);
    /// Nothing more comes.
    fn finish(&mut self);
    /// Whether colours are wanted.
    fn wants_color(&self) -> bool;
}

/// A bar on a terminal.
pub struct Terminal {
    bar: ProgressBar,
}

impl Terminal {
    /// On standard error.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {prefix} {wide_msg}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Terminal { bar }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal::new()
    }
}

impl Progress for Terminal {
    fn step(&mut self, name: &str) {
        self.bar.set_style(style("{spinner} {prefix} {wide_msg}"));
        self.bar.set_prefix(name.to_owned());
        self.bar.set_message("");
    }

    fn notice(&mut self, line: &str) {
        self.bar.println(line);
    }

    fn cargo_says(&mut self, line: &str) {
        self.bar.set_message(line.trim().to_owned());
    }

    fn compiled(&mut self, done: usize, total: usize, _: &str) {
        if done == 1 {
            self.bar.set_length(total as u64);
            self.bar
                .set_style(style("{spinner} {prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}"));
        }
        self.bar.set_position(done as u64);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }

    fn wants_color(&self) -> bool {
        std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Plain lines, for a log.
pub struct Lines<W> {
    out: W,
}

impl<W: Write> Lines<W> {
    /// Writes them there.
    pub fn new(out: W) -> Self {
        Lines { out }
    }

    fn line(&mut self, line: &str) {
        // Who does not read what is said does not stop the build.
        drop(writeln!(self.out, "{line}"));
    }
}

impl<W: Write> Progress for Lines<W> {
    fn step(&mut self, name: &str) {
        self.line(name);
    }

    fn notice(&mut self, line: &str) {
        self.line(line);
    }

    fn cargo_says(&mut self, line: &str) {
        self.line(line);
    }

    fn compiled(&mut self, _: usize, _: usize, _: &str) {}

    fn finish(&mut self) {}

    fn wants_color(&self) -> bool {
        false
    }
}

/// Nothing, for `--json` and for tests.
pub struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: &str) {}
    fn notice(&mut self, _: &str) {}
    fn cargo_says(&mut self, _: &str) {}
    fn compiled(&mut self, _: usize, _: usize, _: &str) {}
    fn finish(&mut self) {}
    fn wants_color(&self) -> bool {
        false
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template of the bar is one")
}
