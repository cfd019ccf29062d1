//! cross: Cargo in a container that has the target's linker.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use super::cargo::clock;
use super::find::Tools;
use super::need::{Fix, Need};
use super::places::CROSS;
use super::process::{quoted, shown};
use super::{Invocation, Kind, Site, Toolchain, rust};
use crate::target::{System, Triple};

/// Cargo's target folder in the container: `src/docker/local.rs` of cross 0.2.5.
const INSIDE: &str = "/target";

/// What a build script of an agent reads, and the time. A container sees no variable that is not
/// named, but for those of Cargo's.
const PASSED: &str = "SOURCE_DATE_EPOCH SWAK_LINKED_BY SWAK_PROFILE";

/// cross.
pub(super) struct Cross<'a> {
    pub(super) tools: &'a Tools,
}

impl Toolchain for Cross<'_> {
    fn kind(&self) -> Kind {
        Kind::Cross
    }

    fn versions(&self) -> Vec<String> {
        self.tools.cross().map(|c| format!("cross {}", c.version)).into_iter().collect()
    }

    fn needs(&self, triple: &Triple) -> Vec<Need> {
        let tools = self.tools;
        let mut needs = rust::needs(tools);
        let tested = format!("cross@{CROSS}");
        let install = ["install", "--locked", &tested].map(OsString::from).into();
        let cross = tools.cross();
        needs.push(
            Need::new("cross", "runs Cargo in a container")
                .found(cross.map(|c| format!("{} ({})", c.version, c.program.display())))
                .or(Fix::command(&tools.cargo(), install)),
        );
        needs.push(
            Need::new("rustup", "cross asks it for the library of the target")
                .found(tools.program("rustup").map(|rustup| rustup.display().to_string()))
                .or(Fix::words("install Rust with rustup: https://rustup.rs")),
        );
        let (found, why, fix) = match tools.engine() {
            Ok(e) => {
                (Some(format!("{} {}", e.name, e.version)), "runs the container", String::new())
            }
            Err(Some(silent)) => {
                let asked = shown(silent, &["info".into()]);
                (None, "it is there and does not answer", format!("start it; `{asked}` says more"))
            }
            Err(None) => (None, "runs the container", "install Docker or Podman".to_owned()),
        };
        needs.push(Need::new("a container engine", why).found(found).or(Fix::words(fix)));
        if let Some(why) = no_image(triple) {
            needs.push(
                Need::new(format!("an image for {triple}"), why)
                    .or(Fix::words("use `toolchain: zigbuild`, or leave it out")),
            );
        }
        needs
    }

    fn invocation(&self, triple: &Triple, site: &Site<'_>) -> Invocation {
        let program = self.tools.cross().map(|c| c.program.clone());
        let named = std::env::var_os("CROSS_BUILD_ENV_PASSTHROUGH").unwrap_or_default();
        let named = with_word(named, PASSED.as_ref());
        let mut environment = vec![("CROSS_BUILD_ENV_PASSTHROUGH".into(), named), clock()];
        if let Ok(engine) = self.tools.engine() {
            // Left alone, it takes the first that is there, whether it answers or not.
            environment.push(("CROSS_CONTAINER_ENGINE".into(), engine.program.clone().into()));
        }
        let options = container_options(std::env::var_os("CROSS_CONTAINER_OPTS"), site.sources);
        if !options.is_empty() {
            environment.push(("CROSS_CONTAINER_OPTS".into(), options));
        }
        Invocation {
            program: program.unwrap_or_else(|| "cross".into()),
            arguments: vec!["build".into(), "--target".into(), triple.name().into()],
            environment,
            without: Vec::new(),
            // The linker is the one of the container.
            flags: Vec::new(),
            target_dir: Some(INSIDE.into()),
        }
    }
}

/// What the container engine is told, besides what a person tells it.
///
/// cross mounts the folder of each crate that Cargo finds by its path. Such a crate may take
/// versions and more from the workspace that it belongs to: all of that is mounted.
fn container_options(own: Option<OsString>, sources: &[PathBuf]) -> OsString {
    let mut trees: Vec<_> = sources.iter().map(|folder| tree(folder)).collect();
    trees.sort();
    trees.dedup();
    let mut words = own.unwrap_or_default();
    for tree in trees {
        let mount = format!("--volume={0}:{0}:ro", tree.display());
        words = with_word(words, quoted(&mount).as_ref());
    }
    words
}

