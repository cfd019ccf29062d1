//! One record after the other, of each kind.

use swak_sdk::prelude::*;

use super::Data;
use super::clock::{Clock, number};
use super::random::Random;
use super::words;

/// Makes data of one kind.
pub(super) struct Generator {
    kind: Data,
    random: Random,
    clock: Clock,
    made: u64,
}

impl Generator {
    pub(super) fn new(kind: Data, seed: u64) -> Self {
        Generator { kind, random: Random::new(seed), clock: Clock::new(), made: 0 }
    }

    /// The next `n` records, as of now.
    pub(super) fn batch(&mut self, n: usize) -> Batch {
        let now = Timestamp::now();
        if self.kind == Data::People {
            return Batch::new((0..n).map(|_| Record::from_fields(self.person(), now)).collect());
        }
        let mut block = Vec::with_capacity(n * 256);
        let mut lines = Vec::with_capacity(n);
        for _ in 0..n {
            let start = block.len() as u32;
            self.line(&mut block);
            lines.push(LineRange { start, end: block.len() as u32 });
        }
        Batch::from_lines(Block::from(block), lines, now)
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        let pause = self.random.below(400);
        self.clock.advance(pause);
        self.made += 1;
        match self.kind {
            Data::People => unreachable!("people are fields, not lines"),
            Data::Nginx => self.nginx(out),
            Data::Json => self.json(out),
            Data::Syslog => self.rfc5424(out),
            Data::SyslogBsd => self.rfc3164(out),
        }
    }

    fn person(&mut self) -> Map {
        let r = &mut self.random;
        let (first, last) = (r.pick(&words::FIRST_NAMES), r.pick(&words::LAST_NAMES));
        let age = r.range(18, 90);
        let domain = r.pick(&words::MAIL_DOMAINS);
        let (city, country) = r.pick(&words::CITIES);
        let mut map = Map::with_capacity(5);
        map.insert("name", format!("{first} {last}"));
        map.insert("age", age);
        map.insert("email", format!("{}.{}@{domain}", plain(first), plain(last)));
        map.insert("city", city);
        map.insert("country", country);
        map
    }

