//! Syslog messages as RFC 5424 has them, each ended by a line feed (RFC 6587, 3.4.2).

use super::Lines;
use super::clock::{Clock, put};
use super::random::Random;

/// Makes up the messages of one sender, numbered from 0 on.
pub(crate) struct Syslog {
    random: Random,
    clock: Clock,
    sender: usize,
    next: u64,
}

const APPS: [&str; 4] = ["sshd", "nginx", "postfix", "cron"];
const TEXTS: [&str; 4] = [
    "Accepted publickey for deploy from 10.2.3.4 port 50022 ssh2",
    "upstream timed out (110: Connection timed out) while reading response header",
    "connect from mail.example.com[10.9.8.7]",
    "session opened for user root by (uid=0)",
];

impl Syslog {
    pub(crate) fn new(seed: u64, sender: usize) -> Self {
        let seed = seed ^ ((sender as u64) << 32);
        Syslog { random: Random::new(seed), clock: Clock::default(), sender, next: 0 }
    }
}

impl Lines for Syslog {
    fn next(&mut self, out: &mut Vec<u8>) {
        let random = &mut self.random;
        self.clock.advance(random.below(6));
        let priority = random.below(24) * 8 + random.below(8);
        put(out, format_args!("<{priority}>1 "));
        self.clock.rfc3339(out);
        let (sender, app) = (self.sender, random.pick(&APPS));
        put(out, format_args!(" host-{sender} {app} {} - - ", 1000 + random.below(30_000)));
        put(out, format_args!("{sender}/{:09}: {}\n", self.next, random.pick(&TEXTS)));
        self.next += 1;
    }
}
