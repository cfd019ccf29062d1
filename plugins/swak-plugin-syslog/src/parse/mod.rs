//! From the bytes of a message to its parts: RFC 3164 and RFC 5424.
//!
//! Nothing here reads a clock or a socket, and nothing is copied that need not be.

mod priority;
mod rfc3164;
mod rfc5424;
mod timestamp;

use std::borrow::Cow;

use jiff::tz::TimeZone;
use swak_sdk::data::Timestamp;
use swak_sdk::options::Choice;

pub(crate) use priority::Priority;
use timestamp::Recent;

/// The parts of a message that it has.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) priority: Priority,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) hostname: Option<&'a [u8]>,
    pub(crate) app_name: Option<&'a [u8]>,
    pub(crate) proc_id: Option<&'a [u8]>,
    pub(crate) msg_id: Option<&'a [u8]>,
    pub(crate) structured_data: Vec<Element<'a>>,
    /// The text, without a byte order mark.
    pub(crate) message: &'a [u8],
}

/// An element of structured data: `[exampleSDID@32473 iut="3" eventID="1011"]`.
#[derive(Debug, PartialEq)]
pub(crate) struct Element<'a> {
    pub(crate) id: &'a [u8],
    /// Names and values in order; a name may come more than once.
    pub(crate) params: Vec<(&'a [u8], Cow<'a, [u8]>)>,
}

/// The format that messages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum Format {
    /// Each message is looked at.
    Auto,
    /// The format of BSD syslog: `<34>Oct 11 22:14:15 host su[10]: text`. A timestamp of RFC 3339 is
    /// understood in it too, and each part but the priority may be missing.
    Rfc3164,
    /// `<34>1 2003-10-11T22:14:15.003Z host su 10 ID47 [id key="value"] text`
    Rfc5424,
}

/// What a timestamp without year and zone is completed with.
#[derive(Debug)]
pub(crate) struct Clock {
    /// When the message came. A timestamp without year is of the last year in which it does not lie
    /// more than a month after this.
    pub(crate) now: Timestamp,
    /// The zone of those who say none.
    pub(crate) zone: TimeZone,
    recent: Recent<{ timestamp::DATE_TIME }>,
    recent_short: Recent<{ timestamp::SHORT_DATE_TIME }>,
}

impl Clock {
    /// A clock that stands at `now`.
    pub(crate) fn new(now: Timestamp, zone: TimeZone) -> Self {
        Clock { now, zone, recent: Recent::default(), recent_short: Recent::default() }
    }
}

/// Why a message cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    #[error("it does not begin with a priority from <0> to <191>")]
    Priority,
    #[error("the version is not 1")]
    Version,
    #[error("the timestamp is not one of RFC 3339")]
    Timestamp,
    #[error("a part of the header is missing")]
    Header,
    #[error("the structured data does not end or is not well formed")]
    StructuredData,
}

/// Parses a message.
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    format: Format,
    clock: &Clock,
) -> Result<Message<'a>, ParseError> {
    let (priority, rest) = priority::split(bytes).ok_or(ParseError::Priority)?;
    let is_5424 = match format {
        Format::Auto => rfc5424::is_likely(rest),
        Format::Rfc3164 => false,
        Format::Rfc5424 => true,
    };
    if is_5424 {
        rfc5424::parse(priority, rest, clock)
    } else {
        Ok(rfc3164::parse(priority, rest, clock))
    }
}

/// What stands before the next space, and what comes after it; the second is empty when there is
/// no space.
fn split_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests;
