//! `cargo xtask upgrade --from REV`: nodes of an earlier commit are replaced one by one under load, also backwards.
//!
//! Owns: the order of it, and building REV (in a worktree below `target/`, which is kept: the next time is quick).
//! Promises: the same checks as after chaos, and none of the faults but killed leaders among mixed nodes.

use super::ended;
use super::hand::Hand;
use super::network::{self, Network};
use super::nodes::Plan;
use super::report::Report;
use super::trial::trial;
use crate::args::Args;
use crate::content::Random;
use crate::server::{Build, binary};
use crate::{Outcome, paths, process};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

const NODES: usize = 3;

/// `cargo xtask upgrade [--from REV | --old BINARY] [--seconds N] [--seed N] [--json]`
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let from = args.value("--from")?.unwrap_or_else(|| "HEAD~1".to_owned());
    let old = args.value("--old")?;
    let seconds = args.number("--seconds", 10)?;
    let seed = args.number("--seed", Random::fresh_seed() % 1_000_000)?;
    let json = args.flag("--json");
    args.done()?;
    let new = binary(Build::Test)?;
    let old = match old {
        Some(old) => PathBuf::from(old),
        None => build(&from)?,
    };
    let mut arguments = ["upgrade".to_owned(), format!("--from={from}")].to_vec();
    arguments.push(format!("--old={}", old.display()));
    arguments.extend([format!("--seconds={seconds}"), format!("--seed={seed}")]);
    arguments.extend(json.then(|| "--json".to_owned()));
    if let Some(code) = network::enter(&arguments, &new)? {
        return Ok(code);
    }
    let about = format!("{NODES} nodes from {from} to this tree, and half way back");
    println!("upgrade: {about}, --seed {seed}");
    let work = paths::scratch("upgrade")?;
    let mut report = Report {
        seed,
        about,
        ..Report::default()
    };
    let plan = Plan {
        binary: &old,
        work: &work,
        count: NODES,
        witness: false,
        power_cut: false,
    };
    let stay = Duration::from_secs(seconds);
    trial(&plan, Network::new()?, seed, &mut report, |hand| {
        roll(hand, &old, &new, stay)
    })?;
    ended(&report, json, false, &work)
}

/// Builds the binary of another commit, beside this one's.
fn build(revision: &str) -> Outcome<PathBuf> {
    let git = |words: &[&str]| process::output(Command::new("git").args(words).current_dir(paths::root()));
    let commit = git(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")])?
        .trim()
        .to_owned();
    let dir = paths::target().join("upgrade").join(&commit[..12]);
    let kept = dir.join("stead");
    if kept.is_file() {
        return Ok(kept);
    }
    println!("building {revision} ({})", &commit[..12]);
    let tree = dir.join("tree");
    let place = tree.to_string_lossy().into_owned();
    if !tree.is_dir() {
        git(&["worktree", "add", "--detach", &place, &commit])?;
    }
    // One directory for all revisions: what they depend on is mostly the same.
    let target = paths::target().join("upgrade").join("build");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--package", "stead"]);
    // Never what this tree is built in: there the same crates of two trees take each other's place.
    command.current_dir(&tree);
    command
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_BUILD_BUILD_DIR", &target);
    let built = command.status()?;
    git(&["worktree", "remove", "--force", &place])?;
    if !built.success() {
        return Err(format!("{revision} does not build").into());
    }
    std::fs::copy(target.join("debug/stead"), &kept)?;
    Ok(kept)
}

/// One by one to the new binary, the first one back and forth again, as after second thoughts; after each step
/// whoever leads is killed.
fn roll(hand: &mut Hand<'_>, old: &Path, new: &Path, stay: Duration) -> Outcome {
    std::thread::sleep(stay);
    let steps = [(0, new), (0, old), (0, new), (1, new), (2, new)];
    for (at, binary) in steps {
        let which = if binary == new {
            "this tree"
        } else {
            "the earlier commit"
        };
        let number = hand.nodes.all[at].number;
        println!("  node {number}: {which}");
        let node = &mut hand.nodes.all[at];
        node.stop()?;
        node.use_binary(binary);
        node.start(&[])?;
        let took = hand.recovered()?;
        hand.recoveries.push(took);
        hand.nodes.settle(Duration::from_secs(60))?;
        std::thread::sleep(stay);
        let Some(leader) = hand.nodes.leader() else {
            return Err("nobody leads among mixed nodes".into());
        };
        println!("  node {} (leads) is killed", hand.nodes.all[leader].number);
        *hand.counts.entry("kill").or_default() += 1;
        hand.nodes.all[leader].kill(None)?;
        std::thread::sleep(stay / 2);
        hand.nodes.all[leader].start(&[])?;
        let took = hand.recovered()?;
        hand.recoveries.push(took);
    }
    Ok(())
}
