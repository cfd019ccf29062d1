//! What several runs come to: the median and the spread.

use serde::{Deserialize, Serialize};

/// Several measurements of one thing.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Stat {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Stat {
    /// Of at least one value. The median of an even number of them is the mean of the two in the middle.
    pub(crate) fn of(values: &[f64]) -> Stat {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted.first(), sorted.last());
        let (&min, &max) = first.zip(last).expect("something was measured");
        let half = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[half - 1], sorted[half]),
            _ => sorted[half],
        };
        Stat { median, min, max }
    }
}

/// The value that `part` of all are not greater than: 0.5 is the median, 0.99 the 99th percentile.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (part * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_spread_at_the_ends() {
        assert_eq!(Stat::of(&[3.0, 1.0, 8.0]), Stat { median: 3.0, min: 1.0, max: 8.0 });
        assert_eq!(Stat::of(&[4.0, 1.0]), Stat { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Stat::of(&[7.0]), Stat { median: 7.0, min: 7.0, max: 7.0 });
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let mut values: Vec<_> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5), 100.0);
        assert_eq!(quantile(&mut values, 0.99), 198.0);
        assert_eq!(quantile(&mut [5.0], 0.99), 5.0);
    }
}
