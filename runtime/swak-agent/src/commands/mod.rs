//! What the commands do, one a file.

mod audit;
mod buffer;
mod check;
mod convert;
mod desc;
mod graph;
mod list;
mod recipe;
mod reference;
mod run;
mod running;
mod schema;
mod summary;
mod test;
mod torture;
mod trace;
mod version;

use swak_sdk::Plugins;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::{About, Console};

/// What a command answers.
type Result<T = ()> = std::result::Result<T, Failure>;

/// Does what the command line says.
pub(crate) fn dispatch(
    cli: Cli,
    about: &About,
    mut plugins: Plugins,
    console: &mut Console<'_>,
) -> Result {
    match cli.command {
        Command::Run(args) => run::run(&args, &cli.log, about, plugins, console),
        Command::Test(args) => test::run(&args, &cli.log, about, plugins, console),
        Command::Audit(args) => audit::run(&args, about, console),
        Command::Buffer(args) => buffer::run(&args, console),
        Command::Check(args) => check::run(&args, about, &plugins, console),
        Command::Graph(args) => graph::run(&args, about, &plugins, console),
        Command::List(args) => list::run(&args, &plugins, console),
        Command::Desc(args) => desc::run(&args, &plugins, console),
        Command::Schema => schema::run(about, &plugins, console),
        Command::Convert(args) => convert::run(&args, about, &plugins, console),
        Command::Version(args) => version::run(&args, about, &plugins, console),
        Command::Torture(args) => torture::run(&args, about, &plugins, console),
        Command::TortureAgent(args) => {
            crate::torture::prepare_agent(&mut plugins);
            run::run(&args, &cli.log, about, plugins, console)
        }
        Command::Reference(args) => reference::run(&args, &plugins, console),
    }
}
