//! The command of `out.Exec`.

use std::ffi::OsString;
use std::path::Path;

use swak_sdk::options::{
    Literal, LiteralValue, OptionError, OptionErrors, OptionValue, Span, TextKind, TypeSpec,
};

/// A command as a recipe writes it: one string, or a list of arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CommandLine {
    /// Taken apart as a shell would, or given to one.
    Text(String, Span),
    /// The program and its arguments.
    Words(Vec<String>),
}

impl OptionValue for CommandLine {
    fn type_spec() -> TypeSpec {
        TypeSpec::List(Box::new(TypeSpec::Text(TextKind::Plain)))
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let command = match &literal.value {
            LiteralValue::Str(text) => CommandLine::Text(text.clone(), literal.span),
            _ => CommandLine::Words(Vec::<String>::read(literal)?),
        };
        let is_empty = match &command {
            CommandLine::Text(text, _) => text.trim().is_empty(),
            CommandLine::Words(words) => words.first().is_none_or(|program| program.is_empty()),
        };
        if is_empty {
            return Err(OptionError::new(literal.span, "the command is empty")
                .with_help("write the program and its arguments: \"/usr/bin/r detect.r\"")
                .into());
        }
        Ok(command)
    }
}

/// What is run, once it is known whether a shell runs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Program {
    /// The program and its arguments.
    Words(Vec<String>),
    /// Text for the system's shell.
    Shell(String),
}

/// The names of the files that a process reads and writes.
pub(crate) struct Files<'a> {
    pub(crate) input: &'a Path,
    pub(crate) output: &'a Path,
}

impl Program {
    pub(crate) fn new(command: CommandLine, shell: bool) -> Result<Self, OptionErrors> {
        match (command, shell) {
            (CommandLine::Text(text, _), true) => Ok(Program::Shell(text)),
            (CommandLine::Text(text, span), false) => {
                split(&text).map(Program::Words).map_err(|message| {
                    OptionError::new(span, message)
                        .with_help("close the quote, or write the command as a list of strings")
                        .into()
                })
            }
            (CommandLine::Words(words), false) => Ok(Program::Words(words)),
            (CommandLine::Words(_), true) => Err(OptionError::new(
                Span::default(),
                "`shell=True` runs one string, but the command is a list",
            )
            .with_help("write the command as one string, or leave `shell` out")
            .into()),
        }
    }

    /// As people know it, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Program::Words(words) => words.join(" "),
            Program::Shell(text) => text.clone(),
        }
    }

    /// The process to start. The file names stand where the command says `{input}` and `{output}`,
    /// else they are its last two arguments.
    pub(crate) fn command(&self, files: Option<&Files<'_>>) -> tokio::process::Command {
        match self {
            Program::Words(words) => {
                let mut words = arguments(words, files).into_iter();
                let program = words.next().expect("a command that is empty was refused");
                let mut command = tokio::process::Command::new(program);
                command.args(words);
                command
            }
            Program::Shell(text) => shell(shell_text(text, files)),
        }
    }
}

const INPUT: &str = "{input}";
const OUTPUT: &str = "{output}";

fn arguments(words: &[String], files: Option<&Files<'_>>) -> Vec<OsString> {
    let Some(files) = files else { return words.iter().map(OsString::from).collect() };
    let placed = words.iter().any(|word| word.contains(INPUT) || word.contains(OUTPUT));
    let mut arguments: Vec<OsString> = words.iter().map(|word| fill(word, files)).collect();
    if !placed {
        arguments.push(files.input.into());
        arguments.push(files.output.into());
    }
    arguments
}

/// A word with the file names in it, which need not be UTF-8.
fn fill(word: &str, files: &Files<'_>) -> OsString {
    let mut filled = OsString::new();
    let mut rest = word;
    while let Some(at) = rest.find('{') {
        filled.push(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(INPUT) {
            filled.push(files.input);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(OUTPUT) {
            filled.push(files.output);
            rest = after;
        } else {
            filled.push("{");
            rest = &rest[1..];
        }
    }
    filled.push(rest);
    filled
}

fn shell_text(text: &str, files: Option<&Files<'_>>) -> OsString {
    let Some(files) = files else { return text.into() };
    let (input, output) = (quoted(files.input), quoted(files.output));
    let quoted = Files { input: Path::new(&input), output: Path::new(&output) };
    if text.contains(INPUT) || text.contains(OUTPUT) {
        return fill(text, &quoted);
    }
    let mut all = OsString::from(text);
    for file in [&input, &output] {
        all.push(" ");
        all.push(file);
    }
    all
}

#[cfg(unix)]
fn shell(text: OsString) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("/bin/sh");
    command.arg("-c").arg(text);
    command
}

#[cfg(windows)]
fn shell(text: OsString) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("cmd");
    // With /S, `cmd` takes away the first and the last quote and runs the rest as it is; without, it
    // does so with some texts only. /D: nothing of the registry runs before it.
    let mut quoted = OsString::from("\"");
    quoted.push(text);
    quoted.push("\"");
    command.args(["/D", "/S", "/C"]).raw_arg(quoted);
    command
}

