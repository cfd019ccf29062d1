//! The scanner: takes the steps of a program over a text, and goes back where it must.
//!
//! It tries the ways of a pattern in the order in which they count, as the `regex` crate defines it,
//! so what it finds is what that finds. It takes a way back only where what follows can begin there;
//! in most patterns that people write for lines there is never more than one. Where there are too many
//! it gives up, and the engine of `regex` is asked, which is slower, but never takes more than linear
//! time.

use regex_syntax::hir::Look;

use super::program::{Mode, NO_SLOT, Program, Run, Step};

/// What a slot holds that nothing was found for.
pub(in super::super) const UNSET: usize = usize::MAX;

/// What came of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It matches, and the slots say where.
    Match,
    /// It does not match.
    NoMatch,
    /// That is for another engine to say: it would take too long, or needs to know of letters beyond
    /// ASCII.
    Unknown,
}

/// The memory of scans, which is used again.
#[derive(Default)]
pub(super) struct Scanner {
    /// Of each group where it begins and ends, or [`UNSET`].
    pub(super) slots: Vec<usize>,
    back: Vec<Back>,
    /// What a scan may still cost.
    left: isize,
}

/// What is still to be tried when a way fails.
enum Back {
    /// Another way.
    Way { step: usize, at: usize },
    /// A slot gets its old content first.
    Restore { slot: usize, old: usize },
    /// A run up to a place before `at`, but not before `low`.
    Fewer { step: usize, low: usize, at: usize },
    /// A run of one more than the `count` of members that end at `at`.
    More { step: usize, at: usize, count: u32 },
}

/// What a scan may cost: that many steps back for each byte of the text, which is about what the engine
/// costs, and some more. Taking eight bytes costs as much as a step back.
const COST: usize = 4;
const COST_OF_ANY: usize = 256;

impl Scanner {
    /// Looks for the first match in a text.
    pub(super) fn find(&mut self, program: &Program, text: &[u8]) -> Verdict {
        if text.len() < program.min_len {
            return Verdict::NoMatch;
        }
        self.left = (COST_OF_ANY + COST.saturating_mul(text.len())).cast_signed();
        self.slots.resize(program.slots, UNSET);
        if program.anchored {
            return self.match_at(program, text, 0);
        }
        let last = text.len() - program.min_len;
        let mut at = 0;
        while let Some(start) = program.first.find(text, at, last) {
            match self.match_at(program, text, start) {
                Verdict::NoMatch if start < last => at = start + 1,
                verdict => return verdict,
            }
        }
        Verdict::NoMatch
    }

    /// Tries to match at this place.
    fn match_at(&mut self, program: &Program, text: &[u8], start: usize) -> Verdict {
        if !program.sets_all {
            self.slots.fill(UNSET);
        }
        self.back.clear();
        self.left -= 1;
        let (mut step, mut at) = (0, start);
        loop {
            let next = match &program.steps[step] {
                Step::Byte(byte) => (text.get(at) == Some(byte)).then_some(at + 1),
                Step::Few(few) => few.end(text, at),
                Step::Bytes(bytes) => text[at..].starts_with(bytes).then_some(at + bytes.len()),
                Step::One(class) => program.classes[*class].one(text, at),
                Step::Take { class, may_be_none, slot } => {
                    let end = program.classes[*class].run(text, at);
                    self.left -= ((end - at) >> 3) as isize;
                    self.group(*slot, at, end);
                    (end > at || *may_be_none).then_some(end)
                }
                Step::Run(run) => self.run(program, run, step, text, at),
                Step::Save(slot) => {
                    self.save(*slot, at);
                    Some(at)
                }
                Step::Look(look) => match is_at(*look, text, at) {
                    Some(is_there) => is_there.then_some(at),
                    None => return Verdict::Unknown,
                },
                Step::Split(split) => {
                    let [first, second] = split.first.each_ref().map(|first| first.fits(text, at));
                    if first || second {
                        if first && second {
                            self.back.push(Back::Way { step: split.ways[1], at });
                        }
                        step = split.ways[usize::from(!first)];
                        continue;
                    }
                    None
                }
                Step::Jump(to) => {
                    self.left -= 1;
                    step = *to;
                    continue;
                }
                Step::Match => return Verdict::Match,
            };
            match next {
                Some(next) => (step, at) = (step + 1, next),
                None => match self.go_back(program, text) {
                    Some(next) => (step, at) = next,
                    None if self.left < 0 => return Verdict::Unknown,
                    None => return Verdict::NoMatch,
                },
            }
        }
    }

