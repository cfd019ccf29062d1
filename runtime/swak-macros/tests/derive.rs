//! A derived struct from end to end: a call becomes the struct, or every mistake at once.

use std::time::Duration;

use swak_sdk::options::{
    Args, ByteSize, Choice, Key, Kind, Literal, LiteralValue, OptionErrors, OptionValue, Options,
    Secret, Span, TypeSpec,
};

/// Follows files. One record
/// a line.
///
/// More help.
#[derive(Debug, Options)]
#[plugin(input, name = "Follow")]
struct FollowOptions {
    /// Files to follow.
    #[option(positional)]
    path: Vec<String>,
    /// What to make.
    #[option(positional, default = "people")]
    r#type: Made,
    /// Longest line.
    #[option(default = "1m")]
    max_line: ByteSize,
    /// Port.
    #[option(default = 24224, range = 1..=65535)]
    port: u16,
    /// Share of the records that is kept.
    #[option(default = 1.0, range = 0..=1)]
    share: f64,
    /// Weights.
    #[option(name = "weight", default = [1, 2], range = 1..)]
    weights: Vec<i64>,
    /// Pause.
    every: Option<Duration>,
    /// Password.
    #[option(secret)]
    password: Option<String>,
    /// Token.
    token: Option<Secret>,
    /// Encryption.
    #[option(default = {})]
    tls: TlsOptions,
}

/// Encryption.
#[derive(Debug, Options)]
struct TlsOptions {
    /// Whether it is on.
    #[option(default = false)]
    on: bool,
    /// How often it is tried.
    #[option(default = -1, range = -1..=9)]
    tries: i32,
}

/// A rule.
#[derive(Debug, Options)]
struct RuleOptions {
    /// How often.
    #[option(default = 1)]
    times: u8,
    /// Its name.
    #[option(positional)]
    name: Option<Made>,
}

/// What is made.
#[derive(Debug, PartialEq, Choice)]
enum Made {
    /// Persons.
    People,
    /// Access logs.
    #[choice(name = "nginx-access")]
    Nginx,
    /// Log lines.
    SyslogLines,
}

/// Takes nothing.
#[derive(Options)]
#[plugin(output, name = "Null")]
struct NullOptions;

#[test]
fn the_spec_says_everything() {
    let spec = FollowOptions::spec();
    assert_eq!((spec.kind, spec.path().as_str()), (Kind::Input, "in.Follow"));
    assert_eq!(spec.summary, "Follows files.");
    assert_eq!(spec.help, "Follows files. One record\na line.\n\nMore help.");
    let names: Vec<_> = spec.options.iter().map(|o| o.name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "path", "type", "max_line", "port", "share", "weight", "every", "password", "token",
            "tls"
        ]
    );
    let option = |name| spec.option(name).expect("this option is declared");
    assert!(option("path").required && option("path").positional);
    assert_eq!(option("path").help, "Files to follow.");
    assert!(!option("type").required && option("type").positional);
    assert_eq!(option("type").default.as_deref(), Some("\"people\""));
    assert_eq!(option("port").default.as_deref(), Some("24224"));
    assert_eq!(option("port").ty, TypeSpec::Int { min: 1, max: 65535 });
    assert_eq!(option("share").ty, TypeSpec::Float { min: 0.0, max: 1.0 });
    assert_eq!(
        option("weight").ty,
        TypeSpec::List(Box::new(TypeSpec::Int { min: 1, max: i64::MAX }))
    );
    assert_eq!(option("weight").default.as_deref(), Some("[1, 2]"));
    assert_eq!(option("tls").default.as_deref(), Some("{}"));
    assert!(!option("every").required && option("every").default.is_none());
    assert!(option("password").secret && option("token").secret && !option("path").secret);
    let TypeSpec::Struct(tls) = &option("tls").ty else { panic!("tls is a nested struct") };
    assert_eq!(tls[1].default.as_deref(), Some("-1"));
    let TypeSpec::Choice(words) = &option("type").ty else { panic!("type is a choice") };
    let words: Vec<_> = words.iter().map(|w| (w.name.as_ref(), w.help.as_ref())).collect();
    assert_eq!(
        words,
        [("people", "Persons."), ("nginx-access", "Access logs."), ("syslog_lines", "Log lines.")]
    );
}

