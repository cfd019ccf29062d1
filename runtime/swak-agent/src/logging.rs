//! Logs to standard error.

use swak_recipe::diag::{Diagnostic, Diagnostics};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::prelude::*;

use crate::cli::{LogArgs, LogFormat, LogLevel};
use crate::config::LogConfig;

/// The environment variable that holds a filter: `info,swak_engine=trace`.
const VARIABLE: &str = "SWAK_LOG";

/// Starts logging. Flags go before the environment, that before the config file.
///
/// # Errors
/// `bad-log-filter`: the environment variable cannot be read as a filter.
pub(crate) fn start(args: &LogArgs, config: &LogConfig, color: bool) -> Result<(), Diagnostics> {
    let filter = filter(args, config, std::env::var(VARIABLE).ok())?;
    let stderr = layer().with_writer(std::io::stderr).with_target(false);
    let layer = match args.log_format.or(config.format).unwrap_or(LogFormat::Text) {
        LogFormat::Json => stderr.json().flatten_event(true).boxed(),
        LogFormat::Text => stderr.with_ansi(color).boxed(),
    };
    // Somebody who runs an agent inside their own process may log already; theirs stays.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    Ok(())
}

fn filter(
    args: &LogArgs,
    config: &LogConfig,
    variable: Option<String>,
) -> Result<Targets, Diagnostics> {
    if let Some(level) = flag(args) {
        return Ok(of_level(level));
    }
    match variable.filter(|text| !text.trim().is_empty()) {
        Some(text) => parse(&text).map_err(|error| {
            let message = format!("`{VARIABLE}` is not a log filter: {error}");
            Diagnostic::error("bad-log-filter", message)
                .help("write a level, or levels by module: `warn,swak_engine=debug`")
                .into()
        }),
        None => Ok(of_level(config.level.unwrap_or(LogLevel::Info))),
    }
}

/// A comma too many says nothing.
fn parse(text: &str) -> Result<Targets, ParseError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(",").parse()
}

fn flag(args: &LogArgs) -> Option<LogLevel> {
    match (args.log_level, args.verbose, args.quiet) {
        (Some(level), _, _) => Some(level),
        (None, 0, 0) => None,
        (None, 1, _) => Some(LogLevel::Debug),
        (None, 0, 1) => Some(LogLevel::Warn),
        (None, 0, _) => Some(LogLevel::Error),
        (None, _, _) => Some(LogLevel::Trace),
    }
}

/// The level for Swak's own crates and plugins; other crates are heard from when they warn.
fn of_level(level: LogLevel) -> Targets {
    let ours = |level| Targets::new().with_default(LevelFilter::WARN).with_target("swak", level);
    match level {
        LogLevel::Off => Targets::new().with_default(LevelFilter::OFF),
        LogLevel::Error => Targets::new().with_default(LevelFilter::ERROR),
        LogLevel::Warn => Targets::new().with_default(LevelFilter::WARN),
        LogLevel::Info => ours(LevelFilter::INFO),
        LogLevel::Debug => ours(LevelFilter::DEBUG),
        LogLevel::Trace => Targets::new().with_default(LevelFilter::TRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: LogArgs = LogArgs { verbose: 0, quiet: 0, log_level: None, log_format: None };

    fn chosen(args: &LogArgs, config: Option<LogLevel>, variable: Option<&str>) -> String {
        let config = LogConfig { level: config, format: None };
        filter(args, &config, variable.map(str::to_owned)).unwrap().to_string()
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_config() {
        let verbose = LogArgs { verbose: 2, ..NONE };
        assert_eq!(chosen(&verbose, Some(LogLevel::Error), Some("info")), "trace");
        assert_eq!(chosen(&NONE, Some(LogLevel::Error), Some("debug")), "debug");
        assert_eq!(chosen(&NONE, Some(LogLevel::Error), Some(" ")), "error");
        assert_eq!(chosen(&NONE, None, Some(" swak=debug, info,")), "swak=debug,info");
        assert_eq!(chosen(&NONE, Some(LogLevel::Error), None), "error");
        assert_eq!(chosen(&LogArgs { quiet: 1, ..NONE }, None, None), "warn");
    }

    #[test]
    fn a_bad_variable_is_told() {
        let config = LogConfig::default();
        let error = filter(&NONE, &config, Some("swak=loud".into())).unwrap_err();
        assert_eq!(error.iter().next().unwrap().code, "bad-log-filter");
    }
}
