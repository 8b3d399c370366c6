//! Good histories are taken, each kind of damage to them is refused, and the window shows where.

use super::*;
use crate::chaos::verdict;
use crate::content::Random;

fn operation(kind: Kind, outcome: Outcome, invoked_ns: u64, returned_ns: u64) -> Operation {
    Operation {
        key: 1,
        client: 1,
        node: 1,
        kind,
        outcome,
        invoked_ns,
        returned_ns,
    }
}

fn put(value: Value, from: u64, to: u64) -> Operation {
    operation(Kind::Put(value), Outcome::Done(0), from, to)
}

fn get(found: Value, from: u64, to: u64) -> Operation {
    operation(Kind::Get, Outcome::Done(found), from, to)
}

fn swap(expected: Value, new: Value, outcome: Outcome, from: u64, to: u64) -> Operation {
    operation(Kind::Swap { expected, new }, outcome, from, to)
}

/// A history as a correct cluster gives it: eight clients, each operation with its effect at some instant within
/// it, some without an answer that did or did not happen.
fn real(seed: u64, count: usize) -> Vec<Operation> {
    let mut random = Random::new(seed);
    let mut free = [0_u64; 8];
    // By the instant of their effect: who, from when until when.
    let mut planned: Vec<(u64, usize, u64, u64)> = Vec::new();
    for _ in 0..count {
        let client = (0..8).min_by_key(|client| free[*client]).unwrap_or(0);
        let from = free[client] + 1 + random.below(50);
        let (effect, to) = (from + 1 + random.below(100), from + 102 + random.below(50));
        free[client] = to;
        planned.push((effect, client, from, to));
    }
    planned.sort_unstable();
    let (mut state, mut old, mut next) = (0, 0, 0);
    let mut history = Vec::new();
    for (_, client, from, to) in planned {
        next += 1;
        let expected = if random.below(3) == 0 { old } else { state };
        let kind = match random.below(20) {
            0..5 => Kind::Put(next),
            5..8 if expected != 0 => Kind::Swap { expected, new: next },
            8..10 => Kind::Create(next),
            10..12 => Kind::Delete,
            _ => Kind::Get,
        };
        let (holds, after) = match kind {
            Kind::Put(new) => (true, new),
            Kind::Swap { expected, new } => (expected == state, new),
            Kind::Create(new) => (state == 0, new),
            Kind::Delete => (true, 0),
            Kind::Get => (true, state),
        };
        let lost = random.below(12) == 0;
        let mut outcome = if holds {
            Outcome::Done(state)
        } else {
            Outcome::Unmet
        };
        if holds && !(lost && random.below(2) == 0) {
            (old, state) = (state, after);
        }
        if lost {
            outcome = Outcome::Unknown;
        }
        let mut one = operation(kind, outcome, from, to);
        one.client = client as u16;
        history.push(one);
    }
    history
}

#[test]
fn what_a_correct_register_does_is_in_order() {
    for seed in 0..60 {
        assert_eq!(judge(&real(seed, 300)), Verdict::Linearizable, "seed {seed}");
    }
    assert_eq!(judge(&real(1_000, 3_000)), Verdict::Linearizable);
}

#[test]
fn a_stale_read_is_refused_and_shown() {
    let mut history: Vec<Operation> = (1..200).map(|at| put(at, at * 10, at * 10 + 5)).collect();
    history.push(get(199, 2_000, 2_005));
    history.push(get(198, 2_010, 2_015));
    assert_eq!(judge(&history), Verdict::Violated);
    let shown = window(&history);
    assert!(shown.len() <= 3, "{shown:?}");
    assert!(shown.iter().any(|one| one.outcome == Outcome::Done(198)));
}

#[test]
fn a_lost_update_is_refused() {
    let lost = [put(1, 1, 2), swap(1, 2, Outcome::Done(0), 3, 4), get(1, 5, 6)];
    assert_eq!(judge(&lost), Verdict::Violated);
    let gone = [put(1, 1, 2), get(0, 3, 4)];
    assert_eq!(judge(&gone), Verdict::Violated);
}

