//! What one peer waits for from us, bounded, and how fast it may ask. Pure.

use crate::message::{Entry, Want, v1};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;
use stead_event::Cid;

/// Wants of one peer that are kept at most; a wantlist that is longer is cut.
pub const WANTS_MAX: usize = 4096;
/// Blocks that were asked of a peer and are still remembered, so that they are known when they come late.
const RECENT_MAX: usize = 4096;

/// Wants that were not answered yet, first come first served.
#[derive(Default)]
pub struct Ledger {
    order: VecDeque<Cid>,
    wants: HashMap<Cid, Entry>,
}

impl Ledger {
    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty()
    }

    /// Notes a want or takes one back. `false`: there is no room, and nothing was noted.
    #[must_use]
    pub fn apply(&mut self, entry: Entry) -> bool {
        if entry.cancel {
            self.wants.remove(&entry.cid);
            return true;
        }
        if let Some(known) = self.wants.get_mut(&entry.cid) {
            known.say_absent |= entry.say_absent;
            if entry.want == Want::Block {
                known.want = Want::Block;
            }
            return true;
        }
        if self.wants.len() >= WANTS_MAX {
            return false;
        }
        if self.order.len() >= 2 * WANTS_MAX {
            // What was cancelled stays in the order until its turn comes, or until it is half of it.
            let mut seen = HashSet::new();
            self.order
                .retain(|cid| self.wants.contains_key(cid) && seen.insert(*cid));
        }
        self.order.push_back(entry.cid);
        self.wants.insert(entry.cid, entry);
        true
    }

    /// The peer said its whole wantlist: what it wanted before is not wanted any more.
    pub fn clear(&mut self) {
        self.order.clear();
        self.wants.clear();
    }

    /// The next want, which is not kept any longer.
    pub fn pop(&mut self) -> Option<Entry> {
        loop {
            let cid = self.order.pop_front()?;
            if let Some(entry) = self.wants.remove(&cid) {
                return Some(entry);
            }
        }
    }
}

/// So many at once, and so many a second after that.
pub struct Rate {
    burst: f64,
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Rate {
    /// Full at `now`.
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        Self {
            burst: burst.into(),
            per_second: per_second.into(),
            left: burst.into(),
            at: now,
        }
    }

    /// Takes `count`; how long to wait before going on, in seconds.
    pub fn take(&mut self, count: usize, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.left = (self.left + gained).min(self.burst) - count as f64;
        (-self.left / self.per_second).max(0.0)
    }
}

/// The CIDs that were asked of a peer, the last few thousand.
#[derive(Default)]
pub struct Recent {
    order: VecDeque<Cid>,
    known: HashSet<Cid>,
}

impl Recent {
    /// Notes that it was asked.
    pub fn note(&mut self, cid: &Cid) {
        let cid = v1(cid);
        if self.known.insert(cid) {
            self.order.push_back(cid);
        }
        if self.order.len() > RECENT_MAX
            && let Some(old) = self.order.pop_front()
        {
            self.known.remove(&old);
        }
    }

    /// Whether it was asked.
    pub fn contains(&self, cid: &Cid) -> bool {
        self.known.contains(&v1(cid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use stead_event::cids;

    fn entry(number: usize, want: Want) -> Entry {
        Entry {
            cid: cids::raw(&number.to_le_bytes()),
            priority: 1,
            cancel: false,
            want,
            say_absent: false,
        }
    }

    fn cancel(number: usize) -> Entry {
        Entry {
            cancel: true,
            ..entry(number, Want::Block)
        }
    }

    #[test]
    fn a_wantlist_is_bounded_and_what_was_cancelled_makes_room() {
        let mut ledger = Ledger::default();
        for number in 0..WANTS_MAX {
            assert!(ledger.apply(entry(number, Want::Block)));
        }
        assert!(!ledger.apply(entry(WANTS_MAX, Want::Block)));
        assert!(ledger.apply(cancel(0)));
        assert!(ledger.apply(entry(WANTS_MAX, Want::Block)));
        assert_eq!(ledger.pop().unwrap(), entry(1, Want::Block));
        // Cancelling and wanting for ever keeps no more.
        for _ in 0..3 * WANTS_MAX {
            assert!(ledger.apply(cancel(2)));
            assert!(ledger.apply(entry(2, Want::Have)));
        }
        assert!(ledger.order.len() <= 2 * WANTS_MAX);
    }

    #[test]
    fn a_want_for_the_block_is_more_than_one_for_its_presence() {
        let mut ledger = Ledger::default();
        assert!(ledger.apply(entry(1, Want::Have)));
        assert!(ledger.apply(entry(1, Want::Block)));
        assert!(ledger.apply(entry(1, Want::Have)));
        assert_eq!(ledger.pop(), Some(entry(1, Want::Block)));
        assert_eq!(ledger.pop(), None);
        assert!(ledger.apply(entry(1, Want::Have)));
        ledger.clear();
        assert_eq!(ledger.pop(), None);
    }

    #[test]
    fn a_rate_lets_a_burst_through_and_then_makes_wait() {
        #[allow(clippy::disallowed_methods)] // any moment will do
        let start = Instant::now();
        let mut rate = Rate::new(100, 10, start);
        assert_eq!(rate.take(100, start), 0.0);
        assert!((rate.take(20, start) - 2.0).abs() < 1e-6);
        assert_eq!(rate.take(1, start + Duration::from_secs(60)), 0.0);
    }
}
