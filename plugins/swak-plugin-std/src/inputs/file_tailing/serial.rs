//! In which order rotated files were written, by their names, and by what is known of some of them.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::copies;
use super::discover::Found;

/// Since when a file is known, earlier ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Since {
    /// It is not followed any more, or not yet again; with the number that its position got then.
    Before(u64),
    /// It is followed, and read in this place.
    Followed(u64),
    /// It is new.
    Now,
}

/// Puts rotated files of one source into the order in which they were written.
///
/// Their names say it: a date or a time grows; a plain number counts how old a file is, or, where that is
/// so, the other way round. Which of the two, files tell of which it is known that one is older than the
/// other; where there are none, and the files were written in that order without exception, their times. Where
/// the names have nothing in common, only the times are left; a clock that jumped may have them wrong.
///
/// `names` are the paths under which they were written. `known` gives since when these and other files are
/// known, and `is_clock_right` says whether times may tell what numbers mean.
pub(super) fn oldest_first(
    files: &mut [Found],
    names: &[&Path],
    known: impl FnOnce() -> Vec<(PathBuf, Since)>,
    is_clock_right: bool,
) {
    let mut keyed: Vec<(Serial, Option<i128>, Found)> =
        files.iter().map(|f| (Serial::of(&f.path, names), f.modified, f.clone())).collect();
    let is_one_kind = keyed.windows(2).all(|pair| pair[0].0.form == pair[1].0.form);
    if is_one_kind {
        keyed.sort_by(|a, b| a.0.numbers.cmp(&b.0.numbers).then(a.1.cmp(&b.1)));
        // A date does not turn round with the clock of the files; and few write the other way round.
        let counts = keyed.iter().all(|(serial, ..)| serial.counts());
        let do_times_rise = || is_clock_right && keyed.windows(2).all(|pair| pair[0].1 < pair[1].1);
        let first = keyed.first().filter(|_| counts);
        let is_turned =
            first.is_some_and(|(like, ..)| match do_numbers_grow(like, names, &known()) {
                Ordering::Equal => !do_times_rise(),
                order => order == Ordering::Less,
            });
        if is_turned {
            keyed.reverse();
        }
    } else {
        keyed.sort_by(|a, b| a.1.cmp(&b.1).then(a.2.path.cmp(&b.2.path)));
    }
    for (place, (.., found)) in files.iter_mut().zip(keyed) {
        *place = found;
    }
}

/// Whether younger files have greater numbers than older ones, or smaller ones, in most cases. `like` is the
/// kind of name that they have.
fn do_numbers_grow(like: &Serial, names: &[&Path], known: &[(PathBuf, Since)]) -> Ordering {
    let numbered = known.iter().filter_map(|(path, since)| {
        let serial = Serial::of(path, names);
        // What is compressed is a new file with what an older one held.
        let tells = *since != Since::Now || !copies::is_packed(path);
        (tells && serial.form == like.form && serial.counts()).then(|| (*since, serial.numbers[0]))
    });
    let mut numbered: Vec<_> = numbered.collect();
    numbered.sort_unstable();
    let (mut greater, mut smaller) = (0, 0);
    // Each with those that were known next, as there may be thousands; all new ones are as young.
    for pair in numbered.chunk_by(|a, b| a.0 == b.0).collect::<Vec<_>>().windows(2) {
        for (old, young) in pair[0].iter().flat_map(|old| pair[1].iter().map(move |y| (old.1, y.1)))
        {
            greater += usize::from(young > old);
            smaller += usize::from(young < old);
        }
    }
    greater.cmp(&smaller)
}

/// What a rotated name says of its turn.
struct Serial {
    /// The name with its numbers left out.
    form: String,
    numbers: Vec<u128>,
}

