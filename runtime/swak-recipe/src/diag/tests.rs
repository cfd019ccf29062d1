use std::io::Write as _;

use super::*;

fn read_bytes(bytes: &[u8], limit: u64) -> Result<SourceFile, Diagnostics> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    SourceFile::read(file.path(), limit)
}

fn code(result: Result<SourceFile, Diagnostics>) -> &'static str {
    only(result).code
}

fn only(result: Result<SourceFile, Diagnostics>) -> Diagnostic {
    result.map(|_| ()).expect_err("must be refused").into_vec().remove(0)
}

#[test]
fn renders_place_labels_and_help() {
    let source = SourceFile::new("a.swak", "task(\n  in.Fiel(\"x\"),\n  out.Stdout(),\n)\n");
    let list = Diagnostics::from(
        Diagnostic::error("unknown-plugin", "there is no plugin `in.Fiel`")
            .at(Span::new(8, 15), "not known")
            .label(Span::new(0, 4), "in this task")
            .help("did you mean `in.File`?"),
    )
    .in_source(&source);
    assert_eq!(
        list.render(false),
        "\
error[unknown-plugin]: there is no plugin `in.Fiel`
 --> a.swak:2:3
  |
1 | task(
  | ---- in this task
2 |   in.Fiel(\"x\"),
  |   ^^^^^^^ not known
  |
  = help: did you mean `in.File`?
"
    );
    assert!(!list.render(false).contains('\u{1b}'));
    assert!(list.render(true).contains('\u{1b}'));
}

#[test]
fn renders_without_place() {
    let one = Diagnostic::error("file-not-found", "there is no file `x`").help("make it");
    assert_eq!(one.render(false), "error[file-not-found]: there is no file `x`\nhelp: make it\n");
}

#[test]
fn json_counts_characters_from_one() {
    let source = SourceFile::new("a.swak", "x\n한글 bad\n");
    let one = Diagnostic::error("c", "m").at(Span::new(9, 12), "l").in_source(&source);
    let json = one.to_json();
    assert_eq!(json["file"], "a.swak");
    assert_eq!((json["line"].as_u64(), json["column"].as_u64()), (Some(2), Some(4)));
    assert_eq!((json["end_line"].as_u64(), json["end_column"].as_u64()), (Some(2), Some(7)));
    assert_eq!(Diagnostic::error("c", "m").to_json()["line"], serde_json::Value::Null);
}

#[test]
fn terminal_escapes_in_what_was_given_do_not_reach_the_terminal() {
    let source = SourceFile::new("a\u{1b}[31m", "x \u{1b}[2J y");
    let one = Diagnostic::error("c", "bad \u{1b}[2J")
        .at(Span::new(0, 1), "l \u{1b}[2J")
        .help("h \u{1b}[2J")
        .in_source(&source);
    assert!(!one.render(false).contains('\u{1b}'), "{:?}", one.render(false));
}

#[test]
fn places_outside_the_text_or_inside_a_character_do_not_panic() {
    let source = SourceFile::new("a", "한글");
    for (start, end) in [(0, 99), (1, 2), (50, 60), (6, 6)] {
        let one = Diagnostic::error("c", "m").at(Span::new(start, end), "").in_source(&source);
        assert!(one.render(false).contains("error[c]: m"));
        assert!(one.to_json()["line"].is_u64());
    }
}

#[test]
fn sorted_by_place_and_counted_when_many() {
    let source = SourceFile::new("a", "x\n".repeat(200));
    let list = (0..200)
        .rev()
        .map(|i| Diagnostic::error("c", format!("no {i:03}")).at(Span::new(i * 2, i * 2 + 1), ""));
    let list = Diagnostics::from_vec(list.collect()).expect("many").in_source(&source);
    let text = list.render(false);
    assert!(text.starts_with("error[c]: no 000\n"));
    assert!(text.ends_with("and 150 more\n"));
    assert!(Diagnostics::from_vec(Vec::new()).is_none());
}

#[test]
fn reads_and_drops_the_byte_order_mark() {
    let source = read_bytes(b"\xef\xbb\xbftask()", 100).expect("read");
    assert_eq!(source.text(), "task()");
}

#[test]
fn refuses_what_is_no_text_file() {
    assert_eq!(code(read_bytes(b"", 100)), "file-empty");
    assert_eq!(code(read_bytes(b" \n\t", 100)), "file-empty");
    assert_eq!(code(read_bytes(b"\xef\xbb\xbf", 100)), "file-empty");
    assert_eq!(code(read_bytes(&[b'a'; 101], 100)), "file-too-large");
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(code(SourceFile::read(folder.path(), 100)), "file-is-folder");
    assert_eq!(code(SourceFile::read_from("-", std::io::repeat(b'a'), 100)), "file-too-large");
    let odd = only(read_bytes(b"abc\xffdef", 100));
    assert_eq!(odd.code, "file-not-utf8");
    assert!(odd.message.ends_with("the byte at offset 3 is 0xff"), "{}", odd.message);
    let wide = only(read_bytes(b"\xff\xfea\0", 100));
    assert_eq!(wide.help, ["it looks like UTF-16; save it as UTF-8"]);
}

#[test]
fn a_missing_file_is_told_with_the_nearest_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("web.swak"), "x").expect("written");
    let missing = only(SourceFile::read(&folder.path().join("wbe.swak"), 100));
    assert_eq!(missing.code, "file-not-found");
    assert!(missing.help[0].contains("web.swak"), "{:?}", missing.help);
    let far = only(SourceFile::read(&folder.path().join("zzz"), 100));
    assert!(far.help[0].starts_with("it was looked for from"), "{:?}", far.help);
}

