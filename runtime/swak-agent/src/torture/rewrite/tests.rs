use swak_recipe::check::{check_as, inline, parse};
use swak_recipe::diag::SourceFile;
use swak_recipe::{ProcessEnvironment, SpecList};
use swak_sdk::options::{Kind, OptionSpec, PluginSpec, TextKind, TypeSpec};

use super::super::expect::Expect;
use super::super::line::Shape;
use super::super::relay::Transport;
use super::*;

fn option(name: &'static str, kind: TextKind, positional: bool) -> OptionSpec {
    let ty = match kind {
        TextKind::Glob => TypeSpec::List(Box::new(TypeSpec::Text(kind))),
        _ => TypeSpec::Text(kind),
    };
    OptionSpec {
        name: name.into(),
        help: "".into(),
        ty,
        required: false,
        positional,
        default: None,
        secret: name == "password",
    }
}

fn plugin(kind: Kind, name: &'static str, options: Vec<OptionSpec>) -> PluginSpec {
    PluginSpec {
        kind,
        name: name.into(),
        summary: "".into(),
        help: "".into(),
        options: options.into(),
    }
}

/// Plugins that look like those of the standard crates.
fn catalog() -> SpecList {
    let address = || {
        vec![option("host", TextKind::Address, true), option("password", TextKind::Plain, false)]
    };
    SpecList(vec![
        plugin(
            Kind::Input,
            "FileTailing",
            vec![
                option("path", TextKind::Glob, true),
                option("exclude", TextKind::Glob, false),
                option("start", TextKind::Plain, false),
            ],
        ),
        plugin(Kind::Input, "DummyData", vec![]),
        plugin(Kind::Input, "Fluentd", vec![option("listen", TextKind::Address, true)]),
        plugin(
            Kind::Input,
            "Syslog",
            vec![OptionSpec {
                default: Some("[\"udp://127.0.0.1:514\"]".into()),
                ..option("listen", TextKind::Address, true)
            }],
        ),
        plugin(Kind::Input, "Http", vec![option("listen", TextKind::Address, true)]),
        plugin(Kind::Transform, "JsonParser", vec![]),
        plugin(Kind::Transform, "TimedBuffer", vec![option("period", TextKind::Duration, true)]),
        plugin(Kind::Output, "Fluentd", address()),
        plugin(Kind::Output, "Search", address()),
        plugin(Kind::Output, "Stdout", vec![]),
        plugin(Kind::Output, "File", vec![option("path", TextKind::Template, true)]),
    ])
}

fn rewritten(recipe: &str) -> Result<Rewritten, Diagnostics> {
    let (catalog, environment) = (catalog(), ProcessEnvironment::new());
    let source = SourceFile::new("my.swak", recipe);
    // Only a real plugin knows that it takes an address with a protocol.
    if !recipe.contains("://") {
        let checked = check_as(&source, Spelling::Python, &catalog, &environment);
        checked.expect("a recipe without mistakes");
    }
    let script = inline(&parse(&source, Spelling::Python).0, true, &mut Vec::new());
    let rewritten = rewrite(
        script,
        Place {
            catalog: &catalog,
            environment: &environment,
            files: Path::new("/t/files"),
            state: Path::new("/t/state"),
            address: &mut |sink| Ok(format!("127.0.0.1:{}", 1000 + sink)),
            free_port: &mut || Ok("127.0.0.1:7".to_owned()),
        },
    )?;
    // What comes out is a recipe again; the stand-in is known to agents alone.
    if !["TortureStandIn", "://"].iter().any(|strange| rewritten.recipe.contains(strange)) {
        let source = SourceFile::new("again.swak", &*rewritten.recipe);
        check_as(&source, Spelling::Python, &catalog, &environment).expect("a recipe again");
    }
    Ok(rewritten)
}

fn expect(recipe: &str) -> Expect {
    rewritten(recipe).unwrap().sources.remove(0).expect
}

