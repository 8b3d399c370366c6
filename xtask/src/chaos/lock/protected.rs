//! The object that a lock protects: what fenced writes leave in it, and what reads find.
//!
//! Promises: of two writes it is known which is the later one where their tokens differ, or where one returned before
//! the other was sent. A write of unknown outcome may have happened at any time while its token was good.

use super::Violation;
use super::history::{Call, Kind, Outcome};
use std::collections::HashMap;

pub(super) fn judge(calls: &[Call]) -> Vec<Violation> {
    let mut writes: HashMap<u64, &Call> = HashMap::new();
    for call in calls {
        if let Kind::Write(value) = call.kind {
            writes.insert(value, call);
        }
    }
    let mut done: Vec<&Call> = writes.values().copied().filter(|write| write.done()).collect();
    done.sort_by_key(|write| write.returned_ns);
    let mut reads: Vec<(u64, &Call)> = calls
        .iter()
        .filter_map(|call| match (call.kind, call.outcome) {
            (Kind::Read, Outcome::Done(value)) => Some((value, call)),
            _ => None,
        })
        .collect();
    reads.sort_by_key(|(_, read)| read.invoked_ns);
    // Of the writes that had returned before a read was sent: the one with the highest token, and of those with that
    // token the one that was sent last.
    let (mut next, mut latest): (usize, Option<&Call>) = (0, None);
    let mut found = Vec::new();
    for (value, read) in reads {
        while let Some(write) = done.get(next).filter(|write| write.returned_ns < read.invoked_ns) {
            let is_later =
                |latest: &Call| (write.token, write.invoked_ns) > (latest.token, latest.invoked_ns);
            if latest.is_none_or(is_later) {
                latest = Some(write);
            }
            next += 1;
        }
        found.extend(wrong(value, read, &writes, latest));
    }
    found
}

/// What is wrong with a read that was sent when `latest` was known to be stored.
fn wrong(value: u64, read: &Call, writes: &HashMap<u64, &Call>, latest: Option<&Call>) -> Option<Violation> {
    let lost = |why: String, calls: &[Call]| Some(Violation::new("lost write", why, calls));
    let Some(write) = writes.get(&value).filter(|_| value != 0) else {
        return match (value, latest) {
            (0, None) => None,
            (0, Some(latest)) => lost("nothing is there after a write".to_owned(), &[*latest, *read]),
            _ => Some(Violation::new(
                "ghost",
                "nobody wrote what was read".to_owned(),
                &[*read],
            )),
        };
    };
    if write.outcome == Outcome::Lost {
        let why = "a write that was refused was read".to_owned();
        return Some(Violation::new("ghost", why, &[**write, *read]));
    }
    if write.invoked_ns > read.returned_ns {
        let why = "a write was read before it was sent".to_owned();
        return Some(Violation::new("ghost", why, &[**write, *read]));
    }
    let latest = latest?;
    let over = latest.token > write.token
        || (latest.token == write.token && write.done() && write.returned_ns < latest.invoked_ns);
    over.then(|| {
        let why = "an acknowledged write is not there, and an earlier one is".to_owned();
        Violation::new("lost write", why, &[**write, *latest, *read])
    })
}
