//! The command `swak-makebuild`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(swak_makebuild::cli::run(std::env::args_os()))
}