    /// The combined format of nginx and Apache.
    fn nginx(&mut self, out: &mut Vec<u8>) {
        let r = &mut self.random;
        let method =
            r.pick(&["GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "PUT", "HEAD"]);
        let status =
            r.pick(&[200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 304, 404, 403, 500, 502]);
        for i in 0..4 {
            if i > 0 {
                out.push(b'.');
            }
            number(out, r.range(1, 254));
        }
        out.extend_from_slice(b" - ");
        if r.one_in(10) {
            out.extend_from_slice(plain(r.pick(&words::FIRST_NAMES)).as_bytes());
        } else {
            out.push(b'-');
        }
        out.extend_from_slice(b" [");
        self.clock.common_log(out);
        out.extend_from_slice(b"] \"");
        push(out, &[method, " ", r.pick(&words::PATHS)]);
        if r.one_in(3) {
            push(out, &[r.pick(&words::QUERIES)]);
        }
        out.extend_from_slice(b" HTTP/1.1\" ");
        number(out, status);
        out.push(b' ');
        let size =
            if matches!(status, 204 | 304) || method == "HEAD" { 0 } else { r.below(60_000) };
        number(out, size);
        push(out, &[" \"", r.pick(&words::REFERRERS), "\" \"", r.pick(&words::USER_AGENTS), "\""]);
    }

    /// Eight fields of mixed types, one of them nested.
    fn json(&mut self, out: &mut Vec<u8>) {
        let r = &mut self.random;
        out.extend_from_slice(b"{\"time\":\"");
        self.clock.rfc3339(out);
        push(
            out,
            &["\",\"level\":\"", r.pick(&["debug", "info", "info", "info", "warn", "error"])],
        );
        push(out, &["\",\"service\":\"", r.pick(&words::SERVICES)]);
        push(out, &["\",\"message\":\"", r.pick(&words::MESSAGES)]);
        out.extend_from_slice(b"\",\"status\":");
        number(out, r.pick(&[200, 200, 200, 201, 302, 404, 500, 503]));
        out.extend_from_slice(b",\"duration_ms\":");
        number(out, r.below(2_000));
        out.push(b'.');
        number(out, r.range(1, 9));
        push(out, &[",\"cached\":", r.pick(&["true", "false", "null"])]);
        out.extend_from_slice(b",\"user\":{\"id\":");
        number(out, r.range(1, 1_000_000));
        push(out, &[",\"name\":\"", r.pick(&words::FIRST_NAMES), "\",\"tags\":["]);
        for i in 0..r.below(4) {
            let comma = if i > 0 { "," } else { "" };
            push(out, &[comma, "\"", r.pick(&words::TAGS), "\""]);
        }
        out.extend_from_slice(b"]}}");
    }

    /// Syslog of today: `<34>1 2026-01-01T00:00:00.000Z web01 sshd 4711 ID1 - text`.
    fn rfc5424(&mut self, out: &mut Vec<u8>) {
        let r = &mut self.random;
        let (program, has_pid, facility, message) = r.pick(&words::SYSTEM_MESSAGES);
        priority(out, facility, r);
        out.extend_from_slice(b"1 ");
        self.clock.rfc3339(out);
        push(out, &[" ", r.pick(&words::HOSTS), " ", program, " "]);
        match has_pid {
            true => number(out, r.range(300, 32_000)),
            false => out.push(b'-'),
        }
        out.extend_from_slice(b" ID");
        number(out, r.range(1, 60));
        if r.one_in(3) {
            out.extend_from_slice(b" [meta sequenceId=\"");
            number(out, self.made);
            out.extend_from_slice(b"\"] ");
        } else {
            out.extend_from_slice(b" - ");
        }
        push(out, &[message]);
    }

    /// Syslog as BSD had it: `<34>Jan  1 00:00:00 web01 sshd[4711]: text`.
    fn rfc3164(&mut self, out: &mut Vec<u8>) {
        let r = &mut self.random;
        let (program, has_pid, facility, message) = r.pick(&words::SYSTEM_MESSAGES);
        priority(out, facility, r);
        self.clock.bsd_syslog(out);
        push(out, &[" ", r.pick(&words::HOSTS), " ", program]);
        if has_pid {
            out.push(b'[');
            number(out, r.range(300, 32_000));
            out.push(b']');
        }
        push(out, &[": ", message]);
    }
}

fn priority(out: &mut Vec<u8>, facility: u64, r: &mut Random) {
    out.push(b'<');
    number(out, facility * 8 + r.range(3, 7));
    out.push(b'>');
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A name as it stands in an address: small letters without accents.
fn plain(name: &str) -> String {
    let letter = |c: char| match c {
        'á' | 'ã' => Some('a'),
        'é' | 'ë' => Some('e'),
        'í' | 'ı' => Some('i'),
        'ó' => Some('o'),
        'ü' => Some('u'),
        c => c.is_ascii_alphabetic().then(|| c.to_ascii_lowercase()),
    };
    name.chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: Data, n: usize) -> Vec<String> {
        let batch = Generator::new(kind, 7).batch(n);
        let text = |r: RecordRef<'_>| String::from_utf8(r.line().unwrap().to_vec()).unwrap();
        batch.iter().map(text).collect()
    }

    #[test]
    fn people_are_fields() {
        let batch = Generator::new(Data::People, 1).batch(200);
        for person in batch.iter() {
            let get = |name| person.get(name).unwrap().into_owned();
            let email = get("email");
            let email = email.as_str().unwrap();
            assert!(email.is_ascii() && email.split_once('@').unwrap().0.contains('.'), "{email}");
            assert!(get("name").as_str().unwrap().contains(' '));
            assert!((18..=90).contains(&get("age").as_int().unwrap()));
            assert!(get("city").as_str().is_some() && get("country").as_str().is_some());
        }
    }

    #[test]
    fn every_name_can_stand_in_an_address() {
        for name in words::FIRST_NAMES.iter().chain(&words::LAST_NAMES) {
            let letters = name.chars().filter(|c| c.is_alphabetic()).count();
            assert_eq!(plain(name).chars().count(), letters, "{name}");
        }
    }

    #[test]
    fn nginx_lines_are_combined_log_lines_of_the_usual_length() {
        let lines = lines(Data::Nginx, 1000);
        for line in &lines {
            let parts: Vec<&str> = line.split('"').collect();
            assert_eq!(parts.len(), 7, "{line}");
            assert!(parts[1].ends_with("HTTP/1.1") && parts[0].contains("/2026:"), "{line}");
            let numbers: Vec<u32> =
                parts[2].split_whitespace().map(|n| n.parse().unwrap()).collect();
            assert_eq!(numbers.len(), 2, "{line}");
        }
        let average = lines.iter().map(String::len).sum::<usize>() / lines.len();
        assert!((150..230).contains(&average), "{average}");
    }

    #[test]
    fn json_lines_have_eight_fields_and_can_be_read() {
        let lines = lines(Data::Json, 1000);
        for line in &lines {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value.as_object().unwrap().len(), 8, "{line}");
            assert!(value["user"]["tags"].is_array() && value["duration_ms"].is_f64(), "{line}");
        }
        assert!(
            lines.iter().any(|l| l.contains("\\\"")) && lines.iter().any(|l| l.contains("\\u"))
        );
    }

    #[test]
    fn syslog_lines_have_the_parts_of_their_standard() {
        for line in lines(Data::Syslog, 300) {
            let (priority, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert!(priority.parse::<u8>().unwrap() <= 191);
            let parts: Vec<&str> = rest.splitn(7, ' ').collect();
            assert_eq!((parts[0], parts.len()), ("1", 7), "{line}");
            assert!(parts[6].starts_with("- ") || parts[6].starts_with("[meta "), "{line}");
        }
        for line in lines(Data::SyslogBsd, 300) {
            let (_, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!((&rest[..4], &rest[15..16]), ("Jan ", " "), "{line}");
            assert!(rest.contains(": "), "{line}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_in_any_batches() {
        let whole = lines(Data::Json, 10);
        let mut generator = Generator::new(Data::Json, 7);
        let parts = [generator.batch(3), generator.batch(7)];
        let parts: Vec<&[u8]> =
            parts.iter().flat_map(Batch::iter).map(|r| r.line().unwrap()).collect();
        assert_eq!(parts, whole.iter().map(|l| l.as_bytes()).collect::<Vec<_>>());
        assert_ne!(whole, lines(Data::Json, 20)[10..]);
    }
}
