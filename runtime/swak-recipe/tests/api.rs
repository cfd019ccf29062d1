//! What the compiler and the agent call.

mod support;

use std::path::Path;
use std::time::Duration;

use swak_recipe::diag::{RECIPE_LIMIT, SourceFile};
use swak_recipe::model::{Recipe, StartBy, Step, Task};
use swak_recipe::write::convert;
use swak_recipe::{Catalog, Later, ProcessEnvironment, SpecList, Spelling, check, check_as};
use swak_sdk::options::{Args, Kind, LiteralValue, Placed, PluginSpec};
use swak_sdk::plugin::{Destination, HandsBack, TimeLimit};

fn source(text: &str) -> SourceFile {
    SourceFile::new("a.swak", text)
}

fn case(name: &str) -> SourceFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    SourceFile::read(&path, RECIPE_LIMIT).expect("a case")
}

fn checked(source: &SourceFile) -> Recipe {
    let environment = support::FixedEnvironment::for_cases();
    check(source, &support::catalog(), &environment).unwrap_or_else(|e| panic!("{e}"))
}

fn only(recipe: Recipe) -> Task {
    assert_eq!(recipe.tasks.len(), 1);
    recipe.tasks.into_iter().next().expect("one task")
}

/// What a recipe does, without where it is written.
fn meaning(recipe: &Recipe) -> String {
    fn step(step: &Step) -> String {
        match step {
            Step::Plugin(call) => plugin(call),
            Step::Failover(f) => {
                let outputs: Vec<_> = f.outputs.iter().map(plugin).collect();
                let last = f.last.as_ref().map(plugin).unwrap_or_default();
                let told = (&f.start_by, f.timeout, f.drain_back);
                format!("failover({}; {last}; {told:?})", outputs.join(", "))
            }
            Step::Tee(tee) => {
                let branches: Vec<_> = tee.branches.iter().map(|b| steps(b)).collect();
                format!("tee({})", branches.join(" | "))
            }
            Step::When(when) => {
                let otherwise = when.otherwise.as_deref().map_or_else(|| "-".into(), steps);
                format!("when({}; {}; {otherwise})", when.condition, steps(&when.then))
            }
            Step::Link(link) => format!("link({})", link.name),
        }
    }
    // Joined and not quoted: quotes of quotes of quotes double with every level.
    fn steps(all: &[Step]) -> String {
        format!("[{}]", all.iter().map(step).collect::<Vec<_>>().join(", "))
    }
    fn plugin(call: &swak_recipe::model::Call) -> String {
        let by_position = call.args.positional.iter().map(ToString::to_string);
        let by_name = call.args.named.iter().map(|(key, value)| format!("{}={value}", key.name));
        let args: Vec<_> = by_position.chain(by_name).collect();
        format!("{} {}({})", call.kind, call.path(), args.join(", "))
    }
    let task = |t: &Task| {
        let dead_letter = t.dead_letter.as_ref().map(plugin).unwrap_or_default();
        format!("{}: {}; {dead_letter}; {:?}\n", t.name, steps(&t.steps), t.restart_after)
    };
    recipe.tasks.iter().map(task).collect()
}

#[test]
fn the_first_recipe_of_the_seed() {
    let task = only(checked(&case("seed-people/recipe.swak")));
    assert_eq!(task.name, "task-1");
    assert_eq!(task.restart_after, Some(Duration::from_secs(3)));
    let [Step::Plugin(input), Step::Plugin(output)] = task.steps.as_slice() else {
        panic!("{:?}", task.steps)
    };
    assert_eq!((input.kind, input.name.as_str()), (Kind::Input, "DummyData"));
    assert_eq!(input.args.named[0].1.value, LiteralValue::Str("people".into()));
    assert_eq!((output.kind, output.path().as_str()), (Kind::Output, "out.Stdout"));
}

#[test]
fn the_second_recipe_of_the_seed() {
    let task = only(checked(&case("seed-tailing/recipe.swak")));
    let [_, _, Step::Plugin(buffer), Step::Failover(failover)] = task.steps.as_slice() else {
        panic!("{:?}", task.steps)
    };
    assert_eq!(buffer.kind, Kind::Transform);
    assert_eq!(buffer.args.positional[0].value, LiteralValue::Str("5M".into()));
    assert_eq!(failover.outputs.len(), 2);
    assert_eq!(failover.last.as_ref().map(|last| last.name.as_str()), Some("File"));
    assert_eq!(failover.start_by, StartBy::Ip);
}

