//! `#[option(range = …)]`: numbers that are narrower than their type.

use super::{Literal, LiteralValue, OptionError, OptionValue, TypeSpec};

/// A type whose numbers `#[option(range = …)]` can narrow: the numbers themselves, and `Option`
/// and `Vec` of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number, so it has no `range`",
    label = "not a number"
)]
pub trait Ranged: OptionValue {
    /// The type's own spec, to be narrowed.
    #[doc(hidden)]
    fn ranged_spec() -> TypeSpec {
        Self::type_spec()
    }
}

impl TypeSpec {
    /// The numbers of this spec that are also in the range.
    #[doc(hidden)]
    #[must_use]
    pub fn narrowed_to_ints(self, min: i64, max: i64) -> TypeSpec {
        let end = |n: i64, open: i64, infinite: f64| if n == open { infinite } else { n as f64 };
        self.narrowed(&|spec| match spec {
            TypeSpec::Int { min: low, max: high } => {
                TypeSpec::Int { min: min.max(low), max: max.min(high) }
            }
            TypeSpec::Float { min: low, max: high } => TypeSpec::Float {
                min: end(min, i64::MIN, f64::NEG_INFINITY).max(low),
                max: end(max, i64::MAX, f64::INFINITY).min(high),
            },
            other => other,
        })
    }

    /// The numbers of this spec that are also in the range.
    #[doc(hidden)]
    #[must_use]
    pub fn narrowed_to_floats(self, min: f64, max: f64) -> TypeSpec {
        self.narrowed(&|spec| match spec {
            // `as` keeps to the ends of i64, which is what an infinite bound means.
            TypeSpec::Int { min: low, max: high } => TypeSpec::Int {
                min: (min.ceil() as i64).max(low),
                max: (max.floor() as i64).min(high),
            },
            TypeSpec::Float { min: low, max: high } => {
                TypeSpec::Float { min: min.max(low), max: max.min(high) }
            }
            other => other,
        })
    }

    fn narrowed(self, narrow: &impl Fn(TypeSpec) -> TypeSpec) -> TypeSpec {
        match self {
            TypeSpec::List(inner) => TypeSpec::List(Box::new(inner.narrowed(narrow))),
            TypeSpec::Optional(inner) => TypeSpec::Optional(Box::new(inner.narrowed(narrow))),
            other => narrow(other),
        }
    }
}

/// Notes each number that is outside the range of its spec.
pub(super) fn check_range(spec: &TypeSpec, literal: &Literal, errors: &mut Vec<OptionError>) {
    let outside = match (spec, &literal.value) {
        (TypeSpec::Int { min, max }, LiteralValue::Int(n)) => !(min..=max).contains(&n),
        (TypeSpec::Float { min, max }, LiteralValue::Int(n)) => {
            !(*min..=*max).contains(&(*n as f64))
        }
        (TypeSpec::Float { min, max }, LiteralValue::Float(n)) => !(min..=max).contains(&n),
        (TypeSpec::List(inner), LiteralValue::List(items)) => {
            for item in items {
                check_range(inner, item, errors);
            }
            false
        }
        (TypeSpec::List(inner) | TypeSpec::Optional(inner), _) => {
            check_range(inner, literal, errors);
            false
        }
        _ => false,
    };
    if outside {
        errors.push(OptionError::expected(spec, literal));
    }
}
