//! Typed values out of text: `types={"status": "int", "when": "time"}`.

use swak_sdk::data::Text;
use swak_sdk::options::{Dict, OptionErrors, did_you_mean};
use swak_sdk::prelude::*;

use super::clock::{Clock, ClockOptions};

/// The type that the text of a field is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum FieldType {
    /// A whole number, `42` or `-7`.
    Int,
    /// A number, `0.5` or `1e9`.
    Float,
    /// `true`, `yes`, `on` and `1`, or `false`, `no`, `off` and `0`, in either letter case.
    Bool,
    /// Text as it is.
    Text,
    /// A point in time, as `time_format` says.
    Time,
}

/// What fields are read as, by their index.
pub(crate) struct Typing {
    fields: Vec<Field>,
    clock: Clock,
}

#[derive(Clone, Copy)]
struct Field {
    wanted: FieldType,
    is_record_time: bool,
}

impl Typing {
    /// The types of `names`, in their order.
    pub(crate) fn new<'a>(
        names: impl IntoIterator<Item = &'a str>,
        types: &Placed<Dict<FieldType>>,
        clock: &ClockOptions,
    ) -> Result<Self> {
        let names: Vec<&str> = names.into_iter().collect();
        for (name, _) in types.iter() {
            if !names.contains(&name) {
                return Err(unknown_field(types, name, &names).into());
            }
        }
        let record_time = match &clock.field {
            None => None,
            Some(field) => Some(
                names
                    .iter()
                    .position(|name| *name == field.value)
                    .ok_or_else(|| unknown_field(field, &field.value, &names))?,
            ),
        };
        let field = |(i, name): (usize, &&str)| {
            let is_record_time = record_time == Some(i);
            let default = if is_record_time { FieldType::Time } else { FieldType::Text };
            Field { wanted: types.get(name).copied().unwrap_or(default), is_record_time }
        };
        let fields = names.iter().enumerate().map(field).collect();
        Ok(Typing { fields, clock: Clock::new(clock)? })
    }

    /// The value of the field at an index, which is a part of a line. Text that is not of its type
    /// stays text and is counted; the record's own time is set when this is its field.
    pub(crate) fn value(
        &self,
        i: usize,
        line: &Slice,
        part: &[u8],
        now: Timestamp,
        time: &mut Timestamp,
        out: &mut Outlet,
    ) -> Value {
        match self.read(i, part, now, time, out) {
            Typed::Text => match std::str::from_utf8(part) {
                // Without counting users of the block for text that is short enough to be copied.
                Ok(text) => Value::Text(Text::borrowed(text, line)),
                Err(_) => Value::Bytes(line.subset(part).unwrap_or_else(|| part.into())),
            },
            Typed::Int(n) => Value::Int(n),
            Typed::Float(n) => Value::Float(n),
            Typed::Bool(v) => Value::Bool(v),
            Typed::Time(at) => Value::Time(at),
        }
    }

    /// What the text of the field at an index is read as; see [`Typing::value`].
    #[inline]
    pub(crate) fn read(
        &self,
        i: usize,
        text: &[u8],
        now: Timestamp,
        time: &mut Timestamp,
        out: &mut Outlet,
    ) -> Typed {
        if self.is_text(i) {
            return Typed::Text;
        }
        self.read_typed(self.fields[i], text, now, time, out)
    }

    /// Whether the field at an index is what its text is, and no more.
    #[inline]
    pub(crate) fn is_text(&self, i: usize) -> bool {
        let Field { wanted, is_record_time } = self.fields[i];
        wanted == FieldType::Text && !is_record_time
    }

    fn read_typed(
        &self,
        Field { wanted, is_record_time }: Field,
        text: &[u8],
        now: Timestamp,
        time: &mut Timestamp,
        out: &mut Outlet,
    ) -> Typed {
        let read = match wanted {
            FieldType::Text => Some(Typed::Text),
            FieldType::Time => self.clock.read(text, now).map(Typed::Time),
            FieldType::Int => read_int(text).map(Typed::Int),
            FieldType::Float => read_float(text).map(Typed::Float),
            FieldType::Bool => read_bool(text).map(Typed::Bool),
        };
        let is_error = read.is_none();
        let read = read.unwrap_or(Typed::Text);
        let at = match read {
            _ if !is_record_time => None,
            Typed::Text => self.clock.read(text, now),
            Typed::Int(seconds) => Some(Clock::of_seconds(seconds)),
            Typed::Float(seconds) => Some(Clock::of_fractional_seconds(seconds)),
            Typed::Bool(_) => None,
            Typed::Time(at) => Some(at),
        };
        if is_error || (is_record_time && at.is_none()) {
            out.error();
        }
        *time = at.unwrap_or(*time);
        read
    }
}

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Typed {
    /// The text itself.
    Text,
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Timestamp),
}

fn read_int(text: &[u8]) -> Option<i64> {
    let (digits, sign) = match text {
        [b'-', digits @ ..] => (digits, -1),
        digits => (digits, 1),
    };
    // So many digits cannot be too many.
    if (1..=18).contains(&digits.len())
        && let Some(n) = digits.iter().try_fold(0, |n, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit <= 9).then_some(10 * n + i64::from(digit))
        })
    {
        return Some(sign * n);
    }
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// A number; `inf` and `nan` are words, not numbers.
fn read_float(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok().filter(|n: &f64| n.is_finite())
}

fn read_bool(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii();
    let is = |words: [&str; 4]| words.iter().any(|w| text.eq_ignore_ascii_case(w.as_bytes()));
    match () {
        () if is(["true", "yes", "on", "1"]) => Some(true),
        () if is(["false", "no", "off", "0"]) => Some(false),
        () => None,
    }
}

fn unknown_field<T>(place: &Placed<T>, name: &str, names: &[&str]) -> OptionErrors {
    let help = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the fields are: {}", names.join(", ")),
    };
    place.error(format!("there is no field `{name}` here"), help)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_are_read_as_the_standard_library_reads_them(
            text in r"[ \u{2003}]?[+-]{0,2}([0-9]{0,20}|[0-9]{1,3}[a.][0-9])[ ]?",
        ) {
            prop_assert_eq!(read_int(text.as_bytes()), text.trim().parse().ok());
        }

        #[test]
        fn every_whole_number_is_read(n: i64) {
            prop_assert_eq!(read_int(n.to_string().as_bytes()), Some(n));
        }
    }
}
