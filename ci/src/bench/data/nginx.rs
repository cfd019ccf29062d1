//! Lines of a web server in the combined log format, some 190 bytes each.

use super::Lines;
use super::clock::{Clock, put};
use super::random::Random;

/// Makes up requests, four hundred a second.
pub(crate) struct Nginx {
    random: Random,
    clock: Clock,
}

const METHODS: [&str; 8] = ["GET", "GET", "GET", "GET", "GET", "POST", "PUT", "HEAD"];
const STATUSES: [u64; 10] = [200, 200, 200, 200, 200, 204, 301, 304, 404, 502];
const FOLDERS: [&str; 6] =
    ["/api/v1/orders/", "/products/", "/static/css/", "/users/", "/img/thumbs/", "/"];
const ENDS: [&str; 5] = ["", ".html", ".css", "?page=2", "/edit?ref=mail&lang=ko"];
const USERS: [&str; 3] = ["kim", "alice", "deploy"];
const PAGES: [&str; 4] = ["", "cart", "search?q=rain+coat", "products/4711"];
const AGENTS: [&str; 6] = [
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1",
];

impl Nginx {
    pub(crate) fn new(seed: u64) -> Self {
        Nginx { random: Random::new(seed), clock: Clock::default() }
    }
}

impl Lines for Nginx {
    fn next(&mut self, out: &mut Vec<u8>) {
        let random = &mut self.random;
        self.clock.advance(random.below(6));
        // One of some sixteen thousand clients.
        let client = random.below(16_384);
        put(out, format_args!("10.{}.{}.{}", client % 7, client % 251, client % 199));
        out.extend_from_slice(b" - ");
        let user = if random.percent(5) { random.pick(&USERS) } else { "-" };
        out.extend_from_slice(user.as_bytes());
        out.extend_from_slice(b" [");
        self.clock.common_log(out);
        let (method, folder) = (random.pick(&METHODS), random.pick(&FOLDERS));
        put(out, format_args!("] \"{method} {folder}{}", random.below(1_000_000)));
        out.extend_from_slice(random.pick(&ENDS).as_bytes());
        let status = STATUSES[random.below(10) as usize];
        put(out, format_args!(" HTTP/1.1\" {status} {} \"", random.below(100_000)));
        match random.percent(30) {
            true => out.push(b'-'),
            false => {
                let page = random.pick(&PAGES);
                put(out, format_args!("https://shop.example.com/{page}"));
            }
        }
        put(out, format_args!("\" \"{}\"\n", random.pick(&AGENTS)));
    }
}
