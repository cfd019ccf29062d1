//! Derive macros of `swak-sdk`: typed plugin options from a struct.
//!
//! A plugin author takes them from `swak_sdk` (`use swak_sdk::prelude::*;`) and never names this
//! crate. [`Options`] turns a struct into the options of a plugin, or into options nested in those;
//! [`Choice`] turns an enum into the words that an option can have.

mod attrs;
mod choice;
mod default;
mod docs;
mod model;
mod options;
mod range;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct the options of a plugin.
///
/// From the one struct come the reading of a recipe's call with all its checks, the defaults, what
/// `desc` shows, the JSON Schema and the reference in Markdown.
///
/// ```
/// use std::time::Duration;
/// use swak_sdk::options::{ByteSize, Choice, Glob, Options, Secret};
///
/// /// Follows growing files, one record a line.
/// ///
/// /// A file that is rotated is read to its end before the new one is begun.
/// #[derive(Options)]
/// #[plugin(input, name = "FileTailing")]
/// pub struct FileTailingOptions {
///     /// Glob patterns of the files to follow.
///     #[option(positional)]
///     path: Vec<Glob>,
///     /// Where to start in a file that is new to the agent.
///     #[option(default = "end")]
///     start: Start,
///     /// Longest line kept; the rest of a longer one is cut off and counted.
///     #[option(default = "1m")]
///     max_line: ByteSize,
///     /// How many files may be open at once.
///     #[option(default = 100, range = 1..=10000)]
///     open_files: u32,
///     /// Stop following a file that has not grown for this long.
///     give_up: Option<Duration>,
///     /// Password of archives.
///     password: Option<Secret>,
///     /// How files that are compressed are read.
///     #[option(default = {})]
///     archives: ArchiveOptions,
/// }
///
/// /// Where to start.
/// #[derive(Choice)]
/// pub enum Start {
///     /// At the first line.
///     Beginning,
///     /// After what is there already.
///     End,
/// }
///
/// /// How files that are compressed are read. No `#[plugin]`: it is the type of an option.
/// #[derive(Options)]
/// pub struct ArchiveOptions {
///     /// Whether they are read at all.
///     #[option(default = false)]
///     read: bool,
/// }
///
/// let spec = FileTailingOptions::spec();
/// assert_eq!(spec.path(), "in.FileTailing");
/// assert_eq!(spec.summary, "Follows growing files, one record a line.");
/// assert_eq!(spec.option("max_line").unwrap().default.as_deref(), Some("\"1m\""));
/// ```
///
/// A recipe then says
///
/// ```text
/// in.FileTailing("/var/log/*.log", start="beginning", archives={"read": True})
/// ```
///
/// # The struct
///
/// It has named fields, or none, and no generics. Its doc comment is the plugin's help, and the
/// first sentence of it the summary. `#[plugin(…)]` holds
///
/// | key | meaning |
/// |---|---|
/// | `input`, `transform` or `output` | the kind; inputs are written `in.Name`, the others `out.Name` |
/// | `name = "…"` | the name in a recipe |
///
/// With `#[plugin]` the struct implements `swak_sdk::options::Options`. Without, it implements
/// `swak_sdk::options::OptionValue`: it is the type of an option of another struct, and a recipe
/// writes it as a dict.
///
/// # The fields
///
/// Each field is an option of the same name (`r#type` is `type`), and its doc comment is the help;
/// a field without one does not compile. An option must be given, unless its type is an `Option`,
/// which is `None` when left out, or it has a default. `#[option(…)]` holds
///
/// | key | meaning |
/// |---|---|
/// | `positional` | may be given without its name; positions follow the order of the fields. What must be given stands before what may be left out. In a nested struct: the field that a value stands for which is written instead of the dict |
/// | `default = …` | the value when left out, as a recipe would write it: `"1m"`, `5`, `-0.5`, `true`, `["a", "b"]`, `{"a": 1}`, `{}` |
/// | `range = 1..=65535` | the numbers that are allowed; also `0.0..=1.0`, `1..`, `..=9`. For numbers, and `Option` and `Vec` of them |
/// | `secret` | the value is shown nowhere; for the type `Secret` it goes without saying |
/// | `name = "…"` | another name in recipes than that of the field |
///
/// A default is read by the type of the option like any other value. That it can be is tested: the
/// macro writes a `#[test]` beside the struct that reads all of them.
///
/// # The types
///
/// | type | written as |
/// |---|---|
/// | `bool` | `True`, `False` |
/// | integers, `f64` | `5`, `0.5`; beyond the type's bounds is an error |
/// | `String`, `char`, `PathBuf` | `"text"` |
/// | `Duration` | `"10s"`, `"5m"`, `"1h30m"`, or a number of seconds |
/// | `ByteSize` | `"64k"`, `"8m"`, or a number of bytes |
/// | `Glob` | `"/var/log/**/*.log"` |
/// | `Pattern` | a regular expression over bytes |
/// | `Address` | `"host:24224"`, `"[::1]:24224"`, `"host"` |
/// | `FieldPath` | `"request.headers[0]"` |
/// | `Template` | `"{{ host }}-{{ time\|strftime('%Y') }}.log"` |
/// | `Expr` | `"status >= 500"` |
/// | `Secret` | `"text"` |
/// | `Option<T>` | a `T`, or `None` |
/// | `Vec<T>` | `[…]`; one `T` stands for a list of one |
/// | `Dict<T>`, `BTreeMap<String, T>` | `{"name": …}`, in the order written or sorted |
/// | `PathDict<T>` | `{"user.name": …}`, a dict whose keys are field paths |
/// | `Placed<T>` | a `T`; remembers its place in the recipe |
/// | `Literal` | anything, to be looked at by the plugin |
/// | an enum with `#[derive(Choice)]` | one of its words |
/// | a struct with `#[derive(Options)]` alone | a dict |
///
/// A type of your own implements `swak_sdk::options::OptionValue`.
///
/// # Errors at run time
///
/// `read` finds every mistake of a call in one pass, each with its place in the recipe, what is
/// wrong and what to do: unknown options with the one that was probably meant, options given twice
/// or not at all, values of the wrong type or out of range. What only two options together can get
/// wrong is the plugin's to refuse, in `Plugin::new`: `Placed<T>` makes an error with the place of
/// a value.
///
/// # Errors at compile time
///
/// At the field or the key that they are about: a missing doc comment, an unknown key, a default
/// that is no literal, that is outside its range or stands beside an `Option`, positions in an
/// impossible order, two options of one name, a type that is no option.
#[proc_macro_derive(Options, attributes(plugin, option))]
pub fn derive_options(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    model::Model::new(input)
        .map(|model| options::expand(&model))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum the words that an option can have.
///
/// ```
/// use swak_sdk::options::{Choice, Literal, LiteralValue, OptionValue};
///
/// /// What to do when the buffer is full.
/// #[derive(Choice, Debug, PartialEq)]
/// pub enum WhenFull {
///     /// Make the input wait.
///     Wait,
///     /// Throw the oldest records away, and count them.
///     DropOldest,
///     /// Write the buffer to disk.
///     #[choice(name = "to-disk")]
///     Disk,
/// }
///
/// let word = |text: &str| WhenFull::read(&Literal::bare(LiteralValue::Str(text.to_owned())));
/// assert_eq!(word("drop_oldest"), Ok(WhenFull::DropOldest));
/// assert_eq!(word("To-Disk"), Ok(WhenFull::Disk));
/// assert_eq!(WhenFull::Wait.name(), "wait");
///
/// let error = word("drop_oldst").unwrap_err().0.remove(0);
/// assert_eq!(error.help.as_deref(), Some("did you mean `drop_oldest`?"));
/// ```
///
/// The variants hold nothing. Each is written in snake case, or as `#[choice(name = "…")]` says;
/// letter case does not count in a recipe. Each needs a doc comment, which is the word's help.
///
/// The enum implements `swak_sdk::options::OptionValue`, so that it can be the type of an option,
/// and `swak_sdk::options::Choice`, which gives a variant's word back.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
