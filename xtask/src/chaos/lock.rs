//! Locks: what must hold of everything that clients saw of them.
//!
//! Owns: the rules, over the calls of a run. Each names what it refuses:
//! 1. *overlap*: two that could be sure to hold the same lock at the same time;
//! 2. *order*: a token that is not higher than that of an earlier possession, or that two requests were granted;
//! 3. *fence*: a token that still counts after it was known to be over;
//! 4. *lost write*, *ghost*: an acknowledged fenced write that is not there, or a refused one that is;
//! 5. *early*: a lock that was lost before its lease was over, though nobody released or broke it.
//!
//! Promises: sound. What a correct cluster may answer, however late its answers are, is taken.
//! Never: searches. Tokens say what came before what, so each rule looks at pairs.

pub mod history;
mod possession;
mod protected;
mod spoil;
pub mod verdict;

pub use possession::{Possession, possessions};
pub use spoil::spoiled;

use history::{Call, Kind, Outcome};
use std::collections::{BTreeMap, HashMap};

/// The lease that clients ask for, in seconds.
pub const TTL_S: u64 = 3;
const TTL_NS: u64 = TTL_S * 1_000_000_000;

/// Something that must not be: which rule, and the calls that show it.
#[derive(Clone, Debug)]
pub struct Violation {
    /// One of the words above.
    pub rule: &'static str,
    /// In a sentence.
    pub why: String,
    /// In the order of their sending.
    pub calls: Vec<Call>,
}

impl Violation {
    fn new(rule: &'static str, why: String, calls: &[Call]) -> Self {
        let mut calls = calls.to_vec();
        calls.sort_by_key(|call| call.invoked_ns);
        Self { rule, why, calls }
    }
}

/// Judges all calls of a run.
pub fn judge(calls: &[Call]) -> Vec<Violation> {
    let mut locks: BTreeMap<u8, Vec<Call>> = BTreeMap::new();
    for call in calls {
        locks.entry(call.lock).or_default().push(*call);
    }
    let mut found = granted_twice(calls);
    found.extend(of_another_lock(calls));
    for calls in locks.values() {
        let held = possessions(calls);
        found.extend(overlaps(&held));
        found.extend(disorder(calls));
        found.extend(used_after_the_end(calls));
        found.extend(lost_early(calls, &held));
        found.extend(protected::judge(calls));
    }
    found
}

fn grants(calls: &[Call]) -> impl Iterator<Item = (u64, &Call)> {
    calls.iter().filter_map(|call| match call.kind {
        Kind::Acquire(request) if call.done() => Some((request, call)),
        _ => None,
    })
}

/// Tokens are positions in the one log: no two acquisitions, of whatever lock, share one.
fn granted_twice(calls: &[Call]) -> Vec<Violation> {
    let mut first: HashMap<u64, (u64, &Call)> = HashMap::new();
    let mut found = Vec::new();
    for (request, call) in grants(calls) {
        let (other, earlier) = *first.entry(call.token).or_insert((request, call));
        if other != request || earlier.lock != call.lock {
            let why = format!("token {} was granted to two requests", call.token);
            found.push(Violation::new("order", why, &[*earlier, *call]));
        }
    }
    found
}

/// A token of one lock does not count for another.
fn of_another_lock(calls: &[Call]) -> Vec<Violation> {
    let granted: HashMap<u64, &Call> = grants(calls).map(|(_, call)| (call.token, call)).collect();
    let uses =
        |call: &&Call| matches!(call.kind, Kind::Renew | Kind::Release | Kind::Write(_)) && call.done();
    let wrong = |call: &Call| {
        let grant = granted.get(&call.token).filter(|grant| grant.lock != call.lock)?;
        let why = format!(
            "token {} of lock {} counted for lock {}",
            call.token, grant.lock, call.lock
        );
        Some(Violation::new("fence", why, &[**grant, *call]))
    };
    calls.iter().filter(uses).filter_map(wrong).collect()
}

fn overlaps(held: &[Possession]) -> Vec<Violation> {
    let mut sure: Vec<&Possession> = held
        .iter()
        .filter(|one| one.sure_from_ns < one.sure_until_ns)
        .collect();
    sure.sort_by_key(|one| one.sure_from_ns);
    let mut found = Vec::new();
    for two in sure.windows(2) {
        if two[1].sure_from_ns < two[0].sure_until_ns {
            let ms = (two[0].sure_until_ns.min(two[1].sure_until_ns) - two[1].sure_from_ns) as f64 / 1e6;
            let (one, other) = (two[0].token, two[1].token);
            let why = format!("tokens {one} and {other} were both surely held for {ms:.3} ms");
            found.push(Violation::new(
                "overlap",
                why,
                &[two[0].calls(), two[1].calls()].concat(),
            ));
        }
    }
    found
}

