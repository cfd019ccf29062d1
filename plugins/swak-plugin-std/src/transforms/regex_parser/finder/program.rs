//! A pattern as steps that a backtracking scanner takes.

use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::class::Class;
use super::first::First;

/// A pattern with more steps than that is not worth a program.
const MOST_STEPS: usize = 1000;

/// What stands for a group that nobody asked for.
pub(super) const NO_SLOT: usize = usize::MAX;

/// One step. After a step comes the next one, unless it says another.
pub(super) enum Step {
    /// This byte.
    Byte(u8),
    /// These bytes, at most eight.
    Few(Few),
    /// These bytes.
    Bytes(Box<[u8]>),
    /// One member of a class, by its index.
    One(usize),
    /// As many members of a class as there are, and one at the least unless it may be none.
    Take { class: usize, may_be_none: bool, slot: usize },
    /// Members of a class.
    Run(Run),
    /// A group begins or ends here.
    Save(usize),
    /// The first of two ways, or else the second.
    Split(Split),
    /// Another step.
    Jump(usize),
    /// Nothing, at such a place.
    Look(Look),
    /// The pattern matches.
    Match,
}

/// A few bytes, to be compared at once.
#[derive(Clone, Copy)]
pub(super) struct Few {
    bytes: u64,
    mask: u64,
    len: usize,
}

impl Few {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let (mut padded, mut mask) = ([0; 8], [0; 8]);
        padded[..bytes.len()].copy_from_slice(bytes);
        mask[..bytes.len()].fill(0xff);
        let [bytes_as_one, mask] = [padded, mask].map(u64::from_le_bytes);
        Few { bytes: bytes_as_one, mask, len: bytes.len() }
    }

    /// The first of them.
    pub(super) fn first(&self) -> u8 {
        self.bytes.to_le_bytes()[0]
    }

    /// Where they end if they are at `at`.
    #[inline]
    pub(super) fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let is_there = match rest.first_chunk::<8>() {
            Some(eight) => (u64::from_le_bytes(*eight) ^ self.bytes) & self.mask == 0,
            None => rest.starts_with(&self.bytes.to_le_bytes()[..self.len]),
        };
        is_there.then_some(at + self.len)
    }
}

/// From `min` to `max` members of a class.
pub(super) struct Run {
    pub(super) class: usize,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) mode: Mode,
    /// The slot where the group begins that is this run, the next one being where it ends; or
    /// [`NO_SLOT`].
    pub(super) slot: usize,
    /// With what that which follows can begin.
    pub(super) next: First,
}

/// How many members a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As many as there are: with fewer, what follows cannot match, since it does not begin with a
    /// member.
    All,
    /// As many as let the rest match.
    Most,
    /// As few as let the rest match.
    Least,
}

/// Two ways, each with what it and all after it can begin.
pub(super) struct Split {
    pub(super) ways: [usize; 2],
    pub(super) first: [First; 2],
}

/// A compiled pattern.
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) classes: Vec<Class>,
    /// With what a match can begin.
    pub(super) first: First,
    /// Whether a match begins at the beginning of the text, or else nowhere.
    pub(super) anchored: bool,
    /// Whether a match sets every slot.
    pub(super) sets_all: bool,
    /// The bytes that every match has at the least.
    pub(super) min_len: usize,
    /// How many slots there are: two for each group that is asked for.
    pub(super) slots: usize,
}

impl Program {
    /// The program of a pattern, which finds the groups of these numbers; none when the pattern needs
    /// what a program cannot do.
    pub(super) fn new(pattern: &Hir, groups: &[usize]) -> Option<Self> {
        let mut writer = Writer { steps: Vec::new(), classes: Vec::new(), groups };
        writer.write(pattern)?;
        writer.steps.push(Step::Match);
        let Writer { mut steps, classes, .. } = writer;
        for i in 0..steps.len() {
            let first = |at| First::of(&steps, &classes, at);
            match &steps[i] {
                Step::Run(run) => {
                    let next = first(i + 1);
                    let is_apart = next.excludes(&classes[run.class]);
                    let &Run { class, min, max, slot, .. } = run;
                    if is_apart && min <= 1 && max.is_none() {
                        steps[i] = Step::Take { class, may_be_none: min == 0, slot };
                    } else if let Step::Run(run) = &mut steps[i] {
                        run.mode = if is_apart { Mode::All } else { run.mode };
                        run.next = next;
                    }
                }
                Step::Split(Split { ways: [a, b], .. }) => {
                    let both = [first(*a), first(*b)];
                    if let Step::Split(split) = &mut steps[i] {
                        split.first = both;
                    }
                }
                _ => {}
            }
        }
        Some(Program {
            first: First::of(&steps, &classes, 0),
            anchored: pattern.properties().look_set_prefix().contains(Look::Start),
            min_len: pattern.properties().minimum_len()?,
            sets_all: !steps.iter().any(|step| matches!(step, Step::Split(_))),
            slots: 2 * groups.len(),
            steps,
            classes,
        })
    }
}

