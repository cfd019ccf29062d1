//! Processes that are ended together with all that they start.

#[cfg(windows)]
mod job;

use std::path::Path;

use swak_sdk::prelude::*;
use tokio::process::{Child, Command};

/// All that a command starts, and the command itself.
#[derive(Debug)]
pub(crate) struct Family {
    /// The number of the process group, which is the command's own. It is no other's as long as one
    /// of the group runs, even when the command itself has ended.
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
    /// `None` when the command had ended before it could be made.
    #[cfg(windows)]
    job: Option<job::Job>,
}

impl Family {
    /// Starts a command as the head of a new family. The error says what could not be started, and
    /// from which folder when that is the reason.
    pub(crate) fn start(command: &mut Command) -> Result<(Child, Family)> {
        command.kill_on_drop(true);
        // A group of its own, so that all of it can be ended at once; and Ctrl-C, which is for the
        // agent, does not end what still has records to answer.
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(windows)]
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
        let child = command.spawn().with_context(|| cannot_start(command.as_std()))?;
        let family = Family {
            #[cfg(unix)]
            group: child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(rustix::process::Pid::from_raw),
            #[cfg(windows)]
            job: child.raw_handle().and_then(|process| job::Job::of(process).ok()),
        };
        Ok((child, family))
    }

    /// Asks all of it to end, where there is a way to ask; else ends it.
    pub(crate) fn end(&self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::TERM);
        #[cfg(windows)]
        self.kill();
    }

    /// Ends all of it.
    pub(crate) fn kill(&self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
        #[cfg(windows)]
        if let Some(job) = &self.job
            && let Err(error) = job.end_all()
        {
            tracing::warn!("what a command started cannot be ended: {error}");
        }
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(group) = self.group {
            // All of it may have ended meanwhile, which is just as well.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// The system says no more than that something is not there, be it the program or the folder.
fn cannot_start(command: &std::process::Command) -> String {
    let program = command.get_program().display();
    match command.get_current_dir() {
        Some(folder) if !Path::new(folder).is_dir() => format!(
            "`{program}` cannot be started, as its folder `cwd` is not there: {}",
            folder.display()
        ),
        // What it reads, or says on standard error, leads there.
        _ if cfg!(unix) && !Path::new("/dev/null").exists() => {
            format!("`{program}` cannot be started (it needs /dev/null too, which is not there)")
        }
        _ => format!("`{program}` cannot be started"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_folder_is_not_taken_for_a_missing_program() {
        let start = |folder: &str| {
            let mut command = Command::new("/bin/true");
            command.current_dir(folder);
            Family::start(&mut command).map(drop)
        };
        start("/").unwrap();
        let error = start("/no/such/folder").unwrap_err().to_string();
        assert!(error.contains("`cwd` is not there: /no/such/folder"), "{error}");
        let error = Family::start(&mut Command::new("no-such-program")).map(drop).unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` cannot be started");
    }

    #[tokio::test]
    async fn what_a_command_started_ends_with_it() {
        use std::process::Stdio;

        use tokio::io::AsyncReadExt;
        // The child holds the pipe open until it is ended, long after its parent has gone.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & echo started"]).stdout(Stdio::piped());
        let (mut child, family) = Family::start(&mut command).unwrap();
        let mut stdout = child.stdout.take().unwrap();
        child.wait().await.unwrap();
        family.kill();
        let mut said = String::new();
        stdout.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "started\n");
    }
}

#[cfg(all(test, windows))]
mod tests {
    use std::process::Stdio;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_a_command_started_ends_with_it() {
        // The grandchild holds the pipe open until it is ended, long after its parent has gone.
        let mut command = Command::new("cmd");
        command.args(["/D", "/C", "start /B ping -n 600 127.0.0.1"]).stdout(Stdio::piped());
        let (mut child, family) = Family::start(&mut command).unwrap();
        let mut stdout = child.stdout.take().unwrap();
        child.wait().await.unwrap();
        family.kill();
        stdout.read_to_end(&mut Vec::new()).await.unwrap();
    }
}