/// One word for the shell.
#[cfg(unix)]
fn quoted(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut quoted = vec![b'\''];
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    OsString::from_vec(quoted)
}

/// One word for the shell; a file name holds no quote on Windows.
#[cfg(windows)]
fn quoted(path: &Path) -> OsString {
    let mut quoted = OsString::from("\"");
    quoted.push(path);
    quoted.push("\"");
    quoted
}

/// Takes a command apart as a POSIX shell does with words and quotes, and nothing else of it: no
/// variables, no wildcards. On Windows a backslash outside of quotes is just a backslash.
fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a single quote in the command is not closed"),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') if !cfg!(windows) => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("a double quote in the command is not closed"),
                        },
                        Some(c) => word.push(c),
                        None => return Err("a double quote in the command is not closed"),
                    }
                }
            }
            '\\' if !cfg!(windows) => {
                let c = chars.next().ok_or("the command ends in a backslash")?;
                word.get_or_insert_default().push(c);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[cfg(unix)]
    fn words_and_quotes_are_those_of_a_shell() {
        for (text, words) in [
            ("/usr/bin/r detect.r", vec!["/usr/bin/r", "detect.r"]),
            ("  a\t b\n", vec!["a", "b"]),
            (r#"a 'b c' "d e""#, vec!["a", "b c", "d e"]),
            (r#"a'b'"c"d ''"#, vec!["abcd", ""]),
            (r#"'a\b' "a\b" "a\"b" a\ b"#, vec!["a\\b", "a\\b", "a\"b", "a b"]),
            ("$HOME *", vec!["$HOME", "*"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for wrong in ["a 'b", "a \"b", "a \"b\\", "a\\"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn file_names_come_last_or_where_they_are_wanted() {
        let files = Files { input: Path::new("/t/in"), output: Path::new("/t/out") };
        let with = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|w| (*w).to_owned()).collect();
            arguments(&words, Some(&files))
        };
        assert_eq!(with(&["r", "x"]), ["r", "x", "/t/in", "/t/out"]);
        assert_eq!(with(&["r", "--in={input}"]), ["r", "--in=/t/in"]);
        assert_eq!(with(&["r", "{output}", "{a}{input}{"]), ["r", "/t/out", "{a}/t/in{"]);
        assert_eq!(arguments(&["r".to_owned(), "{input}".to_owned()], None), ["r", "{input}"]);
    }

    #[test]
    #[cfg(unix)]
    fn file_names_are_quoted_for_a_shell() {
        let files = Files { input: Path::new("/t/a b"), output: Path::new("/t/it's") };
        assert_eq!(shell_text("cat <{input}", Some(&files)), "cat <'/t/a b'");
        assert_eq!(shell_text("r", Some(&files)), r"r '/t/a b' '/t/it'\''s'");
    }

    #[tokio::test]
    #[cfg(windows)]
    async fn a_shell_takes_quotes_as_they_are_written() {
        let folder = tempfile::Builder::new().prefix("a b").tempdir().unwrap();
        std::fs::write(folder.path().join("say it.bat"), "@echo off\r\necho %1 %2\r\n").unwrap();
        let file = folder.path().join("say it.bat");
        for (text, said) in [
            (format!("\"{}\" \"x y\" z", file.display()), "\"x y\" z"),
            ("echo \"x y\"".to_owned(), "\"x y\""),
            ("echo a&& echo b".to_owned(), "a\r\nb"),
        ] {
            let output = shell(text.clone().into()).output().await.unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), said, "{text}");
        }
    }

    proptest! {
        #[test]
        #[cfg(unix)]
        fn quoted_words_come_back(words in prop::collection::vec(".{0,20}", 1..5)) {
            let quote = |w: &String| format!("'{}'", w.replace('\'', "'\\''"));
            let text = words.iter().map(quote).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&text).unwrap(), words);
        }

        #[test]
        fn any_text_is_split_or_refused(text in any::<String>()) {
            let _ = split(&text);
        }
    }
}