#[test]
fn the_environment_is_read_as_the_type_that_is_wanted() {
    let text = "task(in.FileTailing(env('LOG_FOLDER')), out.LinedBuffer(env('LINES')), \
                out.Fluentd('a', port=option('fluentd.port')))";
    let task = only(checked(&source(text)));
    let values: Vec<_> = task
        .steps
        .iter()
        .map(|step| match step {
            Step::Plugin(call) => call.args.positional[0].value.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(values[..2], [LiteralValue::Str("/var/log".into()), LiteralValue::Int(100)]);
    let Step::Plugin(fluentd) = &task.steps[2] else { panic!("{:?}", task.steps) };
    assert_eq!(fluentd.args.named[0].1.value, LiteralValue::Int(24224));
}

#[test]
fn a_recipe_for_another_machine_asks_nothing_of_this_one() {
    let text = "task(in.FileTailing(env('NO')), out.LinedBuffer(env('NO')), \
                when(env('NO'), [link(env('NO'))]), out.Fluentd(env('NO'), port=70000), \
                name=env('NO'))";
    let found = check(&source(text), &support::catalog(), &Later).expect_err("a wrong port");
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["bad-option"], "{found}");
}

#[test]
fn text_without_a_name_is_known_by_its_look() {
    assert_eq!(Spelling::guess("# c\n\ntasks:\n - [a]"), Spelling::Yaml);
    assert_eq!(Spelling::guess("{tasks: []}"), Spelling::Yaml);
    assert_eq!(Spelling::guess("task(in.A())"), Spelling::Python);
    assert_eq!(Spelling::guess("web = task()"), Spelling::Python);
    assert_eq!(Spelling::guess(""), Spelling::Python);
    assert_eq!(Spelling::of("a.YML"), Spelling::Yaml);
    assert_eq!(Spelling::of("a.swak.py"), Spelling::Python);
    let stdin = SourceFile::new("<stdin>", "tasks: [[in.Counter, out.Stdout]]");
    let spelling = Spelling::guess(stdin.text());
    check_as(&stdin, spelling, &support::catalog(), &ProcessEnvironment::new()).expect("a recipe");
}

#[test]
fn converting_there_and_back_keeps_the_meaning() {
    for name in [
        "seed-people/recipe.swak",
        "seed-tailing/recipe.swak",
        "seed-database/recipe.swak",
        "good-everything/recipe.swak",
        "yaml-good/recipe.yml",
    ] {
        let first = case(name);
        let meant = meaning(&checked(&first));
        let mut source = first.clone();
        let mut spelling = Spelling::of(name);
        for _ in 0..2 {
            let (to, file) = match spelling {
                Spelling::Python => (Spelling::Yaml, "b.yml"),
                Spelling::Yaml => (Spelling::Python, "b.swak"),
            };
            let text = convert(&source, spelling, to, &support::catalog())
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            source = SourceFile::new(file, text);
            assert_eq!(meaning(&checked(&source)), meant, "{name}:\n{}", source.text());
            spelling = to;
        }
    }
}

#[test]
fn convert_keeps_what_is_read_and_refuses_mistakes() {
    let text = "task(in.FileTailing(env('NO_SUCH_HERE')), out.Stdout())";
    let yaml = convert(&source(text), Spelling::Python, Spelling::Yaml, &support::catalog())
        .expect("no environment is needed");
    assert_eq!(yaml, "tasks:\n  - - in.FileTailing: [{env: NO_SUCH_HERE}]\n    - out.Stdout\n");
    let wrong = source("task(in.FileTailing())");
    assert!(convert(&wrong, Spelling::Python, Spelling::Yaml, &support::catalog()).is_err());
}

#[test]
fn settings_answer_by_dotted_path() {
    let config = SourceFile::new("c.yml", "fluentd: {host: a, port: 1234}\n");
    let settings = swak_recipe::yaml::parse(&config).expect("settings");
    let environment = ProcessEnvironment::new().with_settings(&settings);
    let text =
        "task(in.Counter(), out.Fluentd(option('fluentd.host'), port=option('fluentd.port')))";
    let recipe = check(&source(text), &support::catalog(), &environment).expect("a recipe");
    assert!(meaning(&recipe).contains("port=1234"));
    let text = "task(in.Counter(), out.Fluentd(option('fluentd'), port=option('fluentd.port.x')))";
    let found = check(&source(text), &support::catalog(), &environment).expect_err("wrong");
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["bad-option", "option-unset"], "{found}");
}

