//! Connections between tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use swak_recipe::model::{Recipe, Step, Task};
use swak_sdk::data::{Batch, Chunk};
use swak_sdk::plugin::erased::{AnyInput, BoxFuture};
use swak_sdk::plugin::{Emitter, Shutdown, Stopped};
use tokio::sync::{Mutex, mpsc};

use crate::route::Gone;

/// The links of a recipe: for each name the channel to the one task that receives it.
pub(crate) struct Links(BTreeMap<String, End>);

struct End {
    task: String,
    sender: mpsc::Sender<Chunk>,
    receiver: Receiver,
}

type Receiver = Arc<Mutex<mpsc::Receiver<Chunk>>>;

/// The ends that one task holds for as long as it lives, over all its runs: a task that is started
/// again goes on where it was, and a link ends when all that send to it have ended for good.
pub(crate) struct TaskLinks {
    senders: BTreeMap<String, LinkSender>,
    receiver: Option<Receiver>,
}

/// Sends to the task that receives a link.
#[derive(Clone)]
pub(crate) struct LinkSender(mpsc::Sender<Chunk>);

/// The first step of a task that receives a link.
pub(crate) struct LinkInput(Receiver);

impl Links {
    /// A channel for each task that begins with a link.
    pub(crate) fn new(recipe: &Recipe, queue: usize) -> Self {
        let mut ends = BTreeMap::new();
        for task in &recipe.tasks {
            if let Some(Step::Link(link)) = task.steps.first() {
                let (sender, receiver) = mpsc::channel(queue);
                let receiver = Arc::new(Mutex::new(receiver));
                let end = End { task: task.name.clone(), sender, receiver };
                ends.insert(link.name.clone(), end);
            }
        }
        Links(ends)
    }

    /// The ends that a task holds.
    pub(crate) fn of_task(&self, task: &Task) -> TaskLinks {
        let mut names = Vec::new();
        sent_links(task.steps.get(1..).unwrap_or_default(), &mut names);
        let sender = |name: String| {
            let sender = self.0.get(&name)?.sender.clone();
            Some((name, LinkSender(sender)))
        };
        let own = self.0.values().find(|end| end.task == task.name);
        TaskLinks {
            senders: names.into_iter().filter_map(sender).collect(),
            receiver: own.map(|end| Arc::clone(&end.receiver)),
        }
    }
}

impl TaskLinks {
    /// What the task sends to; `None` when no task receives it.
    pub(crate) fn sender(&self, name: &str) -> Option<LinkSender> {
        self.senders.get(name).cloned()
    }

    /// What the task receives from.
    pub(crate) fn receiver(&self) -> Option<LinkInput> {
        self.receiver.clone().map(LinkInput)
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
    /// Ends when the last sender has: at shutdown the senders are flushed first, and what they still
    /// send is taken. In a task that failed it ends at once, and takes nothing with it.
    fn run(self: Box<Self>, out: Emitter, _: Shutdown) -> BoxFuture<'static, swak_sdk::Result<()>> {
        Box::pin(async move {
            let mut receiver = self.0.lock().await;
            loop {
                let chunk = tokio::select! {
                    biased;
                    () = out.closed() => return Err(Stopped.into()),
                    chunk = receiver.recv() => chunk,
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
        let receiver = Arc::new(Mutex::new(receiver));
        let run = |receiver: &Receiver| {
            let (out, _) = mpsc::channel(1);
            let checkpoints = Checkpoints::new(Box::new(MemoryStore::default()));
            let out = Emitter::new(out, "test".into(), checkpoints, Arc::default(), Arc::default());
            let run = Box::new(LinkInput(Arc::clone(receiver))).run(out, Shutdown::new().1);
            timeout(std::time::Duration::from_secs(60), run)
        };
        let ended = run(&receiver).await.expect("it ends though nothing comes");
        assert!(ended.unwrap_err().is::<Stopped>());
        let record = Record::from_line("a", Timestamp::default());
        sender.try_send(Batch::new(vec![record]).into()).unwrap();
        run(&receiver).await.expect("it ends").unwrap_err();
        assert_eq!(receiver.lock().await.try_recv().unwrap().len(), 1);
    }
}
