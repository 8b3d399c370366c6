//! One key as a register: the model that its history is checked against, and where a history first goes wrong.
//!
//! Promises: refuses exactly the histories that no order of the operations explains.

use super::checker::{Entry, Model, Verdict, check};
use super::history::{Kind, Operation, Outcome, Value};
use std::collections::HashMap;

/// Steps of one search. A history of a few hundred operations takes a few thousand.
const BUDGET: u64 = 20_000_000;

/// How many operations before a violation are looked through for its shortest explanation.
const LOOK_BACK: usize = 200;

/// An object that is there or not. Nothing may be known of what it holds at first.
struct Register {
    starts: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Makes the value what it says, whatever was there.
    Set(Value),
    /// The same where that was there.
    SetIf { expected: Value, new: Value },
    /// Was found there.
    Found(Value),
    /// Something else than this was there.
    Other(Value),
}

impl Model for Register {
    type State = Option<Value>;
    type Call = Call;

    fn start(&self) -> Option<Value> {
        self.starts
    }

    fn step(&self, state: &Option<Value>, call: &Call) -> Option<Option<Value>> {
        let may_be = |value: Value| state.is_none_or(|state| state == value);
        match *call {
            Call::Set(new) => Some(Some(new)),
            Call::SetIf { expected, new } => may_be(expected).then_some(Some(new)),
            Call::Found(value) => may_be(value).then_some(Some(value)),
            Call::Other(value) => (*state != Some(value)).then_some(*state),
        }
    }
}

fn call(operation: &Operation) -> Option<Call> {
    Some(match (operation.kind, operation.outcome) {
        (Kind::Get, Outcome::Done(found)) => Call::Found(found),
        // A read without an answer says nothing.
        (Kind::Get, _) => return None,
        (Kind::Swap { expected, .. }, Outcome::Unmet) => Call::Other(expected),
        (Kind::Create(_), Outcome::Unmet) => Call::Other(0),
        // Nobody promises this of a write without a condition.
        (Kind::Put(_) | Kind::Delete, Outcome::Unmet) => return None,
        (Kind::Put(value), _) => Call::Set(value),
        (Kind::Delete, _) => Call::Set(0),
        (Kind::Swap { expected, new }, _) => Call::SetIf { expected, new },
        (Kind::Create(value), _) => Call::SetIf {
            expected: 0,
            new: value,
        },
    })
}

/// The first time at which each value was seen by somebody, who had it answered by then.
fn seen(operations: &[Operation]) -> HashMap<Value, u64> {
    let mut seen: HashMap<Value, u64> = HashMap::new();
    for operation in operations {
        let value = match (operation.kind, operation.outcome) {
            (Kind::Get, Outcome::Done(found)) => found,
            (Kind::Swap { expected, .. }, Outcome::Done(_)) => expected,
            _ => continue,
        };
        let first = seen.entry(value).or_insert(u64::MAX);
        *first = operation.returned_ns.min(*first);
    }
    seen
}

/// Stands for every value that was written, perhaps, and that nobody saw.
const UNSEEN: Value = Value::MAX;

/// The history to be searched. A write of unknown outcome whose value was seen did happen, before whoever saw it
/// was answered. Those whose values nobody saw or asked for are all alike; with `unseen` false they are left out:
/// they explain nothing but why a condition did not hold.
fn entries(operations: &[Operation], unseen: bool) -> Vec<Entry<Call>> {
    let seen = seen(operations);
    let asked_for = |value: Value| {
        let asks = |one: &Operation| matches!(one.kind, Kind::Swap { expected, .. } if expected == value);
        operations.iter().any(asks)
    };
    let mut entries = Vec::with_capacity(operations.len());
    for operation in operations {
        let Some(mut call) = call(operation) else { continue };
        let mut returned = Some(operation.returned_ns);
        if operation.outcome == Outcome::Unknown {
            returned = None;
            if let Call::Set(new) | Call::SetIf { new, .. } = &mut call
                && *new != 0
            {
                returned = seen.get(new).copied();
                if returned.is_none() && !asked_for(*new) {
                    *new = UNSEEN;
                    if !unseen {
                        continue;
                    }
                }
            }
        }
        let invoked = operation.invoked_ns;
        entries.push(Entry {
            call,
            invoked,
            returned,
        });
    }
    entries
}

/// Whether the operations on one key, which is not there at first, have an order.
pub fn judge(operations: &[Operation]) -> Verdict {
    judge_from(Some(0), operations)
}

