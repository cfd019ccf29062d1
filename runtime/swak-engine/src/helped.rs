//! Parts of a task that can be worked in the thread of whoever feeds them.
//!
//! A part is a task of the runtime. To wake it for each chunk costs two switches between threads, and the
//! chunk goes from the caches of one processor to those of another: with cheap parts that is more than what
//! they do. So who hands over a chunk and may block works the part itself, as long as that waits for
//! nothing else and is worked by nobody else. Timers and sockets wake the task, which goes on.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use swak_sdk::data::Chunk;
use swak_sdk::plugin::Help;
use swak_sdk::plugin::erased::BoxFuture;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;

use crate::route::Gone;
use crate::step::Failure;

/// The way into a part.
#[derive(Clone)]
pub(crate) struct Inlet {
    pub(crate) sender: mpsc::Sender<Chunk>,
    part: Arc<Part>,
}

/// How much at once is worked by who hands it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Everything: the part comes last, and is done with a chunk sooner than another thread is awake.
    All,
    /// A little. With more, two threads are done sooner than one.
    Little,
}

/// The task of the runtime that works a part.
pub(crate) struct Helped(Arc<Part>);

struct Part {
    work: Mutex<Work>,
    wakes: Arc<Wakes>,
    /// Calls `wakes`.
    waker: Waker,
    takes: Takes,
    runtime: Handle,
}

enum Work {
    Running(BoxFuture<'static, Result<(), Failure>>),
    Ended(Result<Result<(), Failure>, Box<dyn Any + Send>>),
    Gone,
}

/// Who hears that there is something to do: who helps, or else the task.
#[derive(Default)]
struct Wakes {
    /// [`HELPED`] and [`WOKEN`].
    state: AtomicU8,
    task: Mutex<Option<Waker>>,
}

/// Somebody works the part, and looks afterwards whether there is more to do.
const HELPED: u8 = 1;

/// There may be more to do.
const WOKEN: u8 = 2;

/// What is left to do after somebody helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    /// There may be more to do.
    More,
    /// The work has ended, which its task has to hear.
    End,
}

/// So often who helps goes on with what others have brought.
const AGAIN: usize = 2;

/// So many bytes are little.
const LITTLE: usize = 128 << 10;

const UNBROKEN: &str = "what panics is caught while a part is locked";

/// A part that reads from a channel, and the way into it.
pub(crate) fn helped(
    sender: mpsc::Sender<Chunk>,
    takes: Takes,
    run: BoxFuture<'static, Result<(), Failure>>,
) -> (Inlet, Helped) {
    let wakes = Arc::<Wakes>::default();
    let part = Arc::new(Part {
        work: Mutex::new(Work::Running(run)),
        waker: Waker::from(Arc::clone(&wakes)),
        wakes,
        takes,
        runtime: Handle::current(),
    });
    (Inlet { sender, part: Arc::clone(&part) }, Helped(part))
}

impl Inlet {
    /// Sends a chunk, waiting while the part is full. A little is worked at once.
    pub(crate) async fn send(&self, chunk: Chunk) -> Result<(), Gone> {
        let bytes = usize::try_from(chunk.count().bytes).unwrap_or(usize::MAX);
        let mut chunk = Some(chunk);
        if bytes <= LITTLE {
            self.part.help(bytes, &mut || {
                if let Ok(permit) = self.sender.try_reserve()
                    && let Some(chunk) = chunk.take()
                {
                    permit.send(chunk);
                }
            });
        }
        match chunk {
            Some(chunk) => self.sender.send(chunk).await.map_err(|_| Gone::Part),
            None => Ok(()),
        }
    }

    /// Who can be helped.
    pub(crate) fn part(&self) -> Arc<dyn Help> {
        self.part.clone()
    }
}

impl Future for Helped {
    type Output = Result<(), Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let part = &*self.0;
        part.wakes.set_task(cx.waker());
        let try_again = || {
            // Who has it looks for this after letting it go.
            part.wakes.state.fetch_or(WOKEN, Ordering::SeqCst);
            part.try_lock()
        };
        let Some(mut work) = part.try_lock().or_else(try_again) else { return Poll::Pending };
        part.go_on(&mut work);
        match mem::replace(&mut *work, Work::Gone) {
            Work::Ended(Ok(result)) => Poll::Ready(result),
            Work::Ended(Err(panic)) => {
                drop(work);
                resume_unwind(panic)
            }
            running => {
                *work = running;
                Poll::Pending
            }
        }
    }
}

impl Drop for Helped {
    fn drop(&mut self) {
        let part = &*self.0;
        // Somebody may be in the middle of a system call. That is waited for: whoever comes next must not
        // write beside it.
        let lock = || part.work.lock().expect(UNBROKEN);
        let mut work = part.try_lock().unwrap_or_else(|| match Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(lock)
            }
            _ => lock(),
        });
        let left = mem::replace(&mut *work, Work::Gone);
        drop(work);
        drop(left);
    }
}

impl Help for Part {
    fn help(&self, bytes: usize, give: &mut dyn FnMut()) {
        let is_taken = self.takes == Takes::All || bytes <= LITTLE;
        let Some(work) = is_taken.then(|| self.try_lock()).flatten() else { return give() };
        self.wakes.state.fetch_or(HELPED, Ordering::SeqCst);
        give();
        let mut left = self.work_in(work);
        // What others have brought meanwhile is done sooner than the task is awake.
        let again = if self.takes == Takes::All { AGAIN } else { 0 };
        for _ in 0..again {
            if left != Left::More {
                break;
            }
            let Some(work) = self.try_lock() else { break };
            self.wakes.state.fetch_or(HELPED, Ordering::SeqCst);
            left = self.work_in(work);
        }
        if left != Left::Nothing {
            self.wakes.wake_task();
        }
    }
}

impl Part {
    fn try_lock(&self) -> Option<MutexGuard<'_, Work>> {
        match self.work.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            locked => Some(locked.expect(UNBROKEN)),
        }
    }

    /// Does what there is to do and lets go of the part, which whoever helps has.
    fn work_in(&self, mut work: MutexGuard<'_, Work>) -> Left {
        // What was given wakes nobody: it is looked at now.
        self.wakes.state.fetch_and(!WOKEN, Ordering::SeqCst);
        let has_ended = {
            let _runtime = self.runtime.enter();
            self.go_on(&mut work)
        };
        drop(work);
        let woken = self.wakes.state.swap(0, Ordering::SeqCst) & WOKEN != 0;
        match (has_ended, woken) {
            (true, _) => Left::End,
            (false, true) => Left::More,
            (false, false) => Left::Nothing,
        }
    }

    /// Goes on with the work as far as it goes. Whether it has just ended.
    fn go_on(&self, work: &mut Work) -> bool {
        let Work::Running(running) = work else { return false };
        let mut cx = Context::from_waker(&self.waker);
        let ended = match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => return false,
            Ok(Poll::Ready(result)) => Ok(result),
            Err(panic) => Err(panic),
        };
        *work = Work::Ended(ended);
        true
    }
}

impl Wakes {
    fn set_task(&self, waker: &Waker) {
        let mut task = self.task.lock().expect(NO_PANIC);
        match &mut *task {
            Some(task) => task.clone_from(waker),
            None => *task = Some(waker.clone()),
        }
    }

    fn wake_task(&self) {
        // Without one it was not polled yet, and will be.
        if let Some(task) = &*self.task.lock().expect(NO_PANIC) {
            task.wake_by_ref();
        }
    }
}

const NO_PANIC: &str = "no panic while a waker is locked";

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::SeqCst) & HELPED == 0 {
            self.wake_task();
        }
    }
}
