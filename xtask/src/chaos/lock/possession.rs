//! Who could be sure to hold a lock, and from when until when.

use super::TTL_NS;
use super::history::{Call, Kind, Outcome};
use std::collections::BTreeMap;

/// One acquisition of a lock, as its holder knows of it.
#[derive(Clone, Debug)]
pub struct Possession {
    /// Its token.
    pub token: u64,
    /// The grant that returned first.
    pub granted: Call,
    /// The sign of life that was sent last of those that were in time.
    pub last: Call,
    /// From here on its holder could be sure of it.
    pub sure_from_ns: u64,
    /// Until here: a lease after the last sign of life, unless something was known to end it.
    pub sure_until_ns: u64,
    /// The same, had the cluster not said that it is lost. Breaks by others end it all the same.
    pub undisturbed_until_ns: u64,
    /// When its holder first asked to give it up.
    pub given_up_ns: Option<u64>,
}

impl Possession {
    pub(super) fn calls(&self) -> [Call; 2] {
        [self.granted, self.last]
    }
}

/// All possessions of one lock that anybody knows of, by token.
pub fn possessions(calls: &[Call]) -> Vec<Possession> {
    let mut tokens: BTreeMap<u64, Vec<&Call>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.token != 0) {
        tokens.entry(call.token).or_default().push(call);
    }
    let breaks: Vec<&Call> = calls.iter().filter(|call| call.kind == Kind::Break).collect();
    tokens
        .values()
        .filter_map(|own| possession(own, &breaks))
        .collect()
}

fn possession(own: &[&Call], breaks: &[&Call]) -> Option<Possession> {
    let is_grant = |call: &&&Call| matches!(call.kind, Kind::Acquire(_)) && call.done();
    let granted = **own.iter().filter(is_grant).min_by_key(|call| call.returned_ns)?;
    let alive = |call: &&&Call| matches!(call.kind, Kind::Acquire(_) | Kind::Renew) && call.done();
    let last = **own.iter().filter(alive).max_by_key(|call| call.invoked_ns)?;
    let given_up_ns = own
        .iter()
        .filter(|call| call.kind == Kind::Release)
        .map(|call| call.invoked_ns)
        .min();
    let lost_ns = own
        .iter()
        .filter(|call| call.outcome == Outcome::Lost)
        .map(|call| call.returned_ns)
        .min();
    // It may be meant by any break that had not certainly happened before it was granted.
    let broken_ns = breaks
        .iter()
        .filter(|call| call.may_act_after(granted.invoked_ns))
        .map(|call| call.invoked_ns)
        .min();
    let lease_ns = last.invoked_ns + TTL_NS;
    let undisturbed_until_ns = broken_ns.map_or(lease_ns, |at_ns| at_ns.min(lease_ns));
    let ends = [Some(undisturbed_until_ns), given_up_ns, lost_ns];
    Some(Possession {
        token: granted.token,
        granted,
        last,
        sure_from_ns: granted.returned_ns,
        sure_until_ns: ends.into_iter().flatten().min().unwrap_or(0),
        undisturbed_until_ns,
        given_up_ns,
    })
}
