//! Good histories are taken; each damage to them is refused, by the rule that it is for.

use super::history::{Call, Kind, Outcome};
use super::*;
use crate::content::Random;

const DONE: Outcome = Outcome::Done(0);

fn ms(time: u64) -> u64 {
    time * 1_000_000
}

/// A call on lock 1 from when until when, in ms.
fn call(kind: Kind, token: u64, outcome: Outcome, from: u64, to: u64) -> Call {
    Call {
        lock: 1,
        client: 1,
        node: 1,
        kind,
        token,
        outcome,
        invoked_ns: ms(from),
        returned_ns: ms(to),
    }
}

fn grant(request: u64, token: u64, from: u64, to: u64) -> Call {
    call(Kind::Acquire(request), token, DONE, from, to)
}

fn renew(token: u64, outcome: Outcome, from: u64, to: u64) -> Call {
    call(Kind::Renew, token, outcome, from, to)
}

fn release(token: u64, outcome: Outcome, from: u64, to: u64) -> Call {
    call(Kind::Release, token, outcome, from, to)
}

fn write(value: u64, token: u64, outcome: Outcome, from: u64, to: u64) -> Call {
    call(Kind::Write(value), token, outcome, from, to)
}

fn read(found: u64, from: u64, to: u64) -> Call {
    call(Kind::Read, 0, Outcome::Done(found), from, to)
}

fn rules(calls: &[Call]) -> Vec<&'static str> {
    let mut rules: Vec<_> = judge(calls).iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

const NOTHING: [&str; 0] = [];

#[test]
fn one_after_the_other_is_taken() {
    let calls = [
        grant(1, 10, 0, 5),
        write(7, 10, DONE, 10, 20),
        renew(10, DONE, 2_000, 2_010),
        read(7, 2_100, 2_110),
        release(10, DONE, 3_000, 3_010),
        // Granted before the release was answered, by one who had waited for it.
        grant(2, 20, 1_500, 3_005),
        write(8, 10, Outcome::Lost, 3_100, 3_110),
        write(9, 20, DONE, 3_200, 3_210),
        read(9, 3_300, 3_310),
        // Nothing was heard of it for as long as its lease: the next one has it.
        grant(3, 30, 4_000, 5_600),
        renew(20, Outcome::Lost, 5_700, 5_710),
    ];
    assert_eq!(rules(&calls), NOTHING, "{:#?}", judge(&calls));
    let held = possessions(&calls);
    let sure: Vec<(u64, u64)> = held
        .iter()
        .map(|one| (one.sure_from_ns, one.sure_until_ns))
        .collect();
    assert_eq!(
        sure,
        [(ms(5), ms(3_000)), (ms(3_005), ms(4_500)), (ms(5_600), ms(7_000))]
    );
}

#[test]
fn two_at_once_are_refused() {
    let calls = [grant(1, 10, 0, 5), grant(2, 20, 1_500, 2_990)];
    assert_eq!(rules(&calls), ["overlap"]);
    let in_time = [grant(1, 10, 0, 5), grant(2, 20, 1_500, 3_001)];
    assert_eq!(rules(&in_time), NOTHING);
    // A sign of life that was answered makes its holder sure for longer; one that was not, does not.
    let renewed = [
        grant(1, 10, 0, 5),
        renew(10, DONE, 1_000, 1_005),
        grant(2, 20, 1_500, 3_500),
    ];
    assert_eq!(rules(&renewed), ["overlap"]);
    let unknown = [
        grant(1, 10, 0, 5),
        renew(10, Outcome::Unknown, 1_000, 1_005),
        grant(2, 20, 1_500, 3_500),
    ];
    assert_eq!(rules(&unknown), NOTHING);
    // Whoever asked for its end is not sure any more, answer or none.
    let given_up = [
        grant(1, 10, 0, 5),
        release(10, Outcome::Unknown, 10, 6_000),
        grant(2, 20, 1, 15),
    ];
    assert_eq!(rules(&given_up), NOTHING);
}

