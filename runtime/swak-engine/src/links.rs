//! Connections between tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use swak_recipe::model::{Recipe, Step, Task};
use swak_sdk::data::{Batch, Chunk};
use swak_sdk::plugin::erased::{AnyInput, BoxFuture};
use swak_sdk::plugin::{Emitter, Shutdown, Stopped};
use tokio::sync::{Mutex, mpsc, watch};

use crate::route::Gone;

/// The links of a recipe: for each name the channel to the one task that receives it.
pub(crate) struct Links(BTreeMap<String, End>);

struct End {
    task: String,
    sender: mpsc::Sender<Chunk>,
    receiver: Receiver,
    senders: Arc<watch::Sender<Senders>>,
}

type Receiver = Arc<Mutex<mpsc::Receiver<Chunk>>>;

/// The tasks that send to a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Senders {
    /// They have not ended for good: what was not delivered they would send again.
    alive: usize,
    /// They run now, and have not sent everything yet.
    active: usize,
    /// How many runs of theirs have begun: one may be over before anybody looks.
    begun: u64,
}

/// The ends that one task holds for as long as it lives, over all its runs: a task that is started
/// again goes on where it was.
///
/// A run that receives a link ends when no run sends to it, so that what it holds is delivered; the
/// task itself goes on until all that send to it have ended for good.
pub(crate) struct TaskLinks {
    sends: BTreeMap<String, (LinkSender, Arc<watch::Sender<Senders>>)>,
    receives: Option<LinkInput>,
    active: bool,
    /// How many runs of those that send to it had begun when its own last one did.
    seen: u64,
}

/// Sends to the task that receives a link.
#[derive(Clone)]
pub(crate) struct LinkSender(mpsc::Sender<Chunk>);

/// The first step of a task that receives a link.
#[derive(Clone)]
pub(crate) struct LinkInput {
    receiver: Receiver,
    senders: watch::Receiver<Senders>,
}

impl Links {
    /// A channel for each task that begins with a link.
    pub(crate) fn new(recipe: &Recipe, queue: usize) -> Self {
        let mut ends = BTreeMap::new();
        for task in &recipe.tasks {
            if let Some(Step::Link(link)) = task.steps.first() {
                let (sender, receiver) = mpsc::channel(queue.max(1));
                let receiver = Arc::new(Mutex::new(receiver));
                let senders = Arc::new(watch::Sender::new(Senders::default()));
                let end = End { task: task.name.clone(), sender, receiver, senders };
                ends.insert(link.name.clone(), end);
            }
        }
        Links(ends)
    }

    /// The ends that a task holds, which counts as running from now on. All tasks are to be given
    /// theirs before one is started.
    pub(crate) fn of_task(&self, task: &Task) -> TaskLinks {
        let mut names = Vec::new();
        sent_links(task.steps.get(1..).unwrap_or_default(), &mut names);
        let sender = |name: String| {
            let end = self.0.get(&name)?;
            Some((name, (LinkSender(end.sender.clone()), Arc::clone(&end.senders))))
        };
        let own = self.0.values().find(|end| end.task == task.name);
        let links = TaskLinks {
            sends: names.into_iter().filter_map(sender).collect(),
            receives: own.map(|end| LinkInput {
                receiver: Arc::clone(&end.receiver),
                senders: end.senders.subscribe(),
            }),
            active: true,
            seen: 0,
        };
        links.count(|senders| {
            senders.alive += 1;
            senders.active += 1;
        });
        links
    }
}

impl Links {
    /// The names of the tasks that a task sends to.
    pub(crate) fn receivers_of(&self, task: &Task) -> Vec<&str> {
        let mut names = Vec::new();
        sent_links(task.steps.get(1..).unwrap_or_default(), &mut names);
        names.sort_unstable();
        names.dedup();
        names.iter().filter_map(|name| Some(self.0.get(name)?.task.as_str())).collect()
    }
}

impl TaskLinks {
    /// What the task sends to; `None` when no task receives it.
    pub(crate) fn sender(&self, name: &str) -> Option<LinkSender> {
        self.sends.get(name).map(|(sender, _)| sender.clone())
    }

    /// What the task receives from.
    pub(crate) fn receiver(&self) -> Option<LinkInput> {
        self.receives.clone()
    }

