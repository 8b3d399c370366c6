//! openraft itself, simulated: three or five of its engines in one thread, with time that passes only while all wait,
//! disks that lose at a crash what was not synced, and messages that are late, lost or cut off; all from a seed.
//!
//! Real: openraft's engine and tasks, with the cluster's times (`stead_plan::votes`) and settings. Not real: the
//! write-ahead log and the machine (both have threads of their own, whose speed no seed decides), the mesh, snapshots.
#![allow(clippy::disallowed_methods)] // tasks of a runtime whose time is simulated
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

#[path = "raft/disk.rs"]
mod disk;
#[path = "raft/net.rs"]
mod net;
#[path = "raft/runtime.rs"]
mod runtime;
#[path = "raft/world.rs"]
mod world;

use world::{Spoil, simulate};

/// Seeds of the ordinary run; `STEAD_SIM_SEEDS` says more.
const SEEDS: u64 = 60;

#[test]
fn raft_keeps_what_it_acknowledged() {
    let said = std::env::var("STEAD_SIM_SEEDS").ok();
    let seeds = said.map_or(SEEDS, |said| said.parse().expect("a number"));
    let (mut written, mut terms, mut crashes) = (0, 0, 0);
    for seed in 0..seeds {
        let told = simulate(seed, None);
        assert_eq!(
            told.broken,
            Vec::<String>::new(),
            "seed {seed}\n{}",
            told.trace.join("\n")
        );
        written += told.written;
        terms += told.terms;
        crashes += told.crashes;
    }
    // Something happened.
    println!("{seeds} seeds: {written} written, {terms} terms, {crashes} crashes");
    assert!(written > 100 * seeds && terms > 2 * seeds && crashes > 2 * seeds);
}

#[test]
fn the_same_seed_gives_the_same_trace_of_raft() {
    for seed in 0..12 {
        let (one, other) = (simulate(seed, None), simulate(seed, None));
        assert!(one.trace.len() > 100, "seed {seed}");
        let differ = one
            .trace
            .iter()
            .zip(&other.trace)
            .position(|(one, other)| one != other);
        assert_eq!(
            differ,
            None,
            "seed {seed}: {:?}",
            differ.map(|at| (&one.trace[at], &other.trace[at]))
        );
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
        assert_ne!(one.trace, simulate(seed + 1, None).trace);
    }
}

/// A disk that says it has synced what it has not is found.
#[test]
fn a_disk_that_lies_is_found() {
    let found = (0..200).any(|seed| !simulate(seed, Some(Spoil::LyingDisk)).broken.is_empty());
    assert!(found);
}
