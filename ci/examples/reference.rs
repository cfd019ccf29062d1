//! An agent with every plugin of this repository, to write their reference:
//! `cargo ci reference --fix`.

use std::process::ExitCode;

/// The reference does not show versions.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let about = swak_agent::About { name: "swak-all", version: VERSION, recipe: None, facts: "" };
    swak_agent::main(about, |plugins| {
        plugins.add_crate("swak-plugin-fluentd", VERSION, swak_plugin_fluentd::register);
        plugins.add_crate("swak-plugin-mylog", VERSION, swak_plugin_mylog::register);
        plugins.add_crate("swak-plugin-std", VERSION, swak_plugin_std::register);
        plugins.add_crate("swak-plugin-syslog", VERSION, swak_plugin_syslog::register);
    })
}
