//! What came of a chain.

use swak_engine::{Ended, Summary};
use swak_sdk::plugin::CountersSnapshot;
use swak_sdk::prelude::*;

use crate::collect::{Collected, raw};

/// What came of a chain that ran to its end.
#[derive(Debug)]
pub struct Ran {
    pub(crate) collected: Collected,
    pub(crate) dead: Collected,
    pub(crate) summary: Summary,
}

impl Ran {
    /// The records that came out.
    pub fn records(&self) -> Vec<Record> {
        self.collected.iter().flatten().map(|(_, _, record)| record.clone()).collect()
    }

    /// The records that came out, by the chunks in which they came.
    pub fn chunks(&self) -> Vec<Vec<Record>> {
        let records = |chunk: &Vec<(Name, Name, Record)>| {
            chunk.iter().map(|(_, _, record)| record.clone()).collect()
        };
        self.collected.iter().map(records).collect()
    }

    /// The records that came out, each as one line of JSON.
    pub fn json(&self) -> Vec<String> {
        self.collected.iter().flatten().map(|(_, _, record)| json(record)).collect()
    }

    /// The records that came out as the output format `raw` writes them.
    pub fn lines(&self) -> Vec<String> {
        self.collected.iter().flatten().map(|(_, _, record)| raw(record)).collect()
    }

    /// The tags of the records that came out.
    pub fn tags(&self) -> Vec<String> {
        self.collected.iter().flatten().map(|(tag, _, _)| tag.to_string()).collect()
    }

    /// The sources of the records that came out.
    pub fn sources(&self) -> Vec<String> {
        self.collected.iter().flatten().map(|(_, source, _)| source.to_string()).collect()
    }

    /// The records that were rejected, each as one line of JSON: what it was, and why.
    pub fn dead_letters(&self) -> Vec<String> {
        self.dead.iter().flatten().map(|(_, _, record)| json(record)).collect()
    }

    /// What came of all tasks.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// How the first task ended.
    pub fn ended(&self) -> &Ended {
        &self.summary.tasks[0].ended
    }

    /// What the step at this place counted: `2` is the first after the input.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn counters(&self, place: &str) -> &CountersSnapshot {
        let prefix = format!("{place} ");
        let step = self.summary.tasks[0].steps.iter().find(|s| s.step.starts_with(&prefix));
        &step.unwrap_or_else(|| panic!("there is no step {place}")).counters
    }
}

fn json(record: &Record) -> String {
    let mut out = Vec::new();
    record.view().write_json(&mut out);
    String::from_utf8(out).expect("JSON is written as UTF-8")
}