impl Serial {
    fn of(path: &Path, names: &[&Path]) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Numbers of the name itself say nothing.
        let own = names.iter().filter_map(|own| own.file_name()?.to_str());
        let rest = own.filter_map(|own| name.strip_prefix(own)).min_by_key(|rest| rest.len());
        let rest = rest.unwrap_or(&name);
        let rest = rest.strip_suffix(".gz").unwrap_or(rest);
        let (mut form, mut numbers) = (String::new(), Vec::new());
        for run in rest.split_inclusive(|c: char| !c.is_ascii_digit()) {
            let digits = run.trim_end_matches(|c: char| !c.is_ascii_digit());
            if !digits.is_empty() {
                numbers.push(digits.parse().unwrap_or(u128::MAX));
                form.push('0');
            }
            form.push_str(&run[digits.len()..]);
        }
        Serial { form, numbers }
    }

    /// Whether it is a plain count, and no date.
    fn counts(&self) -> bool {
        matches!(self.numbers[..], [number] if number < 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::inputs::file_tailing::identify::Identity;

    /// The names in their order, of files that were written one after the other in the order given.
    fn ordered(names: &[&str]) -> Vec<String> {
        ordered_as(names, &[], true)
    }

    fn ordered_as(names: &[&str], known: &[(&str, Since)], is_clock_right: bool) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("app.log");
        let start = SystemTime::now() - Duration::from_secs(1000);
        let mut files = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let path = folder.path().join(name);
            fs::write(&path, name).unwrap();
            let time = start + Duration::from_secs(i as u64);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            files.push(Found::at(path, Identity::Auto).unwrap().unwrap());
        }
        files.rotate_left(names.len() / 2);
        let known = known.iter().map(|(name, since)| (folder.path().join(name), *since));
        oldest_first(&mut files, &[&source], || known.collect(), is_clock_right);
        let name = |f: &Found| f.path.file_name().unwrap().to_str().unwrap().to_owned();
        files.iter().map(name).collect()
    }

    #[test]
    fn the_order_is_that_of_writing() {
        for names in [
            &["app.log.11.gz", "app.log.10.gz", "app.log.9", "app.log.1"][..],
            &["app.log.1", "app.log.2", "app.log.10"],
            &["app.log-20251231", "app.log-20260101", "app.log-20260102.gz"],
            &["app-b.log", "old", "app.log.5"],
        ] {
            assert_eq!(ordered(names), names);
        }
    }

    #[test]
    fn a_clock_that_jumped_does_not_change_the_order_of_dates() {
        let names = ["app.log-20261121-0003", "app.log-20261121-0001", "app.log-20261121-0002"];
        assert_eq!(
            ordered(&names),
            ["app.log-20261121-0001", "app.log-20261121-0002", "app.log-20261121-0003"]
        );
        let names = ["app.log-20260103", "app.log-20260102", "app.log-20260101"];
        assert_eq!(ordered(&names), ["app.log-20260101", "app.log-20260102", "app.log-20260103"]);
    }

    #[test]
    fn a_clock_that_jumped_does_not_change_the_order_of_numbers() {
        let in_order = ["app.log.4", "app.log.3", "app.log.2", "app.log.1"];
        for names in [
            ["app.log.4", "app.log.1", "app.log.3", "app.log.2"],
            ["app.log.1", "app.log.2", "app.log.4", "app.log.3"],
        ] {
            assert_eq!(ordered(&names), in_order);
        }
    }

    #[test]
    fn what_is_known_to_be_older_says_what_numbers_mean_whatever_the_times_say() {
        let names = ["app.log.1", "app.log.2"];
        let turned = ["app.log.2", "app.log.1"];
        assert_eq!(ordered(&names), names, "their times rise");
        assert_eq!(ordered_as(&names, &[], false), turned, "which may be wrong");
        for (known, expected) in [
            // It was written as `app.log`, and two came after it.
            (&[("app.log.3", Since::Followed(7))][..], turned),
            (&[("app.log.0", Since::Followed(7))], names),
            // Names of another kind say nothing.
            (&[("app.log-20260101", Since::Followed(7))], names),
            (&[("app.log.2", Since::Before(3)), ("app.log.1", Since::Before(12))], turned),
            (&[("app.log.1", Since::Before(3)), ("app.log.2", Since::Followed(1))], names),
            // It was compressed lately, and is no younger than what it was.
            (&[("app.log.3", Since::Followed(7)), ("app.log.4.gz", Since::Now)], turned),
        ] {
            let mut known = known.to_vec();
            let new = names.iter().filter(|name| known.iter().all(|(known, _)| known != *name));
            known.extend(new.map(|name| (*name, Since::Now)).collect::<Vec<_>>());
            assert_eq!(ordered_as(&names, &known, true), expected, "{known:?}");
        }
    }
}