#[test]
fn a_break_ends_what_it_may_have_meant() {
    let broken = |outcome, from, to| call(Kind::Break, 0, outcome, from, to);
    let calls = [
        grant(1, 10, 0, 5),
        broken(DONE, 100, 110),
        renew(10, Outcome::Lost, 120, 125),
        grant(2, 20, 1, 112),
    ];
    assert_eq!(rules(&calls), NOTHING, "{:#?}", judge(&calls));
    let late = [
        grant(1, 10, 0, 5),
        broken(Outcome::Unknown, 100, 110),
        grant(2, 20, 1, 2_000),
    ];
    assert_eq!(rules(&late), NOTHING);
    // It was over before the lock was granted, so it is no excuse.
    let no_excuse = [
        broken(DONE, 0, 10),
        grant(1, 10, 20, 25),
        renew(10, Outcome::Lost, 120, 125),
    ];
    assert_eq!(rules(&no_excuse), ["early"]);
    let outlived = [
        grant(1, 10, 0, 5),
        broken(DONE, 100, 110),
        write(1, 10, DONE, 120, 125),
    ];
    assert_eq!(rules(&outlived), ["fence"]);
}

#[test]
fn tokens_that_do_not_grow_are_refused() {
    let end = release(20, DONE, 10, 20);
    assert_eq!(
        rules(&[grant(1, 20, 0, 5), end, grant(2, 10, 30, 35)]),
        ["order", "fence"]
    );
    let twice = [grant(1, 20, 0, 5), end, grant(2, 20, 15, 35)];
    assert_eq!(rules(&twice), ["order"]);
    let mut elsewhere = grant(2, 20, 30, 35);
    elsewhere.lock = 2;
    assert_eq!(rules(&[grant(1, 20, 0, 5), elsewhere]), ["order"]);
    // The same request made again after an answer that was lost: the same token, or a new one when that is over.
    let again = [grant(1, 20, 0, 5), grant(1, 20, 100, 105)];
    assert_eq!(rules(&again), NOTHING);
    let anew = [
        call(Kind::Acquire(1), 0, Outcome::Unknown, 0, 5),
        grant(1, 30, 5_000, 5_005),
    ];
    assert_eq!(rules(&anew), NOTHING);
    // Asked at the same time, answered in whatever order.
    let together = [grant(2, 20, 0, 9_000), grant(1, 10, 1, 2_000)];
    assert_eq!(rules(&together), NOTHING);
}

#[test]
fn a_token_that_is_over_does_not_count() {
    let (first, second) = (grant(1, 10, 0, 5), grant(2, 20, 1, 3_500));
    for late in [write(7, 10, DONE, 3_600, 3_610), renew(10, DONE, 3_600, 3_610)] {
        let found = rules(&[first, second, late]);
        assert!(found.contains(&"fence"), "{found:?}");
    }
    // Sent before the other was known to have it: it may have come before.
    let before = [first, second, write(7, 10, DONE, 3_400, 3_610)];
    assert_eq!(rules(&before), NOTHING);
    // Its lease is over, and nobody has taken notice yet.
    assert_eq!(rules(&[first, write(7, 10, DONE, 9_000, 9_010)]), NOTHING);
    let released = [first, release(10, DONE, 10, 20), write(7, 10, DONE, 30, 40)];
    assert_eq!(rules(&released), ["fence"]);
    let open = [
        first,
        release(10, Outcome::Unknown, 10, 20),
        write(7, 10, DONE, 30, 40),
    ];
    assert_eq!(rules(&open), NOTHING);
    // The third one's token says that the second's is over too, though only the first's end was seen.
    let third = [
        first,
        grant(2, 20, 1, 9_500),
        grant(3, 30, 1, 8_000),
        write(7, 10, DONE, 8_100, 8_110),
    ];
    assert_eq!(rules(&third), ["fence"]);
    let mut elsewhere = write(7, 10, DONE, 10, 20);
    elsewhere.lock = 2;
    assert_eq!(rules(&[first, elsewhere]), ["fence"]);
}