#[test]
fn the_seeds_recipe_is_led_to_our_own_places() {
    let out = rewritten(
        "task(in.FileTailing(\"/var/log/mylog.txt\"), out.TimedBuffer(\"5M\"), failover(\
         out.Fluentd(\"192.168.0.1\"), out.Fluentd(host=\"b\"), last=out.File(\"/tmp/failed.txt\"), \
         start_by=\"ip\"))",
    )
    .unwrap();
    assert_eq!(
        out.recipe,
        "task(\n    in.FileTailing(\"/t/files/var/log/mylog.txt\"),\n    out.TimedBuffer(\"1s\"),\n    \
         failover(\n        out.Fluentd(\"127.0.0.1:1000\"),\n        \
         out.Fluentd(host=\"127.0.0.1:1001\"),\n        \
         last=out.File(\"/t/state/sink-2/tmp/failed.txt\"),\n        start_by=\"ip\",\n    ),\n)\n"
    );
    assert_eq!(out.sources[0].path, Path::new("/t/files/var/log/mylog.txt"));
    assert_eq!(out.sources[0].expect, Expect::Unit(0));
    let kinds: Vec<_> = out.sinks.iter().map(|sink| (&*sink.name, sink.unit)).collect();
    assert_eq!(kinds, [("out.Fluentd", 0), ("out.Fluentd (2)", 0), ("out.File", 0)]);
    let peer = SinkKind::Peer { input: "in.Fluentd".into(), options: vec![] };
    assert_eq!(out.sinks[1].kind, peer);
    assert_eq!(out.sinks[2].kind, SinkKind::Files("/t/state/sink-2".into()));
    assert_eq!(out.notes, ["`out.TimedBuffer` holds records for 1s, not 5M"]);
}

#[test]
fn what_the_last_output_sends_on_does_not_come_out_there() {
    let recipe = "task(in.FileTailing(\"a\"), failover(out.Stdout(), last=out.File(\"x\")DRAIN))";
    let kind = |drain| rewritten(&recipe.replace("DRAIN", drain)).unwrap().sinks.remove(1).kind;
    assert_eq!(kind(""), SinkKind::Files("/t/state/sink-1".into()));
    assert_eq!(kind(", drain_back=True"), SinkKind::Between("/t/state/sink-1".into()));
}

#[test]
fn what_has_no_server_here_gets_a_stand_in() {
    let out = rewritten(
        "task(in.FileTailing(\"a\"), out.JsonParser(), out.Search(\"s\"), out.Stdout(), \
         out.Fluentd(\"f\", password=\"x\"))",
    )
    .unwrap();
    assert_eq!(out.shape, Shape::Json);
    assert!(out.sinks.iter().all(|sink| sink.kind == SinkKind::StandIn));
    assert!(!out.recipe.contains("\"x\""), "{}", out.recipe);
    let all = [Expect::Unit(2), Expect::Unit(1), Expect::Unit(0)];
    let mut units = Vec::new();
    out.sources[0].expect.units(&mut units);
    units.sort_unstable();
    assert_eq!(units.len(), all.len());
}

#[test]
fn every_way_of_a_recipe_is_known() {
    let stdout = "out.Stdout()";
    let task = |steps: &str| expect(&format!("task(in.FileTailing(\"a\"), {steps})"));
    let met = |expect: &Expect, came: &[usize]| expect.is_met(&|unit| came.contains(&unit));
    let tee = task(&format!("tee([{stdout}], [{stdout}])"));
    assert!(met(&tee, &[0, 1]) && !met(&tee, &[0]) && !met(&tee, &[1]));
    let when = task(&format!("when(\"a\", [{stdout}], otherwise=[{stdout}])"));
    assert!(met(&when, &[0]) && met(&when, &[1]) && !met(&when, &[]));
    // What comes after is rewritten first: it is unit 0.
    let through = task(&format!("when(\"a\", [out.JsonParser()]), {stdout}"));
    assert!(met(&through, &[0]) && !met(&through, &[]));
    let side = task(&format!("when(\"a\", [{stdout}]), {stdout}"));
    assert!(met(&side, &[0]) && met(&side, &[1]) && !met(&side, &[]));
    let dead = expect(&format!("task(in.FileTailing(\"a\"), {stdout}, dead_letter={stdout})"));
    assert!(met(&dead, &[0]) && met(&dead, &[1]) && !met(&dead, &[]));
    let linked = expect(&format!(
        "task(in.FileTailing(\"a\"), link(\"x\"))\ntask(link(\"x\"), {stdout}, {stdout})"
    ));
    assert!(met(&linked, &[0, 1]) && !met(&linked, &[0]));
}

