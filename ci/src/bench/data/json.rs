//! JSON objects on a line each, some 250 bytes: eight fields of mixed types, with escapes and nesting.

use super::Lines;
use super::clock::{Clock, put};
use super::random::Random;

/// Makes up what services log.
///
/// Of all records, one in ten has a `status` of 500 or more and the `level` `error`.
pub(crate) struct Json {
    random: Random,
    clock: Clock,
}

const MESSAGES: [&str; 6] = [
    "order placed",
    "could not reach \\\"db-1\\\": timed out after 3 tries",
    "read C:\\\\data\\\\in.csv\\nand found it empty",
    "결제가 완료되었습니다",
    "tab\\tseparated \\u00e9t\\u00e9",
    "request finished and the answer was sent to the client",
];
const PATHS: [&str; 4] = ["/api/v1/orders", "/cart", "/search", "/products/4711/reviews"];
const TAGS: [&str; 4] = ["blue", "canary", "eu-west-1", "k8s"];

impl Json {
    pub(crate) fn new(seed: u64) -> Self {
        Json { random: Random::new(seed), clock: Clock::default() }
    }
}

impl Lines for Json {
    fn next(&mut self, out: &mut Vec<u8>) {
        let random = &mut self.random;
        self.clock.advance(random.below(6));
        out.extend_from_slice(b"{\"time\":\"");
        self.clock.rfc3339(out);
        let level = match random.below(4) {
            0 | 1 => "error",
            2 => "info",
            _ => "debug",
        };
        let status = match random.percent(20) {
            true => random.pick(&[&500u64, &502, &503]),
            false => random.pick(&[&200u64, &201, &304, &404]),
        };
        put(out, format_args!("\",\"level\":\"{level}\",\"status\":{status}"));
        let (whole, part) = (random.below(3), random.below(100_000));
        // The last digit is no zero, so that whoever writes numbers anew writes the same.
        put(out, format_args!(",\"duration\":{whole}.{part:05}{}", 1 + random.below(9)));
        put(out, format_args!(",\"ok\":{}", *status < 500));
        match random.percent(25) {
            true => out.extend_from_slice(b",\"user\":null"),
            false => put(out, format_args!(",\"user\":\"user-{}\"", random.below(100_000))),
        }
        put(out, format_args!(",\"message\":\"{}\"", random.pick(&MESSAGES)));
        let (id, path) = (random.next(), random.pick(&PATHS));
        put(out, format_args!(",\"request\":{{\"id\":\"{id:016x}\",\"path\":\"{path}\""));
        let (first, second) = (random.pick(&TAGS), random.pick(&TAGS));
        put(out, format_args!(",\"tags\":[\"{first}\",\"{second}\"]"));
        put(out, format_args!(",\"bytes\":{}}}}}\n", random.below(1_000_000)));
    }
}
