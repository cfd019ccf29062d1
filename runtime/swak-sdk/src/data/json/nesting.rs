//! In which objects and lists a place of a text is.

use super::MAX_DEPTH;
use super::layout::Slot;

/// The objects and lists that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nesting {
    depth: u8,
    /// One bit for each that is open, the lowest for the outermost: whether it is an object.
    objects: u128,
    /// That of the outermost object's field in which the place is, when it is wanted.
    pub(super) wanted: Option<Slot>,
}

const _: () = assert!(MAX_DEPTH < u128::BITS as usize);

impl Nesting {
    /// Whether none is open.
    pub(super) fn is_outside(self) -> bool {
        self.depth == 0
    }

    /// Whether the outermost alone is open.
    pub(super) fn is_in_outermost(self) -> bool {
        self.depth == 1
    }

    /// Whether the innermost is an object.
    pub(super) fn is_in_object(self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    /// In one more object or list; `None` when they are too many.
    pub(super) fn deeper(self, is_object: bool) -> Option<Nesting> {
        let objects = self.objects | u128::from(is_object) << self.depth;
        (usize::from(self.depth) < MAX_DEPTH).then_some(Nesting {
            depth: self.depth + 1,
            objects,
            ..self
        })
    }

    /// Behind the end of the innermost.
    pub(super) fn higher(self) -> Nesting {
        let depth = self.depth.saturating_sub(1);
        Nesting { depth, objects: self.objects & !(1 << depth), ..self }
    }
}
