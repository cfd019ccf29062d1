//! What disk buffers hold of an agent that is down: these lines come from there, once more or for the
//! first time, whatever the input does.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use swak_buffer::{FileSystem, looks_like_buffer, visit};

use super::folder::files_below;
use super::mark::Scanner;
use super::rows::Rows;

/// Lines that something on disk holds, such as one buffer, by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held(Vec<Rows>);

impl Held {
    /// These, by source.
    pub(super) fn of(numbers: Vec<Vec<u64>>) -> Self {
        Held(numbers.into_iter().map(Rows::of).collect())
    }

    /// Whether a line is among them.
    pub(super) fn has(&self, source: usize, sequence: u64) -> bool {
        self.0.get(source).is_some_and(|rows| rows.has(sequence))
    }

    /// How many lines these are.
    pub(super) fn lines(&self) -> u64 {
        self.0.iter().map(Rows::lines).sum()
    }
}

/// What each buffer below these folders holds that is not delivered by its own position, by source of
/// the lines before those in `until`: others cannot have come out, so that they come for the first time.
/// The marks are found in the frames as everywhere: byte by byte.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn held_below(folders: &[&Path], until: &[u64]) -> io::Result<Vec<Held>> {
    let mut places = BTreeSet::new();
    for folder in folders {
        let files = files_below(folder)?;
        places.extend(files.iter().filter_map(|path| path.parent().map(Path::to_owned)));
    }
    let mut all = Vec::new();
    for place in places {
        if !looks_like_buffer(&place)? {
            continue;
        }
        let mut numbers = vec![Vec::new(); until.len()];
        let each = |visited: swak_buffer::Visited| {
            if !visited.is_delivered {
                let mut scanner = Scanner::default();
                // The last mark of a frame may be waited for.
                for part in [&*visited.frame.payload, b"\n"] {
                    scanner.feed(part, |mark| {
                        if until.get(mark.source).is_some_and(|until| mark.sequence < *until) {
                            numbers[mark.source].push(mark.sequence);
                        }
                    });
                }
            }
            Ok(())
        };
        // A buffer that was refused, since it is damaged, says so itself when the agent starts.
        if visit(&FileSystem::look(&place), each).is_ok() {
            all.push(Held::of(numbers));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use swak_buffer::{Queue, Settings};

    use super::super::mark::Mark;
    use super::*;

    #[test]
    fn what_a_buffer_has_not_handed_on_is_held() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("state"), "no buffer").unwrap();
        let folder = place.path().join("deep/2");
        let storage = FileSystem::lock(&folder).unwrap();
        let mut queue = Queue::open(storage, Settings::default()).unwrap();
        for sequence in 0..4 {
            let mut payload = b"bytes before".to_vec();
            Mark { source: 1, sequence }.write(5, sequence, &mut payload);
            queue.append(&payload, 1, payload.len() as u64).unwrap();
        }
        queue.sync().unwrap();
        queue.next().unwrap().unwrap();
        queue.ack(0);
        queue.sync_position().unwrap();
        let folders = [place.path(), &place.path().join("missing")];
        let held = held_below(&folders, &[9, 3]).unwrap();
        assert_eq!(held.len(), 1);
        let of = |source| (0..6).filter(|n| held[0].has(source, *n)).collect::<Vec<_>>();
        assert_eq!((of(0), of(1), held[0].lines()), (vec![], vec![1, 2], 2));
    }
}
