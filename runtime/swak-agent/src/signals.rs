//! Signals that stop an agent.

use std::io;
#[cfg(unix)]
use std::io::IsTerminal as _;

use swak_sdk::plugin::ShutdownTrigger;

/// From now on the first signal asks the tasks to stop. The future ends with the second one, and gives
/// the exit status that stands for it: the process is to end at once.
///
/// On Unix these are `SIGTERM` and `SIGINT`, and `SIGHUP` where somebody sits at a terminal, which is
/// then gone; on Windows Ctrl-C, Ctrl-Break, the closing of the console and the machine's shutdown. A
/// service that is sent `SIGHUP`, as after a rotation, goes on. Must be called in a Tokio runtime.
///
/// # Errors
/// The system refuses to have the signals listened to.
pub(crate) fn listen(trigger: ShutdownTrigger) -> io::Result<impl Future<Output = u8>> {
    let mut signals = Signals::new()?;
    Ok(async move {
        let first = signals.next().await;
        tracing::info!(signal = first.name, "stopping; a second signal ends the agent at once");
        trigger.trigger();
        let second = signals.next().await;
        tracing::error!(signal = second.name, "ended at once; what was not delivered comes again");
        second.status
    })
}

/// A signal that came.
struct Caught {
    name: &'static str,
    /// What a shell would say of a process that it ended.
    status: u8,
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// Whether there is a terminal; with `nohup` there is none.
    has_terminal: bool,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            has_terminal: io::stdin().is_terminal() || io::stderr().is_terminal(),
        })
    }

    async fn next(&mut self) -> Caught {
        loop {
            // `recv` ends only with the runtime, and this task with it.
            tokio::select! {
                Some(()) = self.interrupt.recv() => return Caught { name: "SIGINT", status: 130 },
                Some(()) = self.terminate.recv() => return Caught { name: "SIGTERM", status: 143 },
                Some(()) = self.hangup.recv() => {
                    if self.has_terminal {
                        return Caught { name: "SIGHUP", status: 129 };
                    }
                    tracing::info!("SIGHUP: files that were moved away are noticed without it");
                }
                else => return std::future::pending().await,
            }
        }
    }
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Signals {
            ctrl_c: ctrl_c()?,
            ctrl_break: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> Caught {
        // `recv` ends only with the runtime, and this task with it.
        tokio::select! {
            Some(()) = self.ctrl_c.recv() => Caught { name: "Ctrl-C", status: 130 },
            Some(()) = self.ctrl_break.recv() => Caught { name: "Ctrl-Break", status: 130 },
            Some(()) = self.close.recv() => Caught { name: "close", status: 143 },
            Some(()) = self.shutdown.recv() => Caught { name: "shutdown", status: 143 },
            else => std::future::pending().await,
        }
    }
}
