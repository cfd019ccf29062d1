//! Running plugins in a task of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use swak_engine::{Backoff, Engine, RestartPolicy, Settings};
use swak_recipe::diag::{Diagnostics, SourceFile};
use swak_recipe::model::Recipe;
use swak_recipe::{ProcessEnvironment, check};
use swak_sdk::plugin::Shutdown;
use swak_sdk::prelude::*;
use tempfile::TempDir;

use crate::collect::{Collect, Fate, collect};
use crate::given::{Given, leave};
use crate::{Ran, Running};

/// The plugins of a crate, ready to be tried. Positions are kept from one run to the next, in a
/// folder that goes with the bench.
pub struct Bench {
    plugins: Arc<Plugins>,
    settings: Settings,
    data: Arc<TempDir>,
}

impl Bench {
    /// A bench for the plugins that this function registers.
    pub fn new(register: fn(&mut Plugins)) -> Self {
        let mut plugins = Plugins::new();
        plugins.input::<Given>().output::<Collect>();
        register(&mut plugins);
        let data = TempDir::with_prefix("swak-test-").expect("a folder for what is to be kept");
        let mut settings = Settings::new(data.path());
        settings.restart = RestartPolicy::Never;
        settings.retry = Backoff::new(Duration::from_millis(5), Duration::from_millis(50));
        Bench { plugins: Arc::new(plugins), settings, data: Arc::new(data) }
    }

    /// The engine's settings. Other than an agent's: a task that fails is not started again, and an
    /// output is tried again soon.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The plugins.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// Where positions are kept.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Runs these steps over the given records, to the end.
    ///
    /// # Panics
    /// If the recipe has a mistake, which is shown.
    pub fn chain(&self, steps: &str, input: Vec<Batch>) -> Ran {
        let id = next_id();
        leave(&id, input);
        let steps = if steps.trim().is_empty() { String::new() } else { format!("{steps},") };
        self.start_task(&format!("in.Given({id:?}), {steps}"), &id, Outcome::Delivered).wait()
    }

    /// Starts a task with this input; what it reads can be waited for.
    ///
    /// # Panics
    /// If the recipe has a mistake, which is shown.
    pub fn input(&self, input: &str) -> Running {
        self.input_settled(input, Outcome::Delivered)
    }

    /// As [`Bench::input`], and this is what the input is told of all that it reads. `Errored` fails
    /// the task for good at the first chunk.
    ///
    /// # Panics
    /// If the recipe has a mistake, which is shown.
    pub fn input_settled(&self, input: &str, outcome: Outcome) -> Running {
        self.start_task(&format!("{input},"), &next_id(), outcome)
    }

    /// The mistakes that `check` finds in this call, as people see them; empty when there are none.
    pub fn mistakes(&self, call: &str) -> String {
        let recipe = if call.starts_with("in.") {
            format!("task({call}, out.Collected(\"\"))")
        } else {
            format!("task(in.Given(\"\"), {call}, out.Collected(\"\"))")
        };
        self.check(&recipe).err().map(|e| e.render(false)).unwrap_or_default()
    }

    /// Starts a whole recipe. What its `out.Collected("…")` get is seen through a
    /// [`Collector`](crate::Collector).
    ///
    /// # Panics
    /// If the recipe has a mistake, which is shown.
    pub fn start(&self, recipe: &str) -> Running {
        self.start_recipe(recipe, &next_id())
    }

    /// Why this recipe cannot be started.
    ///
    /// # Panics
    /// If it can be.
    pub fn start_error(&self, recipe: &str) -> String {
        match self.start(recipe).outcome() {
            Ok(_) => panic!("it was started"),
            Err(error) => error.to_string(),
        }
    }

    fn start_task(&self, head: &str, id: &str, outcome: Outcome) -> Running {
        let outcome = Fate::of(outcome);
        let dead = format!("{id}-dead");
        self.start_recipe(
            &format!(
                "task({head} out.Collected({id:?}, outcome={outcome:?}), name=\"test\", \
                 dead_letter=out.Collected({dead:?}))"
            ),
            id,
        )
    }

    fn start_recipe(&self, text: &str, id: &str) -> Running {
        let recipe = self.check(text).unwrap_or_else(|e| panic!("\n{}", e.render(false)));
        let engine = Engine::new(recipe, Arc::clone(&self.plugins), self.settings.clone());
        let (collected, dead) = (collect(id), collect(&format!("{id}-dead")));
        let (trigger, shutdown) = Shutdown::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let ended = runtime.spawn(engine.run(shutdown));
        Running::new(runtime, trigger, ended, collected, dead, Arc::clone(&self.data))
    }

    fn check(&self, recipe: &str) -> Result<Recipe, Diagnostics> {
        check(&SourceFile::new("test.swak", recipe), &*self.plugins, &ProcessEnvironment::new())
    }
}

/// Tests run side by side, and inputs and outputs find their test by name.
fn next_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("bench-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
