//! What every output can be told besides its own options.

use std::sync::LazyLock;
use std::time::Duration;

use super::{
    Args, ByteSize, Literal, LiteralValue, OptionError, OptionErrors, OptionSpec, OptionValue,
    Options, Placed, Span, TypeSpec,
};

/// What every output can be told besides its own options: [`DeliveryOptions::HELP`].
///
/// The engine does all of it; the author of an output does nothing for it, and cannot have an option
/// of one of these names.
#[derive(Clone, Debug, Options)]
pub struct DeliveryOptions {
    /// The most records of one write. What comes in is gathered until a limit is reached, and cut
    /// where it is more. Without this and without `batch_bytes`, everything is written as it comes.
    #[option(range = 1..)]
    pub batch_records: Option<usize>,
    /// The most bytes of one write, as `batch_records`: about the size of the records in memory. A
    /// record that is larger by itself is written alone.
    pub batch_bytes: Option<ByteSize>,
    /// How long a record waits at most for others, while neither limit is reached.
    #[option(default = "1s")]
    pub batch_wait: Placed<Duration>,
    /// How many writes go on at once, each over a connection of its own. Records of one source are
    /// always written by the same worker, so that their order is kept. A slow one makes the others wait
    /// only when its queue is full.
    #[option(default = 1, range = 1..=64)]
    pub workers: Placed<usize>,
    /// How long one write may take, and how long one connect. What was not written by then is written
    /// again, over a new connection. An output that can tell that a write goes on, as `out.Fluentd` can,
    /// is given so long each time that it does.
    #[option(default = "60s")]
    pub timeout: Placed<Duration>,
    /// How often a write is tried again; when a part of it has come through, the count begins anew. What
    /// fails once more is given up: it goes to the task's dead letters, or is dropped and counted. Left
    /// out, it is tried for ever, and the input waits.
    #[option(range = 0..=4_294_967_295)]
    pub retries: Option<u32>,
    /// How long to wait before a failed write is tried again. It doubles with each failure, and is
    /// shortened by up to a quarter by chance.
    #[option(default = "100ms")]
    pub retry_wait: Placed<Duration>,
    /// The longest wait before a failed write is tried again.
    #[option(default = "30s")]
    pub retry_max_wait: Placed<Duration>,
}

impl DeliveryOptions {
    /// The names of these options.
    pub const NAMES: [&'static str; 8] = [
        "batch_records",
        "batch_bytes",
        "batch_wait",
        "workers",
        "timeout",
        "retries",
        "retry_wait",
        "retry_max_wait",
    ];

    /// Whether an option of an output has one of these names, which it cannot have. For
    /// `#[derive(Options)]`, which asks while it compiles.
    pub const fn is_name(name: &str) -> bool {
        let mut i = 0;
        while i < Self::NAMES.len() {
            if is_equal(name.as_bytes(), Self::NAMES[i].as_bytes()) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// What people are told about them.
    pub fn specs() -> &'static [OptionSpec] {
        static SPECS: LazyLock<Vec<OptionSpec>> =
            LazyLock::new(|| match DeliveryOptions::type_spec() {
                TypeSpec::Struct(specs) => specs.into_owned(),
                _ => unreachable!("a derived struct is the type of a struct"),
            });
        &SPECS
    }

    /// What people are told of all of them, Markdown.
    pub const HELP: &'static str = "How records reach an output: how many at once, over how many \
        connections, and what happens when it fails. Every output takes these, besides its own \
        options: `out.Fluentd(\"logs1\", batch_records=1000, workers=4)`.";

    /// Reads them out of the call of an output; options of other names are passed over.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn from_args(args: &Args) -> Result<Self, OptionErrors> {
        let (_, delivery) = split(args);
        let value = LiteralValue::Dict(delivery.named);
        let options = DeliveryOptions::read(&Literal { value, span: args.span })?;
        let errors = options.mistakes(args);
        if errors.is_empty() { Ok(options) } else { Err(OptionErrors(errors)) }
    }

    /// Whether this option is given in the call, and where.
    pub fn given(args: &Args, name: &str) -> Option<Span> {
        args.named.iter().find(|(key, _)| key.name == name).map(|(key, _)| key.span)
    }

