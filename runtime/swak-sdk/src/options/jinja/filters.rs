//! Filters and tests that data needs and Jinja does not have.

use std::cell::RefCell;
use std::collections::HashMap;

use minijinja::{Environment, Error, ErrorKind, Value};
use regex::Regex;

use super::value::{as_time, from_jinja};
use crate::data::json;

/// How many compiled patterns each thread keeps.
const KEPT_PATTERNS: usize = 64;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("strftime", strftime);
    env.add_filter("tojson", tojson);
    env.add_test("match", |value: &Value, pattern: &str| {
        with_pattern(value, pattern, |regex, text| {
            regex.find(text).is_some_and(|found| found.start() == 0)
        })
    });
    env.add_test("search", |value: &Value, pattern: &str| {
        with_pattern(value, pattern, Regex::is_match)
    });
}

/// `time|strftime("%Y-%m-%d")`, in UTC; `time|strftime("%H:%M", "Asia/Seoul")`, or `"local"` for
/// the machine's own zone.
fn strftime(value: &Value, format: &str, zone: Option<&str>) -> Result<String, Error> {
    let invalid = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    let time = match (as_time(value), value.as_str()) {
        (Some(time), _) => time.to_jiff(),
        (None, Some(text)) => text
            .parse::<jiff::Timestamp>()
            .map_err(|_| invalid(format!("strftime: `{text}` is not a time")))?,
        // A field that is not there stays nothing.
        (None, None) if value.is_undefined() || value.is_none() => return Ok(String::new()),
        (None, None) => {
            return Err(invalid(format!("strftime: a {} is not a time", value.kind())));
        }
    };
    let zone = match zone {
        None => jiff::tz::TimeZone::UTC,
        Some("local") => jiff::tz::TimeZone::system(),
        Some(name) => jiff::tz::TimeZone::get(name)
            .map_err(|_| invalid(format!("strftime: there is no time zone `{name}`")))?,
    };
    jiff::fmt::strtime::format(format, &time.to_zoned(zone))
        .map_err(|error| invalid(format!("strftime: `{format}`: {error}")))
}

/// As JSON on one line.
fn tojson(value: &Value) -> String {
    let mut out = Vec::new();
    json::write_value(&mut out, &from_jinja(value));
    String::from_utf8_lossy(&out).into_owned()
}

fn with_pattern(
    value: &Value,
    pattern: &str,
    matches: impl FnOnce(&Regex, &str) -> bool,
) -> Result<bool, Error> {
    thread_local! {
        static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    let text = match (value.as_str(), value.as_bytes()) {
        (Some(text), _) => std::borrow::Cow::Borrowed(text),
        (None, Some(bytes)) => String::from_utf8_lossy(bytes),
        _ if value.is_undefined() || value.is_none() => return Ok(false),
        _ => std::borrow::Cow::Owned(value.to_string()),
    };
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(regex) = patterns.get(pattern) {
            return Ok(matches(regex, &text));
        }
        let regex = Regex::new(pattern).map_err(|_| {
            let what = format!("`{pattern}` is not a regular expression");
            Error::new(ErrorKind::InvalidOperation, what)
        })?;
        let answer = matches(&regex, &text);
        // Patterns are written in the recipe; only one that is computed makes more than a few.
        if patterns.len() >= KEPT_PATTERNS {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex);
        Ok(answer)
    })
}
