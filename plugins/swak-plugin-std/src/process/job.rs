//! Job objects: how Windows holds together all processes that one has started.
//!
//! Neither std nor tokio knows them, and the crates that do bring a dozen others along, so the three
//! calls are made here. `taskkill /T` would not do: it looks for parents, and misses what was started
//! by a process that has ended since.
#![expect(unsafe_code, reason = "calls of the system that have no safe form")]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::ptr;

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, TerminateJobObject,
};

/// A set of processes that grows by what they start. Dropping it leaves them alone.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

/// What ended processes give as their exit code.
const ENDED: u32 = 1;

impl Job {
    /// A job that holds a process, and what that starts from now on.
    ///
    /// # Errors
    /// The process has ended already, or the system has no room.
    pub(super) fn of(process: RawHandle) -> io::Result<Self> {
        // SAFETY: no security attributes and no name is what null stands for in both.
        let handle = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just made, and nobody else has it.
        let job = Job(unsafe { OwnedHandle::from_raw_handle(handle) });
        // SAFETY: the job's handle is open. A process handle that is not is an error of the call.
        match unsafe { AssignProcessToJobObject(job.0.as_raw_handle(), process) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(job),
        }
    }

    /// Ends all of them.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn end_all(&self) -> io::Result<()> {
        // SAFETY: the job's handle is open.
        match unsafe { TerminateJobObject(self.0.as_raw_handle(), ENDED) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}