#[test]
fn defaults_fill_what_is_left_out() {
    let options = FollowOptions::read(&args([text("/a")], [])).unwrap();
    assert_eq!(options.path, ["/a"]);
    assert_eq!(options.r#type, Made::People);
    assert_eq!(options.max_line, ByteSize(1 << 20));
    assert_eq!((options.port, options.share), (24224, 1.0));
    assert_eq!(options.weights, [1, 2]);
    assert_eq!(options.every, None);
    assert!(options.password.is_none() && options.token.is_none());
    assert!(!options.tls.on);
    assert_eq!(options.tls.tries, -1);
    NullOptions::read(&Args::default()).unwrap();
}

#[test]
fn everything_can_be_given() {
    let tls = LiteralValue::Dict(vec![
        (key("tries"), int(9)),
        (key("on"), literal(LiteralValue::Bool(true))),
    ]);
    let options = FollowOptions::read(&args(
        [text("/a"), text("SYSLOG_lines")],
        [
            ("max_line", text("2k")),
            ("port", int(1)),
            ("share", int(0)),
            ("weight", int(7)),
            ("every", text("5M")),
            ("password", text("p")),
            ("token", text("t")),
            ("tls", literal(tls)),
        ],
    ))
    .unwrap();
    assert_eq!(options.r#type, Made::SyslogLines);
    assert_eq!(options.r#type.name(), "syslog_lines");
    assert_eq!(options.max_line, ByteSize(2048));
    assert_eq!((options.port, options.share), (1, 0.0));
    assert_eq!(options.weights, [7]);
    assert_eq!(options.every, Some(Duration::from_secs(300)));
    assert_eq!(options.password.as_deref(), Some("p"));
    assert_eq!(options.token.unwrap().reveal(), "t");
    assert!(options.tls.on);
    assert_eq!(options.tls.tries, 9);
}

#[test]
fn every_mistake_comes_at_once() {
    let tls = LiteralValue::Dict(vec![
        (key("tries"), int(10)),
        (key("onn"), literal(LiteralValue::Bool(true))),
    ]);
    let errors = mistakes(FollowOptions::read(&args(
        [],
        [
            ("type", text("peple")),
            ("max_lines", text("2k")),
            ("port", int(0)),
            ("weight", literal(LiteralValue::List(vec![int(1), int(0)]))),
            ("password", int(12345)),
            ("tls", literal(tls)),
        ],
    )));
    assert_eq!(
        errors,
        [
            "unknown option `max_lines`; did you mean `max_line`?",
            "missing option `path`; `path` is a list of: a string: Files to follow.",
            "unknown word `peple`; did you mean `people`?",
            "expected a whole number from 1 to 65535, found `0`",
            "expected a whole number of at least 1, found `0`",
            "option `password`: expected a string, or None, found a whole number that is not one",
            "unknown option `onn`; did you mean `on`?",
            "expected a whole number from -1 to 9, found `10`",
        ]
    );
}

#[test]
fn positions_and_repeats() {
    assert_eq!(
        mistakes(FollowOptions::read(&args(
            [text("a"), text("people"), text("c"), text("d")],
            [("path", text("b"))]
        ))),
        [
            "too many values by position, at most 2 may be given; by position: `path`, `type`; the others by name",
            "option `path` is given twice",
        ]
    );
    assert_eq!(
        mistakes(NullOptions::read(&args([text("a")], [("x", text("b"))]))),
        [
            "no value may be given by position here; it takes no options",
            "unknown option `x`; it takes no options",
        ]
    );
}

#[test]
fn a_nested_struct_is_a_dict() {
    assert_eq!(
        mistakes(TlsOptions::read(&text("on"))),
        ["expected a dict of options, found `on`; a dict with the keys: on, tries"]
    );
}

#[test]
fn one_value_may_stand_for_a_nested_struct() {
    let rule = RuleOptions::read(&text("people")).unwrap();
    assert_eq!((rule.name, rule.times), (Some(Made::People), 1));
    let noun = RuleOptions::type_spec().noun();
    assert!(noun.ends_with(", or a dict of options"), "{noun}");
    assert!(mistakes(RuleOptions::read(&text("x")))[0].starts_with("unknown word `x`"));
    let none = literal(LiteralValue::None);
    assert!(mistakes(RuleOptions::read(&none))[0].contains("found None"));
}

fn literal(value: LiteralValue) -> Literal {
    Literal::bare(value)
}

fn text(text: &str) -> Literal {
    literal(LiteralValue::Str(text.to_owned()))
}

fn int(number: i64) -> Literal {
    literal(LiteralValue::Int(number))
}

fn key(name: &str) -> Key {
    Key { name: name.to_owned(), span: Span::default() }
}

fn args<const P: usize, const N: usize>(
    positional: [Literal; P],
    named: [(&str, Literal); N],
) -> Args {
    Args {
        span: Span::default(),
        positional: positional.into(),
        named: named.into_iter().map(|(name, value)| (key(name), value)).collect(),
    }
}

/// The messages with their help; none of the tests above has places, so the order is that of the
/// reader.
fn mistakes<T>(result: Result<T, OptionErrors>) -> Vec<String> {
    let Err(OptionErrors(errors)) = result else { panic!("mistakes were read as options") };
    errors
        .into_iter()
        .map(|e| e.help.iter().fold(e.message.clone(), |text, help| format!("{text}; {help}")))
        .collect()
}