#[test]
fn writes_that_are_not_there_and_such_that_should_not_be_are_refused() {
    let (first, second) = (grant(1, 10, 0, 5), grant(2, 20, 1, 3_500));
    let (old, new) = (write(7, 10, DONE, 10, 20), write(8, 20, DONE, 3_600, 3_610));
    let with = |more: &[Call]| rules(&[&[first, second, old, new], more].concat());
    assert_eq!(with(&[read(7, 30, 40), read(8, 3_700, 3_710)]), NOTHING);
    // While it is being written it may be there or not.
    assert_eq!(with(&[read(7, 3_605, 3_608), read(8, 3_605, 3_608)]), NOTHING);
    assert_eq!(with(&[read(7, 3_700, 3_710)]), ["lost write"]);
    assert_eq!(with(&[read(0, 3_700, 3_710)]), ["lost write"]);
    assert_eq!(with(&[read(8, 100, 110)]), ["ghost"]);
    assert_eq!(with(&[read(99, 100, 110)]), ["ghost"]);
    let refused = [write(9, 10, Outcome::Lost, 3_620, 3_630), read(9, 3_700, 3_710)];
    assert_eq!(with(&refused), ["ghost"]);
    // Of unknown outcome: perhaps late, while its token is good, and never once a higher one was written with.
    let open = |token| write(9, token, Outcome::Unknown, 15, 18);
    let overtaken = [first, old, open(10), read(9, 30, 40)];
    assert_eq!(rules(&overtaken), NOTHING);
    assert_eq!(with(&[open(10), read(9, 3_700, 3_710)]), ["lost write"]);
    // By one holder, one after the other.
    let undone = [first, old, write(8, 10, DONE, 30, 40), read(7, 50, 60)];
    assert_eq!(rules(&undone), ["lost write"]);
}

#[test]
fn a_lease_that_was_cut_short_is_refused() {
    let first = grant(1, 10, 0, 5);
    for kind in [Kind::Renew, Kind::Write(7), Kind::Release] {
        let lost = call(kind, 10, Outcome::Lost, 100, 110);
        assert_eq!(rules(&[first, lost]), ["early"], "{lost:?}");
    }
    assert_eq!(rules(&[first, renew(10, Outcome::Lost, 2_900, 3_010)]), NOTHING);
    let given_up = [
        first,
        release(10, Outcome::Unknown, 50, 60),
        release(10, Outcome::Lost, 100, 110),
    ];
    assert_eq!(rules(&given_up), NOTHING);
}

/// A history as a correct cluster gives it: holders one after the other, signs of life, late writes, lost answers.
fn real(seed: u64) -> Vec<Call> {
    let mut random = Random::new(seed);
    let (mut now, mut calls, mut stored, mut old) = (0, Vec::new(), 0, None);
    for number in 1..60 {
        let token = number * 10;
        let mut next = |calls: &mut Vec<Call>, mut call: Call| {
            call.client = number as u16;
            call.invoked_ns = ms(now + random.below(50));
            now += 60 + random.below(200);
            call.returned_ns = ms(now);
            if random.below(8) == 0 && !matches!(call.kind, Kind::Acquire(_)) {
                call.outcome = Outcome::Unknown;
            }
            calls.push(call);
        };
        next(&mut calls, grant(number, token, 0, 0));
        for at in 0..4 {
            stored = number * 100 + at;
            next(&mut calls, write(stored, token, DONE, 0, 0));
            next(&mut calls, renew(token, DONE, 0, 0));
            next(&mut calls, read(stored, 0, 0));
            if let Some(old) = old {
                next(
                    &mut calls,
                    write(number * 100 + 50 + at, old, Outcome::Lost, 0, 0),
                );
            }
        }
        next(&mut calls, release(token, DONE, 0, 0));
        old = Some(token);
    }
    calls.push(read(stored, now + 1, now + 2));
    calls
}

#[test]
fn what_a_correct_cluster_answers_is_taken_until_an_answer_is_changed() {
    for seed in 0..40 {
        let calls = real(seed);
        assert_eq!(
            rules(&calls),
            NOTHING,
            "seed {seed}: {:#?}",
            judge(&calls).first()
        );
        let bad = spoiled(&calls);
        assert_eq!(bad.len(), 5, "seed {seed}");
        for (rule, calls) in bad {
            assert!(rules(&calls).contains(&rule), "seed {seed}: {rule}");
        }
    }
}

#[test]
fn a_history_is_the_same_after_it_was_written_and_read() {
    for one in real(3) {
        let again = Call::from_json(&one.json()).expect("it reads back");
        assert_eq!(format!("{one:?}"), format!("{again:?}"));
    }
}