#[test]
fn the_deepest_nesting_that_is_read_goes_the_whole_way() {
    let whens = 31;
    let open = "when('a', [".repeat(whens);
    let close = "])".repeat(whens);
    let text = format!("task(in.Counter(), {open}out.Null(){close}, out.Stdout())");
    let first = source(&text);
    let meant = meaning(&checked(&first));
    let yaml = convert(&first, Spelling::Python, Spelling::Yaml, &support::catalog());
    let yaml = SourceFile::new("b.yml", yaml.expect("written"));
    assert_eq!(meaning(&checked(&yaml)), meant);
    assert_eq!(meant.matches("when(").count(), whens);
    let deeper = format!("task(in.Counter(), when('a', [{open}out.Null(){close}]), out.Stdout())");
    let refused = check(&source(&deeper), &support::catalog(), &Later).expect_err("too deep");
    assert_eq!(refused.iter().map(|d| d.code).collect::<Vec<_>>(), ["too-deep"]);
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    const PYTHON: &[&str] = &[
        "task(",
        "failover(",
        "tee(",
        "when(",
        "sleep(",
        "link(",
        "env(",
        "option(",
        "in.Counter(",
        "in.FileTailing(",
        "out.Stdout(",
        "out.LinedBuffer(",
        "out.File(",
        ")",
        ")",
        ")",
        ",",
        ",",
        "[",
        "]",
        "{",
        "}",
        ":",
        "'a'",
        "\"b\"",
        "3",
        "name=",
        "last=",
        "x",
        "x = ",
        "\n",
        "True",
        "'LINES'",
        "path=",
        "otherwise=",
        "dead_letter=",
        ".",
    ];
    const YAML: &[&str] = &[
        "tasks:",
        "\n  - ",
        "\n    - ",
        "\n",
        "[",
        "]",
        "{",
        "}",
        ": ",
        ", ",
        "in.Counter",
        "out.Stdout",
        "out.File",
        "failover",
        "tee",
        "when",
        "sleep",
        "link",
        "env",
        "option",
        "dict",
        "\"*\"",
        "steps",
        "name",
        "outputs",
        "condition",
        "then",
        "a",
        "3",
        "null",
        "&a ",
        "*a",
        "!!str ",
        "'",
        "\"",
        "|",
        "- ",
    ];

    fn survive(name: &str, text: String) {
        let source = SourceFile::new(name, text);
        let environment = support::FixedEnvironment::for_cases();
        match check(&source, &support::catalog(), &environment) {
            Ok(recipe) => assert!(!recipe.tasks.is_empty()),
            Err(found) => {
                assert!(found.has_errors());
                found.render(false);
                found.to_json();
            }
        }
    }

    proptest! {
        #[test]
        fn python_is_refused_or_checked(words in prop::collection::vec(prop::sample::select(PYTHON), 0..40)) {
            survive("a.swak", words.concat());
        }

        #[test]
        fn yaml_is_refused_or_checked(words in prop::collection::vec(prop::sample::select(YAML), 0..40)) {
            survive("a.yml", words.concat());
            survive("a.yml", format!("tasks: [[{}]]", words.concat()));
        }
    }
}

fn all_specs() -> Vec<&'static PluginSpec> {
    static SPECS: std::sync::LazyLock<SpecList> = std::sync::LazyLock::new(support::catalog);
    SPECS.specs()
}

/// A catalog in which every output hands back what it was given in one way.
struct HandingBack(Result<HandsBack, String>);

impl Catalog for HandingBack {
    fn specs(&self) -> Vec<&PluginSpec> {
        all_specs()
    }

    fn hands_back(&self, _: &PluginSpec, _: &Args) -> Result<HandsBack, String> {
        self.0.clone()
    }
}

#[test]
fn what_a_last_does_not_hand_back_as_it_was_is_told() {
    let text = r#"task(in.Counter(), failover(out.Null(), last=out.File("x"), drain_back=True))"#;
    let source = SourceFile::new("a.swak", text);
    let environment = support::FixedEnvironment::default();
    let check = |way| check(&source, &HandingBack(way), &environment);
    assert!(check(Ok(HandsBack::Whole)).expect("no mistake").warnings.is_empty());
    let changed = check(Ok(HandsBack::Changed("only lines".into()))).expect("no mistake");
    assert_eq!(changed.warnings[0].code, "drain-back-changes-records");
    assert_eq!(changed.warnings[0].message, "`out.File` hands records back otherwise: only lines");
    let cannot = check(Err("it is a template".into())).expect_err("a mistake").render(false);
    assert!(cannot.contains("error[cannot-drain-back]: `out.File` cannot be drained: it is a"));
}

/// A catalog in which every output waits for 20 seconds by itself.
struct Waiting;

impl Catalog for Waiting {
    fn specs(&self) -> Vec<&PluginSpec> {
        static SPECS: std::sync::LazyLock<SpecList> = std::sync::LazyLock::new(support::catalog);
        SPECS.specs()
    }

    fn time_limits(&self, _: &PluginSpec, args: &Args) -> Vec<TimeLimit> {
        let limit = Placed { value: Duration::from_secs(20), span: args.span };
        vec![TimeLimit { option: "patience", limit }]
    }
}

