//! Histories whose verdict is known, and thousands of random ones compared with another implementation.

use super::*;
use crate::content::Random;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

/// A register that may also be swapped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Read(u8),
    Write(u8),
    Swap(u8, u8),
}

struct Register;

fn step(state: u8, call: Call) -> Option<u8> {
    match call {
        Call::Read(found) => (state == found).then_some(state),
        Call::Write(new) => Some(new),
        Call::Swap(from, to) => (state == from).then_some(to),
    }
}

impl Model for Register {
    type State = u8;
    type Call = Call;
    fn start(&self) -> u8 {
        0
    }
    fn step(&self, state: &u8, call: &Call) -> Option<u8> {
        step(*state, *call)
    }
}

impl Specification for Register {
    type State = u8;
    type Operation = Call;
    fn init() -> u8 {
        0
    }
    fn apply(call: &Call, state: &u8) -> (bool, u8) {
        step(*state, *call).map_or((false, *state), |after| (true, after))
    }
}

fn entry(call: Call, invoked: u64, returned: u64) -> Entry<Call> {
    let returned = (returned > 0).then_some(returned);
    Entry {
        call,
        invoked,
        returned,
    }
}

fn verdict(history: &[Entry<Call>]) -> Verdict {
    check(&Register, history, 1_000_000)
}

#[test]
fn what_overlaps_may_come_in_any_order_and_what_does_not_may_not() {
    use Call::{Read, Write};
    let overlapping = [
        entry(Write(1), 1, 10),
        entry(Write(2), 2, 9),
        entry(Read(2), 3, 4),
        entry(Read(1), 5, 6),
    ];
    assert_eq!(verdict(&overlapping), Verdict::Linearizable);
    let after_one_another = [
        entry(Write(1), 1, 2),
        entry(Write(2), 3, 4),
        entry(Read(2), 5, 6),
        entry(Read(1), 7, 8),
    ];
    assert_eq!(verdict(&after_one_another), Verdict::Violated);
    assert_eq!(verdict(&[]), Verdict::Linearizable);
}

#[test]
fn a_call_without_a_return_may_have_happened_late_or_never() {
    use Call::{Read, Swap, Write};
    let never = [entry(Write(1), 1, 0), entry(Read(0), 2, 3)];
    assert_eq!(verdict(&never), Verdict::Linearizable);
    let late = [entry(Write(1), 1, 0), entry(Read(0), 2, 3), entry(Read(1), 4, 5)];
    assert_eq!(verdict(&late), Verdict::Linearizable);
    let undone = [entry(Write(1), 1, 0), entry(Read(1), 2, 3), entry(Read(0), 4, 5)];
    assert_eq!(verdict(&undone), Verdict::Violated);
    let without_ground = [entry(Swap(7, 1), 1, 0), entry(Read(1), 2, 3)];
    assert_eq!(verdict(&without_ground), Verdict::Violated);
}

#[test]
fn two_who_both_swapped_from_the_same_are_refused() {
    let both = [entry(Call::Swap(0, 1), 1, 5), entry(Call::Swap(0, 2), 2, 6)];
    assert_eq!(verdict(&both), Verdict::Violated);
}

#[test]
fn a_search_that_is_too_long_ends_without_a_verdict() {
    let history: Vec<_> = (0..60).map(|_| entry(Call::Write(1), 1, 100)).collect();
    assert_eq!(check(&Register, &history, 10), Verdict::Undecided);
}

/// Some random history, not likely to be linearizable: answers are drawn.
fn random_history(random: &mut Random) -> Vec<Entry<Call>> {
    let count = 1 + random.below(9);
    let call = |random: &mut Random| {
        let mut value = || random.below(3) as u8;
        let (one, other) = (value(), value());
        match random.below(3) {
            0 => Call::Read(one),
            1 => Call::Write(one),
            _ => Call::Swap(one, other),
        }
    };
    (0..count)
        .map(|_| {
            let invoked = 1 + random.below(20);
            entry(call(random), invoked, invoked + 1 + random.below(8))
        })
        .collect()
}

/// The other implementation's verdict. It knows no call without a return, so there is none in these.
fn other_verdict(history: &[Entry<Call>]) -> bool {
    let mut times: Vec<(u64, bool, usize)> = Vec::new();
    for (at, entry) in history.iter().enumerate() {
        times.push((entry.invoked, false, at));
        times.extend(entry.returned.map(|returned| (returned, true, at)));
    }
    times.sort_unstable();
    let action = |(_, is_return, at): (u64, bool, usize)| {
        let call = history[at].call;
        let action = if is_return {
            Action::Response(call)
        } else {
            Action::Call(call)
        };
        (at, action)
    };
    WGLChecker::<Register>::is_linearizable(History::from_actions(times.into_iter().map(action).collect()))
}

#[test]
fn another_implementation_says_the_same_of_random_histories() {
    let mut random = Random::new(4);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let history = random_history(&mut random);
        let expected = other_verdict(&history);
        let verdict = verdict(&history);
        assert_eq!(verdict == Verdict::Linearizable, expected, "{history:?}");
        assert_ne!(verdict, Verdict::Undecided);
        if expected { good += 1 } else { bad += 1 }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} in order, {bad} not");
}
