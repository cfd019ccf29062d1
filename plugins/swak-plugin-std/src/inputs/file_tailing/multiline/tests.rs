use proptest::prelude::*;
use swak_sdk::options::{Key, Literal, LiteralValue, OptionValue, Span};

use super::*;
use crate::inputs::lines::{Splitter, Unit};

fn text(text: &str) -> Literal {
    Literal::bare(LiteralValue::Str(text.into()))
}

fn options(pairs: &[(&str, &str)]) -> MultilineOptions {
    let key = |name: &str| Key { name: name.into(), span: Span::default() };
    let entry = |(name, value): &(&str, &str)| {
        let value = match value.parse() {
            Ok(n) => Literal::bare(LiteralValue::Int(n)),
            Err(_) => text(value),
        };
        (key(name), value)
    };
    let dict = LiteralValue::Dict(pairs.iter().map(entry).collect());
    MultilineOptions::read(&Literal::bare(dict)).unwrap()
}

fn rule(pairs: &[(&str, &str)]) -> Multiline {
    Multiline::new(options(pairs)).unwrap()
}

/// The records of a text, those that were cut with a `…` after them.
fn join(rule: &Multiline, text: &str) -> Vec<String> {
    let splitter = Splitter { unit: Unit::Byte, keep_cr: false, max_line: 100 };
    let mut lines = splitter.split(text.as_bytes(), 0);
    splitter.push_unended(text.as_bytes(), &mut lines);
    let joined = rule.join(text.as_bytes(), &lines, true);
    assert_eq!(joined.lines, lines.ranges.len());
    let text = |(i, range): (usize, &LineRange)| {
        let mark = if joined.cut.contains(&i) { "…" } else { "" };
        format!("{}{mark}", &text[range.start as usize..range.end as usize])
    };
    joined.ranges.iter().enumerate().map(text).collect()
}

#[test]
fn each_rule_joins_what_it_says() {
    for (pairs, content, expected) in [
        (
            &[("start", r"^\d{4}-")][..],
            "lost\n2026-1\nmore\n\n2026-2\n",
            &["lost", "2026-1\nmore\n", "2026-2"][..],
        ),
        (&[("continue", r"^\s")], "  first\na\n b\r\n\tc\r\nd", &["  first", "a\n b\r\n\tc", "d"]),
        (&[("continue_past", r"\\$")], "a \\\nb \\\nc\nd\\", &["a \\\nb \\\nc", "d\\"]),
        (&[("end", ";$")], "a\nb;\nc;\nd", &["a\nb;", "c;", "d"]),
        (
            &[("start", "^<"), ("end", ">$")],
            "<a\nb>\nno\n<c>\n<d\n<e>",
            &["<a\nb>", "no", "<c>", "<d", "<e>"],
        ),
        (
            &[("start", "^A"), ("continue", "^ ")],
            "A\n x\nB\n y\nC\nA",
            &["A\n x", "B\n y", "C", "A"],
        ),
        (
            &[("start", "^A"), ("max_lines", "2")],
            "A\nb\nc\nd\ne\nA\nf",
            &["A\nb…", "c\nd…", "e", "A\nf"],
        ),
        (
            &[("start", "^A"), ("max_size", "5")],
            "A\nb\nc\nd\nA123456\nx",
            &["A\nb\nc…", "d", "A123456…", "x"],
        ),
    ] {
        assert_eq!(join(&rule(pairs), content), expected, "{pairs:?}");
    }
}

#[test]
fn a_line_that_was_cut_is_a_record_of_its_own() {
    let long = "x".repeat(150);
    let records = join(&rule(&[("start", "^A")]), &format!("A\nb\n{long}\nc\nd\n"));
    assert_eq!(records, ["A\nb", &format!("{}…", &long[..100]), "c\nd"]);
}

