//! `cargo xtask sim`: the simulation of a cluster and of labs, which is a program of its own (`sim/`).

use crate::args::Args;
use crate::{Outcome, paths};
use std::process::{Command, ExitCode};

/// `cargo xtask sim [--seed N] [--schedules N] [--minutes M] [--labs N] [--trace]`
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let mut given = Vec::new();
    for name in ["--seed", "--schedules", "--minutes", "--labs"] {
        if let Some(value) = args.value(name)? {
            given.extend([name.to_owned(), value]);
        }
    }
    given.extend(args.flag("--trace").then(|| "--trace".to_owned()));
    args.done()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "stead-sim", "--"]);
    let status = command.args(given).current_dir(paths::root()).status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
