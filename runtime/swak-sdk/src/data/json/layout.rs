//! How the objects that were read last are laid out, so that what stands between the values of the next one
//! is compared and not read.
//!
//! Those who write JSON write the same names in the same order. So each step from behind a value to the next
//! is remembered as it stands in the text, `,"name":` or `}],"name":{"name":`, together with the one that
//! came after it. To guess right costs a comparison; to guess wrong costs little more than to read the step,
//! and is learned from. One that is only the beginning of what stands there is found out by what
//! comes behind it, which is no value then. A step is expected only where the same objects and lists are open as were where it
//! was learned: so what matches is as good as what is read.

use wide::u8x16;

use super::check::Note;
use super::nesting::Nesting;
use super::plain::WIDTH;

/// The most steps that are remembered. With more, all are forgotten and learned anew, so that names that are
/// data do not stay for ever.
const MOST: usize = 128;

/// The longest step that is remembered, in bytes.
const LONGEST: usize = 2 * WIDTH;

/// The place of a name among those that are looked for.
pub(super) type Slot = u8;

/// All from behind a value to the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// Its bytes.
    pub(super) len: usize,
    /// That of the value behind it, if it is wanted.
    pub(super) slot: Option<Slot>,
    /// Whether it ends the object.
    pub(super) is_last: bool,
    pub(super) has_notes: bool,
}

/// Steps in the order in which they are expected.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The first is none: what comes after it begins an object.
    steps: Vec<Known>,
    /// Where the step of a text may be among them; 0 when it is nowhere.
    places: Box<[u8]>,
    last: usize,
    next: usize,
    /// What is open behind the last step, when it is not among those that are known.
    nesting: Nesting,
}

#[derive(Clone, Debug)]
struct Known {
    text: [u8; LONGEST],
    /// One bit for each byte of the first half that must be the same.
    first: u32,
    /// As much for the second.
    second: u32,
    step: Step,
    next: usize,
    before: Nesting,
    after: Nesting,
    notes: Box<[Note]>,
}

/// Not among those that are known.
const UNKNOWN: usize = usize::MAX;

impl Layout {
    /// One that learns.
    pub(super) fn new() -> Self {
        let mut layout = Layout::default();
        layout.forget();
        layout
    }

    /// Begins with the first step.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.last = 0;
        self.next = self.steps.first().map_or(0, |none| none.next);
        self.nesting = Nesting::default();
    }

    /// The step that stands here, if it is the one that is expected.
    #[inline(always)]
    pub(super) fn guess(&mut self, text: &[u8], at: usize) -> Option<Step> {
        let known = self.steps.get(self.next)?;
        let rest = text.get(at..)?;
        let is_same = |part: usize, mask: u32| {
            let bytes = rest.get(part..).and_then(<[u8]>::first_chunk::<WIDTH>);
            let expected = known.text[part..].first_chunk::<WIDTH>();
            bytes.zip(expected).is_some_and(|(bytes, expected)| {
                let same = u8x16::new(*bytes).simd_eq(u8x16::new(*expected)).to_bitmask();
                same & mask == mask
            })
        };
        if !is_same(0, known.first) || (known.second != 0 && !is_same(WIDTH, known.second)) {
            return None;
        }
        self.last = self.next;
        self.next = known.next;
        Some(known.step)
    }

    /// The last step, for [`take_back`](Self::take_back).
    #[inline]
    pub(super) fn last(&self) -> usize {
        self.last
    }

    /// Takes a guess back, before which this was the last step.
    #[cold]
    pub(super) fn take_back(&mut self, last: usize) {
        self.last = last;
    }

    /// What the last step, which was guessed, has noted.
    #[inline]
    pub(super) fn notes(&self) -> &[Note] {
        self.steps.get(self.last).map_or(&[], |known| &known.notes)
    }

    /// What is open behind the last step.
    pub(super) fn nesting(&self) -> Nesting {
        self.steps.get(self.last).map_or(self.nesting, |known| known.after)
    }

    /// Learns that this step, which was not expected, comes after the last.
    pub(super) fn learn(
        &mut self,
        text: &[u8],
        step: Step,
        before: Nesting,
        after: Nesting,
        notes: Vec<Note>,
    ) {
        self.nesting = after;
        if self.steps.is_empty() || text.len() > LONGEST {
            (self.last, self.next) = (UNKNOWN, 0);
            return;
        }
        let key = key(text);
        let known = usize::from(self.places[key]);
        let is_known = self.steps[known].before == before && self.steps[known].text() == text;
        let place = match is_known {
            true => known,
            false => self.add(Known::new(text, step, before, after, notes), key),
        };
        if let Some(last) = self.steps.get_mut(self.last) {
            last.next = place;
        }
        (self.last, self.next) = (place, self.steps[place].next);
    }

    fn add(&mut self, known: Known, key: usize) -> usize {
        if self.steps.len() == MOST {
            self.forget();
            self.last = UNKNOWN;
        }
        self.steps.push(known);
        let place = self.steps.len() - 1;
        self.places[key] =
            u8::try_from(place).expect("there are fewer steps than a byte can count");
        place
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        let nowhere = Nesting::default();
        let step = Step { len: 0, slot: None, is_last: false, has_notes: false };
        let none = Known::new(b"", step, nowhere, nowhere, Vec::new());
        self.steps.clear();
        // No bytes are the same as more than there are.
        self.steps.push(Known { first: u32::MAX, ..none });
        self.places = vec![0; 1 << KEY_BITS].into();
    }
}

