//! `stead`: a datacenter of your own in one binary.
//!
//! Owns: settings, composition and the command line. Everything else is in the rooms that it puts together.

mod args;
mod client;
mod codes;
mod commands;
mod config;
mod directory;
mod failure;
mod logging;
mod node;
mod output;
mod process;
mod settings;
mod when;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    process::tune_memory();
    // A usage error ends here, with exit code 2.
    let cli = Cli::parse();
    let json = cli.global.json;
    match start(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.report(json);
            ExitCode::from(failure.exit)
        }
    }
}

fn start(cli: Cli) -> Result<u8, Failure> {
    let default = if matches!(cli.command, Command::Up(_)) {
        logging::NODE
    } else {
        logging::COMMAND
    };
    logging::start(cli.global.log.as_deref(), default)?;
    let runtime = process::runtime().map_err(|e| Failure::io("cannot start the runtime", &e))?;
    let code = runtime.block_on(commands::run(cli));
    // What still blocks (a read of standard input) must not hold up the end.
    runtime.shutdown_background();
    code
}
