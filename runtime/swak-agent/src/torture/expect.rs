//! Where the records of a source are to come out.

/// Where records are to come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// In this unit: a number into the list of units.
    Unit(usize),
    /// In all of these.
    All(Vec<Expect>),
    /// In one of these, by what the record is: the ways of a `when`, or the dead letters.
    Either(Vec<Expect>),
    /// Wherever the tasks bring them that receive this link.
    Link(String),
}

impl Expect {
    /// Nowhere: what is to come out in all of nothing.
    pub(super) fn nowhere() -> Self {
        Expect::All(Vec::new())
    }

    /// In both.
    pub(super) fn and(self, other: Expect) -> Self {
        match (self, other) {
            (Expect::All(none), one) | (one, Expect::All(none)) if none.is_empty() => one,
            (Expect::All(mut all), one) => {
                all.push(one);
                Expect::All(all)
            }
            (one, other) => Expect::All(vec![one, other]),
        }
    }

    /// With the links replaced by what the receiving tasks expect. Tasks form no circle, as the
    /// checker has seen to.
    pub(super) fn resolved(&self, receivers: &dyn Fn(&str) -> Vec<Expect>) -> Self {
        let each = |all: &[Expect]| all.iter().map(|one| one.resolved(receivers)).collect();
        match self {
            Expect::Unit(unit) => Expect::Unit(*unit),
            Expect::All(all) => Expect::All(each(all)),
            Expect::Either(all) => Expect::Either(each(all)),
            Expect::Link(name) => {
                let all = receivers(name);
                let all = all.iter().map(|one| one.resolved(receivers));
                all.fold(Expect::nowhere(), Expect::and)
            }
        }
    }

    /// Whether a record came out everywhere it is to. `came` tells it for a unit.
    pub(super) fn is_met(&self, came: &impl Fn(usize) -> bool) -> bool {
        match self {
            Expect::Unit(unit) => came(*unit),
            Expect::All(all) => all.iter().all(|one| one.is_met(came)),
            Expect::Either(any) => any.iter().any(|one| one.is_met(came)),
            Expect::Link(_) => unreachable!("links are resolved before anything is asked"),
        }
    }

    /// How many lines of a source have come out, where `reached` tells it for a unit: of all ways that
    /// must be gone the slowest, of those that may be gone the fastest.
    pub(super) fn progress(&self, reached: &impl Fn(usize) -> u64) -> u64 {
        let each =
            |all: &[Expect]| -> Vec<u64> { all.iter().map(|one| one.progress(reached)).collect() };
        match self {
            Expect::Unit(unit) => reached(*unit),
            Expect::All(all) => each(all).into_iter().min().unwrap_or(u64::MAX),
            Expect::Either(any) => each(any).into_iter().max().unwrap_or(0),
            Expect::Link(_) => unreachable!("links are resolved before anything is asked"),
        }
    }

    /// The units that it names.
    #[cfg(test)]
    pub(super) fn units(&self, found: &mut Vec<usize>) {
        match self {
            Expect::Unit(unit) => found.push(*unit),
            Expect::All(all) | Expect::Either(all) => all.iter().for_each(|one| one.units(found)),
            Expect::Link(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expect::{All, Either, Link, Unit};

    #[test]
    fn links_lead_to_what_their_receivers_expect() {
        let receivers = |name: &str| match name {
            "a" => vec![Link("b".into()).and(Unit(1))],
            _ => vec![Unit(2), Unit(3)],
        };
        let expect = Unit(0).and(Link("a".into())).resolved(&receivers);
        let mut units = Vec::new();
        expect.units(&mut units);
        assert_eq!(units, [0, 2, 3, 1]);
        assert!(expect.is_met(&|_| true));
        for missing in 0..4 {
            assert!(!expect.is_met(&|unit| unit != missing), "{missing}");
        }
    }

    #[test]
    fn progress_is_that_of_the_slowest_needed_way() {
        let reached = |unit: usize| [10, 4, 7][unit];
        assert_eq!(All(vec![Unit(0), Unit(2)]).progress(&reached), 7);
        assert_eq!(Either(vec![Unit(1), Unit(2)]).progress(&reached), 7);
        assert_eq!(All(vec![Unit(0), Either(vec![Unit(1), Unit(2)])]).progress(&reached), 7);
        assert!(Either(vec![Unit(0), Unit(1)]).is_met(&|unit| unit == 1));
    }
}
