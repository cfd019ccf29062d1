//! Lines whose fields stay ranges of the block that was read: no record is made of any.

use std::sync::Arc;

use swak_sdk::data::{Cell, Rows, Schema};
use swak_sdk::prelude::*;

use super::super::typed::{Typed, Typing};
use super::super::unreadable::Unreadable;
use super::finder::UNSET;
use super::{NO_MATCH, Pattern};

/// How much behind a line is looked at, in bytes: what patterns read together.
const BEHIND: usize = 16;

/// Reads batches of untouched lines.
pub(super) struct RowReader {
    schema: Arc<Schema>,
    cells: Vec<Cell>,
}

impl RowReader {
    /// A reader of the fields with these names; none when the fields of a pattern stand in another
    /// order, which rows cannot say.
    pub(super) fn new(names: &[&str], patterns: &[Pattern]) -> Option<Self> {
        let is_in_order = |pattern: &Pattern| pattern.fields.is_sorted_by_key(|(_, i)| *i);
        patterns.iter().all(is_in_order).then(|| RowReader {
            schema: Arc::new(Schema::new(names.iter().copied())),
            cells: vec![Cell::Missing; names.len()],
        })
    }

    /// Puts what the patterns find in the place of the lines, and hands the batch on. A batch of
    /// anything but untouched lines is given back.
    pub(super) fn read(
        &mut self,
        mut batch: Batch,
        patterns: &mut [Pattern],
        typing: &Typing,
        policy: Unreadable,
        out: &mut Outlet,
    ) -> Option<Batch> {
        let (Some((block, lines)), Some(now)) = (batch.lines(), batch.lines_time()) else {
            return Some(batch);
        };
        let mut rows = Rows::new(block.clone(), Arc::clone(&self.schema), lines.len());
        let mut unread = Vec::new();
        for line in lines {
            let (start, end) = (line.start as usize, line.end as usize);
            // A little of what is behind the line is there to be looked at together with its end; with all
            // of it, each run that a line ends with would go on to the end of the block.
            let (text, len) = (&block[start..block.len().min(end + BEHIND)], end - start);
            let mut time = now;
            if let Some(pattern) = patterns.iter_mut().find_map(|p| p.finds(text, len)) {
                self.fill(pattern, text, line.start, typing, now, &mut time, out);
                rows.push_fields(*line, time, &self.cells);
            } else if policy == Unreadable::Keep {
                out.error();
                rows.push_line(*line, now);
            } else {
                unread.push(Record::from_line(block.slice(start, end), now));
            }
        }
        if !unread.is_empty() {
            policy.settle(batch.derive(unread), NO_MATCH, NO_MATCH, out);
        }
        batch.set_rows(rows);
        out.emit(batch);
        None
    }

    /// Fills the cells with what the pattern found in a line that begins at `start`.
    #[expect(clippy::too_many_arguments, reason = "a line with its place and its times")]
    fn fill(
        &mut self,
        pattern: &Pattern,
        line: &[u8],
        start: u32,
        typing: &Typing,
        now: Timestamp,
        time: &mut Timestamp,
        out: &mut Outlet,
    ) {
        if pattern.fields.len() < self.cells.len() {
            self.cells.fill(Cell::Missing);
        }
        for ((_, i), &[from, to]) in pattern.fields.iter().zip(pattern.finder.groups()) {
            let cell = &mut self.cells[*i];
            if to == UNSET {
                *cell = Cell::Missing;
                continue;
            }
            let place = Cell::Part(start + from as u32, start + to as u32);
            if typing.is_text(*i) {
                *cell = place;
                continue;
            }
            *cell = match typing.read(*i, &line[from..to], now, time, out) {
                Typed::Text => place,
                Typed::Int(n) => Cell::Int(n),
                Typed::Float(n) => Cell::Float(n),
                Typed::Bool(v) => Cell::Bool(v),
                Typed::Time(at) => Cell::Time(at),
            };
        }
    }
}
