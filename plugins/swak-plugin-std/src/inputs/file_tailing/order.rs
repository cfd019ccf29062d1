//! In which order files are read: those of one source one after the other, all others in turn.

use std::time::Instant;

use swak_sdk::data::Batch;

use super::follow::Follower;
use super::followed::Followed;
use super::position::Position;
use super::tail::Tail;

impl Follower<'_> {
    /// A new file, to be read after all others of its source.
    pub(super) fn insert(&mut self, tail: Tail, gone: Option<Instant>) {
        let number = self.next_number;
        self.next_number += 1;
        self.by_id.insert(tail.id, number);
        self.files.insert(number, Followed::new(tail, gone, &self.pace));
        self.append(number);
    }

    /// Lets a file be read after all others of its source.
    pub(super) fn append(&mut self, number: u64) {
        let file = self.files.get_mut(&number).expect("it is followed");
        file.after =
            self.last_of.insert(file.source.clone(), number).filter(|last| *last != number);
        let after = file.after;
        file.place = self.next_place;
        self.next_place += 1;
        self.make_ready(number);
        if let Some(before) = after.and_then(|before| self.files.get_mut(&before)) {
            before.next = Some(number);
            before.read_again();
            self.make_ready(after.expect("there is one before"));
        }
    }

    /// What is written under the name of a source, and was not begun, is newer than all others of it.
    pub(super) fn put_head_last(&mut self, source: &str) {
        let is_head = |(_, head): &(u64, &Followed)| {
            head.path.as_os_str() == source
                && head.gone.is_none()
                && head.offset == 0
                && head.tail.is_some()
                && !head.is_held
        };
        let head = self.in_order(source).skip(1).find(is_head).map(|(number, _)| number);
        if let Some(head) = head {
            self.unlink(head);
            self.append(head);
        }
    }

    /// The files of a source that are read one after the other, the last one first.
    pub(super) fn in_order(&self, source: &str) -> impl Iterator<Item = (u64, &Followed)> {
        let file = |number: u64| self.files.get(&number).map(|file| (number, file));
        let last = self.last_of.get(source).and_then(|last| file(*last));
        std::iter::successors(last, move |(_, next)| file(next.after?))
    }

    /// Takes a file out of the order of its source.
    pub(super) fn unlink(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else { return };
        let (after, next) = (file.after.take(), file.next.take());
        if let Some(next) = next
            && let Some(file) = self.files.get_mut(&next)
        {
            file.after = after;
            self.make_ready(next);
        }
        if let Some(after) = after
            && let Some(file) = self.files.get_mut(&after)
        {
            file.next = next;
        }
        let source = self.files[&number].source.as_str();
        if self.last_of.get(source) == Some(&number) {
            match after {
                Some(after) => *self.last_of.get_mut(source).expect("it is there") = after,
                None => drop(self.last_of.remove(source)),
            }
        }
    }

    /// Stores where reading of a file begins, after all that is on its way of it.
    pub(super) fn store(&self, key: &str, position: &Position) {
        // Without records it goes nowhere, so that nobody can say that it is too late for it.
        let _ = self.out.emit_at(Batch::new(Vec::new()), key, position.to_json());
    }

    /// Its turn comes as soon as those before it had theirs.
    pub(super) fn make_ready(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else { return };
        if let Some(due) = file.due.take() {
            self.due.remove(&(due, number));
        }
        if file.tail.is_none() {
            file.is_hinted = true;
        } else if !file.is_ready {
            file.is_ready = true;
            self.ready.push_back(number);
        }
    }

    /// Its turn comes then.
    pub(super) fn schedule(&mut self, number: u64, when: Instant) {
        let Some(file) = self.files.get_mut(&number) else { return };
        if let Some(due) = file.due.replace(when) {
            self.due.remove(&(due, number));
        }
        self.due.insert((when, number));
    }
}
