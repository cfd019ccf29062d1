//! What can be set of an engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::data::Chunk;
use swak_sdk::options::DeliveryOptions;

use crate::Backoff;

/// What can be set of an engine.
#[derive(Clone)]
pub struct Settings {
    /// Where positions and buffers are kept: one folder a task. Locked while the engine runs.
    pub data_dir: PathBuf,
    /// The agent's name: a folder that an agent of another name has used is refused. Default: none,
    /// which takes any folder.
    pub agent: Option<String>,
    /// How long an orderly stop may take. What is not delivered by then is read again after the next
    /// start. Default: 10 seconds.
    pub shutdown_limit: Duration,
    /// What to do with a task that failed. Default: start it again with back-off.
    pub restart: RestartPolicy,
    /// How long to wait before an output is tried again, where its recipe does not say. Default: as
    /// [`DeliveryOptions`] has it, 100 ms, doubling up to 30 s.
    pub retry: Backoff,
    /// How long one write or one connect of an output may take, where its recipe does not say.
    /// Default: as [`DeliveryOptions`] has it, 60 seconds.
    pub write_timeout: Duration,
    /// How many bytes of a task may be on their way and not delivered yet, unless the task says so
    /// itself; each record costs 32 besides its own. Default: 64 MiB.
    pub unacked: u64,
    /// How many chunks may wait between two stages, at least 1. Default: 8.
    pub queue: usize,
    /// Is shown every chunk before and after every step; of the input, what it emits. Default: nobody.
    pub trace: Option<Arc<dyn Trace>>,
}

impl Settings {
    /// The defaults, with a folder for what must be kept.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let delivery = DeliveryOptions::default();
        Settings {
            data_dir: data_dir.into(),
            agent: None,
            shutdown_limit: Duration::from_secs(10),
            restart: RestartPolicy::Backoff(Backoff::new(
                Duration::from_secs(1),
                Duration::from_secs(60),
            )),
            retry: Backoff::new(*delivery.retry_wait, *delivery.retry_max_wait),
            write_timeout: *delivery.timeout,
            unacked: 64 << 20,
            queue: 8,
            trace: None,
        }
    }

    /// The folder of one task. Names may hold what a path must not.
    pub(crate) fn task_folder(&self, task: &str) -> PathBuf {
        self.data_dir.join(folder_name(task, cfg!(any(windows, target_os = "macos"))))
    }
}

/// A name for the folder of a task that no other task has. Where letter case does not count, capital
/// letters are spelled out, and so are the names that Windows keeps for devices.
fn folder_name(task: &str, case_is_ignored: bool) -> String {
    let is_device = case_is_ignored && DEVICES.contains(&task.trim_end_matches(char::is_numeric));
    let mut name = String::new();
    for (i, byte) in task.bytes().enumerate() {
        match byte {
            _ if i == 0 && is_device => name.push_str(&format!("%{byte:02x}")),
            b'A'..=b'Z' if case_is_ignored => name.push_str(&format!("%{byte:02x}")),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

/// Microsoft, "Naming Files, Paths, and Namespaces"; some of them have a digit at their end.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("data_dir", &self.data_dir)
            .field("agent", &self.agent)
            .field("shutdown_limit", &self.shutdown_limit)
            .field("restart", &self.restart)
            .field("retry", &self.retry)
            .field("write_timeout", &self.write_timeout)
            .field("unacked", &self.unacked)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// What to do with a task that failed.
#[derive(Clone, Copy, Debug)]
pub enum RestartPolicy {
    /// Start it again, waiting longer each time; a run of a minute counts as a success.
    Backoff(Backoff),
    /// Leave it: for tests in the foreground.
    Never,
}

/// Is shown every chunk before and after every step.
pub trait Trace: Send + Sync {
    /// `step` is the step as people see it: `1 in.DummyData`.
    fn step(&self, task: &str, step: &str, when: When, chunk: &Chunk);
}

/// On which side of a step a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is about to go in.
    Before,
    /// It came out, or was delivered.
    After,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_a_folder_of_its_own_on_every_system() {
        for (task, name, where_case_is_ignored) in [
            ("task-1", "task-1", "task-1"),
            ("a/../b c", "a%2f%2e%2e%2fb%20c", "a%2f%2e%2e%2fb%20c"),
            ("Web", "Web", "%57eb"),
            ("web", "web", "web"),
            ("nul", "nul", "%6eul"),
            ("com1", "com1", "%63om1"),
            ("NUL", "NUL", "%4e%55%4c"),
            ("console", "console", "console"),
        ] {
            assert_eq!(folder_name(task, false), name, "{task}");
            assert_eq!(folder_name(task, true), where_case_is_ignored, "{task}");
        }
    }
}