#[test]
fn a_file_that_two_tasks_follow_comes_out_of_both() {
    let out = rewritten(
        "task(in.FileTailing(\"/l/a.log\"), out.Stdout())\n\
         task(in.FileTailing([\"/l/*.log\"], exclude=\"/l/app*\"), out.Stdout())",
    )
    .unwrap();
    let paths: Vec<_> = out.sources.iter().map(|one| one.path.to_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["/t/files/l/1.log", "/t/files/l/a.log", "/t/files/l/db.log", "/t/files/l/web.log"]
    );
    assert!(!out.sources[1].expect.is_met(&|unit| unit == 0));
    assert!(out.sources[0].expect.is_met(&|unit| unit == 1));
}

#[test]
fn tasks_that_nothing_feeds_are_left_out() {
    let out = rewritten(
        "task(in.DummyData(), link(\"x\"))\ntask(link(\"x\"), out.Stdout())\n\
         task(in.FileTailing(env(\"SWAK_TORTURE_NO_SUCH\", \"/a\"), start=\"end\"), out.Stdout())",
    )
    .unwrap();
    assert_eq!(out.sinks.len(), 1);
    assert_eq!(out.sources[0].path, Path::new("/t/files/a"));
    assert!(out.skips_present);
    assert!(out.notes[0].starts_with("a task is left out: `in.DummyData` reads no files"));
    let error = rewritten("task(in.DummyData(), out.Stdout())").unwrap_err();
    let error = error.iter().next().unwrap();
    assert_eq!(error.code, "cannot-torture");
    assert!(error.message.contains("`in.DummyData` reads no files"), "{}", error.message);
}

#[test]
fn an_input_that_listens_is_sent_to() {
    let out = rewritten("task(in.Fluentd(\"0.0.0.0:24224\"), out.Stdout())").unwrap();
    assert!(out.recipe.contains("in.Fluentd(\"127.0.0.1:7\")"), "{}", out.recipe);
    let path = PathBuf::from("/t/files/sent-0.log");
    assert_eq!(out.sources[0].path, path);
    let (output, address) = ("out.Fluentd".to_owned(), "127.0.0.1:7".to_owned());
    assert_eq!(out.senders, [Sender { path, output, address, options: vec![] }]);
}

#[test]
fn an_input_that_takes_lines_is_sent_to_on_each_of_its_sockets() {
    let out = rewritten("task(in.Syslog(), out.Stdout())").unwrap();
    assert!(out.recipe.contains("in.Syslog(listen=\"udp://127.0.0.1:7\")"), "{}", out.recipe);
    assert_eq!((out.shape, out.sources.len(), out.skips_present), (Shape::Syslog, 1, true));
    assert_eq!(out.sources[0].path, Path::new("/t/files/udp-127.0.0.1-7"));
    let out = rewritten(
        "task(in.Syslog(listen=\"tcp://[::]:601\"), out.Stdout())\n\
         task(in.FileTailing(\"/a\"), out.Stdout())",
    )
    .unwrap();
    assert!(out.recipe.contains("in.Syslog(listen=\"tcp://127.0.0.1:7\")"), "{}", out.recipe);
    assert_eq!(out.shape, Shape::Log);
    let sent: Vec<_> = out.sources.iter().map(|one| one.sent.clone()).collect();
    assert_eq!(sent, [None, Some((Transport::Tcp, "127.0.0.1:7".to_owned()))]);
    assert!(!out.sources[1].expect.is_met(&|unit| unit == 1));
    let error = rewritten("task(in.Http(\"0.0.0.0:80\"), out.Stdout())").unwrap_err();
    let error = error.iter().next().unwrap();
    assert!(error.message.contains("torture cannot send to `in.Http`"), "{}", error.message);
    let error = rewritten("task(in.Syslog(\"unix:///run/log\"), out.Stdout())").unwrap_err();
    assert_eq!(error.iter().next().unwrap().code, "cannot-torture");
}