impl Known {
    /// The text is not too long.
    fn new(from: &[u8], step: Step, before: Nesting, after: Nesting, notes: Vec<Note>) -> Self {
        let mut text = [0; LONGEST];
        text[..from.len()].copy_from_slice(from);
        let bits = |n: usize| (1u32 << n) - 1;
        let first = bits(from.len().min(WIDTH));
        let second = bits(from.len().saturating_sub(WIDTH));
        Known { text, first, second, step, next: 0, before, after, notes: notes.into() }
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.step.len]
    }
}

const KEY_BITS: u32 = 8;

/// A number for a text of which most are different.
fn key(text: &[u8]) -> usize {
    let key = text
        .iter()
        .fold(text.len() as u32, |key, byte| (key ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - KEY_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outermost() -> Nesting {
        Nesting::default().deeper(true).unwrap()
    }

    fn learn(layout: &mut Layout, text: &str) {
        let step = Step { len: text.len(), slot: Some(1), is_last: false, has_notes: false };
        let before = layout.nesting();
        layout.learn(text.as_bytes(), step, before, outermost(), Vec::new());
    }

    fn guess(layout: &mut Layout, text: &str) -> Option<usize> {
        let step = layout.guess(format!("{text}{}", " ".repeat(LONGEST)).as_bytes(), 0)?;
        assert_eq!(step.slot, Some(1));
        Some(step.len)
    }

    #[test]
    fn the_steps_of_the_last_object_are_expected_in_their_order() {
        let long = format!(",\"{}\":", "l".repeat(LONGEST - 4));
        let steps = ["{\"a\":", ", \"b\" : ", &long, ",\"c\":"];
        let mut layout = Layout::new();
        layout.begin();
        for step in steps {
            assert_eq!(guess(&mut layout, step), None);
            learn(&mut layout, step);
        }
        layout.begin();
        for step in steps {
            let other = step.replacen(['a', 'b', 'l', 'c'], "x", 1);
            assert_eq!(guess(&mut layout, &other), None);
            assert_eq!(guess(&mut layout, step), Some(step.len()));
        }
        assert_eq!(guess(&mut layout, steps[1]), None);
        // Another order is learned at once.
        layout.begin();
        for step in [steps[0], steps[3], steps[1]] {
            if guess(&mut layout, step).is_none() {
                learn(&mut layout, step);
            }
        }
        layout.begin();
        for step in [steps[0], steps[3], steps[1], steps[2]] {
            assert!(guess(&mut layout, step).is_some(), "{step}");
        }
        layout.forget();
        layout.begin();
        assert_eq!(guess(&mut layout, steps[0]), None);
    }

    #[test]
    fn a_step_is_expected_only_where_it_was() {
        let mut layout = Layout::new();
        layout.begin();
        learn(&mut layout, "{\"a\":");
        learn(&mut layout, ",\"b\":");
        let deeper = outermost().deeper(true).unwrap();
        let step = Step { len: 6, slot: Some(1), is_last: false, has_notes: false };
        layout.begin();
        layout.learn(b"{\"c\":{", step, Nesting::default(), deeper, Vec::new());
        layout.learn(b",\"b\":", step, deeper, deeper, Vec::new());
        // What was learned last of the same text, where other objects are open, follows nothing else.
        layout.begin();
        assert_eq!(guess(&mut layout, "{\"a\":"), None);
        learn(&mut layout, "{\"a\":");
        assert!(guess(&mut layout, ",\"b\":").is_some());
        assert_eq!(layout.nesting(), outermost());
    }

    #[test]
    fn what_is_not_remembered_leads_on_too() {
        let long = format!("{{\"a\"{}:", " ".repeat(LONGEST));
        for mut layout in [Layout::new(), Layout::default()] {
            layout.begin();
            learn(&mut layout, &long);
            assert_eq!(layout.nesting(), outermost());
            layout.begin();
            assert_eq!(guess(&mut layout, &long), None);
            assert_eq!(layout.nesting(), Nesting::default());
        }
    }

    #[test]
    fn names_without_end_are_forgotten_and_those_that_stay_are_learned_again() {
        let mut layout = Layout::new();
        for i in 0..10 * MOST {
            layout.begin();
            for step in ["{\"a\":".to_owned(), format!(",\"{i}\":")] {
                if guess(&mut layout, &step).is_none() {
                    learn(&mut layout, &step);
                }
            }
            assert!(layout.steps.len() <= MOST);
        }
        layout.begin();
        if guess(&mut layout, "{\"a\":").is_none() {
            learn(&mut layout, "{\"a\":");
        }
        layout.begin();
        assert_eq!(guess(&mut layout, "{\"a\":"), Some(5));
    }
}