    /// A run of the task begins.
    pub(crate) fn begin(&mut self) {
        if let Some(link) = &self.receives {
            self.seen = link.senders.borrow().begun;
        }
        if !std::mem::replace(&mut self.active, true) {
            self.count(|senders| {
                senders.active += 1;
                senders.begun += 1;
            });
        }
    }

    /// The run sends no more.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.active, false) {
            self.count(|senders| senders.active -= 1);
        }
    }

    /// Waits until a task sends to this one again, or none will any more; then it is `false`. A task
    /// that receives no link has nothing to wait for.
    pub(crate) async fn sends_again(&mut self) -> bool {
        let (seen, Some(link)) = (self.seen, &mut self.receives) else { return false };
        let decided = link.senders.wait_for(|senders| senders.begun != seen || senders.alive == 0);
        decided.await.is_ok_and(|senders| senders.begun != seen)
    }

    fn count(&self, change: impl Fn(&mut Senders)) {
        for (_, senders) in self.sends.values() {
            senders.send_modify(&change);
        }
    }
}

impl Drop for TaskLinks {
    fn drop(&mut self) {
        self.end();
        self.count(|senders| senders.alive -= 1);
    }
}

/// The names of all links that these steps send to.
fn sent_links(steps: &[Step], names: &mut Vec<String>) {
    for step in steps {
        match step {
            Step::Link(link) => names.push(link.name.clone()),
            Step::Tee(tee) => tee.branches.iter().for_each(|branch| sent_links(branch, names)),
            Step::When(when) => {
                sent_links(&when.then, names);
                sent_links(when.otherwise.as_deref().unwrap_or_default(), names);
            }
            Step::Plugin(_) | Step::Failover(_) => {}
        }
    }
}

impl LinkSender {
    pub(crate) async fn send(&self, chunk: Chunk) -> Result<(), Gone> {
        let handed_over = Chunk::new(chunk.into_iter().map(Batch::handed_over).collect());
        self.0.send(handed_over).await.map_err(|_| Gone::Task)
    }
}

impl AnyInput for LinkInput {
    /// Ends when no run sends any more: at shutdown the senders are flushed first, and what they
    /// still send is taken. In a task that failed it ends at once, and takes nothing with it.
    fn run(
        mut self: Box<Self>,
        out: Emitter,
        _: Shutdown,
    ) -> BoxFuture<'static, swak_sdk::Result<()>> {
        Box::pin(async move {
            let mut receiver = self.receiver.lock().await;
            loop {
                let chunk = tokio::select! {
                    biased;
                    () = out.closed() => return Err(Stopped.into()),
                    chunk = receiver.recv() => chunk,
                    // Whoever sent has sent before it said that it is done.
                    _ = self.senders.wait_for(|senders| senders.active == 0) => {
                        receiver.try_recv().ok()
                    }
                };
                let Some(chunk) = chunk else { return Ok(()) };
                out.emit_chunk(chunk).await?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use swak_sdk::data::{Record, Timestamp};
    use swak_sdk::plugin::Checkpoints;
    use tokio::time::timeout;

    use super::*;
    use crate::MemoryStore;

    #[tokio::test]
    async fn a_failed_task_takes_nothing_from_its_link() {
        let (sender, receiver) = mpsc::channel(1);
        let count = watch::Sender::new(Senders { alive: 1, active: 1, begun: 0 });
        let receiver = Arc::new(Mutex::new(receiver));
        let input = LinkInput { receiver: Arc::clone(&receiver), senders: count.subscribe() };
        let run = || {
            let (out, _) = mpsc::channel(1);
            let checkpoints = Checkpoints::new(Box::new(MemoryStore::default()));
            let out = Emitter::new(out, "test".into(), checkpoints, Arc::default(), Arc::default());
            let run = Box::new(input.clone()).run(out, Shutdown::new().1);
            timeout(std::time::Duration::from_secs(60), run)
        };
        let ended = run().await.expect("it ends though nothing comes");
        assert!(ended.unwrap_err().is::<Stopped>());
        let record = Record::from_line("a", Timestamp::default());
        sender.try_send(Batch::new(vec![record]).into()).unwrap();
        run().await.expect("it ends").unwrap_err();
        assert_eq!(receiver.lock().await.try_recv().unwrap().len(), 1);
    }
}
