//! Finds the groups of one pattern in a text, in the way that its structure allows.
//!
//! Patterns for lines are mostly sequences of literals and of runs that end where the next literal
//! begins: `^(?<host>\S+) \[(?<time>[^\]]+)\]`. Such a pattern becomes a [`Program`] that a [`Scanner`]
//! follows with hardly a step back, several times as fast as an engine for any pattern. What the scanner
//! cannot do, or not in about the time of the engine, the engine of `regex` does. Where there is no choice at
//! all, nothing has to be remembered ([`Straight`]). All find the same.

mod class;
mod first;
mod program;
mod scan;
mod straight;

use regex::bytes::CaptureLocations;
use swak_sdk::options::Pattern;

use self::program::Program;
pub(super) use self::scan::UNSET;
use self::scan::{Scanner, Verdict};
use self::straight::Straight;

/// Finds the groups of one pattern.
pub(super) struct Finder {
    pattern: Pattern,
    /// The numbers of the groups that are asked for.
    groups: Vec<usize>,
    straight: Option<Straight>,
    program: Option<Program>,
    scanner: Scanner,
    found: CaptureLocations,
    /// How much more often the scanner gave up than it did not.
    gave_up: u32,
}

/// A program that gave up so much more often than not is of no use for these texts.
const HOPELESS: u32 = 64;

impl Finder {
    /// For the groups of these numbers.
    pub(super) fn new(pattern: &Pattern, groups: &[usize]) -> Self {
        // As `regex::bytes` reads it.
        let parser = || regex_syntax::ParserBuilder::new().utf8(false).build();
        let tree = parser().parse(pattern.as_str()).ok();
        let program = tree.and_then(|tree| Program::new(&tree, groups));
        Finder {
            straight: program.as_ref().and_then(Straight::new),
            program,
            scanner: Scanner::default(),
            found: pattern.capture_locations(),
            groups: groups.to_vec(),
            pattern: pattern.clone(),
            gave_up: 0,
        }
    }

    /// Looks for the first match in the first `len` bytes of a text, as if there were no others.
    /// [`Finder::groups`] then says what was found.
    #[inline]
    pub(super) fn find(&mut self, text: &[u8], len: usize) -> bool {
        match &self.straight {
            Some(straight) => straight.find(text, len, &mut self.scanner.slots),
            None => self.search(&text[..len]),
        }
    }

    fn search(&mut self, text: &[u8]) -> bool {
        if let Some(program) = &self.program {
            match self.scanner.find(program, text) {
                Verdict::Unknown => self.gave_up += 8,
                verdict => {
                    self.gave_up = self.gave_up.saturating_sub(1);
                    return verdict == Verdict::Match;
                }
            }
            if self.gave_up > HOPELESS {
                self.program = None;
            }
        }
        self.ask_engine(text)
    }

    /// Where the groups begin and end that were asked for, in that order, when the last text matched;
    /// [`UNSET`] for one that took no part in the match.
    #[inline]
    pub(super) fn groups(&self) -> &[[usize; 2]] {
        self.scanner.slots.as_chunks().0
    }

    fn ask_engine(&mut self, text: &[u8]) -> bool {
        if self.pattern.captures_read(&mut self.found, text).is_none() {
            return false;
        }
        self.scanner.slots.clear();
        for group in &self.groups {
            let (start, end) = self.found.get(*group).unwrap_or((UNSET, UNSET));
            self.scanner.slots.extend([start, end]);
        }
        true
    }
}

#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
#[cfg(test)]
mod tests;
