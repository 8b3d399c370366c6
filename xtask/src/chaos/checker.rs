//! Whether a history of calls is linearizable: whether each call can be put at one instant between its
//! invocation and its return so that a sequential model would have answered the same.
//!
//! Owns: the search, for any [`Model`]. It is the one of Wing and Gong ("Testing and verifying concurrent
//! objects", 1993) with Lowe's memory of configurations that were tried ("Testing for linearizability", 2017),
//! on a list as Horn and Kroening have it ("Faster linearizability checking via P-compositionality", 2015);
//! the latter's theorem is also why every key may be checked alone.
//! Promises: a call without a return may have happened at any time after its invocation, or not at all. The
//! search ends: after `budget` steps it answers that it does not know.
//! Never: knows what a call is. Our own and not a library's: those to be had answer yes or no only, do not end
//! early, and take no calls without a return. The tests compare it with one.

use std::collections::HashSet;
use std::hash::Hash;

/// What would be answered if one call came after the other.
pub trait Model {
    /// What calls change.
    type State: Clone + Eq + Hash;
    /// A call with its answer. Equal ones do the same.
    type Call: PartialEq;
    /// Before the first call.
    fn start(&self) -> Self::State;
    /// The state after a call; `None` where the model would have answered something else.
    fn step(&self, state: &Self::State, call: &Self::Call) -> Option<Self::State>;
}

/// One call of a history.
#[derive(Clone, Debug)]
pub struct Entry<C> {
    /// What was called, and what came of it.
    pub call: C,
    /// When; only the order counts.
    pub invoked: u64,
    /// When it returned; `None` where it never did, and may or may not have happened.
    pub returned: Option<u64>,
}

/// What became of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none.
    Violated,
    /// Not found within the budget.
    Undecided,
}

const HEAD: usize = 0;

/// Invocations and returns in the order of time, as a list that calls are taken out of and put back into.
struct Events {
    /// By position; the first is the head. Which call, and whether it is its return.
    what: Vec<(usize, bool)>,
    next: Vec<usize>,
    before: Vec<usize>,
    /// By call: where its invocation is, and its return.
    places: Vec<(usize, Option<usize>)>,
}

impl Events {
    fn of<C>(history: &[Entry<C>]) -> Self {
        let mut times: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * history.len());
        for (at, entry) in history.iter().enumerate() {
            times.push((entry.invoked, false, at));
            times.extend(entry.returned.map(|returned| (returned, true, at)));
        }
        // At the same instant invocations come first: such calls count as concurrent.
        times.sort_unstable();
        let mut what = vec![(usize::MAX, false)];
        let mut places = vec![(0, None); history.len()];
        for (_, is_return, at) in times {
            match is_return {
                false => places[at].0 = what.len(),
                true => places[at].1 = Some(what.len()),
            }
            what.push((at, is_return));
        }
        let end = what.len();
        // The last position is the end, so that links need no special case.
        let next = (1..=end).chain([end]).collect();
        let before = [0].into_iter().chain(0..end).collect();
        Self {
            what,
            next,
            before,
            places,
        }
    }

    fn end(&self) -> usize {
        self.what.len()
    }

    fn unlink(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = next;
        self.before[next] = before;
    }

    fn link(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = at;
        self.before[next] = at;
    }

    fn take(&mut self, call: usize) {
        let (invoked, returned) = self.places[call];
        self.unlink(invoked);
        if let Some(returned) = returned {
            self.unlink(returned);
        }
    }

    /// Undoes the last [`Self::take`]: in the opposite order, or the links would not fit.
    fn put_back(&mut self, call: usize) {
        let (invoked, returned) = self.places[call];
        if let Some(returned) = returned {
            self.link(returned);
        }
        self.link(invoked);
    }
}

/// Which calls have been given their instant.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Done(Box<[u64]>);

impl Done {
    fn flip(&mut self, call: usize) {
        self.0[call / 64] ^= 1 << (call % 64);
    }

    fn has(&self, call: usize) -> bool {
        self.0[call / 64] >> (call % 64) & 1 == 1
    }
}

/// By call: of those that do the same and never returned, the one invoked just before. Whatever a later one
/// explains, an earlier one does too, so they are used in this order and no other: what would be all subsets of
/// them are only as many as there are.
fn twins<C: PartialEq>(history: &[Entry<C>]) -> Vec<Option<usize>> {
    let mut lost: Vec<usize> = (0..history.len())
        .filter(|at| history[*at].returned.is_none())
        .collect();
    lost.sort_by_key(|at| (history[*at].invoked, *at));
    let mut twins = vec![None; history.len()];
    for (rank, at) in lost.iter().enumerate() {
        let same = |other: &&usize| history[**other].call == history[*at].call;
        twins[*at] = lost[..rank].iter().rev().find(same).copied();
    }
    twins
}

/// Searches for an order, for at most `budget` steps.
pub fn check<M: Model>(model: &M, history: &[Entry<M::Call>], budget: u64) -> Verdict {
    let mut events = Events::of(history);
    let twins = twins(history);
    let mut state = model.start();
    let mut done = Done(vec![0; history.len().div_ceil(64)].into());
    let mut tried: HashSet<(Done, M::State)> = HashSet::new();
    let mut order: Vec<(usize, M::State)> = Vec::new();
    let mut at = events.next[HEAD];
    for _ in 0..budget {
        if at == events.end() {
            // No return is left: what has not been given an instant may never have happened.
            return Verdict::Linearizable;
        }
        let (call, is_return) = events.what[at];
        if is_return {
            // It has returned and has no instant yet: an earlier choice was wrong.
            let Some((last, earlier)) = order.pop() else {
                return Verdict::Violated;
            };
            state = earlier;
            done.flip(last);
            events.put_back(last);
            at = events.next[events.places[last].0];
            continue;
        }
        let its_turn = twins[call].is_none_or(|twin| done.has(twin));
        if its_turn && let Some(after) = model.step(&state, &history[call].call) {
            done.flip(call);
            if tried.insert((done.clone(), after.clone())) {
                events.take(call);
                order.push((call, std::mem::replace(&mut state, after)));
                at = events.next[HEAD];
                continue;
            }
            done.flip(call);
        }
        at = events.next[at];
    }
    Verdict::Undecided
}

#[cfg(test)]
mod tests;
