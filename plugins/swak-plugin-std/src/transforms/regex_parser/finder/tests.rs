use proptest::prelude::*;
use swak_sdk::options::Pattern;

use super::Finder;
use super::fuzz::{agree, captures};
use super::scan::Verdict;

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap()
}

const COMBINED: &str = concat!(
    r#"^(?<remote>\S+) \S+ (?<user>\S+) \[(?<time>[^\]]+)\] "(?<method>\S+) (?<path>\S+) "#,
    r#"(?<protocol>[^"]*)" (?<status>\d+) (?<bytes>\d+) "(?<referer>[^"]*)" "(?<agent>[^"]*)"$"#
);

const LINE: &str = concat!(
    r#"10.0.0.1 - kim [21/Nov/2026:10:30:00 +0900] "GET /a?b=c HTTP/1.1" 200 5120 "#,
    r#""https://example.com/" "Mozilla/5.0 (X11; Linux x86_64)""#
);

#[test]
fn what_people_write_is_scanned() {
    for (text, line) in [
        (COMBINED, LINE),
        (r#"^(?<a>[^ ]*) (?<b>[^ ]*) (?<c>[^ ]*) \[(?<d>[^\]]*)\] "(?<e>.*?)" (?<f>.+)$"#, LINE),
        (r#"^([^ ]*) .* \[(.*)\] "(\S+)(?: +([^\"]*?)(?: +\S*)?)?" ([^ ]*)"#, LINE),
        (r#"(?<method>GET|POST) (?<path>\S+)"#, LINE),
        (r"^(\d{1,3}\.){3}\d{1,3}", LINE),
        (r"(\w+)=(\w+)", LINE),
        (r"^(?<at>\S+ \S+) (?<level>\w+) (?<m>.*?)(?: in (?<ms>\d+) ms)?$", "1 2 WARN x in 15 ms"),
        (r"^(?<at>\S+ \S+) (?<level>\w+) (?<m>.*?)(?: in (?<ms>\d+) ms)?$", "1 2 WARN it came in"),
        (r"\bsshd\[(?<pid>\d+)\]: (?<m>.+)", "combo sshd[12]: failed"),
        (r"(?i)^(debug|info|warn): (.*)", "Warn: 한글"),
        (r"^(?:(\d+)|-)(?:,(\w*))*$", "-,a,,b"),
    ] {
        assert_eq!(agree(&pattern(text), line.as_bytes()), Some(Verdict::Match), "{text}");
        let half = &line.as_bytes()[..line.len() / 2];
        assert!(agree(&pattern(text), half).is_some_and(|v| v != Verdict::Unknown), "{text}");
    }
}

#[test]
fn where_there_is_no_choice_there_is_one_way() {
    let is_straight = |text: &str| Finder::new(&pattern(text), &[1]).straight.is_some();
    for text in [
        COMBINED,
        r"^(\S+)",
        r"^(\d{1,3})\.\d{2,} <a long literal> ([^>]*)$",
        r"^a[bc](d) (\w+): ",
        r"^((?:\d+)-(\d+)) x",
    ] {
        assert!(is_straight(text), "{text}");
    }
    for text in
        [r"(\S+)", r"^(ab|c)", r"^(a+)a", r"^(.*) x", r"^(a+?)", r"^(?:ab)?(c)", r"(?m)^(a)$"]
    {
        assert!(!is_straight(text), "{text}");
    }
}

/// A run, what follows it, and a text that may be both.
fn field() -> impl Strategy<Value = (String, String)> {
    let run = proptest::sample::select(&[
        r"\S+",
        r"\S*",
        r#"[^"]*"#,
        r"[^\]]+",
        r"\d+",
        r"(?-u:\d)+",
        r"\w+",
        r"[a-z]*",
        r"\d{1,3}",
        r"[^é]+",
        r"(?s:.)*",
        r"(?-u:[^ ])+",
        r"[^ ]{2,}",
        r".",
    ]);
    let behind =
        proptest::sample::select(&[" ", "\"", "\" ", "] \"", ", a longer one ", "é", "", "x"]);
    let text = prop_oneof![
        4 => "[a-z]{0,40}",
        2 => "[0-9]{0,9}",
        2 => "[a-z0-9é/:;.]{0,20}",
        1 => "[ -~é\u{2003}]{0,9}",
    ];
    (run, any::<bool>(), behind, text).prop_map(|(run, is_group, behind, text)| {
        let run = if is_group { format!("({run})") } else { run.to_owned() };
        (format!("{run}{}", regex_syntax::escape(behind)), format!("{text}{behind}"))
    })
}

#[test]
fn what_is_not_ascii_or_not_utf8_is_found_as_the_engine_does() {
    let texts: [&[u8]; 8] = [
        "caf\u{e9} x \u{2003} \u{ff15}".as_bytes(),
        b"caf\xe9 x \"a\xff\" y",
        b"\xed\xa0\x80 a",
        b"\xf0\x9f\x98 b",
        b"\xc0\x80 c \xe2\x82",
        "\u{10ffff}\u{80} d".as_bytes(),
        b"",
        b"\x80",
    ];
    for text in [
        r"^(\S+) (\S+)",
        r"^([^x]*)x",
        r"^(\w+)",
        r"(\d+)$",
        r"(.*) (.*)",
        r"(?-u)^([^ ]+) (.*)$",
        r"(?-u:\xff)",
        r"^(?s:(.*))$",
        r"(.+?) ",
        r"(\s)(\S)",
        r"([^\x00-\x7f]+)",
        r"\b(\w)",
        "é",
    ] {
        for line in texts {
            agree(&pattern(text), line);
        }
    }
}

#[test]
fn what_would_take_too_long_is_left_to_the_engine() {
    let slow = pattern(r"^(?:(a+)(a+)(a+))*b$");
    let text = "a".repeat(200);
    assert_eq!(agree(&slow, text.as_bytes()), Some(Verdict::Unknown));
    let mut finder = Finder::new(&slow, &[1, 2, 3]);
    for _ in 0..100 {
        assert!(!finder.find(text.as_bytes(), text.len()));
        assert!(finder.find(b"aaab", 4));
    }
    assert!(finder.program.is_none(), "it is not tried for ever");
    assert_eq!(finder.groups(), [[0, 1], [1, 2], [2, 3]]);
}

#[test]
fn what_the_scanner_cannot_do_is_done_by_the_engine() {
    for text in [r"(?:(a*)|b)*c", r"(?Rm)^(a)$", r"((((ab?){9}){9}){9}){9}"] {
        let pattern = pattern(text);
        assert!(Finder::new(&pattern, &[1]).program.is_none(), "{text}");
        agree(&pattern, b"aabac");
        agree(&pattern, b"\r\na\r\n");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn fields_one_after_the_other_are_found_as_the_engine_does(
        fields in prop::collection::vec(field(), 1..6),
        has_end in any::<bool>(),
        more in "[a-z]{0,2}",
    ) {
        let (patterns, texts): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let end = if has_end { "$" } else { "" };
        let pattern = pattern(&format!("^{}{end}", patterns.concat()));
        agree(&pattern, format!("{}{more}", texts.concat()).as_bytes());
    }

    #[test]
    fn any_pattern_finds_what_the_engine_finds(
        pieces in proptest::collection::vec(any::<u8>(), 0..14),
        text in proptest::collection::vec(
            proptest::sample::select(vec![
                &b"a"[..], b"b", b"ab", b" ", b"\"", b"7", b"\xc3\xa9", b"\xe2\x80\x83", b"\xe9", b"\n",
            ]),
            0..12,
        ),
    ) {
        let count = pieces.len() as u8;
        captures(&[&[count], &*pieces, &*text.concat()].concat());
    }

    #[test]
    fn patterns_of_fields_find_what_the_engine_finds(
        pattern in r#"\^?(\([?]<[a-e]>(\\S|\\d|\\w|[.]|\[\^ \]|\[\^"\])[*+][?]?\)[ :"]| (\\d\+|-|\.\*\?) ){1,5}(\(.*\))?\$?"#,
        text in r#"([a-c]{1,3}|[0-9]{1,3}|[ :"]|é|-){0,16}"#,
    ) {
        if let Ok(pattern) = Pattern::new(&pattern) {
            agree(&pattern, text.as_bytes());
        }
    }
}
