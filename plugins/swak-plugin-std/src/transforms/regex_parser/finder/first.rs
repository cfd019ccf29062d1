//! With what a part of a pattern can begin: by it most wrong ways are never taken.

use regex_syntax::hir::Look;

use super::class::{Bytes, Class};
use super::program::{Run, Split, Step};

/// With what the rest of a pattern can begin. It may name more than there is, never less.
#[derive(Clone)]
pub(super) struct First {
    bytes: Bytes,
    /// Whether it can match at the end of the text.
    at_end: bool,
    /// Whether it can match anywhere, by taking nothing.
    anywhere: bool,
}

impl Default for First {
    fn default() -> Self {
        First { bytes: Box::new([false; 256]), at_end: false, anywhere: false }
    }
}

impl First {
    /// With what the steps from `at` on can begin.
    pub(super) fn of(steps: &[Step], classes: &[Class], at: usize) -> Self {
        let mut first = First::default();
        let mut seen = vec![false; steps.len()];
        let mut todo = vec![at];
        while let Some(at) = todo.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match &steps[at] {
                Step::Byte(byte) => first.bytes[usize::from(*byte)] = true,
                Step::Few(few) => first.bytes[usize::from(few.first())] = true,
                Step::Bytes(bytes) => first.bytes[usize::from(bytes[0])] = true,
                Step::One(class) => first.add(&classes[*class]),
                Step::Take { class, may_be_none, .. } => {
                    first.add(&classes[*class]);
                    todo.extend(may_be_none.then_some(at + 1));
                }
                Step::Run(Run { class, min, .. }) => {
                    first.add(&classes[*class]);
                    todo.extend((*min == 0).then_some(at + 1));
                }
                Step::Look(Look::End) => first.at_end = true,
                Step::Look(Look::EndLF) => {
                    first.at_end = true;
                    first.bytes[usize::from(b'\n')] = true;
                }
                Step::Save(_) | Step::Look(_) => todo.push(at + 1),
                Step::Split(Split { ways, .. }) => todo.extend(ways),
                Step::Jump(to) => todo.push(*to),
                Step::Match => first.anywhere = true,
            }
        }
        if first.anywhere {
            first.at_end = true;
            first.bytes.fill(true);
        }
        first
    }

    /// Whether it can begin at `at`.
    #[inline]
    pub(super) fn fits(&self, text: &[u8], at: usize) -> bool {
        text.get(at).map_or(self.at_end, |byte| self.bytes[usize::from(*byte)])
    }

    /// The first place from `at` on, up to `end`, where it can begin.
    pub(super) fn find(&self, text: &[u8], at: usize, end: usize) -> Option<usize> {
        let found = text[at..end].iter().position(|byte| self.bytes[usize::from(*byte)]);
        found.map(|i| at + i).or_else(|| self.fits(text, end).then_some(end))
    }

    /// Whether it begins with no member of a class.
    pub(super) fn excludes(&self, class: &Class) -> bool {
        !class.first_bytes().iter().zip(self.bytes.iter()).any(|(a, b)| *a && *b)
    }

    fn add(&mut self, class: &Class) {
        for (byte, more) in self.bytes.iter_mut().zip(class.first_bytes().iter()) {
            *byte |= more;
        }
    }
}
