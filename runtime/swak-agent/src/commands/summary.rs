//! What is said of each task when an agent ends.

use swak_engine::{Ended, StepSummary, Summary, TaskSummary};

/// Logs one line a task; whether one of them failed for good.
pub(super) fn log(summary: &Summary) -> bool {
    for task in &summary.tasks {
        let (name, restarts, steps) = (task.name.as_str(), task.restarts, steps(task));
        match &task.ended {
            Ended::Finished => tracing::info!(task = name, restarts, "finished: {steps}"),
            Ended::Stopped => tracing::info!(task = name, restarts, "stopped: {steps}"),
            Ended::Interrupted => {
                tracing::warn!(task = name, restarts, "stopped before all was delivered: {steps}");
            }
            Ended::Failed(reason) => {
                tracing::error!(task = name, restarts, "failed: {reason}: {steps}");
            }
        }
    }
    summary.tasks.iter().any(|task| matches!(task.ended, Ended::Failed(_)))
}

/// `1 in.DummyData 10, 2 out.Filter 10 → 4 (6 filtered), 3 out.Stdout 4`
fn steps(task: &TaskSummary) -> String {
    let steps = task.steps.iter().enumerate();
    // What comes in at the beginning is all that there is to count there.
    steps.map(|(i, one)| step(one, i == 0)).collect::<Vec<_>>().join(", ")
}

fn step(step: &StepSummary, is_first: bool) -> String {
    let counters = &step.counters;
    let mut text = match is_first || counters.received == counters.sent {
        true => format!("{} {}", step.step, counters.received),
        false => format!("{} {} → {}", step.step, counters.received, counters.sent),
    };
    let mut also = Vec::new();
    if counters.filtered > 0 {
        also.push(format!("{} filtered", counters.filtered));
    }
    for (reason, count) in &counters.dropped {
        also.push(format!("{count} dropped: {reason}"));
    }
    match counters.errors {
        0 => {}
        1 => also.push("1 error".to_owned()),
        n => also.push(format!("{n} errors")),
    }
    if !also.is_empty() {
        text.push_str(&format!(" ({})", also.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use swak_sdk::plugin::CountersSnapshot;

    use super::*;

    #[test]
    fn a_step_says_what_became_of_its_records() {
        let counted =
            |counters| step(&StepSummary { step: "2 out.Filter".into(), counters }, false);
        let all = CountersSnapshot { received: 10, sent: 10, ..Default::default() };
        assert_eq!(counted(all), "2 out.Filter 10");
        let some = CountersSnapshot {
            received: 10,
            sent: 3,
            filtered: 6,
            errors: 1,
            dropped: [("no match".to_owned(), 1)].into(),
        };
        assert_eq!(counted(some), "2 out.Filter 10 → 3 (6 filtered, 1 dropped: no match, 1 error)");
    }

    #[test]
    fn only_a_task_that_failed_is_a_failure() {
        let summary = |ended| Summary {
            tasks: vec![TaskSummary {
                name: "a".into(),
                ended,
                restarts: 0,
                steps: Vec::new(),
                ledger: Default::default(),
            }],
        };
        assert!(!log(&summary(Ended::Finished)));
        assert!(!log(&summary(Ended::Interrupted)));
        assert!(log(&summary(Ended::Failed("no way".into()))));
    }
}
