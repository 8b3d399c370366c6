//! The settings that all nodes share: every document that there was, by revision.
//!
//! They are of the system tenant's log.

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, Snapshot, TableId, Tables};
use serde::{Deserialize, Serialize};
use stead_event::body::ConfigSet;
use stead_event::{Body, Event, Position, Principal, Tenant, Timestamp};

/// One document of shared settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRecord {
    /// Which it is, counted from 1.
    pub revision: u64,
    /// TOML.
    pub document: String,
    /// Why it was set, in words for people; may be empty.
    pub message: String,
    /// Who set it, as events name them.
    pub actor: Principal,
    /// Since when it counts.
    pub since: Timestamp,
    /// The event's position in the system tenant's log.
    pub position: Position,
}

#[derive(Serialize, Deserialize)]
struct StoredConfig {
    #[serde(rename = "d")]
    document: String,
    #[serde(rename = "m")]
    message: String,
    #[serde(rename = "a")]
    actor: Principal,
    #[serde(rename = "s")]
    since: i64,
    #[serde(rename = "p")]
    position: u64,
}

first_version!(StoredConfig, "config");

impl StoredConfig {
    fn record(self, revision: u64) -> ConfigRecord {
        ConfigRecord {
            revision,
            document: self.document,
            message: self.message,
            actor: self.actor,
            since: Timestamp::from_micros(self.since),
            position: self.position,
        }
    }
}

/// Rows are in the reverse order of revisions, so that the newest is the first.
fn key(revision: u64) -> [u8; 8] {
    (u64::MAX - revision).to_be_bytes()
}

fn revision(key: &[u8]) -> Result<u64, ViewError> {
    let key: [u8; 8] = key
        .try_into()
        .map_err(|_| ViewError::Damaged("the number of a document of settings is none".into()))?;
    Ok(u64::MAX - u64::from_be_bytes(key))
}

/// Folds the documents of shared settings.
#[derive(Default)]
pub(crate) struct ConfigFold;

impl Projection for ConfigFold {
    const NAME: &'static str = "config";
    const TABLES: &'static [TableId] = &[TableId::ConfigRevisions];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        let Body::ConfigSet(set) = &event.body else {
            return Ok(());
        };
        if *tenant != Tenant::system() {
            return Ok(());
        }
        let ConfigSet {
            document,
            message,
            revision,
            via: _,
        } = set.clone();
        let stored = StoredConfig {
            document,
            message,
            actor: event.actor.clone(),
            since: event.at.as_micros(),
            position: event.seq,
        };
        tables.set(TableId::ConfigRevisions, &key(revision), &stored)
    }
}

/// The revision that counts; 0 where settings were never shared.
pub(crate) fn newest(read: &impl Read) -> Result<u64, ViewError> {
    match read.rows(TableId::ConfigRevisions, &[], None)?.next() {
        Some(row) => revision(row?.key()),
        None => Ok(0),
    }
}

/// Shared settings at one moment.
pub struct Config {
    pub(crate) snapshot: Snapshot,
}

impl Config {
    /// The document that counts; `None` where settings were never shared.
    pub fn now(&self) -> Result<Option<ConfigRecord>, ViewError> {
        match newest(&self.snapshot)? {
            0 => Ok(None),
            newest => self.at(newest),
        }
    }

    /// One document.
    pub fn at(&self, revision: u64) -> Result<Option<ConfigRecord>, ViewError> {
        let stored = self
            .snapshot
            .value::<StoredConfig>(TableId::ConfigRevisions, &key(revision))?;
        Ok(stored.map(|stored| stored.record(revision)))
    }

    /// The newest documents, the newest first, at most so many; those before `below` where that is given.
    pub fn history(&self, below: Option<u64>, most: usize) -> Result<Vec<ConfigRecord>, ViewError> {
        let from = below.map_or([0; 8], |below| key(below.saturating_sub(1)));
        let rows = self.snapshot.rows(TableId::ConfigRevisions, &from, None)?;
        rows.take(most)
            .map(|row| {
                let row = row?;
                Ok(row.value::<StoredConfig>()?.record(revision(row.key())?))
            })
            .collect()
    }
}
