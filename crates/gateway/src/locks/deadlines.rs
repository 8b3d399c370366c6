//! When which lease runs out, as the node that leads counts it.
//!
//! Promises: a lease is never shorter than agreed. Who begins to lead begins every lease anew, because it does not
//! know when its predecessor heard of the holders last.

use std::collections::HashMap;
use std::time::{Duration, Instant};
use stead_event::Position;

/// What is granted beyond the lease, for clocks that do not run alike.
const GRACE: Duration = Duration::from_secs(1);

/// A lock as the log has it: its token, and how long its lease is.
pub(super) type Held = (String, (Position, Duration));

struct Lease {
    token: Position,
    ttl: Duration,
    until: Instant,
    /// It is being ended: no sign of life comes in time any more.
    ending: bool,
}

/// The leases of one term.
#[derive(Default)]
pub(super) struct Deadlines {
    term: Option<u64>,
    leases: HashMap<String, Lease>,
}

impl Deadlines {
    /// Forgets what was counted in another term.
    fn enter(&mut self, term: u64) {
        if self.term != Some(term) {
            self.leases.clear();
            self.term = Some(term);
        }
    }

    /// Takes in which locks are held, and answers those whose lease has run out. They count as ending until
    /// [`Self::resume`].
    pub(super) fn due(
        &mut self,
        term: u64,
        now: Instant,
        held: impl IntoIterator<Item = Held>,
    ) -> Vec<(String, Position)> {
        self.enter(term);
        let mut known = std::mem::take(&mut self.leases);
        let mut due = Vec::new();
        for (name, (token, ttl)) in held {
            let lease = known.remove(&name).filter(|lease| lease.token == token);
            let mut lease = lease.unwrap_or(Lease {
                token,
                ttl,
                until: now + ttl + GRACE,
                ending: false,
            });
            if !lease.ending && lease.until <= now {
                lease.ending = true;
                due.push((name.clone(), token));
            }
            self.leases.insert(name, lease);
        }
        due
    }

    /// The lease could not be ended: it is counted on.
    pub(super) fn resume(&mut self, term: u64, name: &str, token: Position) {
        if let Some(lease) = self.leases.get_mut(name).filter(|lease| lease.token == token)
            && self.term == Some(term)
        {
            lease.ending = false;
        }
    }

    /// Begins a lease anew that the log says is held; answers whether it was not too late.
    pub(super) fn renew(&mut self, term: u64, now: Instant, (name, (token, ttl)): Held) -> bool {
        self.enter(term);
        let until = now + ttl + GRACE;
        match self.leases.get_mut(&name).filter(|lease| lease.token == token) {
            Some(lease) if lease.ending => false,
            Some(lease) => {
                lease.until = until.max(lease.until);
                true
            }
            None => {
                let lease = Lease {
                    token,
                    ttl,
                    until,
                    ending: false,
                };
                self.leases.insert(name, lease);
                true
            }
        }
    }

    /// How long a lease goes on without a sign of life, where this is counted.
    pub(super) fn left(&self, name: &str, token: Position, now: Instant) -> Option<Duration> {
        let lease = self.leases.get(name).filter(|lease| lease.token == token)?;
        Some(lease.until.saturating_duration_since(now).min(lease.ttl))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn held(token: Position) -> Vec<Held> {
        vec![("backup".to_owned(), (token, TTL))]
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn start() -> Instant {
        stead_runtime::Clock::system().instant()
    }

    #[test]
    fn a_lease_ends_when_nothing_was_heard_for_as_long_as_it_lasts() {
        let (mut leases, start) = (Deadlines::default(), start());
        assert!(leases.due(1, start, held(5)).is_empty());
        assert!(leases.renew(1, after(start, 8), held(5).remove(0)));
        assert!(leases.due(1, after(start, 18), held(5)).is_empty());
        assert_eq!(
            leases.due(1, after(start, 20), held(5)),
            [("backup".to_owned(), 5)]
        );
        // Once, and no sign of life comes in time any more.
        assert!(leases.due(1, after(start, 21), held(5)).is_empty());
        assert!(!leases.renew(1, after(start, 21), held(5).remove(0)));
        leases.resume(1, "backup", 5);
        assert!(leases.renew(1, after(start, 22), held(5).remove(0)));
    }

    #[test]
    fn whoever_begins_to_lead_counts_anew() {
        let (mut leases, start) = (Deadlines::default(), start());
        assert!(leases.due(1, start, held(5)).is_empty());
        assert!(leases.due(3, after(start, 60), held(5)).is_empty());
        assert!(leases.due(3, after(start, 69), held(5)).is_empty());
        assert_eq!(leases.due(3, after(start, 72), held(5)).len(), 1);
    }

    #[test]
    fn the_next_holder_has_a_lease_of_its_own() {
        let (mut leases, start) = (Deadlines::default(), start());
        leases.due(1, start, held(5));
        assert!(leases.due(1, after(start, 60), held(9)).is_empty());
        assert_eq!(
            leases.left("backup", 9, after(start, 65)),
            Some(Duration::from_secs(6))
        );
        assert_eq!(leases.left("backup", 5, after(start, 65)), None);
    }
}
