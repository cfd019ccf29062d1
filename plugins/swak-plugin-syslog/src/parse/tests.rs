use std::borrow::Cow;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn clock() -> Clock {
    let now: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().expect("a timestamp");
    Clock::new(now.into(), TimeZone::UTC)
}

/// Every part as text: time, host, program, process, message id, text; `-` for what is missing.
fn parts(message: &Message<'_>) -> [String; 6] {
    let text = |part: Option<&[u8]>| {
        part.map_or("-".to_owned(), |p| String::from_utf8(p.to_vec()).expect("UTF-8"))
    };
    [
        message.timestamp.map_or("-".to_owned(), |t| t.to_string()),
        text(message.hostname),
        text(message.app_name),
        text(message.proc_id),
        text(message.msg_id),
        text(Some(message.message)),
    ]
}

fn parsed(message: &str) -> [String; 6] {
    parts(&parse(message.as_bytes(), Format::Auto, &clock()).expect("it can be parsed"))
}

/// Identifier and parameters of one element.
type Sd<'a> = (&'a str, &'a [(&'a str, &'a str)]);

fn elements<'a>(elements: &[Sd<'a>]) -> Vec<Element<'a>> {
    let element = |(id, params): &Sd<'a>| Element {
        id: id.as_bytes(),
        params: params.iter().map(|(n, v)| (n.as_bytes(), Cow::Borrowed(v.as_bytes()))).collect(),
    };
    elements.iter().map(element).collect()
}

#[test]
fn the_examples_of_rfc_3164() {
    assert_eq!(
        parsed("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"),
        [
            "2026-10-11T22:14:15Z",
            "mymachine",
            "su",
            "-",
            "-",
            "'su root' failed for lonvick on /dev/pts/8"
        ]
    );
    assert_eq!(parse(b"Use the BFG!", Format::Auto, &clock()), Err(ParseError::Priority));
    assert_eq!(
        parsed("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!"),
        ["2026-02-05T17:32:18Z", "10.0.0.99", "-", "-", "-", "Use the BFG!"]
    );
    assert_eq!(
        parsed("<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time %%"),
        [
            "2026-08-24T05:34:00Z",
            "CST",
            "-",
            "-",
            "-",
            "1987 mymachine myproc[10]: %% It's time %%"
        ]
    );
    let third =
        "1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All!";
    assert_eq!(parsed(&format!("<0>{third}")), ["-", "-", "-", "-", "-", third]);
    assert_eq!(
        parsed(&format!("<0>Oct 22 10:52:12 scapegoat {third}")),
        ["2026-10-22T10:52:12Z", "scapegoat", "-", "-", "-", third]
    );
}

#[test]
fn the_variants_of_rfc_3164_that_there_are() {
    let at = "2026-11-21T10:30:00Z";
    assert_eq!(
        parsed("<13>Nov 21 10:30:00 web[12]: no host"),
        [at, "-", "web", "12", "-", "no host"]
    );
    assert_eq!(parsed("<14>only text"), ["-", "-", "-", "-", "-", "only text"]);
    assert_eq!(parsed("<14>web: text"), ["-", "-", "web", "-", "-", "text"]);
    assert_eq!(
        parsed("<13>2026-11-21T11:30:00.5+01:00 host app: x"),
        ["2026-11-21T10:30:00.5Z", "host", "app", "-", "-", "x"]
    );
    assert_eq!(
        parsed("<13>Nov 21 10:30:00 host 12:30 http://x done"),
        [at, "host", "-", "-", "-", "12:30 http://x done"]
    );
    assert_eq!(parsed("<13>Nov 21 10:30:00 host a[]:x"), [at, "host", "a", "-", "-", "x"]);
    assert_eq!(parsed("<13>Nov 21 10:30:00 host"), [at, "host", "-", "-", "-", ""]);
    assert_eq!(parsed("<13>Nov 21 10:30:00"), [at, "-", "-", "-", "-", ""]);
    assert_eq!(parsed("<13>"), ["-", "-", "-", "-", "-", ""]);
    assert_eq!(parsed("<13>1 apple fell"), ["-", "-", "-", "-", "-", "1 apple fell"]);
}

