//! What must come of lines that are parsed: their fields, whoever writes them.

use std::hash::{DefaultHasher, Hasher as _};

use anyhow::{Context as _, Result, bail};
use regex::bytes::Regex;
use serde_json::{Map, Value, json};

use super::{Expect, hash};

/// Lines come out as they were.
pub(crate) struct Same;

impl Expect for Same {
    fn name(&self) -> &'static str {
        "same"
    }

    fn expected(&self, line: &[u8]) -> Result<Option<u64>> {
        Ok(Some(hash(line)))
    }

    fn found(&self, line: &[u8]) -> Result<u64> {
        Ok(hash(line))
    }
}

/// JSON comes out with the same fields.
pub(crate) struct Fields;

impl Expect for Fields {
    fn name(&self) -> &'static str {
        "fields"
    }

    fn expected(&self, line: &[u8]) -> Result<Option<u64>> {
        self.found(line).map(Some)
    }

    fn found(&self, line: &[u8]) -> Result<u64> {
        Ok(of_value(&serde_json::from_slice(line)?))
    }
}

/// Of JSON, only errors with a status of 500 or more come out, with the field `where`.
pub(crate) struct ErrorsOnly;

impl Expect for ErrorsOnly {
    fn name(&self) -> &'static str {
        "errors"
    }

    fn expected(&self, line: &[u8]) -> Result<Option<u64>> {
        let mut value: Value = serde_json::from_slice(line)?;
        let status = value["status"].as_u64().context("it has no status")?;
        if status < 500 || value["level"] != "error" {
            return Ok(None);
        }
        let path = value["request"]["path"].as_str().context("it has no path")?;
        value["where"] = format!("{path}:{status}").into();
        Ok(Some(of_value(&value)))
    }

    fn found(&self, line: &[u8]) -> Result<u64> {
        Fields.found(line)
    }
}

/// Lines of nginx come out as JSON with typed fields.
pub(crate) struct Combined(Regex);

/// The combined log format of nginx, as the recipe for it has it.
pub(crate) const COMBINED: &str = concat!(
    r"^(?<remote>\S+) \S+ (?<user>\S+) \[(?<time>[^\]]+)\] ",
    r#""(?<method>\S+) (?<path>\S+) (?<protocol>[^"]+)" (?<status>\d+) (?<bytes>\d+) "#,
    r#""(?<referer>[^"]*)" "(?<agent>[^"]*)"$"#
);

impl Combined {
    pub(crate) fn new() -> Self {
        let pattern = COMBINED.replacen('^', "^(?-u)", 1);
        Combined(Regex::new(&pattern).expect("the pattern is right"))
    }
}

impl Expect for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn expected(&self, line: &[u8]) -> Result<Option<u64>> {
        let found = self.0.captures(line).context("it is no line of nginx")?;
        let mut fields = Map::new();
        for name in self.0.capture_names().flatten() {
            let text = std::str::from_utf8(&found[name])?;
            let value = match name {
                "status" | "bytes" => text.parse::<u64>()?.into(),
                "time" => rfc3339(text)?.into(),
                _ => text.into(),
            };
            fields.insert(name.to_owned(), value);
        }
        Ok(Some(of_value(&fields.into())))
    }

    fn found(&self, line: &[u8]) -> Result<u64> {
        let mut value: Value = serde_json::from_slice(line)?;
        // Who knows no times may leave it as it is.
        if let Some(time) = value["time"].as_str().filter(|time| time.contains('/')) {
            value["time"] = rfc3339(time)?.into();
        }
        Ok(of_value(&value))
    }
}

/// Syslog messages come out as JSON with at least these fields.
pub(crate) struct Messages;

const OF_MESSAGES: [&str; 4] = ["hostname", "app_name", "proc_id", "message"];

impl Expect for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn expected(&self, line: &[u8]) -> Result<Option<u64>> {
        let line = std::str::from_utf8(line)?;
        let mut parts = line.splitn(8, ' ').skip(2);
        let fields = [parts.next(), parts.next(), parts.next(), parts.nth(2)];
        let [Some(host), Some(app), Some(process), Some(message)] = fields else {
            bail!("it is no message of RFC 5424");
        };
        let fields =
            json!({"hostname": host, "app_name": app, "proc_id": process, "message": message});
        Ok(Some(of_value(&fields)))
    }

    fn found(&self, line: &[u8]) -> Result<u64> {
        let mut value: Value = serde_json::from_slice(line)?;
        let fields = value.as_object_mut().context("it is no object")?;
        fields.retain(|name, _| OF_MESSAGES.contains(&name.as_str()));
        Ok(of_value(&value))
    }
}

