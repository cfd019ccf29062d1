//! Numbers of lines, kept as rows of successive ones.

use serde_json::{Value, json};

/// Numbers of lines: rows from the first of each to before its end, in order and apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows(Vec<(u64, u64)>);

/// Rows beyond this many are counted for people, not listed.
const MOST_SHOWN: usize = 10;

impl Rows {
    /// These numbers, in whatever order they are, each once.
    pub(super) fn of(mut numbers: Vec<u64>) -> Self {
        numbers.sort_unstable();
        let mut rows = Rows::default();
        numbers.into_iter().for_each(|number| rows.push(number));
        rows
    }

    /// Adds a number, which is not less than any that is there.
    pub(super) fn push(&mut self, number: u64) {
        match self.0.last_mut() {
            Some((_, end)) if number < *end => {}
            Some((_, end)) if number == *end => *end += 1,
            _ => self.0.push((number, number + 1)),
        }
    }

    pub(super) fn has(&self, number: u64) -> bool {
        let place = self.0.partition_point(|(_, end)| *end <= number);
        self.0.get(place).is_some_and(|(first, _)| *first <= number)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers these are.
    pub(super) fn lines(&self) -> u64 {
        self.0.iter().map(|(first, end)| end - first).sum()
    }

    /// For people: `lines 3-5, 9`.
    pub(super) fn shown(&self) -> String {
        let row = |(first, end): &(u64, u64)| match end - first {
            1 => first.to_string(),
            _ => format!("{first}-{}", end - 1),
        };
        let rows: Vec<_> = self.0.iter().take(MOST_SHOWN).map(row).collect();
        let word = if self.lines() == 1 { "line" } else { "lines" };
        let more = match self.0.len() - rows.len() {
            0 => String::new(),
            1 => " and one more row".to_owned(),
            more => format!(" and {more} more rows"),
        };
        format!("{word} {}{more}", rows.join(", "))
    }

    /// For programs: `[[3, 5], [9, 9]]`.
    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|(first, end)| json!([first, end - 1])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tell_what_is_in_them() {
        let rows = Rows::of(vec![7, 3, 4, 3, 9, 5]);
        let inside: Vec<u64> = (0..12).filter(|number| rows.has(*number)).collect();
        assert_eq!((inside, rows.lines()), (vec![3, 4, 5, 7, 9], 5));
        assert_eq!(rows.shown(), "lines 3-5, 7, 9");
        assert_eq!(rows.to_json(), json!([[3, 5], [7, 7], [9, 9]]));
        assert_eq!(Rows::of(vec![8]).shown(), "line 8");
        let many = Rows::of((0..13).map(|n| n * 2).collect()).shown();
        assert!(many.ends_with("16, 18 and 3 more rows"), "{many}");
        assert!(Rows::default().is_empty() && !rows.is_empty());
    }
}