struct Writer<'a> {
    steps: Vec<Step>,
    classes: Vec<Class>,
    groups: &'a [usize],
}

impl Writer<'_> {
    fn write(&mut self, pattern: &Hir) -> Option<()> {
        if self.steps.len() > MOST_STEPS {
            return None;
        }
        match pattern.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => self.steps.push(match *literal.0 {
                [byte] => Step::Byte(byte),
                _ if literal.0.len() <= 8 => Step::Few(Few::new(&literal.0)),
                _ => Step::Bytes(literal.0.clone()),
            }),
            HirKind::Class(class) => {
                let class = self.class(Class::new(class));
                self.steps.push(Step::One(class));
            }
            HirKind::Look(look) => {
                is_known(*look).then_some(())?;
                self.steps.push(Step::Look(*look));
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, NO_SLOT)?,
            HirKind::Capture(capture) => self.capture(capture)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.write(part)?;
                }
            }
            HirKind::Alternation(ways) => self.alternation(ways)?,
        }
        Some(())
    }

    fn class(&mut self, class: Class) -> usize {
        self.classes.iter().position(|known| *known == class).unwrap_or_else(|| {
            self.classes.push(class);
            self.classes.len() - 1
        })
    }

    fn capture(&mut self, capture: &Capture) -> Option<()> {
        let number = capture.index as usize;
        let Some(i) = self.groups.iter().position(|group| *group == number) else {
            return self.write(&capture.sub);
        };
        match capture.sub.kind() {
            HirKind::Repetition(repetition) if single(&repetition.sub).is_some() => {
                self.repetition(repetition, 2 * i)
            }
            _ => {
                self.steps.push(Step::Save(2 * i));
                self.write(&capture.sub)?;
                self.steps.push(Step::Save(2 * i + 1));
                Some(())
            }
        }
    }

    fn alternation(&mut self, ways: &[Hir]) -> Option<()> {
        let (last, others) = ways.split_last()?;
        let mut ends = Vec::new();
        for way in others {
            let split = self.split();
            self.write(way)?;
            ends.push(self.steps.len());
            self.steps.push(Step::Jump(0));
            self.set_ways(split, [split + 1, self.steps.len()], true);
        }
        self.write(last)?;
        for end in ends {
            self.steps[end] = Step::Jump(self.steps.len());
        }
        Some(())
    }

    fn repetition(&mut self, repetition: &Repetition, slot: usize) -> Option<()> {
        let Repetition { min, max, greedy, sub } = repetition;
        if let Some(class) = single(sub) {
            let mode = if *greedy { Mode::Most } else { Mode::Least };
            let class = self.class(class);
            let run = Run { class, min: *min, max: *max, mode, slot, next: First::default() };
            self.steps.push(Step::Run(run));
            return Some(());
        }
        for _ in 0..*min {
            self.write(sub)?;
        }
        let Some(max) = max else {
            // What repeats without end must take something each time.
            sub.properties().minimum_len().filter(|len| *len > 0)?;
            let split = self.split();
            self.write(sub)?;
            self.steps.push(Step::Jump(split));
            self.set_ways(split, [split + 1, self.steps.len()], *greedy);
            return Some(());
        };
        let mut splits = Vec::new();
        for _ in *min..*max {
            splits.push(self.split());
            self.write(sub)?;
        }
        for split in splits {
            self.set_ways(split, [split + 1, self.steps.len()], *greedy);
        }
        Some(())
    }

    fn split(&mut self) -> usize {
        let first = [First::default(), First::default()];
        self.steps.push(Step::Split(Split { ways: [0, 0], first }));
        self.steps.len() - 1
    }

    fn set_ways(&mut self, split: usize, mut new: [usize; 2], in_order: bool) {
        if !in_order {
            new.reverse();
        }
        if let Step::Split(Split { ways, .. }) = &mut self.steps[split] {
            *ways = new;
        }
    }
}

/// The class that a pattern is, if it is one, or one ASCII character.
fn single(pattern: &Hir) -> Option<Class> {
    match pattern.kind() {
        HirKind::Class(class) => Some(Class::new(class)),
        HirKind::Literal(literal) => match *literal.0 {
            [byte] if byte.is_ascii() => Some(Class::of_ascii(byte)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the scanner knows what such a place is.
fn is_known(look: Look) -> bool {
    matches!(
        look,
        Look::Start
            | Look::End
            | Look::StartLF
            | Look::EndLF
            | Look::WordAscii
            | Look::WordAsciiNegate
            | Look::WordUnicode
            | Look::WordUnicodeNegate
    )
}