    /// Takes a run, and remembers what else it could be.
    #[inline]
    fn run(
        &mut self,
        program: &Program,
        run: &Run,
        step: usize,
        text: &[u8],
        at: usize,
    ) -> Option<usize> {
        let class = &program.classes[run.class];
        let low = match run.min {
            0 => at,
            1 => class.one(text, at)?,
            n => Some(class.some(text, at, n)).filter(|(_, found)| *found == n)?.0,
        };
        if run.mode == Mode::Least {
            self.group(run.slot, at, low);
            return self.more(program, run, step, text, (low, run.min));
        }
        let end = match run.max {
            None => class.run(text, low),
            Some(max) => class.some(text, low, max - run.min).0,
        };
        self.left -= ((end - at) >> 3) as isize;
        self.group(run.slot, at, end);
        if run.mode == Mode::All {
            return Some(end);
        }
        if end == low || run.next.fits(text, end) {
            if end > low {
                self.back.push(Back::Fewer { step, low, at: end });
            }
            return Some(end);
        }
        self.fewer(program, run, step, text, (low, end))
    }

    /// The longest run that ends before `at` where what follows can begin.
    fn fewer(
        &mut self,
        program: &Program,
        run: &Run,
        step: usize,
        text: &[u8],
        (low, at): (usize, usize),
    ) -> Option<usize> {
        let class = &program.classes[run.class];
        let mut end = at;
        let found = loop {
            if end == low {
                break None;
            }
            end = class.before(text, end);
            if run.next.fits(text, end) {
                break Some(end);
            }
        };
        self.left -= ((at - end) >> 3) as isize;
        let end = found?;
        if end > low {
            self.back.push(Back::Fewer { step, low, at: end });
        }
        if run.slot != NO_SLOT {
            self.slots[run.slot + 1] = end;
        }
        Some(end)
    }

    /// The shortest run from `count` members that end at `at` where what follows can begin.
    fn more(
        &mut self,
        program: &Program,
        run: &Run,
        step: usize,
        text: &[u8],
        (at, mut count): (usize, u32),
    ) -> Option<usize> {
        let class = &program.classes[run.class];
        let mut end = at;
        while !run.next.fits(text, end) {
            if run.max == Some(count) {
                return None;
            }
            end = class.one(text, end)?;
            count = count.saturating_add(1);
        }
        self.left -= ((end - at) >> 3) as isize;
        if run.max != Some(count) {
            self.back.push(Back::More { step, at: end, count });
        }
        if run.slot != NO_SLOT {
            self.slots[run.slot + 1] = end;
        }
        Some(end)
    }

    /// Takes the last way that is still to be tried.
    fn go_back(&mut self, program: &Program, text: &[u8]) -> Option<(usize, usize)> {
        loop {
            self.left -= 1;
            if self.left < 0 {
                return None;
            }
            let run = |step: usize| match &program.steps[step] {
                Step::Run(run) => run,
                _ => unreachable!("only a run leaves shorter and longer ones to be tried"),
            };
            let next = match self.back.pop()? {
                Back::Way { step, at } => return Some((step, at)),
                Back::Restore { slot, old } => {
                    self.slots[slot] = old;
                    continue;
                }
                Back::Fewer { step, low, at } => {
                    (step, self.fewer(program, run(step), step, text, (low, at)))
                }
                Back::More { step, at, count } => {
                    let run = run(step);
                    let next = program.classes[run.class].one(text, at);
                    let longer = |at| self.more(program, run, step, text, (at, count + 1));
                    (step, next.and_then(longer))
                }
            };
            if let (step, Some(at)) = next {
                return Some((step + 1, at));
            }
        }
    }

    #[inline]
    fn group(&mut self, slot: usize, start: usize, end: usize) {
        // `NO_SLOT` and what is after it are none, too.
        let Some(pair) = self.slots.get_mut(slot..).and_then(<[usize]>::first_chunk_mut::<2>)
        else {
            return;
        };
        let old = std::mem::replace(pair, [start, end]);
        if !self.back.is_empty() {
            self.back.push(Back::Restore { slot, old: old[0] });
            self.back.push(Back::Restore { slot: slot + 1, old: old[1] });
        }
    }

    #[inline]
    fn save(&mut self, slot: usize, at: usize) {
        let old = std::mem::replace(&mut self.slots[slot], at);
        if !self.back.is_empty() {
            self.back.push(Back::Restore { slot, old });
        }
    }
}

/// Whether this is such a place; nothing when that depends on letters beyond ASCII.
fn is_at(look: Look, text: &[u8], at: usize) -> Option<bool> {
    let before = at.checked_sub(1).map(|i| text[i]);
    let after = text.get(at).copied();
    let is_word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_boundary = || is_word(before) != is_word(after);
    let is_ascii = || [before, after].iter().flatten().all(u8::is_ascii);
    match look {
        Look::Start => Some(before.is_none()),
        Look::End => Some(after.is_none()),
        Look::StartLF => Some(matches!(before, None | Some(b'\n'))),
        Look::EndLF => Some(matches!(after, None | Some(b'\n'))),
        Look::WordAscii => Some(is_boundary()),
        Look::WordAsciiNegate => Some(!is_boundary()),
        Look::WordUnicode => is_ascii().then(is_boundary),
        Look::WordUnicodeNegate => is_ascii().then(|| !is_boundary()),
        _ => None,
    }
}
