//! What made-up data is put together from.

pub(super) const FIRST_NAMES: [&str; 40] = [
    "Ada", "Amir", "Ana", "Anders", "Chidi", "Chloé", "Daniel", "Elif", "Emma", "Fatima", "Giulia",
    "Grace", "Hana", "Hugo", "Ines", "Ivan", "James", "Jin", "José", "Karin", "Kenji", "Lars",
    "Leila", "Liam", "Lucía", "Maria", "Mateo", "Mei", "Minjun", "Nadia", "Noah", "Olga", "Omar",
    "Priya", "Rafael", "Sofia", "Seoyeon", "Tariq", "Yuki", "Zoë",
];

pub(super) const LAST_NAMES: [&str; 40] = [
    "Adeyemi",
    "Ahmed",
    "Andersson",
    "Bauer",
    "Brown",
    "Chen",
    "Costa",
    "Dubois",
    "Fernández",
    "Fischer",
    "García",
    "Haddad",
    "Hansen",
    "Ito",
    "Ivanova",
    "Jansen",
    "Johnson",
    "Kaya",
    "Kim",
    "Kowalski",
    "Larsen",
    "Lee",
    "López",
    "Martin",
    "Mensah",
    "Moreau",
    "Müller",
    "Nakamura",
    "Nguyen",
    "Novak",
    "O'Brien",
    "Okafor",
    "Park",
    "Patel",
    "Rossi",
    "Santos",
    "Silva",
    "Singh",
    "Smith",
    "Yılmaz",
];

/// City and country.
pub(super) const CITIES: [(&str, &str); 30] = [
    ("Accra", "Ghana"),
    ("Amsterdam", "Netherlands"),
    ("Athens", "Greece"),
    ("Bogotá", "Colombia"),
    ("Buenos Aires", "Argentina"),
    ("Busan", "South Korea"),
    ("Cairo", "Egypt"),
    ("Cape Town", "South Africa"),
    ("Chicago", "United States"),
    ("Dublin", "Ireland"),
    ("Hanoi", "Vietnam"),
    ("Helsinki", "Finland"),
    ("Istanbul", "Türkiye"),
    ("Jakarta", "Indonesia"),
    ("Kraków", "Poland"),
    ("Lagos", "Nigeria"),
    ("Lima", "Peru"),
    ("Lisbon", "Portugal"),
    ("London", "United Kingdom"),
    ("Melbourne", "Australia"),
    ("Montréal", "Canada"),
    ("Mumbai", "India"),
    ("Nairobi", "Kenya"),
    ("Oslo", "Norway"),
    ("Osaka", "Japan"),
    ("São Paulo", "Brazil"),
    ("Seoul", "South Korea"),
    ("Valencia", "Spain"),
    ("Vienna", "Austria"),
    ("Zürich", "Switzerland"),
];

/// Names that are kept for examples, so that no mail reaches anybody.
pub(super) const MAIL_DOMAINS: [&str; 4] =
    ["example.com", "example.net", "example.org", "mail.example"];

pub(super) const PATHS: [&str; 20] = [
    "/",
    "/index.html",
    "/favicon.ico",
    "/robots.txt",
    "/login",
    "/logout",
    "/cart",
    "/checkout",
    "/search",
    "/api/v1/items",
    "/api/v1/users/me",
    "/api/v1/orders",
    "/api/v2/events",
    "/static/css/main.3f2a91.css",
    "/static/js/app.77c01d.js",
    "/images/logo.svg",
    "/images/products/large/4711-front.webp",
    "/docs/getting-started/installation",
    "/blog/2025/12/moving-to-a-new-data-centre",
    "/health",
];

pub(super) const QUERIES: [&str; 8] = [
    "?page=2",
    "?q=running+shoes&sort=price",
    "?utm_source=newsletter&utm_medium=email",
    "?lang=ko",
    "?id=90210",
    "?q=caf%C3%A9",
    "?from=2025-12-01&to=2025-12-31",
    "?limit=50&offset=100",
];

pub(super) const REFERRERS: [&str; 6] = [
    "-",
    "-",
    "https://www.example.com/",
    "https://www.example.com/search?q=running+shoes",
    "https://shop.example.org/cart",
    "https://news.example.net/2025/12/31/year-in-review",
];

pub(super) const USER_AGENTS: [&str; 8] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.11.0",
    "Go-http-client/2.0",
    "python-requests/2.32.3",
    "kube-probe/1.31",
];

pub(super) const SERVICES: [&str; 8] =
    ["checkout", "catalog", "payments", "search", "sessions", "shipping", "mailer", "gateway"];

pub(super) const TAGS: [&str; 8] =
    ["eu", "us", "beta", "mobile", "retry", "cached", "slow", "internal"];

/// JSON strings without their quotes, some with escapes.
pub(super) const MESSAGES: [&str; 8] = [
    "order accepted",
    "cache miss, reading from the store",
    "could not parse \\\"quantity\\\": expected a number",
    "connection reset by peer\\nretrying in 250 ms",
    "file C:\\\\data\\\\export.csv written",
    "caf\\u00e9 menu updated",
    "user signed in",
    "배송이 시작되었습니다",
];

pub(super) const HOSTS: [&str; 6] = ["web01", "web02", "db01", "mail", "edge-seoul-1", "build"];

/// Program, whether it has a process number, facility, message.
pub(super) const SYSTEM_MESSAGES: [(&str, bool, u64, &str); 8] = [
    ("sshd", true, 4, "Accepted publickey for deploy from 192.0.2.17 port 51122 ssh2"),
    ("sshd", true, 4, "Failed password for invalid user admin from 203.0.113.9 port 40022 ssh2"),
    ("kernel", false, 0, "eth0: link up, 1000 Mbps, full duplex, flow control rx/tx"),
    ("cron", true, 9, "(root) CMD (run-parts /etc/cron.hourly)"),
    ("systemd", true, 3, "Started Daily apt download activities."),
    ("postfix/smtpd", true, 2, "connect from mail.example.org[198.51.100.25]"),
    (
        "nginx",
        true,
        1,
        "upstream timed out (110: Connection timed out) while reading response header",
    ),
    (
        "sudo",
        false,
        10,
        "deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/usr/bin/true",
    ),
];
