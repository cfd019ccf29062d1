//! A project that is built whole, with Cargo. The runtime is a miniature of a few lines, in
//! `tests/mini/`, so that a build takes a second.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::copy;

/// A project folder with the miniature beside it.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project { folder };
        let mini = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mini");
        copy(&mini, &project.path("swak"));
        project.write("swak/Cargo.lock", "version = 4\n");
        project.write("x-build.yml", config);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A plugin crate in the project, `swak-plugin-NAME`.
    pub(crate) fn plugin(&self, name: &str, version: &str, source: &str) {
        self.write(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"swak-plugin-{name}\"\nversion = \"{version}\"\n\
                 edition = \"2024\"\n\n[dependencies]\n\
                 swak-sdk = {{ path = \"../swak/runtime/swak-sdk\" }}\n"
            ),
        );
        self.write(&format!("{name}/src/lib.rs"), source);
    }

    /// Makes repositories of the miniature and of a plugin crate, `swak-plugin-far`, which takes
    /// the SDK from there. Gives their addresses, in this order.
    pub(crate) fn repositories(&self, source: &str) -> [String; 2] {
        let root = self.folder.path().canonicalize().expect("it is there");
        let urls = ["swak", "far"].map(|f| format!("file://{}", root.join(f).display()));
        self.plugin("far", "0.7.0", source);
        let git = format!("swak-sdk = {{ git = \"{}\" }}", urls[0]);
        let local = "swak-sdk = { path = \"../swak/runtime/swak-sdk\" }";
        self.write("far/Cargo.toml", &self.read("far/Cargo.toml").replace(local, &git));
        self.write("swak/Cargo.toml", "[workspace]\nmembers = [\"runtime/*\", \"plugins/*\"]\n");
        for folder in ["swak", "far"] {
            commit(&self.path(folder));
        }
        urls
    }

    /// The compiler, fast and without the network.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.plain(&["--profile", "debug", "--offline"]);
        command.args(arguments);
        command
    }

    /// The compiler as people start it.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"));
        command.arg("x-build.yml").args(arguments);
        command.current_dir(self.folder.path()).env_remove("SWAK_BUILD_DIR");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command can be run")
    }
}

/// The source of a plugin crate that declares one output and registers another, or the same. The
/// declaration is for the eye of the compiler under test; rustc does not see it.
pub(crate) fn source(declared: &str, registered: &str) -> String {
    format!(
        "pub fn register(plugins: &mut swak_sdk::Plugins) {{\n    \
         plugins.register(\"out.{registered}\");\n}}\n\n\
         /// An output.\n#[cfg(feature = \"never\")]\n#[derive(Options)]\n\
         #[plugin(output, name = \"{declared}\")]\nstruct Declared {{}}\n"
    )
}

/// Makes a repository of a folder, or a new commit of all that is in it.
pub(crate) fn commit(folder: &Path) {
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "All"]]
    {
        let done = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .current_dir(folder)
            .status()
            .expect("git can be run");
        assert!(done.success(), "git {arguments:?}");
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