    fn mistakes(&self, args: &Args) -> Vec<OptionError> {
        let mut errors = Vec::new();
        let limits = self.batch_records.is_some() || self.batch_bytes.is_some();
        if let (false, Some(span)) = (limits, DeliveryOptions::given(args, "batch_wait")) {
            let error = OptionError::new(span, "`batch_wait` alone is no limit to wait for");
            errors.push(error.with_help("give batch_records=… or batch_bytes=… too"));
        }
        if let (Some(ByteSize(0)), Some(span)) =
            (self.batch_bytes, DeliveryOptions::given(args, "batch_bytes"))
        {
            let error = OptionError::new(span, "`batch_bytes` is 0, which no record fits into");
            errors.push(error.with_help("write it like 1m"));
        }
        if self.timeout.is_zero() {
            let error =
                OptionError::new(self.timeout.span, "`timeout` must be longer than nothing");
            errors.push(error.with_help("write it like 10s"));
        }
        if self.retry_max_wait.value < self.retry_wait.value {
            // A default has no place; at least one of the two was written.
            let written = [self.retry_max_wait.span, self.retry_wait.span];
            let span = written.into_iter().find(|s| *s != Span::default()).unwrap_or(args.span);
            let error = OptionError::new(span, "`retry_max_wait` is shorter than `retry_wait`");
            errors
                .push(error.with_help("the first wait is retry_wait, the longest retry_max_wait"));
        }
        errors
    }
}

/// What outputs do where a recipe says nothing.
impl Default for DeliveryOptions {
    fn default() -> Self {
        DeliveryOptions::from_args(&Args::default()).expect("the defaults go together")
    }
}

/// The arguments of an output: those that are its own, and those of its delivery.
pub(crate) fn split(args: &Args) -> (Args, Args) {
    let (delivery, own) = args
        .named
        .iter()
        .cloned()
        .partition(|(key, _)| DeliveryOptions::is_name(key.name.as_str()));
    let own = Args { named: own, ..args.clone() };
    (own, Args { span: args.span, positional: Vec::new(), named: delivery })
}

const fn is_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    fn args(named: &[(&str, LiteralValue)]) -> Args {
        let place = |i: usize| Span::new(10 * i, 10 * i + 5);
        let arg = |(i, (name, value)): (usize, &(&str, LiteralValue))| {
            let key = Key { name: (*name).to_owned(), span: place(i) };
            (key, Literal { value: value.clone(), span: place(i) })
        };
        Args { named: named.iter().enumerate().map(arg).collect(), ..Args::default() }
    }

    fn text(value: &str) -> LiteralValue {
        LiteralValue::Str(value.to_owned())
    }

    #[test]
    fn names_and_specs_are_the_same() {
        let specs: Vec<_> = DeliveryOptions::specs().iter().map(|s| s.name.as_ref()).collect();
        assert_eq!(specs, DeliveryOptions::NAMES);
        assert!(DeliveryOptions::is_name("retry_wait") && !DeliveryOptions::is_name("retry"));
    }

    #[test]
    fn options_are_read_out_of_those_of_the_output() {
        let args = args(&[
            ("host", text("a")),
            ("batch_bytes", text("1m")),
            ("retries", LiteralValue::Int(3)),
        ]);
        let options = DeliveryOptions::from_args(&args).unwrap();
        assert_eq!(options.batch_bytes, Some(ByteSize(1 << 20)));
        assert_eq!((options.retries, *options.batch_wait), (Some(3), Duration::from_secs(1)));
        let (own, delivery) = split(&args);
        assert_eq!((own.named.len(), delivery.named.len()), (1, 2));
    }

    #[test]
    fn what_does_not_go_together_is_refused_at_its_place() {
        for (given, place, message) in [
            (args(&[("batch_wait", text("5s"))]), 0, "`batch_wait` alone"),
            (args(&[("batch_bytes", LiteralValue::Int(0))]), 0, "`batch_bytes` is 0"),
            (args(&[("timeout", LiteralValue::Int(0))]), 0, "`timeout` must be"),
            (args(&[("x", LiteralValue::None), ("retry_wait", text("1m"))]), 10, "is shorter"),
            (args(&[("workers", LiteralValue::Int(0))]), 0, "from 1 to 64"),
        ] {
            let errors = DeliveryOptions::from_args(&given).unwrap_err().0;
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].message.contains(message), "{errors:?}");
            assert_eq!(errors[0].span.start, place, "{errors:?}");
        }
    }
}