#[test]
fn the_examples_of_rfc_5424() {
    let first = "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \
                 \u{feff}'su root' failed for lonvick on /dev/pts/8";
    assert_eq!(
        parsed(first),
        [
            "2003-10-11T22:14:15.003Z",
            "mymachine.example.com",
            "su",
            "-",
            "ID47",
            "'su root' failed for lonvick on /dev/pts/8"
        ]
    );
    let second = "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - \
                  %% It's time to make the do-nuts.";
    assert_eq!(
        parsed(second),
        [
            "2003-08-24T12:14:15.000003Z",
            "192.0.2.1",
            "myproc",
            "8710",
            "-",
            "%% It's time to make the do-nuts."
        ]
    );
    let head = "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47";
    let one: Sd<'_> =
        ("exampleSDID@32473", &[("iut", "3"), ("eventSource", "Application"), ("eventID", "1011")]);
    let two: Sd<'_> = ("examplePriority@32473", &[("class", "high")]);
    let sd = "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]";

    let third = format!("{head} {sd} \u{feff}An application event log entry...");
    let third = parse(third.as_bytes(), Format::Auto, &clock()).unwrap();
    assert_eq!(third.priority, Priority::new(165).unwrap());
    assert_eq!(third.structured_data, elements(&[one]));
    assert_eq!(third.message, b"An application event log entry...");

    let fourth = format!("{head} {sd}[examplePriority@32473 class=\"high\"]");
    let fourth = parse(fourth.as_bytes(), Format::Auto, &clock()).unwrap();
    assert_eq!(fourth.structured_data, elements(&[one, two]));
    assert_eq!(fourth.message, b"");
}

#[test]
fn what_is_not_rfc_5424() {
    let error = |text: &str| parse(text.as_bytes(), Format::Rfc5424, &clock()).unwrap_err();
    assert_eq!(error("1 - - - - - -"), ParseError::Priority);
    assert_eq!(error("<1>2 - - - - - -"), ParseError::Version);
    assert_eq!(error("<1>1 yesterday - - - - -"), ParseError::Timestamp);
    assert_eq!(error("<1>1 - - - -"), ParseError::Header);
    assert_eq!(error("<1>1 -  host - - - -"), ParseError::Header);
    for sd in [
        "x",
        "[",
        "[]",
        "[id",
        "[id a]",
        "[id a=b]",
        "[id a=\"b]",
        "[id a=\"\\\"]",
        "[id] [",
        "[id]x",
    ] {
        let text = format!("<1>1 - - - - - {sd}");
        match parse(text.as_bytes(), Format::Rfc5424, &clock()) {
            // The second bracket is the text.
            Ok(message) => assert_eq!((sd, message.message), ("[id] [", &b"["[..])),
            Err(error) => assert_eq!(error, ParseError::StructuredData, "{sd}"),
        }
    }
}

