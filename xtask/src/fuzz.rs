//! `cargo xtask fuzz`: the targets in `fuzz/`, each for a while, by cargo-fuzz (which needs a nightly compiler).

use crate::args::Args;
use crate::{Outcome, paths, process};
use std::process::Command;

/// The targets' names, from their files.
fn targets() -> Outcome<Vec<String>> {
    let dir = paths::root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&dir).map_err(|why| format!("{}: {why}", dir.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// `cargo xtask fuzz [TARGET] [--seconds N]`
pub fn run(mut args: Args) -> Outcome {
    let seconds = args.number("--seconds", 60)?;
    let wanted = args.positional();
    args.done()?;
    let all = targets()?;
    let chosen: Vec<&String> = all
        .iter()
        .filter(|name| wanted.as_ref().is_none_or(|only| only == *name))
        .collect();
    if chosen.is_empty() {
        return Err(format!("there is no such target; there are: {}", all.join(", ")).into());
    }
    if !process::installed("cargo-fuzz") {
        return Err(
            "cargo-fuzz is not installed: `cargo install cargo-fuzz --locked` \
                    and `rustup toolchain install nightly`"
                .into(),
        );
    }
    for target in chosen {
        println!("{target}: {seconds} s");
        let limit = format!("-max_total_time={seconds}");
        let mut command = Command::new("cargo");
        command
            .args(["+nightly", "fuzz", "run", target, "--", &limit])
            .current_dir(paths::root());
        if !command.status()?.success() {
            return Err(format!("{target} found something; see fuzz/artifacts/{target}").into());
        }
    }
    Ok(())
}
