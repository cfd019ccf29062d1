//! A checked recipe: what an engine runs.

use std::time::Duration;

use swak_sdk::options::{Args, Kind, Literal, Span};

use crate::diag::Diagnostic;
use crate::syntax::Arg;

/// A recipe without a mistake.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// In the order they are written; never empty, names are unique.
    pub tasks: Vec<Task>,
    /// What is worth a look although everything can run, by place.
    pub warnings: Vec<Diagnostic>,
}

/// One chain.
#[derive(Clone, Debug)]
pub struct Task {
    /// As given, or `task-1` by place in the recipe.
    pub name: String,
    /// The whole task.
    pub span: Span,
    /// The first is a [`Step::Plugin`] with an input, or a [`Step::Link`] that receives; at least
    /// one follows, and the last hands all records on to the outside or to another task.
    pub steps: Vec<Step>,
    /// Where records go that no output can ever take.
    pub dead_letter: Option<Call>,
    /// How many bytes of it may be on their way and not delivered yet. Left out: the engine's default.
    pub unacked: Option<u64>,
    /// After the input has ended, start the task again after this long.
    pub restart_after: Option<Duration>,
}

/// One step of a chain.
#[derive(Clone, Debug)]
pub enum Step {
    /// A plugin.
    Plugin(Call),
    /// Outputs that stand in for each other.
    Failover(Failover),
    /// Branches that each get every record.
    Tee(Tee),
    /// A choice.
    When(When),
    /// As the first step it receives, later it sends.
    Link(Link),
}

/// A plugin with its options.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the catalog says the plugin is.
    pub kind: Kind,
    /// The name without its package: `FileTailing`.
    pub name: String,
    /// Its options, names and `env(…)` answered; they were checked.
    pub args: Args,
    /// The options as they are written, with `env(…)` and `option(…)` still in them.
    pub written: Vec<Arg>,
    /// The whole call.
    pub span: Span,
}

/// Outputs that stand in for each other.
#[derive(Clone, Debug)]
pub struct Failover {
    /// At least one.
    pub outputs: Vec<Call>,
    /// Taken when all fail.
    pub last: Option<Call>,
    /// Which one is tried first.
    pub start_by: StartBy,
    /// How long a chunk waits for one output before it goes to the next.
    pub timeout: Duration,
    /// Whether what `last` took is sent on once an output answers.
    pub drain_back: bool,
    /// The whole call.
    pub span: Span,
}

/// Which output of a failover is tried first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum StartBy {
    /// The first one written.
    #[default]
    First,
    /// This machine's address chooses: machines are spread over the outputs.
    Ip,
    /// A new choice at every start.
    Random,
    /// The hash of this field chooses: equal values go to the same output.
    Field(String),
}

/// Branches that each get every record.
#[derive(Clone, Debug)]
pub struct Tee {
    /// At least one; each ends in an output.
    pub branches: Vec<Vec<Step>>,
    /// The whole call.
    pub span: Span,
}

/// A choice by an expression. A branch that does not end in an output goes on with the step after
/// the `when`.
#[derive(Clone, Debug)]
pub struct When {
    /// A Jinja expression; always a string.
    pub condition: Literal,
    /// The steps when it is true.
    pub then: Vec<Step>,
    /// The steps when it is not; without them the record goes on.
    pub otherwise: Option<Vec<Step>>,
    /// The whole call.
    pub span: Span,
}

/// One end of a connection between tasks.
#[derive(Clone, Debug)]
pub struct Link {
    /// The name that both ends give.
    pub name: String,
    /// The whole call.
    pub span: Span,
}

impl Failover {
    /// How long a chunk waits for one output, where the recipe does not say.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

impl Step {
    /// Where it is written.
    pub fn span(&self) -> Span {
        match self {
            Step::Plugin(call) => call.span,
            Step::Failover(failover) => failover.span,
            Step::Tee(tee) => tee.span,
            Step::When(when) => when.span,
            Step::Link(link) => link.span,
        }
    }

    /// Whether records need no further step after this one.
    pub fn is_end(&self) -> bool {
        match self {
            Step::Plugin(call) => call.kind == Kind::Output,
            Step::Failover(_) | Step::Tee(_) | Step::Link(_) => true,
            Step::When(when) => {
                chain_ends(&when.then) && when.otherwise.as_deref().is_some_and(chain_ends)
            }
        }
    }
}

impl Call {
    /// As a recipe names it: `out.File`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.kind.package(), self.name)
    }
}

/// Whether records that have gone through these steps need no further one.
pub fn chain_ends(steps: &[Step]) -> bool {
    steps.last().is_some_and(Step::is_end)
}
