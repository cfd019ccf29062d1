//! An agent that can be killed.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use swak_plugin_std::register;
use swak_test::Bench;

const RECIPE: &str = "SWAK_TEST_RECIPE";
const DATA: &str = "SWAK_TEST_DATA";

/// A process that runs a recipe.
pub(crate) struct Agent(Child);

impl Agent {
    /// Runs a recipe, and keeps its positions in a folder.
    pub(crate) fn start(recipe: &str, data: &Path) -> Self {
        let process = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["--exact", "agent::child", "--nocapture"])
            .env(RECIPE, recipe)
            .env(DATA, data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Agent(process.expect("this program can be started"))
    }

    /// Kills it, wherever it is.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it ends");
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("it ends").success());
    }

    /// Waits for the end of its input, and gives what it has said.
    #[cfg(target_os = "linux")]
    pub(crate) fn finish(mut self) -> String {
        // Open as long as it runs: a closed one is the order to stop.
        let _open = self.0.stdin.take();
        let output = self.0.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }
}

/// The agent. Run as a test, it does nothing.
#[test]
fn child() {
    let (Ok(recipe), Ok(data)) = (std::env::var(RECIPE), std::env::var(DATA)) else { return };
    let mut bench = Bench::new(register);
    bench.settings_mut().data_dir = data.into();
    let running = bench.start(&recipe);
    if recipe.contains("follow=False") {
        let ran = running.wait();
        println!("errors={}", ran.counters("1").errors);
        println!("records={}", ran.counters("1").sent);
        println!("peak={}", peak_memory());
        return;
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    running.stop();
}

/// The most memory that this process had at once, in KiB.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("0").trim().trim_end_matches(" kB").to_owned()
}
