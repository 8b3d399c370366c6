//! Damage to a history that its judge has to notice.

use super::history::{Call, Kind, Outcome};
use super::possessions;
use std::collections::{BTreeSet, HashMap};

/// Damages a history; answers whether it has a place for that.
type Way = fn(&mut [Call]) -> bool;

/// The same history with one answer changed, in each way that it has a place for, with the rule that must refuse it.
pub fn spoiled(calls: &[Call]) -> Vec<(&'static str, Vec<Call>)> {
    let ways: [(&'static str, Way); 5] = [
        ("overlap", two_at_once),
        ("order", one_token_twice),
        ("fence", late_write_taken),
        ("lost write", write_gone),
        ("early", lease_cut_short),
    ];
    // A break may end any possession of its time: where there are some, less can be known for sure.
    let broken: BTreeSet<u8> = calls
        .iter()
        .filter(|call| call.kind == Kind::Break)
        .map(|call| call.lock)
        .collect();
    let steady: Vec<Call> = calls
        .iter()
        .filter(|call| !broken.contains(&call.lock))
        .copied()
        .collect();
    let spoil = |(rule, way): (&'static str, Way)| {
        let mut calls = steady.clone();
        way(&mut calls).then_some((rule, calls))
    };
    ways.into_iter().filter_map(spoil).collect()
}

/// By token, the lock and the first time at which somebody knew that it was granted.
fn granted(calls: &[Call]) -> Vec<(u8, u64, u64)> {
    let mut first: HashMap<u64, (u8, u64, u64)> = HashMap::new();
    for call in calls
        .iter()
        .filter(|call| matches!(call.kind, Kind::Acquire(_)) && call.done())
    {
        let at = first
            .entry(call.token)
            .or_insert((call.lock, call.token, call.returned_ns));
        at.2 = at.2.min(call.returned_ns);
    }
    let mut all: Vec<_> = first.into_values().collect();
    all.sort_unstable();
    all
}

/// A grant returns while another is still sure of the lock.
fn two_at_once(calls: &mut [Call]) -> bool {
    let locks: BTreeSet<u8> = calls.iter().map(|call| call.lock).collect();
    for lock in locks {
        let own: Vec<Call> = calls.iter().filter(|call| call.lock == lock).copied().collect();
        let held = possessions(&own);
        for two in held.windows(2) {
            let (from_ns, until_ns) = (two[0].sure_from_ns, two[0].sure_until_ns);
            if until_ns < from_ns + 2_000_000 || two[1].sure_until_ns <= two[1].sure_from_ns {
                continue;
            }
            let same = |call: &&mut Call| {
                (call.client, call.invoked_ns) == (two[1].granted.client, two[1].granted.invoked_ns)
            };
            if let Some(call) = calls.iter_mut().find(same) {
                call.returned_ns = until_ns - 1_000_000;
                call.invoked_ns = call.invoked_ns.min(call.returned_ns);
                return true;
            }
        }
    }
    false
}

/// The next one is granted the token of the one before.
fn one_token_twice(calls: &mut [Call]) -> bool {
    let mut first: Option<(u64, u64)> = None;
    for call in calls.iter_mut().filter(|call| call.done()) {
        let Kind::Acquire(request) = call.kind else {
            continue;
        };
        match first {
            None => first = Some((request, call.token)),
            Some((other, token)) if other != request => {
                call.token = token;
                return true;
            }
            Some(_) => {}
        }
    }
    false
}

/// A write that came after another had the lock was acknowledged.
fn late_write_taken(calls: &mut [Call]) -> bool {
    let granted = granted(calls);
    // A token of another lock is tried now and then, too; nothing here says when that one's possession ended.
    let own = |call: &Call| {
        granted
            .iter()
            .any(|one| (one.0, one.1) == (call.lock, call.token))
    };
    let after = |call: &Call| {
        let mut higher = granted
            .iter()
            .filter(|one| one.0 == call.lock && one.1 > call.token);
        higher.any(|one| one.2 < call.invoked_ns)
    };
    let late = |call: &&mut Call| {
        matches!(call.kind, Kind::Write(_)) && call.outcome == Outcome::Lost && own(call) && after(call)
    };
    let Some(call) = calls.iter_mut().find(late) else {
        return false;
    };
    call.outcome = Outcome::Done(0);
    true
}

/// A read that came after a write finds nothing.
fn write_gone(calls: &mut [Call]) -> bool {
    let mut writes: HashMap<u8, u64> = HashMap::new();
    for call in calls
        .iter()
        .filter(|call| matches!(call.kind, Kind::Write(_)) && call.done())
    {
        let first = writes.entry(call.lock).or_insert(u64::MAX);
        *first = call.returned_ns.min(*first);
    }
    let after = |call: &&mut Call| {
        call.kind == Kind::Read
            && call.done()
            && writes.get(&call.lock).is_some_and(|at| *at < call.invoked_ns)
    };
    let Some(call) = calls.iter_mut().find(after) else {
        return false;
    };
    call.outcome = Outcome::Done(0);
    true
}

/// A renewal in time is told that the lock is lost. The one after it goes on, so its lease was not over.
fn lease_cut_short(calls: &mut [Call]) -> bool {
    let mut before: HashMap<u64, usize> = HashMap::new();
    for at in 0..calls.len() {
        let call = calls[at];
        if call.kind == Kind::Renew
            && call.done()
            && let Some(earlier) = before.insert(call.token, at)
            && calls[earlier].returned_ns < call.invoked_ns
            && call.returned_ns < calls[earlier].invoked_ns + super::TTL_NS
        {
            calls[at].outcome = Outcome::Lost;
            return true;
        }
    }
    false
}