fn with_word(mut words: OsString, word: &OsStr) -> OsString {
    if !words.is_empty() {
        words.push(" ");
    }
    words.push(word);
    words
}

/// The folder of the workspace that a crate belongs to, or its own.
fn tree(folder: &Path) -> &Path {
    let is_root = |folder: &&Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.parse::<DocumentMut>().is_ok_and(|manifest| manifest.contains_key("workspace"))
    };
    folder.ancestors().find(is_root).unwrap_or(folder)
}

/// Why cross has no container for a target.
fn no_image(triple: &Triple) -> Option<&'static str> {
    match triple.system() {
        System::Macos => Some("Apple's licence lets nobody publish one with its SDK"),
        _ if triple.glibc().is_some() => Some("a container has the glibc that it has"),
        _ => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::tests::{Machine, triple};
    use super::*;
    use crate::target::HOST;

    #[test]
    fn the_whole_workspace_of_a_crate_is_mounted_once() {
        let machine = Machine::bare();
        let write = |name: &str, text: &str| {
            let file = machine.path(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        };
        write("a tree/Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\n");
        write("a tree/one/Cargo.toml", "[package]\nname = \"one\"\n");
        write("a tree/two/Cargo.toml", "[package]\nname = \"two\"\n");
        write("alone/Cargo.toml", "[package]\nname = \"alone\"\n");
        let sources = ["a tree/two", "alone", "a tree/one"].map(|name| machine.path(name));
        let root = machine.path("");
        let root = root.display();
        let mounts =
            format!("'--volume={root}a tree:{root}a tree:ro' --volume={root}alone:{root}alone:ro");
        assert_eq!(container_options(None, &sources).to_string_lossy(), mounts);
        let with = container_options(Some("--network=host".into()), &sources);
        assert_eq!(with.to_string_lossy(), format!("--network=host {mounts}"));
        assert_eq!(container_options(None, &[]), "");
    }

    /// A stand-in for cross writes down how it was called, and is plain Cargo but for the names that
    /// the container has for folders. No container is run.
    #[test]
    fn cross_is_called_as_it_wants_to_be() {
        let machine = Machine::bare();
        let program = machine.path("work/src/main.rs");
        fs::create_dir_all(program.parent().expect("a folder")).expect("made");
        fs::write(program, "fn main() {}\n").expect("written");
        let manifest = "[package]\nname = \"x\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(machine.path("work/Cargo.toml"), manifest).expect("written");
        let log = machine.path("log");
        let out = machine.path("out");
        machine.program("docker", "echo 20.10").program("rustup", "exit 0").program(
            "cross",
            &format!(
                "case $1 in --version) echo 'cross 0.2.5'; exit;; esac\n\
                 {{ pwd; echo \"$*\"; echo \"$CROSS_CONTAINER_ENGINE\"; }} > '{}'\n\
                 '{}' \"$@\" | /bin/sed 's|{}|/target|g'",
                log.display(),
                Tools::find().cargo().display(),
                out.display(),
            ),
        );
        let tools = machine.tools();
        let site = Site { folder: &out, sources: &[] };
        let invocation = Kind::Cross.of(&tools).invocation(&triple(HOST), &site);
        let asked = std::process::Command::new(&invocation.program)
            .args(&invocation.arguments)
            .args(["--manifest-path", "Cargo.toml", "--message-format=json", "--target-dir"])
            .arg(&out)
            .envs(invocation.environment.iter().cloned())
            .current_dir(machine.path("work"))
            .output()
            .expect("it starts");
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));

        let log = fs::read_to_string(log).expect("it was called");
        let work = machine.path("work").canonicalize().expect("it is there");
        let expected = format!(
            "{}\nbuild --target {HOST} --manifest-path Cargo.toml --message-format=json \
             --target-dir {}\n{}\n",
            work.display(),
            out.display(),
            machine.path("bin/docker").display(),
        );
        assert_eq!(log, expected);
        let messages = String::from_utf8(asked.stdout).expect("Cargo writes UTF-8");
        let executable = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("it names the executable");
        assert!(executable.starts_with(INSIDE), "{}", executable.display());
        assert!(invocation.outside(&executable, &out).is_file());
        assert_eq!(invocation.outside(Path::new("/other"), &out), Path::new("/other"));
    }
}
