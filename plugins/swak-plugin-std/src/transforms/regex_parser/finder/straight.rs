//! Patterns without a choice: there is one way through them, which a text goes or does not.
//!
//! Most patterns for lines are so: literals, and runs that end before what the next literal begins with.
//! Nothing of a way must be remembered to come back to it, and it is taken in two steps a field.

use regex_syntax::hir::Look;

use super::class::Class;
use super::program::{Few, Mode, Program, Run, Step};
use super::scan::UNSET;

/// A pattern that begins where the text begins.
pub(super) struct Straight {
    parts: Box<[Part]>,
    min_len: usize,
    slots: usize,
}

enum Part {
    /// These bytes, which may be none, and as many members of a class as there are.
    Run {
        before: Few,
        class: Class,
        may_be_none: bool,
        slot: usize,
    },
    /// From `min` to `max` members, as many as there are.
    Counted {
        class: Class,
        min: u32,
        max: Option<u32>,
        slot: usize,
    },
    /// One member.
    One(Class),
    Few(Few),
    Bytes(Box<[u8]>),
    /// A group begins or ends here.
    Save(usize),
    /// The text ends here.
    End,
}

impl Straight {
    /// The same pattern, if it is one without a choice.
    pub(super) fn new(program: &Program) -> Option<Self> {
        let class = |i: usize| program.classes[i].clone();
        let mut parts = Vec::new();
        for (i, step) in program.steps.iter().enumerate() {
            let part = match step {
                Step::Byte(byte) => Part::Few(Few::new(&[*byte])),
                Step::Few(few) => Part::Few(*few),
                Step::Bytes(bytes) => Part::Bytes(bytes.clone()),
                Step::One(one) => Part::One(class(*one)),
                Step::Take { class: taken, may_be_none, slot } => {
                    let before = literal_before(&mut parts);
                    let (may_be_none, slot) = (*may_be_none, *slot);
                    Part::Run { before, class: class(*taken), may_be_none, slot }
                }
                Step::Run(Run { class: taken, min, max, mode, slot, .. })
                    if *mode == Mode::All
                        || (*mode == Mode::Most && is_last(&program.steps[i + 1..])) =>
                {
                    Part::Counted { class: class(*taken), min: *min, max: *max, slot: *slot }
                }
                Step::Save(slot) => Part::Save(*slot),
                Step::Look(Look::Start) if i == 0 => continue,
                Step::Look(Look::End) => Part::End,
                Step::Match => continue,
                Step::Run(_) | Step::Split(_) | Step::Jump(_) | Step::Look(_) => return None,
            };
            parts.push(part);
        }
        let (min_len, slots) = (program.min_len, program.slots);
        program.anchored.then(|| Straight { parts: parts.into(), min_len, slots })
    }

    /// Whether the first `len` bytes match; the slots then say where the groups are. What is behind them is
    /// looked at, and does not count.
    #[inline]
    pub(super) fn find(&self, text: &[u8], len: usize, slots: &mut Vec<usize>) -> bool {
        slots.resize(self.slots, UNSET);
        len >= self.min_len && self.go(text, len, slots.as_chunks_mut().0).is_some()
    }

    fn go(&self, text: &[u8], len: usize, slots: &mut [[usize; 2]]) -> Option<()> {
        let mut at = 0;
        for part in &self.parts {
            match part {
                Part::Run { before, class, may_be_none, slot } => {
                    let start = before.end(text, at).filter(|start| *start <= len)?;
                    at = class.run_before(text, start, len);
                    if at == start && !may_be_none {
                        return None;
                    }
                    set(slots, *slot, start, at);
                }
                Part::Few(few) => at = few.end(text, at).filter(|end| *end <= len)?,
                Part::End => (at == len).then_some(())?,
                Part::Save(slot) => slots[slot / 2][slot % 2] = at,
                Part::Bytes(bytes) => {
                    text[at..len].starts_with(bytes).then_some(())?;
                    at += bytes.len();
                }
                Part::One(class) => at = class.one(&text[..len], at)?,
                Part::Counted { class, min, max, slot } => {
                    let (text, start) = (&text[..len], at);
                    let (low, found) = class.some(text, at, *min);
                    (found == *min).then_some(())?;
                    at = match max {
                        None => class.run(text, low),
                        Some(max) => class.some(text, low, max - min).0,
                    };
                    set(slots, *slot, start, at);
                }
            }
        }
        Some(())
    }
}

/// Whether what comes before these steps is the last that has to match.
fn is_last(steps: &[Step]) -> bool {
    steps.iter().all(|step| matches!(step, Step::Save(_) | Step::Match))
}

/// Takes back the short literal that comes last, or one without bytes.
fn literal_before(parts: &mut Vec<Part>) -> Few {
    match parts.pop_if(|part| matches!(part, Part::Few(_))) {
        Some(Part::Few(few)) => few,
        _ => Few::new(&[]),
    }
}

/// Sets the two slots of a group, unless nobody asked for it.
#[inline]
fn set(slots: &mut [[usize; 2]], slot: usize, start: usize, end: usize) {
    // What stands for none is beyond all of them.
    if let Some(pair) = slots.get_mut(slot / 2) {
        *pair = [start, end];
    }
}
