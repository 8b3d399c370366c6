//! Named locks: who holds which, by the log. How long still is counted by whoever leads and stands in no view.
//!
//! Locks are the main tenant's.

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, Snapshot, TableId, Tables};
use serde::{Deserialize, Serialize};
use stead_event::body::{LockAcquired, LockReleased};
use stead_event::{Body, Event, Position, Principal, Tenant, Timestamp};

/// A lock that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRecord {
    /// The lock's name.
    pub name: String,
    /// The fencing token: the position of the event that it was acquired by.
    pub token: Position,
    /// The holder in words for people.
    pub owner: String,
    /// Who acquired it, as events name them.
    pub actor: Principal,
    /// The canonical id of that user; empty for the owner of the data directory.
    pub user: String,
    /// What the request to acquire it had drawn.
    pub request: String,
    /// How long it is held without a word of its holder's, in seconds.
    pub ttl_s: u64,
    /// Since when.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredLock {
    #[serde(rename = "p")]
    token: u64,
    #[serde(rename = "o")]
    owner: String,
    #[serde(rename = "a")]
    actor: Principal,
    #[serde(rename = "u")]
    user: String,
    #[serde(rename = "r")]
    request: String,
    #[serde(rename = "t")]
    ttl_s: u64,
    #[serde(rename = "s")]
    since: i64,
}

first_version!(StoredLock, "lock");

impl StoredLock {
    fn new(event: &Event, acquired: &LockAcquired) -> Self {
        Self {
            token: event.seq,
            owner: acquired.owner.clone(),
            actor: event.actor.clone(),
            user: acquired.user.clone(),
            request: acquired.request.clone(),
            ttl_s: acquired.ttl_s,
            since: event.at.as_micros(),
        }
    }

    fn record(self, name: &str) -> LockRecord {
        LockRecord {
            name: name.to_owned(),
            token: self.token,
            owner: self.owner,
            actor: self.actor,
            user: self.user,
            request: self.request,
            ttl_s: self.ttl_s,
            since: Timestamp::from_micros(self.since),
        }
    }
}

/// Folds who holds which lock.
#[derive(Default)]
pub(crate) struct LocksFold;

impl LocksFold {
    fn acquired(tables: &mut Tables<'_>, event: &Event, acquired: &LockAcquired) -> Result<(), ViewError> {
        let key = acquired.name.as_bytes();
        match tables.get(TableId::Locks, key, |_| Ok(()))? {
            None => tables.set(TableId::Locks, key, &StoredLock::new(event, acquired)),
            Some(()) => Ok(()),
        }
    }

    fn released(tables: &mut Tables<'_>, released: &LockReleased) -> Result<(), ViewError> {
        if holds(tables, &released.name, released.token)? {
            tables.remove(TableId::Locks, released.name.as_bytes())?;
        }
        Ok(())
    }
}

impl Projection for LocksFold {
    const NAME: &'static str = "locks";
    const TABLES: &'static [TableId] = &[TableId::Locks];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        match &event.body {
            Body::LockAcquired(body) if *tenant == Tenant::main() => Self::acquired(tables, event, body),
            Body::LockReleased(body) if *tenant == Tenant::main() => Self::released(tables, body),
            _ => Ok(()),
        }
    }
}

/// Whoever holds a lock.
pub(crate) fn find(read: &impl Read, name: &str) -> Result<Option<LockRecord>, ViewError> {
    let stored = read.value::<StoredLock>(TableId::Locks, name.as_bytes())?;
    Ok(stored.map(|stored| stored.record(name)))
}

/// Whether a lock is held by the acquisition with this token.
pub(crate) fn holds(read: &impl Read, name: &str, token: Position) -> Result<bool, ViewError> {
    Ok(find(read, name)?.is_some_and(|held| held.token == token))
}

/// The locks at one moment.
pub struct Locks {
    pub(crate) snapshot: Snapshot,
}

impl Locks {
    /// Whoever holds a lock.
    pub fn lock(&self, name: &str) -> Result<Option<LockRecord>, ViewError> {
        find(&self.snapshot, name)
    }

    /// Every lock that is held, by name.
    pub fn held(&self) -> Result<Vec<LockRecord>, ViewError> {
        let mut held = Vec::new();
        for row in self.snapshot.rows(TableId::Locks, &[], None)? {
            let row = row?;
            let name = std::str::from_utf8(row.key())
                .map_err(|_| ViewError::Damaged("the name of a lock is no text".into()))?;
            held.push(row.value::<StoredLock>()?.record(name));
        }
        Ok(held)
    }

    /// How many locks are held, counted up to `most`.
    pub fn count(&self, most: usize) -> Result<usize, ViewError> {
        Ok(self.snapshot.rows(TableId::Locks, &[], None)?.take(most).count())
    }
}
