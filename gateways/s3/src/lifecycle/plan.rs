//! What is due of the versions of a bucket: from states in the order of a listing to deletions. Pure.

use super::due::Day;
use super::rules::Rules;
use stead_event::{EventId, Timestamp};
use stead_gateway::objects::Expiry;
use stead_view::{ObjectRecord, VersionEntry};

/// Looks at the versions of a bucket one after another: keys ascending, each key's newest first.
pub(super) struct Planner<'a> {
    rules: &'a Rules,
    day: Day,
    now: Timestamp,
    key: Option<Key>,
}

/// What is known of the key that is being looked at.
struct Key {
    key: String,
    /// The event of its current object.
    current: Option<EventId>,
    /// When the state before, which is newer, was made.
    newer_at: Timestamp,
    /// How many states that are not current came before.
    noncurrent: u32,
    /// A delete marker that nothing has been found behind so far.
    marker: Option<Box<ObjectRecord>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(rules: &'a Rules, day: Day, now: Timestamp) -> Self {
        Self {
            rules,
            day,
            now,
            key: None,
        }
    }

    /// Looks at the next version; what is due goes to `out`.
    pub(super) fn look(&mut self, entry: VersionEntry, out: &mut Vec<Expiry>) {
        let VersionEntry { key, latest, record } = entry;
        let same = self.key.as_ref().is_some_and(|known| known.key == key);
        if latest || !same {
            self.end(out);
            self.first(key, latest, record, out);
        } else {
            self.next(&record, out);
        }
    }

    fn first(&mut self, key: String, latest: bool, record: ObjectRecord, out: &mut Vec<Expiry>) {
        let current = (latest && !record.marker).then_some(record.event);
        if current.is_some()
            && let Some(due) = self.rules.expiry(&key, &record, self.day)
            && due.at <= self.now
        {
            out.push(Expiry {
                key: key.clone(),
                version: None,
                current,
                rule: due.rule.to_owned(),
            });
        }
        self.key = Some(Key {
            key,
            current,
            newer_at: record.at,
            noncurrent: 0,
            marker: (latest && record.marker).then(|| Box::new(record)),
        });
    }

    /// A version that is not current.
    fn next(&mut self, record: &ObjectRecord, out: &mut Vec<Expiry>) {
        let Some(known) = &mut self.key else { return };
        known.marker = None;
        let became = (known.newer_at, known.noncurrent);
        let due = self.rules.end(&known.key, record, became, self.day);
        (known.newer_at, known.noncurrent) = (record.at, known.noncurrent + 1);
        if let Some(due) = due
            && due.at <= self.now
            && !record.is_locked(self.now, false)
        {
            out.push(Expiry {
                key: known.key.clone(),
                version: Some(record.version_id().to_owned()),
                current: known.current,
                rule: due.rule.to_owned(),
            });
        }
    }

    /// Ends the key that is being looked at: nothing more comes of it.
    pub(super) fn end(&mut self, out: &mut Vec<Expiry>) {
        let Some(known) = self.key.take() else { return };
        let Some(marker) = known.marker else { return };
        if let Some(due) = self.rules.clearance(&known.key, &marker, self.day)
            && due.at <= self.now
        {
            out.push(Expiry {
                key: known.key,
                version: Some(marker.version_id().to_owned()),
                current: None,
                rule: due.rule.to_owned(),
            });
        }
    }
}
