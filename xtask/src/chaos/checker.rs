//! Whether a history of a register is linearizable: whether every operation can have taken effect at one moment
//! between its beginning and its answer.
//!
//! The search of Wing and Gong ("Testing and verifying concurrent objects", 1993) as Lowe made it fast ("Testing for
//! linearizability", 2017): operations are taken out of the history one by one, a state that was met before with the
//! same operations taken is not searched again, and a dead end is gone back from. Registers are checked one by one,
//! which is enough (Herlihy and Wing 1990: linearizability is local).

use super::history::{Entry, State, settle};
use std::collections::HashSet;

/// States that are met before a search is given up.
const MOST: usize = 5_000_000;

/// What is found.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order that explains everything.
    Good,
    /// There is none; these could not be explained after as many as possible were.
    Bad(Vec<Entry>),
    /// It would take too long to say.
    Undecided,
}

/// An operation's beginning or its answer, in the list of what is left.
#[derive(Clone, Copy)]
struct Event {
    /// The operation's place in the history.
    call: usize,
    begins: bool,
}

/// The events that are left, in the order of time, as a list from which pairs are taken and put back.
struct Left {
    events: Vec<Event>,
    next: Vec<usize>,
    before: Vec<usize>,
    /// Where each operation begins and is answered.
    places: Vec<(usize, usize)>,
}

impl Left {
    fn new(history: &[Entry]) -> Self {
        let mut order: Vec<(u64, bool, usize)> = Vec::new();
        for (call, entry) in history.iter().enumerate() {
            order.push((entry.begin, false, call));
            order.push((entry.end.unwrap_or(u64::MAX), true, call));
        }
        order.sort_unstable();
        // Place 0 is the head of the list.
        let mut events = vec![Event {
            call: usize::MAX,
            begins: false,
        }];
        let mut places = vec![(0, 0); history.len()];
        for (_, ends, call) in order {
            let place = events.len();
            if ends {
                places[call].1 = place
            } else {
                places[call].0 = place
            }
            events.push(Event { call, begins: !ends });
        }
        let count = events.len();
        Self {
            events,
            next: (1..=count).collect(),
            before: (0..count).map(|place| place.saturating_sub(1)).collect(),
            places,
        }
    }

    fn is_end(&self, place: usize) -> bool {
        place >= self.events.len()
    }

    fn take(&mut self, call: usize) {
        for place in [self.places[call].0, self.places[call].1] {
            let (before, next) = (self.before[place], self.next[place]);
            self.next[before] = next;
            if !self.is_end(next) {
                self.before[next] = before;
            }
        }
    }

    fn put_back(&mut self, call: usize) {
        for place in [self.places[call].1, self.places[call].0] {
            let (before, next) = (self.before[place], self.next[place]);
            self.next[before] = place;
            if !self.is_end(next) {
                self.before[next] = place;
            }
        }
    }
}

/// Checks the history of one register, which holds nothing at first.
pub fn check(history: &[Entry]) -> Verdict {
    let history = settle(history);
    let mut left = Left::new(&history);
    let mut taken = vec![0_u64; history.len().div_ceil(64)];
    let mut met: HashSet<(Vec<u64>, State)> = HashSet::new();
    let mut done: Vec<(usize, State)> = Vec::new();
    let mut best: (usize, Vec<u64>) = (0, taken.clone());
    let mut state: State = None;
    let mut place = left.next[0];
    while !left.is_end(place) {
        let Event { call, begins } = left.events[place];
        if begins {
            if let Some(after) = history[call].op.apply(state) {
                taken[call / 64] |= 1 << (call % 64);
                if met.insert((taken.clone(), after)) {
                    if met.len() > MOST {
                        return Verdict::Undecided;
                    }
                    done.push((call, state));
                    if done.len() > best.0 {
                        best = (done.len(), taken.clone());
                    }
                    state = after;
                    left.take(call);
                    place = left.next[0];
                    continue;
                }
                taken[call / 64] &= !(1 << (call % 64));
            }
            place = left.next[place];
            continue;
        }
        // An answer of what was not explained. One that never came is at the end: all others are explained.
        if history[call].end.is_none() {
            return Verdict::Good;
        }
        let Some((last, was)) = done.pop() else {
            let unexplained = |call: &usize| best.1[call / 64] & (1 << (call % 64)) == 0;
            return Verdict::Bad(
                (0..history.len())
                    .filter(unexplained)
                    .map(|call| history[call])
                    .collect(),
            );
        };
        state = was;
        taken[last / 64] &= !(1 << (last % 64));
        left.put_back(last);
        place = left.next[left.places[last].0];
    }
    Verdict::Good
}

#[cfg(test)]
mod tests {
    use super::super::history::Op;
    use super::*;

