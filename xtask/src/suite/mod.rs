//! `cargo xtask test`: every check there is, one after the other, each with a log, summed up at the end.
//!
//! Promises: the last line is `N passed, N failed`; the exit code is zero only where nothing failed; a step
//! whose tools cannot be had fails with the words that install them, unless `--skip-clients` asked for that.

mod clients;
pub mod console;
mod counts;
mod helia;
mod steps;
mod tools;

use crate::args::Args;
use crate::{Outcome, paths, process};
use counts::Counts;
use std::path::PathBuf;
use std::time::Instant;
use steps::Step;
pub use steps::need;

/// What a step needs to know.
pub struct Session {
    /// Where its output goes.
    pub log: PathBuf,
    /// Rounds of the crash tests.
    pub rounds: u64,
}

/// Lines of a failed step's log that are shown.
const SHOWN: usize = 400;

/// `cargo xtask test`
pub fn run(mut args: Args) -> Outcome {
    let skip_clients = args.flag("--skip-clients");
    let only = args.values("--only")?;
    let rounds = args.number("--rounds", 50)?;
    let list = args.flag("--list");
    args.done()?;
    if list {
        for step in steps::ALL {
            println!("{:<18} {}", step.name, step.what);
        }
        return Ok(());
    }
    let steps = chosen(&only, skip_clients)?;
    std::fs::create_dir_all(paths::logs())?;
    let begin = Instant::now();
    let mut results = Vec::new();
    for step in steps {
        results.push((step, perform(step, rounds)));
    }
    summary(&results, skip_clients, begin)
}

fn chosen(only: &[String], skip_clients: bool) -> Outcome<Vec<&'static Step>> {
    for name in only {
        if !steps::ALL.iter().any(|step| step.name.starts_with(name.as_str())) {
            return Err(format!("there is no step {name:?}; see `cargo xtask test --list`").into());
        }
    }
    // A whole name is that step; the beginning of names is all of those.
    let exact = |name: &str| steps::ALL.iter().any(|step| step.name == name);
    let named = |step: &Step, name: &str| {
        if exact(name) {
            step.name == name
        } else {
            step.name.starts_with(name)
        }
    };
    let wanted = |step: &&Step| {
        let named = only.is_empty() || only.iter().any(|name| named(step, name));
        let possible = step.name != steps::LICENCES || !only.is_empty() || steps::can_check_licences();
        named && possible && !(skip_clients && step.client)
    };
    Ok(steps::ALL.iter().filter(wanted).collect())
}

/// What became of a step.
struct Done {
    counts: Counts,
    seconds: f64,
}

fn perform(step: &Step, rounds: u64) -> Done {
    let log = paths::logs().join(format!("{}.log", step.name));
    // A log that is not there yet is as good as an empty one.
    let _ = std::fs::remove_file(&log);
    println!("{:<18} {} …", step.name, step.what);
    let begin = Instant::now();
    let session = Session {
        log: log.clone(),
        rounds,
    };
    let answer = (step.run)(&session);
    let seconds = begin.elapsed().as_secs_f64();
    let mut counts = counts::from_log(&log);
    if counts.passed + counts.failed == 0 && answer.is_ok() {
        counts.passed = 1;
    }
    match answer {
        Ok(()) if counts.failed == 0 => println!("{:<18} ok, {} passed, {seconds:.1} s", "", counts.passed),
        answer => {
            counts.failed = counts.failed.max(1);
            let why = answer
                .err()
                .map_or_else(|| "tests failed".to_owned(), |why| why.to_string());
            println!("---- {} failed: {} ----", step.name, log.display());
            println!("{}", process::tail(&log, SHOWN));
            println!("---- {} failed: {why} ({seconds:.1} s) ----", step.name);
        }
    }
    Done { counts, seconds }
}

fn summary(results: &[(&Step, Done)], skipped: bool, begin: Instant) -> Outcome {
    println!();
    let mut total = Counts::default();
    for (step, done) in results {
        let verdict = if done.counts.failed == 0 { "ok" } else { "FAILED" };
        let Counts { passed, failed } = done.counts;
        println!(
            "{:<18} {verdict:<7} {passed:>5} passed {failed:>3} failed {:>8.1} s",
            step.name, done.seconds
        );
        total.passed += passed;
        total.failed += failed;
    }
    println!("{:<18} {:>40.1} s", "in all", begin.elapsed().as_secs_f64());
    if skipped {
        println!("not run, because of --skip-clients: whatever needs other programs");
    }
    if !steps::can_check_licences() {
        println!(
            "not run, because cargo-deny is not installed: {}",
            steps::LICENCES
        );
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    // The line above is the last on standard output; the exit code says the rest.
    if total.failed > 0 {
        std::process::exit(1)
    } else {
        Ok(())
    }
}