#[test]
fn the_traces_of_java() {
    let trace = "2026-11-21 ERROR failed\n\
        java.lang.IllegalStateException: no\n\
        \tat a.B.c(B.java:1)\n\
        \tSuppressed: java.io.IOException: x\n\
        \t\tat a.B.d(B.java:2)\n\
        Caused by: java.lang.RuntimeException: why\n\
        \tat a.B.e(B.java:3)\n\
        \t... 12 more\n\
        next";
    let records = join(&rule(&[("preset", "java")]), trace);
    assert_eq!(records.len(), 3);
    assert!(records[1].starts_with("java.lang") && records[1].ends_with("12 more"));
}

#[test]
fn the_traces_of_python() {
    let trace = "ERROR:root:failed\n\
        Traceback (most recent call last):\n  \
          File \"a.py\", line 2, in f\n    \
            return 1 / 0\n           \
                   ~~^~~\n\
        ZeroDivisionError: division by zero\n\
        \n\
        During handling of the above exception, another exception occurred:\n\
        \n\
        Traceback (most recent call last):\n  \
          File \"a.py\", line 9, in <module>\n    \
            f()\n  \
          [Previous line repeated 996 more times]\n\
        ValueError: wrong";
    let all = format!("INFO:root:begin\n{trace}\nINFO:root:next\n  and more\nINFO:root:last");
    let rule = rule(&[("preset", "python")]);
    let expected = ["INFO:root:begin", trace, "INFO:root:next\n  and more", "INFO:root:last"];
    assert_eq!(join(&rule, &all), expected);
    // Groups are indented to their end.
    let group = "  + Exception Group Traceback (most recent call last):\n  \
        |   File \"a.py\", line 1, in <module>\n  \
        | ExceptionGroup: two (2 sub-exceptions)\n  \
        +-+---------------- 1 ----------------\n    \
          | ValueError: 1\n    \
          +------------------------------------\n\
        next";
    assert_eq!(join(&rule, group).len(), 2);
}

#[test]
fn a_name_alone_is_a_preset() {
    let read = MultilineOptions::read(&text("backslash")).unwrap();
    assert_eq!(join(&Multiline::new(read).unwrap(), "a\\\nb\nc"), ["a\\\nb", "c"]);
    let OptionErrors(errors) = MultilineOptions::read(&text("cobol")).unwrap_err();
    assert!(errors[0].message.contains("cobol"), "{}", errors[0].message);
}

#[test]
fn rules_that_say_nothing_or_too_much_are_mistakes() {
    for (pairs, message) in [
        (&[("timeout", "2s")][..], "says not how records begin"),
        (&[("preset", "java"), ("end", "x")], "patterns besides it"),
        (&[("preset", "java"), ("max_size", "2g")], "from 1 byte to 1g, not 2g"),
    ] {
        let error = Multiline::new(options(pairs)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

proptest! {
    #[test]
    fn read_again_from_its_beginning_a_record_is_the_same(
        content in "(A|b|c|\\\\| |;|\n|\n){0,80}",
        cut in any::<prop::sample::Index>(),
        max_lines in 1usize..5,
        which in 0usize..5,
    ) {
        let mut content = content.into_bytes();
        content.push(b'\n');
        let pairs = [("start", "^A"), ("continue", "^ "), ("continue_past", "\\\\$"), ("end", ";$"), ("preset", "python")];
        let max_lines = max_lines.to_string();
        let rule = rule(&[pairs[which], ("max_lines", &max_lines)]);
        let splitter = Splitter { unit: Unit::Byte, keep_cr: true, max_line: 6 };
        let records = |content: &[u8], is_end: bool| {
            let lines = splitter.split(content, 0);
            let Joined { ranges, lines: n, .. } = rule.join(content, &lines, is_end);
            let next = lines.ranges.get(n).map_or(lines.consumed, |line| line.start as usize);
            let records: Vec<Vec<u8>> =
                ranges.iter().map(|r| content[r.start as usize..r.end as usize].to_vec()).collect();
            (records, next)
        };
        let (whole, end) = records(&content, true);
        prop_assert_eq!(end, content.len());
        let (mut parts, next) = records(&content[..cut.index(content.len())], false);
        parts.extend(records(&content[next..], true).0);
        prop_assert_eq!(parts, whole);
    }
}