#[test]
fn a_line_without_end_and_labels_far_apart_are_told_by_number() {
    let long = SourceFile::new("a", format!("x\n{}", "y".repeat(200 << 10)));
    let one = Diagnostic::error("c", "m").at(Span::new(1000, 1001), "").in_source(&long);
    assert_eq!(one.render(false), "error[c]: m\n--> a:2:999\n");
    let tall = SourceFile::new("a", "x\n".repeat(100 << 10));
    let one = Diagnostic::error("c", "m")
        .at(Span::new(200_000, 200_001), "again")
        .label(Span::new(2, 3), "first")
        .in_source(&tall);
    let text = one.render(false);
    assert!(text.contains("100001 | x\n"), "{text}");
    assert!(text.contains("= note: first: line 2, column 1\n"), "{text}");
}

#[test]
fn no_error_is_hidden_behind_warnings() {
    let at = |i: usize| Span::new(i, i);
    let mut list: Vec<_> =
        (0..2000).map(|i| Diagnostic::warning("w", i.to_string()).at(at(i), "")).collect();
    list.push(Diagnostic::error("e", "last").at(at(5000), ""));
    let list = Diagnostics::from_vec(list).expect("many");
    assert!(list.has_errors());
    assert_eq!((list.iter().len(), list.omitted()), (MAX_LISTED, 1501));
}

#[test]
fn windows_line_ends_leave_no_trace() {
    let source = SourceFile::new("a", "one\r\ntwo three\r\n");
    let one = Diagnostic::error("c", "m").at(Span::new(9, 14), "here").in_source(&source);
    assert_eq!(
        one.render(false),
        "error[c]: m\n --> a:2:5\n  |\n2 | two three\n  |     ^^^^^ here\n"
    );
}

#[test]
fn what_was_found_twice_is_told_once() {
    let at = |code| Diagnostic::error(code, "m").at(Span::new(1, 2), "");
    let list = Diagnostics::from_vec(vec![at("a"), at("b"), at("a"), at("b")]).expect("some");
    assert_eq!(list.iter().map(|d| d.code).collect::<Vec<_>>(), ["a", "b"]);
}
