//! The simulation in continuous integration: fixed seeds, so that every run is the same.

use std::collections::BTreeMap;
use stead_sim::labs::{self, agreement, tried};
use stead_sim::{Schedule, Spoil, run, shrink::shrink};

/// Schedules of the ordinary run.
const SCHEDULES: u64 = 1_500;

#[test]
fn the_same_seed_gives_the_same_trace() {
    let mut seen = BTreeMap::new();
    for seed in 0..60 {
        let (one, other) = (run(&Schedule::of(seed), None), run(&Schedule::of(seed), None));
        assert_eq!(one, other, "seed {seed}");
        assert!(one.trace.len() > 20, "seed {seed} does something");
        assert_eq!(
            seen.insert(one.trace, seed),
            None,
            "seed {seed} does what another does"
        );
    }
}

#[test]
fn nothing_that_must_not_happen_happens() {
    let mut sum = stead_sim::world::Counts::default();
    for seed in 0..SCHEDULES {
        let ran = run(&Schedule::of(seed), None);
        if ran.violation.is_some() {
            let (small, ran) = shrink(&Schedule::of(seed), None);
            panic!(
                "seed {seed}: {:?}\n{:#?}\n{}",
                ran.violation,
                small.steps,
                ran.trace.join("\n")
            );
        }
        sum.add(&ran.counts);
    }
    // What is checked did occur.
    assert!(
        sum.written > 10_000 && sum.given_up > 5_000 && sum.versions > 5_000,
        "{sum:?}"
    );
    assert!(
        sum.probed > 1_000 && sum.refused > 100 && sum.borne_not > 0,
        "{sum:?}"
    );
}

/// Each rule that is broken on purpose is found, by the check that is for it.
#[test]
fn what_is_broken_on_purpose_is_found() {
    for (spoil, rules) in [
        (Spoil::Unasked, &["given-up", "durable"][..]),
        (Spoil::Disbelief, &["given-up", "durable"]),
        (Spoil::Idle, &["converges", "durable"]),
        (Spoil::EvenVoters, &["voters"]),
    ] {
        let found = (0..3_000).find_map(|seed| run(&Schedule::of(seed), Some(spoil)).violation);
        let found = found.unwrap_or_else(|| panic!("{spoil:?} is not found"));
        assert!(rules.contains(&found.rule), "{spoil:?}: {found:?}");
    }
}

#[test]
fn a_failing_schedule_shrinks_to_one_that_fails_the_same() {
    let spoil = Some(Spoil::EvenVoters);
    let seed = (0..100).find(|seed| run(&Schedule::of(*seed), spoil).violation.is_some());
    let schedule = Schedule::of(seed.expect("one of them fails"));
    let (small, ran) = shrink(&schedule, spoil);
    assert!(small.steps.len() < schedule.steps.len());
    assert_eq!(ran.violation.expect("it fails").rule, "voters");
    assert_eq!(run(&small, spoil).trace, ran.trace);
}

#[test]
fn the_planner_says_of_a_failure_what_happens_when_it_is_injected() {
    let (mut injected, mut verdicts) = (0, [0; 5]);
    for (seed, agreement) in tried(1, 150) {
        assert_eq!(agreement.differ, [], "lab {seed}");
        injected += agreement.injected;
        (0..5).for_each(|at| verdicts[at] += agreement.verdicts[at]);
    }
    assert!(injected > 4_000, "{injected}");
    assert!(
        verdicts.iter().all(|count| *count > 100),
        "all verdicts occur: {verdicts:?}"
    );
}

#[test]
fn a_cluster_that_does_otherwise_is_found() {
    for spoil in [
        labs::Spoil::OneDecides,
        labs::Spoil::WritesAlone,
        labs::Spoil::DisksStay,
    ] {
        let differs = |seed: &u64| agreement(*seed, Some(spoil)).is_some_and(|labs| !labs.differ.is_empty());
        assert!((0..100).any(|seed| differs(&seed)), "{spoil:?}");
    }
}
