//! The config file: settings of the agent, and what `option("…")` in a recipe reads.
//!
//! ```yaml
//! agent:                    # the agent's own
//!   data_dir: /var/lib/swak
//!   shutdown_timeout: 30s
//!   log_level: info
//!   log_format: json
//! fluentd:                  # option("fluentd.host")
//!   host: 10.0.0.1
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use swak_recipe::check::to_literal;
use swak_recipe::diag::{Diagnostic, Diagnostics, RECIPE_LIMIT, SourceFile, Span, did_you_mean};
use swak_recipe::yaml::{self, Node, Value};
use swak_sdk::options::{OptionErrors, OptionValue};

use crate::cli::{LogFormat, LogLevel};

/// A config file that was read. The default is what no file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// Where positions and buffers are kept.
    pub(crate) data_dir: Option<PathBuf>,
    /// How long a stop may take.
    pub(crate) shutdown_timeout: Option<Duration>,
    /// What is logged.
    pub(crate) log: LogConfig,
    /// The whole file, for recipes.
    pub(crate) values: Option<Node>,
}

/// What a config file says of logging.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogConfig {
    /// From which level.
    pub(crate) level: Option<LogLevel>,
    /// How a line is written.
    pub(crate) format: Option<LogFormat>,
}

/// The key of the agent's own settings.
const AGENT: &str = "agent";

const KEYS: [&str; 4] = ["data_dir", "shutdown_timeout", "log_level", "log_format"];

impl Config {
    /// Reads a config file. Relative paths in it start at its own folder.
    ///
    /// # Errors
    /// As [`SourceFile::read`] and [`yaml::parse`]; and `config-shape`, `config-unknown-key`,
    /// `config-bad-value`, all that there are.
    pub(crate) fn read(path: &Path) -> Result<Self, Diagnostics> {
        let source = SourceFile::read(path, RECIPE_LIMIT)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Config::from_source(&source, folder)
    }

    fn from_source(source: &SourceFile, folder: &Path) -> Result<Self, Diagnostics> {
        let root = yaml::parse(source)?;
        let mut found = Vec::new();
        let mut config = Config::default();
        if !matches!(root.value, Value::Map(_)) {
            found.push(root.expected("config-shape", "a map of settings"));
        }
        match root.get(AGENT).map(|node| (&node.value, node)) {
            None | Some((Value::Null, _)) => {}
            Some((Value::Map(entries), _)) => {
                for (key, node) in entries {
                    if let Err(one) = config.set(&key.name, key.span, node, folder) {
                        found.extend(one);
                    }
                }
            }
            Some((_, node)) => found.push(node.expected("config-shape", "a map of settings")),
        }
        config.values = Some(root);
        Diagnostics::or_ok(found, config).map_err(|found| found.in_source(source))
    }

    fn set(
        &mut self,
        key: &str,
        key_span: Span,
        node: &Node,
        folder: &Path,
    ) -> Result<(), Diagnostics> {
        match key {
            "data_dir" => self.data_dir = Some(folder.join(option::<PathBuf>(node)?)),
            "shutdown_timeout" => self.shutdown_timeout = Some(option(node)?),
            "log_level" => self.log.level = Some(word(node)?),
            "log_format" => self.log.format = Some(word(node)?),
            _ => {
                let unknown = Diagnostic::error(
                    "config-unknown-key",
                    format!("the agent has no setting `{key}`"),
                )
                .at(key_span, "unknown setting");
                return Err(match did_you_mean(key, KEYS) {
                    Some(near) => unknown.help(format!("did you mean `{near}`?")).into(),
                    None => unknown.help(format!("the settings are: {}", KEYS.join(", "))).into(),
                });
            }
        }
        Ok(())
    }
}

/// Reads a setting as a plugin's option of that type is read.
fn option<T: OptionValue>(node: &Node) -> Result<T, Diagnostics> {
    T::read(&to_literal(node)).map_err(|OptionErrors(errors)| {
        let first = errors.into_iter().next().expect("a refusal has a reason");
        let found = Diagnostic::error("config-bad-value", first.message).at(first.span, "");
        match first.help {
            Some(help) => found.help(help).into(),
            None => found.into(),
        }
    })
}

fn word<T: ValueEnum>(node: &Node) -> Result<T, Diagnostics> {
    node.as_str().and_then(|text| T::from_str(text, true).ok()).ok_or_else(|| {
        let words: Vec<_> = T::value_variants()
            .iter()
            .filter_map(ValueEnum::to_possible_value)
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        node.expected("config-bad-value", &format!("one of {}", words.join(", "))).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, Vec<(&'static str, String)>> {
        Config::from_source(&SourceFile::new("my.yml", text), Path::new("/etc/swak")).map_err(
            |found| found.into_vec().into_iter().map(|one| (one.code, one.message)).collect(),
        )
    }

    #[test]
    fn everything_can_be_set() {
        let config = read(
            "agent:\n  data_dir: data\n  shutdown_timeout: 30s\n  log_level: DEBUG\n  \
             log_format: json\nfluentd:\n  host: a\n",
        )
        .unwrap();
        assert_eq!(config.data_dir.as_deref(), Some(Path::new("/etc/swak/data")));
        assert_eq!(config.shutdown_timeout, Some(Duration::from_secs(30)));
        assert_eq!(config.log.level, Some(LogLevel::Debug));
        assert_eq!(config.log.format, Some(LogFormat::Json));
        let host = config.values.as_ref().and_then(|root| root.get("fluentd")?.get("host"));
        assert_eq!(host.and_then(Node::as_str), Some("a"));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = read("agent:\n  shutdown_timout: 3s\n  log_level: loud\n  data_dir: 3\n");
        assert_eq!(
            found.unwrap_err(),
            [
                ("config-unknown-key", "the agent has no setting `shutdown_timout`".to_owned()),
                (
                    "config-bad-value",
                    "expected one of `off`, `error`, `warn`, `info`, `debug`, `trace`, \
                     found a string"
                        .to_owned()
                ),
                ("config-bad-value", "expected a path, found `3`".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert_eq!(read("- a\n").unwrap_err()[0].0, "config-shape");
        assert_eq!(read("agent: 3\n").unwrap_err()[0].0, "config-shape");
        assert!(read("agent:\nother: 1\n").is_ok());
    }
}
