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
#[path = "raft/world.rs"]
mod world;

use world::{Spoil, simulate};

/// Seeds of the ordinary run.
const SEEDS: u64 = 60;

#[test]
fn raft_keeps_what_it_acknowledged() {
    let (mut written, mut terms, mut crashes) = (0, 0, 0);
    for seed in 0..SEEDS {
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
    assert!(
        written > 5_000 && terms > 2 * SEEDS && crashes > 2 * SEEDS,
        "{written} {terms} {crashes}"
    );
}

/// A disk that says it has synced what it has not is found.
#[test]
fn a_disk_that_lies_is_found() {
    let found = (0..200).any(|seed| !simulate(seed, Some(Spoil::LyingDisk)).broken.is_empty());
    assert!(found);
}