fn judge_from(starts: Option<Value>, operations: &[Operation]) -> Verdict {
    // Seen before it was asked for.
    let seen = seen(operations);
    let from_the_future = |operation: &Operation| match operation.kind {
        Kind::Put(new) | Kind::Swap { new, .. } | Kind::Create(new) => {
            seen.get(&new).is_some_and(|first| *first < operation.invoked_ns)
        }
        Kind::Delete | Kind::Get => false,
    };
    if operations.iter().any(from_the_future) {
        return Verdict::Violated;
    }
    // Almost always the simpler explanation will do, and it is found much sooner.
    let model = Register { starts };
    match check(&model, &entries(operations, false), BUDGET) {
        Verdict::Linearizable => Verdict::Linearizable,
        Verdict::Violated | Verdict::Undecided => check(&model, &entries(operations, true), BUDGET),
    }
}

/// What was known at an instant: whatever had not returned by then is without an outcome.
fn until(operations: &[Operation], at_ns: u64) -> Vec<Operation> {
    let known = operations
        .iter()
        .filter(|operation| operation.invoked_ns <= at_ns);
    let cut = |operation: &Operation| {
        let mut operation = *operation;
        if operation.returned_ns > at_ns {
            operation.outcome = Outcome::Unknown;
        }
        operation
    };
    known.map(cut).collect()
}

/// The operations that show the violation: those under way within the last moments before the first answer that
/// no order explains. Histories up to there are in order, so this answer is the one that is wrong (or the last
/// of those that contradict each other).
pub fn window(operations: &[Operation]) -> Vec<Operation> {
    let mut ends: Vec<u64> = operations
        .iter()
        .filter(|operation| operation.outcome != Outcome::Unknown)
        .map(|operation| operation.returned_ns)
        .collect();
    ends.sort_unstable();
    // A part of a linearizable history, up to some instant, is linearizable: so the first that is not is found
    // by halving.
    let at = ends.partition_point(|end| judge(&until(operations, *end)) != Verdict::Violated);
    let Some(end) = ends.get(at).copied() else {
        return operations.to_vec();
    };
    let mut shown = until(operations, end);
    shown.sort_by_key(|operation| operation.returned_ns);
    // The shortest tail that no value that it may have held before explains.
    let tail = |from: &usize| judge_from(None, &shown[*from..]) == Verdict::Violated;
    let from = (0..shown.len()).rev().take(LOOK_BACK).find(tail);
    let shown = shown.split_off(from.unwrap_or(0));
    // What was still under way then, and of no consequence, is left out; the rest is shown as it ended.
    let seen = seen(&shown);
    let matters = |one: &&Operation| {
        let in_it = shown.iter().find(|other| is_same(one, other));
        in_it.is_some_and(|cut| {
            cut.outcome != Outcome::Unknown || written(cut).is_some_and(|new| seen.contains_key(&new))
        })
    };
    let mut shown: Vec<Operation> = operations.iter().filter(matters).copied().collect();
    shown.sort_by_key(|operation| operation.invoked_ns);
    shown
}

fn is_same(one: &Operation, other: &Operation) -> bool {
    (one.client, one.invoked_ns) == (other.client, other.invoked_ns)
}

/// The value that an operation leaves, if it is done.
fn written(operation: &Operation) -> Option<Value> {
    match operation.kind {
        Kind::Put(new) | Kind::Swap { new, .. } | Kind::Create(new) => Some(new),
        Kind::Delete => Some(0),
        Kind::Get => None,
    }
}

/// The same history with one read answered with a value that was overwritten before it, beyond doubt: what the
/// checker has to refuse. `None` where the history has no place for it.
pub fn spoiled(operations: &[Operation]) -> Option<Vec<Operation>> {
    let mut writes: Vec<(&Operation, Value)> = operations
        .iter()
        .filter_map(|one| match (one.kind, one.outcome) {
            (Kind::Put(value), Outcome::Done(_)) => Some((one, value)),
            _ => None,
        })
        .collect();
    writes.sort_by_key(|(one, _)| one.returned_ns);
    let (old, stale) = writes.first()?;
    let (new, _) = writes.iter().find(|(new, _)| new.invoked_ns > old.returned_ns)?;
    let late = |one: &Operation| {
        one.kind == Kind::Get
            && one.invoked_ns > new.returned_ns
            && matches!(one.outcome, Outcome::Done(found) if found != *stale)
    };
    let at = operations.iter().position(late)?;
    let mut spoiled = operations.to_vec();
    spoiled[at].outcome = Outcome::Done(*stale);
    Some(spoiled)
}

#[cfg(test)]
mod tests;
