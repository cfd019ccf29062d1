//! Decimal numbers followed by a unit, as durations and sizes are written.

/// A number such as `1.5`, exact: `digits / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

impl Decimal {
    /// The number times a whole unit, rounded down; and whether it was exact. `None` if it is too
    /// large.
    pub(super) fn times(self, unit: u64) -> Option<(u128, bool)> {
        let product = self.digits.checked_mul(u128::from(unit))?;
        let divisor = 10u128.pow(self.places);
        Some((product / divisor, product.is_multiple_of(divisor)))
    }
}

/// Splits `1.5h30m` into `1.5` and `h30m`; `None` if it does not begin with a number of at most
/// 20 digits.
pub(super) fn take_decimal(text: &str) -> Option<(Decimal, &str)> {
    let (whole, rest) = take_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => take_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() || (rest.len() + whole.len() + 1 == text.len() && fraction.is_empty()) {
        return None;
    }
    let count = whole.len() + fraction.len();
    if count > 20 {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    let places = u32::try_from(fraction.len()).expect("at most 20 digits");
    Some((Decimal { digits, places }, rest))
}

/// Splits off the letters at the beginning, in lower case.
pub(super) fn take_unit(text: &str) -> (String, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (text[..end].to_ascii_lowercase(), &text[end..])
}

fn take_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}