    fn entry(op: Op, begin: u64, end: impl Into<Option<u64>>) -> Entry {
        Entry {
            op,
            begin,
            end: end.into(),
            client: 1,
            node: 1,
        }
    }

    fn is_bad(history: &[Entry]) -> bool {
        matches!(check(history), Verdict::Bad(_))
    }

    #[test]
    fn one_after_the_other() {
        let history = [
            entry(Op::Get(None), 0, 1),
            entry(Op::Put(1), 2, 3),
            entry(Op::Get(Some(1)), 4, 5),
            entry(Op::Swap(Some(1), 2), 6, 7),
            entry(Op::Miss(Some(1)), 8, 9),
            entry(Op::Delete, 10, 11),
            entry(Op::Get(None), 12, 13),
        ];
        assert_eq!(check(&history), Verdict::Good);
    }

    #[test]
    fn what_is_read_is_never_older_than_what_was_answered() {
        let stale = [
            entry(Op::Put(1), 0, 1),
            entry(Op::Put(2), 2, 3),
            entry(Op::Get(Some(1)), 4, 5),
        ];
        assert_eq!(check(&stale), Verdict::Bad(vec![stale[2]]));
        let beside = [stale[0], stale[1], entry(Op::Get(Some(1)), 2, 5)];
        assert_eq!(check(&beside), Verdict::Good);
    }

    #[test]
    fn two_readers_agree_about_the_order() {
        let torn = [
            entry(Op::Put(1), 0, 100),
            entry(Op::Put(2), 0, 100),
            entry(Op::Get(Some(1)), 10, 11),
            entry(Op::Get(Some(2)), 12, 13),
            entry(Op::Get(Some(1)), 14, 15),
        ];
        assert!(is_bad(&torn));
        assert_eq!(check(&torn[..4]), Verdict::Good);
    }

    #[test]
    fn one_of_two_takes_the_place() {
        let both = [
            entry(Op::Put(1), 0, 1),
            entry(Op::Swap(Some(1), 2), 2, 9),
            entry(Op::Swap(Some(1), 3), 2, 9),
        ];
        assert!(is_bad(&both), "a split brain");
        let one = [both[0], both[1], entry(Op::Miss(Some(1)), 2, 9)];
        assert_eq!(check(&one), Verdict::Good);
    }

    #[test]
    fn what_was_not_answered_may_have_been_done_or_not_but_only_once() {
        let unknown = entry(Op::Put(2), 2, None);
        let before = entry(Op::Put(1), 0, 1);
        for seen in [Some(1), Some(2)] {
            assert_eq!(
                check(&[before, unknown, entry(Op::Get(seen), 4, 5)]),
                Verdict::Good
            );
        }
        let back = [
            before,
            unknown,
            entry(Op::Get(Some(2)), 4, 5),
            entry(Op::Put(3), 6, 7),
            entry(Op::Get(Some(2)), 8, 9),
        ];
        assert!(is_bad(&back));
        let deleted = [before, entry(Op::Delete, 2, None), entry(Op::Get(None), 8, 9)];
        assert_eq!(check(&deleted), Verdict::Good);
        assert!(is_bad(&[before, entry(Op::Get(None), 8, 9)]), "a lost write");
    }

    /// Threads on a real register behind a lock are linearizable; with one answer changed they are not.
    #[test]
    fn a_real_history_is_good_and_a_falsified_one_is_not() {
        use std::sync::{Mutex, atomic::AtomicU64, atomic::Ordering};
        let (register, clock) = (Mutex::new(None), AtomicU64::new(0));
        let tick = || clock.fetch_add(1, Ordering::SeqCst);
        let work = |client: u32| {
            let mut own = Vec::new();
            for turn in 0..150_u64 {
                let begin = tick();
                let mut state = register.lock().unwrap();
                let value = u64::from(client) << 32 | turn;
                let op = match turn % 3 {
                    0 => Op::Put(value),
                    1 => Op::Get(*state),
                    _ => Op::Swap(*state, value),
                };
                *state = op.apply(*state).unwrap();
                drop(state);
                own.push(Entry {
                    op,
                    begin,
                    end: Some(tick()),
                    client,
                    node: 0,
                });
            }
            own
        };
        let mut history: Vec<Entry> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|client| scope.spawn(move || work(client))).collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(check(&history), Verdict::Good);
        history.sort_by_key(|entry| entry.begin);
        let first = history.iter().find_map(|entry| match entry.op {
            Op::Put(value) | Op::Swap(_, value) => Some(value),
            _ => None,
        });
        let last = history
            .iter_mut()
            .rev()
            .find(|entry| matches!(entry.op, Op::Get(_)))
            .unwrap();
        last.op = Op::Get(first);
        assert!(is_bad(&history));
    }
}