#[test]
fn a_wait_that_the_failover_ends_before_its_time_is_told() {
    let warnings = |timeout: &str| {
        let text =
            format!("task(in.Counter(), failover(out.Null(){timeout}, last=out.File(\"x\")))");
        let source = SourceFile::new("a.swak", &text);
        let environment = support::FixedEnvironment::default();
        check(&source, &Waiting, &environment).expect("no mistake").warnings
    };
    for cut_short in ["", ", timeout=\"19s\""] {
        let [warning] = &warnings(cut_short)[..] else { panic!("one warning: {cut_short}") };
        assert_eq!(warning.code, "failover-timeout-shorter");
        assert!(warning.message.starts_with("`patience` is longer than the failover's `timeout`"));
    }
    assert!(warnings(", timeout=\"20s\"").is_empty());
}

#[test]
fn one_value_may_stand_for_a_dict_of_options() {
    use swak_sdk::options::{ChoiceSpec, OptionSpec, TypeSpec};
    let option = |name: &'static str, ty, positional| OptionSpec {
        name: name.into(),
        help: "".into(),
        ty,
        required: false,
        positional,
        default: None,
        secret: false,
    };
    let word = ChoiceSpec { name: "java".into(), help: "".into() };
    let rule = TypeSpec::Struct(
        vec![
            option("lines", TypeSpec::Int { min: 1, max: 9 }, false),
            option("preset", TypeSpec::Choice(vec![word].into()), true),
        ]
        .into(),
    );
    let spec = |kind, name: &'static str, options: Vec<OptionSpec>| PluginSpec {
        kind,
        name: name.into(),
        summary: "".into(),
        help: "".into(),
        options: options.into(),
    };
    let rule = option("rule", TypeSpec::Optional(Box::new(rule)), false);
    let catalog =
        SpecList(vec![spec(Kind::Input, "In", vec![rule]), spec(Kind::Output, "Out", vec![])]);
    let mistakes = |rule: &str| {
        let text = format!("task(in.In(rule={rule}), out.Out())");
        check(&source(&text), &catalog, &Later).err().map(|found| found.to_string())
    };
    for good in ["\"java\"", "{\"preset\": \"java\"}", "{\"lines\": 3}", "None"] {
        assert_eq!(mistakes(good), None, "{good}");
    }
    for (bad, message) in
        [("\"cobol\"", "unknown word `cobol`"), ("{\"lines\": 10}", "from 1 to 9")]
    {
        let told = mistakes(bad).expect("a mistake");
        assert!(told.contains(message), "{told}");
    }
}

/// A catalog in which `out.File` writes to what stands first, and empties what is called `new`.
struct Writing;

impl Catalog for Writing {
    fn specs(&self) -> Vec<&PluginSpec> {
        all_specs()
    }

    fn writes_to(&self, _: &PluginSpec, args: &Args) -> Option<Destination> {
        let LiteralValue::Str(path) = &args.positional.first()?.value else { return None };
        let alone = path.ends_with("new").then(|| "it empties the file".to_owned());
        Some(Destination { path: path.into(), alone })
    }
}

#[test]
fn two_outputs_have_one_file_only_where_neither_needs_it_alone() {
    let drained = |path| format!("failover(out.Null(), last=out.File({path:?}), drain_back=True)");
    let task = |step: &str, name| format!("task(in.Counter(), {step}, name=\"{name}\")\n");
    let plain = |path| format!("out.File({path:?})");
    for (first, second, refused) in [
        (plain("a"), plain("a"), false),
        (drained("a"), drained("b"), false),
        (drained("a"), drained("a"), true),
        (drained("./a/b"), plain("a//b"), true),
        (plain("a"), drained("a"), true),
        (plain("new"), plain("new"), true),
        (format!("tee([{}], [{}])", plain("a"), drained("a")), plain("b"), true),
        (
            "failover(out.File(\"a\"), last=out.File(\"a\"), drain_back=True)".into(),
            plain("b"),
            true,
        ),
    ] {
        let text = task(&first, "one") + &task(&second, "two");
        let checked = check(&source(&text), &Writing, &support::FixedEnvironment::default());
        let told = checked.err().map(|found| found.render(false)).unwrap_or_default();
        assert_eq!(
            told.contains("error[file-not-shared]: two outputs write to "),
            refused,
            "{text}{told}"
        );
    }
    let text = task(&plain("a"), "one") + &task(&plain("a"), "two") + &task(&drained("a"), "three");
    let text = text + "task(in.Counter(), out.Null(), dead_letter=out.File(\"a\"), name=\"four\")";
    let found = check(&source(&text), &Writing, &support::FixedEnvironment::default());
    let told = found.unwrap_err().render(false);
    assert_eq!(told.matches("file-not-shared").count(), 2, "{told}");
    assert!(told.contains("sent on and then removed, with drain_back"), "{told}");
    assert!(told.contains("help: give each of them a file of its own"), "{told}");
}