#[test]
fn escapes_in_structured_data() {
    let text = br#"<1>1 - - - - - [id a="x\"y\\z\]w\n" b=""]"#;
    let message = parse(text, Format::Auto, &clock()).unwrap();
    let expected = elements(&[("id", &[("a", r#"x"y\z]w\n"#), ("b", "")])]);
    assert_eq!(message.structured_data, expected);
}

#[test]
fn the_format_can_be_said() {
    let text = b"<1>1 - host app - - - text";
    let message = parse(text, Format::Rfc3164, &clock()).unwrap();
    assert_eq!(message.message, b"1 - host app - - - text");
    assert_eq!(
        parse(b"<1>Nov 21 10:30:00 host x", Format::Rfc5424, &clock()),
        Err(ParseError::Version)
    );
}

#[test]
fn a_text_that_is_not_utf8_is_kept_byte_for_byte() {
    for head in ["<1>1 - - - - - - ", "<1>Nov 21 10:30:00 host app: "] {
        let bytes = [head.as_bytes(), b"caf\xe9\0"].concat();
        assert_eq!(parse(&bytes, Format::Auto, &clock()).unwrap().message, b"caf\xe9\0");
    }
}

prop_compose! {
    /// A word of the header that does not stand for nothing.
    fn word()(word in "[!-~]{1,20}".prop_filter("nothing", |w| w != "-")) -> Vec<u8> {
        word.into_bytes()
    }
}

/// The name of an element, and its parameters.
type OwnedElement = (String, Vec<(String, Vec<u8>)>);

fn sd() -> impl Strategy<Value = Vec<OwnedElement>> {
    let name = "[!#-<>-\\\\^-~]{1,10}";
    let params = prop::collection::vec((name, any::<Vec<u8>>()), 0..4);
    prop::collection::vec((name, params), 0..4)
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in any::<Vec<u8>>(), head in 0..4usize) {
        let heads: [&[u8]; 4] =
            [b"", b"<13>", b"<13>1 - - - - - [", b"<13>Nov 21 10:30:00 host app["];
        let bytes = [heads[head], &bytes].concat();
        for format in [Format::Auto, Format::Rfc3164, Format::Rfc5424] {
            let _ = parse(&bytes, format, &clock());
        }
    }

    #[test]
    fn nothing_that_looks_like_syslog_makes_it_panic(
        text in "(<[0-9]{0,4}>)?(1 )?[A-Za-z0-9 :.\\-TZ+\\[\\]=\"\\\\]{0,60}",
    ) {
        let _ = parse(text.as_bytes(), Format::Auto, &clock());
    }

    #[test]
    fn rfc_5424_comes_back_as_it_was_written(
        priority in 0..=191u8,
        // As many digits of a second as RFC 5424 has.
        time in prop::option::of(0..4_000_000_000_000_000i64),
        words in prop::array::uniform4(prop::option::of(word())),
        sd in sd(),
        text in any::<Vec<u8>>().prop_filter("a BOM is taken off", |t| !t.starts_with(b"\xef\xbb\xbf")),
    ) {
        let [hostname, app_name, proc_id, msg_id] = words.each_ref().map(Option::as_deref);
        let structured_data = sd.iter().map(|(id, params)| Element {
            id: id.as_bytes(),
            params: params.iter().map(|(n, v)| (n.as_bytes(), Cow::Borrowed(&**v))).collect(),
        });
        let message = Message {
            priority: Priority::new(priority).expect("in range"),
            timestamp: time.map(|micros| Timestamp::from_nanos(micros * 1000)),
            hostname, app_name, proc_id, msg_id,
            structured_data: structured_data.collect(),
            message: &text,
        };
        let bytes = crate::fuzz::rfc5424(&message);
        prop_assert_eq!(parse(&bytes, Format::Rfc5424, &clock()), Ok(message));
    }

    #[test]
    fn rfc_3164_comes_back_as_it_was_written(
        priority in 0..=191u8, host in "[a-z][a-z0-9.-]{0,20}", app in "[a-z][a-z0-9/_.-]{0,30}",
        pid in prop::option::of("[0-9]{1,7}"), text in any::<Vec<u8>>(),
        seconds in -28_000_000..2_500_000i64,
    ) {
        let time = Timestamp::from_parts(clock().now.seconds() + seconds, 0);
        let stamp = time.to_jiff().strftime("%b %e %H:%M:%S").to_string();
        let tag = pid.as_ref().map_or(app.clone(), |pid| format!("{app}[{pid}]"));
        let mut bytes = format!("<{priority}>{stamp} {host} {tag}: ").into_bytes();
        bytes.extend_from_slice(&text);
        let message = parse(&bytes, Format::Rfc3164, &clock()).expect("it has a priority");
        prop_assert_eq!(message.timestamp, Some(time));
        prop_assert_eq!(message.hostname, Some(host.as_bytes()));
        prop_assert_eq!(message.app_name, Some(app.as_bytes()));
        prop_assert_eq!(message.proc_id, pid.as_ref().map(String::as_bytes));
        prop_assert_eq!(message.message, &*text);
    }
}