#[test]
fn a_split_brain_is_refused() {
    // Two sides that each go on from the same value.
    let split = [
        put(1, 1, 2),
        swap(1, 2, Outcome::Done(0), 3, 6),
        swap(1, 3, Outcome::Done(0), 4, 7),
    ];
    assert_eq!(judge(&split), Verdict::Violated);
    let reads = [put(1, 1, 2), put(2, 3, 20), get(2, 4, 5), get(1, 6, 7)];
    assert_eq!(judge(&reads), Verdict::Violated);
}

#[test]
fn an_unknown_outcome_may_be_either_but_not_both() {
    let unknown = |value, from, to| operation(Kind::Put(value), Outcome::Unknown, from, to);
    let (first, write) = (put(1, 1, 2), unknown(2, 3, 10));
    assert_eq!(judge(&[first, write, get(1, 11, 12)]), Verdict::Linearizable);
    assert_eq!(judge(&[first, write, get(2, 11, 12)]), Verdict::Linearizable);
    // Late, when nobody waited any more.
    let late = [first, write, get(1, 11, 12), get(2, 13, 14)];
    assert_eq!(judge(&late), Verdict::Linearizable);
    let undone = [first, write, get(2, 11, 12), get(1, 13, 14)];
    assert_eq!(judge(&undone), Verdict::Violated);
    // Nobody saw it, yet it is why a condition did not hold.
    let hidden = [first, write, swap(1, 3, Outcome::Unmet, 11, 12), put(4, 13, 14)];
    assert_eq!(judge(&hidden), Verdict::Linearizable);
    let no_reason = [first, swap(1, 3, Outcome::Unmet, 11, 12)];
    assert_eq!(judge(&no_reason), Verdict::Violated);
    let deleted = [
        first,
        operation(Kind::Delete, Outcome::Unknown, 3, 10),
        get(0, 11, 12),
        operation(Kind::Create(5), Outcome::Done(0), 13, 14),
        get(5, 15, 16),
    ];
    assert_eq!(judge(&deleted), Verdict::Linearizable);
}

#[test]
fn a_value_that_was_seen_before_it_was_asked_for_is_refused() {
    assert_eq!(judge(&[get(1, 1, 2), put(1, 3, 4)]), Verdict::Violated);
    let unknown = operation(Kind::Put(1), Outcome::Unknown, 3, 4);
    assert_eq!(judge(&[get(1, 1, 2), unknown]), Verdict::Violated);
}

/// Each damage to a real history, made where it must show.
#[test]
fn a_real_history_is_refused_once_an_answer_in_it_is_changed() {
    let mut damaged = 0;
    for seed in 0..12 {
        let history = real(seed, 200);
        let Some(bad) = spoiled(&history) else { continue };
        assert_eq!(judge(&bad), Verdict::Violated, "seed {seed}: a stale read");
        if seed < 3 {
            let shown = window(&bad);
            assert!(
                !shown.is_empty() && shown.len() < 40,
                "seed {seed}: {} shown",
                shown.len()
            );
        }

        let mut bad = history;
        let read = |one: &Operation| one.kind == Kind::Get && one.outcome != Outcome::Unknown;
        let at = bad.iter().position(read).expect("somebody reads");
        bad[at].outcome = Outcome::Done(999_999);
        assert_eq!(
            judge(&bad),
            Verdict::Violated,
            "seed {seed}: a value from nowhere"
        );
        damaged += 1;
    }
    assert!(damaged > 8, "{damaged}");
}

/// Written down by a run of half an hour.
#[test]
fn what_a_run_has_written_down_is_in_order_until_an_answer_is_changed() {
    let history = verdict::read(include_str!("good.jsonl")).expect("it reads");
    assert_eq!(judge(&history), Verdict::Linearizable);
    let spoiled = spoiled(&history).expect("somebody reads after two writes");
    assert_eq!(judge(&spoiled), Verdict::Violated);
}

/// Written down by a run on a build whose nodes answered reads without asking how far they had to be.
#[test]
fn what_a_build_that_reads_too_early_was_caught_with_is_refused() {
    let history = verdict::read(include_str!("stale.jsonl")).expect("it reads");
    assert_eq!(judge(&history), Verdict::Violated);
    let shown = window(&history);
    assert!((2..6).contains(&shown.len()), "{shown:#?}");
}

#[test]
fn a_history_is_the_same_after_it_was_written_and_read() {
    for one in real(3, 200) {
        let again = Operation::from_json(&one.json()).expect("it reads back");
        assert_eq!(format!("{one:?}"), format!("{again:?}"));
    }
}
