//! Looking at everything that targets take, for a person, and getting what is missing.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use super::emulator::Emulator;
use super::need::{Fix, Need};
use super::{Chosen, Kind, Tools, choose, emulator, process};
use crate::target::{System, Target, Triple};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// Whether all the targets can be built.
    pub ready: bool,
    /// Each target, in the order in which they were asked for.
    pub targets: Vec<Examined>,
}

/// What was found for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// Its name: `linux-x86_64`.
    pub target: String,
    /// Whether it can be built.
    pub ready: bool,
    /// What it is built with, for each of its triples.
    pub toolchains: Vec<Chosen>,
    /// All that it takes.
    pub needs: Vec<Need>,
}

/// Looks at everything that targets take.
pub fn examine(targets: &[Target], wanted: Option<Kind>, tools: &Tools) -> Checkup {
    let targets: Vec<_> = targets.iter().map(|target| one(target, wanted, tools)).collect();
    Checkup { ready: targets.iter().all(|t| t.ready), targets }
}

fn one(target: &Target, wanted: Option<Kind>, tools: &Tools) -> Examined {
    let toolchains: Vec<_> = target.triples.iter().map(|t| choose(t, wanted, tools)).collect();
    let mut needs: Vec<Need> = Vec::new();
    for chosen in &toolchains {
        let all = chosen.toolchain(tools).needs(&chosen.triple);
        for need in all.into_iter().chain([runs(&chosen.triple, tools)]) {
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
    }
    let ready = !needs.iter().any(Need::is_missing);
    Examined { target: target.name.clone(), ready, toolchains, needs }
}

/// What a new executable is tried with. A build does without.
fn runs(triple: &Triple, tools: &Tools) -> Need {
    let found = emulator(triple, tools).map(|emulator| match emulator {
        Emulator::Directly => "this machine".to_owned(),
        Emulator::Program { program, .. } => program.display().to_string(),
    });
    let here = Triple::host().system();
    let same_processor = triple.processor() == Triple::host().processor();
    let fix = match triple.system() {
        System::Linux if here == System::Linux => "install QEMU: `apt-get install qemu-user`",
        System::Windows if here == System::Linux && same_processor => {
            "install Wine 9 or later, which Debian has since 13: `apt-get install wine64`"
        }
        _ => "nothing on this machine runs it",
    };
    Need::new(format!("a way to run {triple}"), "a new executable is tried before it is delivered")
        .found(found)
        .or(Fix::words(fix))
        .optional()
}

impl Checkup {
    /// The commands that bring what is missing, each once, and those that build on each other
    /// together.
    pub fn fixes(&self) -> Vec<&Fix> {
        let mut fixes: Vec<&Fix> = Vec::new();
        // What a build may do without, too: no more is known of the crates that it will have.
        let needs = self.targets.iter().flat_map(|target| &target.needs);
        for fix in needs.filter_map(|need| need.fix.as_ref()) {
            if !fix.commands.is_empty() && !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        fixes
    }

    /// For people: what several targets take first, then each target with the rest.
    pub fn to_text(&self) -> String {
        let shared = |need: &Need| {
            self.targets.iter().filter(|target| target.needs.contains(need)).nth(1).is_some()
        };
        let mut common: Vec<&Need> = Vec::new();
        for need in self.targets.iter().flat_map(|target| &target.needs) {
            if shared(need) && !common.contains(&need) {
                common.push(need);
            }
        }
        let mut text = String::new();
        if !common.is_empty() {
            text.push_str("tools\n");
            lines(&mut text, common.into_iter());
        }
        for target in &self.targets {
            text.push_str(&target.heading());
            lines(&mut text, target.needs.iter().filter(|need| !shared(need)));
        }
        text
    }
}

impl Examined {
    /// `windows-x86_64 (x86_64-pc-windows-gnu): zigbuild, zig links for every system`
    fn heading(&self) -> String {
        let triples: Vec<_> = self.toolchains.iter().map(|c| c.triple.to_string()).collect();
        let triples = triples.join(" + ");
        let mut text = self.target.clone();
        if triples != self.target {
            text.push_str(&format!(" ({triples})"));
        }
        let mut said: Vec<String> = self.toolchains.iter().map(Chosen::to_string).collect();
        said.dedup();
        text.push_str(&format!(": {}", said.join("; ")));
        text.push('\n');
        text
    }
}

/// `  ok       zig: 0.17.1 (/usr/bin/zig)`; what brings it stands below what is missing.
fn lines<'a>(text: &mut String, needs: impl Iterator<Item = &'a Need>) {
    let mut needs = needs.peekable();
    while let Some(need) = needs.next() {
        let (mark, said) = match &need.found {
            Some(found) => ("ok", found),
            None if need.optional => ("-", &need.why),
            None => ("missing", &need.why),
        };
        text.push_str(&format!("  {mark:<8} {}: {said}\n", need.what));
        // One command may bring several things.
        if let Some(fix) = &need.fix
            && needs.peek().is_none_or(|next| next.fix.as_ref() != Some(fix))
        {
            text.push_str(&format!("           {}\n", fix.text));
        }
    }
}

/// Runs the commands of a fix where these tools were looked for, one after the other, until one
/// fails; their words go where those of this program go, or all to standard error. Says why it ended
/// early.
///
/// # Errors
/// The command that failed, and how.
pub fn apply(
    fix: &Fix,
    tools: &Tools,
    quiet: bool,
    mut say: impl FnMut(&str),
) -> Result<(), String> {
    for (program, arguments) in &fix.commands {
        let shown = process::shown(program, arguments);
        say(&shown);
        run(program, arguments, tools.folder(), quiet)
            .map_err(|why| format!("`{shown}` failed: {why}"))?;
    }
    Ok(())
}

fn run(program: &Path, arguments: &[OsString], folder: &Path, quiet: bool) -> Result<(), String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(folder).stdin(std::process::Stdio::null());
    if quiet {
        command.stdout(std::io::stderr());
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::tests::Machine;
    use super::*;

    fn found(machine: &Machine, words: &[&str]) -> Checkup {
        let targets: Vec<_> =
            words.iter().map(|word| Target::parse(word).expect("a target")).collect();
        examine(&targets, None, &machine.tools())
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    fn what_several_targets_take_is_told_once_and_the_rest_with_each() {
        let machine = Machine::with_rust();
        machine.library("x86_64-unknown-linux-musl").program("python3", "exit 1");
        let found = found(&machine, &["linux-x86_64", "macos-universal"]);
        assert!(!found.ready && found.targets[0].ready && !found.targets[1].ready);
        let text = found.to_text().replace(&machine.path("").display().to_string(), "");
        let install = "bin/python3 -m venv tools && tools/bin/python -m pip install \
                       --disable-pip-version-check ziglang==0.17.1 cargo-zigbuild==0.24.0";
        let expected = format!(
            "tools
  ok       Cargo: 1.999.0 (bin/cargo)
  ok       Rust: rustc 1.999.0 (abc 2030-01-01), sysroot
  ok       a linker for this machine: bin/cc
linux-x86_64 (x86_64-unknown-linux-musl): cargo, Rust brings musl, this machine links it
  ok       Rust's standard library for x86_64-unknown-linux-musl: installed
  -        a C compiler for x86_64-unknown-linux-musl: crates that bring C take one, as those for TLS do: \
swak-plugin-fluentd has one
           {install}
  ok       a way to run x86_64-unknown-linux-musl: this machine
macos-universal (x86_64-apple-darwin + aarch64-apple-darwin): zigbuild, zig links for every system
  missing  Rust's standard library for x86_64-apple-darwin: every executable holds it
           install Rust with rustup, which has it: https://rustup.rs
  missing  zig: links for the target
  missing  cargo-zigbuild: lets Cargo link with zig
           {install}
  -        a way to run x86_64-apple-darwin: a new executable is tried before it is delivered
           nothing on this machine runs it
  missing  Rust's standard library for aarch64-apple-darwin: every executable holds it
           install Rust with rustup, which has it: https://rustup.rs
  -        a way to run aarch64-apple-darwin: a new executable is tried before it is delivered
           nothing on this machine runs it
"
        );
        assert_eq!(text, expected);
        let fixes: Vec<_> = found.fixes().iter().map(|fix| fix.commands.len()).collect();
        assert_eq!(fixes, [2], "one, of two commands");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    fn a_c_compiler_for_musl_is_told_of_and_zig_is_one() {
        let machine = Machine::with_rust();
        machine.library("x86_64-unknown-linux-musl");
        let missing = found(&machine, &["linux-x86_64"]);
        let text = missing.to_text();
        assert!(missing.ready && missing.fixes().is_empty(), "a build may do without");
        assert!(
            text.contains("-        a C compiler for x86_64-unknown-linux-musl: crates"),
            "{text}"
        );
        assert!(text.contains("`apt-get install musl-tools`"), "{text}");
        machine.program("python3", "exit 1");
        assert_eq!(found(&machine, &["linux-x86_64"]).fixes().len(), 1, "Python brings zig");
        machine.program("musl-gcc", "exit 0");
        let text = found(&machine, &["linux-x86_64"]).to_text();
        assert!(text.contains("ok       a C compiler for x86_64-unknown-linux-musl: "), "{text}");
        machine.program("zig", "echo 0.17.1");
        machine.program("cargo-zigbuild", "echo cargo-zigbuild 0.24.0");
        let text = found(&machine, &["linux-x86_64"]).to_text();
        assert!(
            text.contains("zigbuild, zig compiles C for musl, too")
                && !text.contains("a C compiler for x"),
            "{text}"
        );
    }

    #[test]
    fn the_commands_of_a_fix_end_at_the_first_that_fails() {
        let machine = Machine::bare();
        machine.program("good", "touch \"$1\"").program("bad", "exit 3");
        let command = |program: &str, file: &str| {
            (machine.path("bin").join(program), vec![machine.path(file).into_os_string()])
        };
        let fix = Fix::commands(vec![
            command("good", "first"),
            command("bad", "second"),
            command("good", "third"),
        ]);
        let mut said = 0;
        let why = apply(&fix, &machine.tools(), true, |_| said += 1).expect_err("the second fails");
        assert!(why.contains("bin/bad") && why.ends_with("exit status: 3"), "{why}");
        assert_eq!(said, 2);
        assert!(machine.path("first").exists() && !machine.path("third").exists());
    }
}