/// Whoever asks after another was granted the lock is granted a higher token, or the same by the same request.
fn disorder(calls: &[Call]) -> Vec<Violation> {
    let mut by_return: Vec<(u64, &Call)> = grants(calls).collect();
    by_return.sort_by_key(|(_, call)| call.returned_ns);
    let mut by_invocation = by_return.clone();
    by_invocation.sort_by_key(|(_, call)| call.invoked_ns);
    let (mut next, mut highest): (usize, Option<&Call>) = (0, None);
    let mut found = Vec::new();
    for (_, later) in by_invocation {
        while let Some((_, earlier)) = by_return
            .get(next)
            .filter(|(_, one)| one.returned_ns < later.invoked_ns)
        {
            highest = highest
                .filter(|call| call.token >= earlier.token)
                .or(Some(earlier));
            next += 1;
        }
        if let Some(earlier) = highest.filter(|earlier| earlier.token > later.token) {
            let why = format!("token {} was granted after {}", later.token, earlier.token);
            found.push(Violation::new("order", why, &[*earlier, *later]));
        }
    }
    found
}

/// The first call by whose return it was known that a token's possession is over.
fn ends(calls: &[Call]) -> HashMap<u64, Call> {
    let mut ends: HashMap<u64, Call> = HashMap::new();
    let mut known = |token: u64, call: &Call| {
        let first = ends.entry(token).or_insert(*call);
        if call.returned_ns < first.returned_ns {
            *first = *call;
        }
    };
    for call in calls {
        match (call.kind, call.outcome) {
            (Kind::Release, Outcome::Done(_))
            | (Kind::Renew | Kind::Release | Kind::Write(_), Outcome::Lost) => {
                known(call.token, call);
            }
            _ => {}
        }
    }
    // Whoever had been granted the lock before it was asked to be broken has it no more.
    let mut granted: Vec<&Call> = grants(calls).map(|(_, call)| call).collect();
    granted.sort_by_key(|call| call.token);
    for broken in calls
        .iter()
        .filter(|call| call.kind == Kind::Break && call.done())
    {
        let before = granted
            .iter()
            .filter(|grant| grant.returned_ns < broken.invoked_ns);
        before.for_each(|grant| known(grant.token, broken));
    }
    // And so has whoever had it before another: of all higher tokens the one that was known of first says so.
    let mut higher: Option<&Call> = None;
    for same in granted.chunk_by(|one, other| one.token == other.token).rev() {
        if let Some(higher) = higher {
            known(same[0].token, higher);
        }
        let first = same.iter().chain(higher.as_ref());
        higher = first.min_by_key(|grant| grant.returned_ns).copied();
    }
    ends
}

fn used_after_the_end(calls: &[Call]) -> Vec<Violation> {
    let ends = ends(calls);
    let mut found = Vec::new();
    for call in calls.iter().filter(|call| call.token != 0 && call.done()) {
        let counts = matches!(
            call.kind,
            Kind::Acquire(_) | Kind::Renew | Kind::Release | Kind::Write(_)
        );
        let end = ends
            .get(&call.token)
            .filter(|end| end.returned_ns < call.invoked_ns);
        if let Some(end) = end.filter(|_| counts) {
            let why = format!("token {} still counted after its possession was over", call.token);
            found.push(Violation::new("fence", why, &[*end, *call]));
        }
    }
    found
}

/// A lease is never shorter than agreed.
fn lost_early(calls: &[Call], held: &[Possession]) -> Vec<Violation> {
    let by_token: HashMap<u64, &Possession> = held.iter().map(|one| (one.token, one)).collect();
    let mut found = Vec::new();
    for call in calls.iter().filter(|call| call.outcome == Outcome::Lost) {
        let Some(possession) = by_token.get(&call.token) else {
            continue;
        };
        let given_up = possession
            .given_up_ns
            .is_some_and(|at_ns| at_ns < call.invoked_ns);
        let sure = possession.granted.invoked_ns..possession.undisturbed_until_ns;
        if !given_up && call.invoked_ns >= possession.sure_from_ns && sure.contains(&call.returned_ns) {
            let why = format!("token {} was lost before its lease was over", call.token);
            found.push(Violation::new(
                "early",
                why,
                &[possession.granted, possession.last, *call],
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests;
