//! RFC 3164, the syslog of BSD, which describes more than it demands.
//!
//! ```text
//! <34>Oct 11 22:14:15 mymachine su[10]: 'su root' failed
//! ```
//!
//! Each part after the priority may be missing. Senders on the same machine leave out the host, some
//! libraries everything but the text; rsyslog writes RFC 3339 timestamps.

use swak_sdk::data::Timestamp;

use super::{Clock, Message, Priority, split_word, timestamp};

/// The longest name of a program that is looked for. RFC 3164 allows 32 characters; systemd and
/// containers write longer ones.
const MAX_TAG: usize = 128;

/// Parses what comes after the priority. It always succeeds: what is no header is the text.
pub(super) fn parse<'a>(priority: Priority, rest: &'a [u8], clock: &Clock) -> Message<'a> {
    let mut message = Message { priority, ..Message::default() };
    let text = match split_timestamp(rest, clock) {
        Some((timestamp, rest)) => {
            message.timestamp = Some(timestamp);
            let (word, after) = split_word(rest);
            // With a timestamp comes a host, unless the next word is already the program's name.
            let is_tag = split_tag(rest).is_some() || word.ends_with(b":");
            if is_tag || word.is_empty() {
                rest
            } else {
                message.hostname = Some(word);
                after
            }
        }
        None => rest,
    };
    message.message = match split_tag(text) {
        Some((tag, text)) => {
            message.app_name = Some(tag.name);
            message.proc_id = tag.pid;
            text
        }
        None => text,
    };
    message
}

fn split_timestamp<'a>(text: &'a [u8], clock: &Clock) -> Option<(Timestamp, &'a [u8])> {
    timestamp::rfc3164(text, clock).or_else(|| {
        let (word, rest) = split_word(text);
        Some((timestamp::rfc3339(word, clock)?, rest))
    })
}

/// `su:` or `sshd[123]:`
struct Tag<'a> {
    name: &'a [u8],
    pid: Option<&'a [u8]>,
}

/// The tag, and the text after it without the space that parts them.
fn split_tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let in_name = |b: &u8| b.is_ascii_graphic() && !matches!(b, b':' | b'[' | b']' | b'<' | b'>');
    let end = text.iter().take(MAX_TAG + 1).take_while(|b| in_name(b)).count();
    if !(1..=MAX_TAG).contains(&end) {
        return None;
    }
    let (name, rest) = text.split_at(end);
    let bracketed = rest.starts_with(b"[");
    let (pid, rest) = match rest.strip_prefix(b"[") {
        Some(rest) => {
            let close = rest.iter().take(MAX_TAG).position(|b| *b == b']' || *b == b' ')?;
            let (pid, rest) = rest.split_at(close);
            (Some(pid).filter(|pid| !pid.is_empty()), rest.strip_prefix(b"]")?)
        }
        None => (None, rest),
    };
    let rest = rest.strip_prefix(b":")?;
    // `12:30` and `http://` are no tags.
    match rest {
        [] => Some((Tag { name, pid }, rest)),
        [b' ', text @ ..] => Some((Tag { name, pid }, text)),
        _ if bracketed => Some((Tag { name, pid }, rest)),
        _ => None,
    }
}