/// `21/Nov/2026:10:30:00 +0000` as RFC 3339 has it. All made-up times are of one month and in UTC.
fn rfc3339(time: &str) -> Result<String> {
    let (date, clock) = time.split_once(':').context("it has no time")?;
    let day = date.strip_suffix("/Nov/2026").context("it is of another month")?;
    let clock = clock.strip_suffix(" +0000").context("it is in another zone")?;
    Ok(format!("2026-11-{day}T{clock}Z"))
}

/// The same for values that are the same, whatever the order of their fields is.
fn of_value(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(is) => hasher.write(&[1, u8::from(*is)]),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => {
                hasher.write_u8(2);
                hasher.write_i64(whole);
            }
            None => {
                hasher.write_u8(3);
                hasher.write_u64(number.as_f64().unwrap_or_default().to_bits());
            }
        },
        Value::String(text) => {
            hasher.write_u8(4);
            hasher.write(text.as_bytes());
        }
        Value::Array(items) => {
            hasher.write_u8(5);
            items.iter().for_each(|item| hasher.write_u64(of_value(item)));
        }
        Value::Object(fields) => {
            let of_field = |(name, value): (&String, &Value)| {
                let mut hasher = DefaultHasher::new();
                hasher.write(name.as_bytes());
                hasher.write_u64(of_value(value));
                hasher.finish()
            };
            hasher.write_u8(6);
            hasher.write_u64(fields.iter().map(of_field).fold(0, u64::wrapping_add));
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::super::data::{Json, Lines as _, Nginx, SEED, Syslog};
    use super::*;

    fn line(make: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut line = Vec::new();
        make(&mut line);
        line.pop();
        line
    }

    #[test]
    fn fields_count_and_not_their_spelling() {
        let found = |text: &str| Fields.found(text.as_bytes()).expect("it is JSON");
        let one = found(r#"{"a":1,"b":{"c":"\u00e9","d":[1.50,null]}}"#);
        assert_eq!(one, found(r#"{ "b": {"d":[1.5,null], "c":"é"}, "a":1 }"#));
        assert_ne!(one, found(r#"{"a":"1","b":{"c":"é","d":[1.5,null]}}"#));
        assert_ne!(one, found(r#"{"a":1,"b":{"c":"é","d":[null,1.5]}}"#));
        assert_ne!(one, found(r#"{"a":1}"#));
        assert!(Fields.found(b"{\"a\":").is_err());
    }

    #[test]
    fn one_record_in_ten_is_an_error() {
        let mut data = Json::new(SEED);
        let mut kept = 0;
        for _ in 0..10_000 {
            let line = line(|out| data.next(out));
            kept += usize::from(ErrorsOnly.expected(&line).expect("it is JSON").is_some());
        }
        assert!((900..1100).contains(&kept), "{kept}");
    }

    #[test]
    fn every_made_up_line_can_be_parsed() {
        let (mut nginx, mut syslog) = (Nginx::new(SEED), Syslog::new(SEED, 3));
        for _ in 0..1000 {
            let made = line(|out| nginx.next(out));
            Combined::new().expected(&made).expect("it is a line of nginx");
            let made = line(|out| syslog.next(out));
            Messages.expected(&made).expect("it is a message");
        }
    }

    #[test]
    fn the_time_may_be_text_or_a_time() {
        let line = br#"10.0.0.1 - - [21/Nov/2026:00:00:07 +0000] "GET /a HTTP/1.1" 200 5 "-" "b""#;
        let check = Combined::new();
        let expected = check.expected(line).expect("it is a line of nginx");
        for time in ["21/Nov/2026:00:00:07 +0000", "2026-11-21T00:00:07Z"] {
            let found = json!({
                "remote": "10.0.0.1", "user": "-", "time": time, "method": "GET", "path": "/a",
                "protocol": "HTTP/1.1", "status": 200, "bytes": 5, "referer": "-", "agent": "b"
            });
            let found = check.found(found.to_string().as_bytes()).expect("it is JSON");
            assert_eq!(Some(found), expected);
        }
    }
}
