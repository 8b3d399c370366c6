//! What is public to IPFS: which buckets and prefixes, under which name, at which root; and which DAGs from
//! elsewhere are kept.
//!
//! Owns: the projection `published`; [`names`], how keys become paths; [`tree`], how keys become a directory
//! that is kept up; [`Index`], which blocks are reachable from something public.
//! Promises: a directory follows from the keys alone, whatever the order in which they changed; only what is
//! reachable from a current root or a pin is said to be public.
//! Never: serves anything. The index is derived twice, from the log and from the blocks, and may be deleted.

mod index;
pub mod names;
mod references;
mod stored;
pub mod tree;

pub use index::{Applied, Index, Update};

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, Row, Snapshot, TableId, Tables};
use stead_event::body::{IpfsPinned, IpfsPublished, IpfsRooted};
use stead_event::{Body, Cid, Event, Position, Tenant, Timestamp};
use stored::{StoredPin, StoredPublication};

/// A bucket or a prefix that is public, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The position of the event that made it public; no other publication has it.
    pub id: Position,
    /// The bucket.
    pub bucket: String,
    /// Empty for the whole bucket; else it ends with a slash.
    pub prefix: String,
    /// Whether it is public now.
    pub active: bool,
    /// The IPNS name.
    pub ipns: String,
    /// The name's key, sealed.
    pub sealed_seed: String,
    /// When it was made public.
    pub at: Timestamp,
    /// The IPNS sequence of the last root, over all times that it was public.
    pub sequence: u64,
    /// The current root; `None` before the first.
    pub root: Option<Root>,
}

/// The root of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The directory.
    pub cid: Cid,
    /// What it is as of.
    pub position: Position,
    /// When it was said.
    pub at: Timestamp,
}

/// A DAG from elsewhere that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The bucket that it belongs to.
    pub bucket: String,
    /// The key that its content is stored at.
    pub key: String,
    /// Its root.
    pub cid: Cid,
    /// Whether some of its blocks did not come with it.
    pub partial: bool,
    /// When it was stored.
    pub at: Timestamp,
}

impl Publication {
    /// Whether it covers a key.
    pub fn covers(&self, bucket: &str, key: &str) -> bool {
        self.active && self.bucket == bucket && key.starts_with(&self.prefix)
    }
}

fn row_key(bucket: &str, prefix: &str) -> Vec<u8> {
    [bucket.as_bytes(), &[0], prefix.as_bytes()].concat()
}

fn pin_key(bucket: &str, key: &str, cid: &Cid) -> Vec<u8> {
    [bucket.as_bytes(), &[0], key.as_bytes(), &[0], &cid.to_bytes()].concat()
}

/// Folds what is public.
#[derive(Default)]
pub(crate) struct PublishedFold;

impl Projection for PublishedFold {
    const NAME: &'static str = "published";
    const TABLES: &'static [TableId] = &[TableId::Published, TableId::IpnsNames, TableId::Pins];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        if *tenant != Tenant::main() {
            return Ok(());
        }
        match &event.body {
            Body::IpfsPublished(published) => publish(tables, event, published),
            Body::IpfsUnpublished(gone) => change(tables, &gone.bucket, &gone.prefix, |stored| {
                stored.active = false;
                stored.root = None;
            }),
            Body::IpfsRooted(rooted) => root(tables, event, rooted),
            Body::IpfsPinned(pinned) => pin(tables, event, pinned),
            Body::IpfsUnpinned(gone) => {
                let key = pin_key(&gone.bucket, &gone.key, &gone.cid);
                tables.remove(TableId::Pins, &key).map(drop)
            }
            Body::BucketDeleted(deleted) => forget(tables, &deleted.bucket),
            _ => Ok(()),
        }
    }
}

fn publish(tables: &mut Tables<'_>, event: &Event, published: &IpfsPublished) -> Result<(), ViewError> {
    let key = row_key(&published.bucket, &published.prefix);
    let before = tables.value::<StoredPublication>(TableId::Published, &key)?;
    if before.as_ref().is_some_and(|stored| stored.active) {
        return Ok(());
    }
    if let Some(before) = &before {
        tables.remove(TableId::IpnsNames, before.ipns.as_bytes())?;
    }
    // A name that goes on goes on counting: its records are compared by their sequence.
    let same = before.filter(|stored| stored.ipns == published.ipns);
    let stored = StoredPublication {
        id: event.seq,
        active: true,
        ipns: published.ipns.clone(),
        sealed_seed: published.sealed_seed.clone(),
        at: event.at.as_micros(),
        sequence: same.map_or(0, |stored| stored.sequence),
        root: None,
    };
    tables.put(TableId::IpnsNames, published.ipns.as_bytes(), &key)?;
    tables.set(TableId::Published, &key, &stored)
}

fn change(
    tables: &mut Tables<'_>,
    bucket: &str,
    prefix: &str,
    how: impl FnOnce(&mut StoredPublication),
) -> Result<(), ViewError> {
    let key = row_key(bucket, prefix);
    match tables.value::<StoredPublication>(TableId::Published, &key)? {
        Some(mut stored) if stored.active => {
            how(&mut stored);
            tables.set(TableId::Published, &key, &stored)
        }
        _ => Ok(()),
    }
}

fn root(tables: &mut Tables<'_>, event: &Event, rooted: &IpfsRooted) -> Result<(), ViewError> {
    change(tables, &rooted.bucket, &rooted.prefix, |stored| {
        stored.root = Some((rooted.cid, rooted.position, event.at.as_micros()));
        stored.sequence = stored.sequence.max(rooted.sequence);
    })
}

fn pin(tables: &mut Tables<'_>, event: &Event, pinned: &IpfsPinned) -> Result<(), ViewError> {
    let stored = StoredPin {
        bucket: pinned.bucket.clone(),
        key: pinned.key.clone(),
        cid: pinned.cid,
        partial: pinned.partial,
        at: event.at.as_micros(),
    };
    let key = pin_key(&pinned.bucket, &pinned.key, &pinned.cid);
    tables.set(TableId::Pins, &key, &stored)
}

/// A bucket is gone, and all that was said of it.
fn forget(tables: &mut Tables<'_>, bucket: &str) -> Result<(), ViewError> {
    let of_bucket = row_key(bucket, "");
    let mut gone = Vec::new();
    for row in tables.prefixed(TableId::Published, &of_bucket)? {
        let row = row?;
        let ipns = row.value::<StoredPublication>()?.ipns.into_bytes();
        gone.push((TableId::Published, row.key().to_vec()));
        gone.push((TableId::IpnsNames, ipns));
    }
    for row in tables.prefixed(TableId::Pins, &of_bucket)? {
        gone.push((TableId::Pins, row?.key().to_vec()));
    }
    for (table, key) in gone {
        tables.remove(table, &key)?;
    }
    Ok(())
}

/// The root that a publication's row keeps, for the collector.
pub(crate) fn root_of(row: &Row<'_>) -> Result<Option<Cid>, ViewError> {
    let stored: StoredPublication = row.value()?;
    Ok(stored.root.filter(|_| stored.active).map(|(cid, ..)| cid))
}

/// The DAG that a pin's row keeps, for the collector.
pub(crate) fn pin_of(row: &Row<'_>) -> Result<Option<Cid>, ViewError> {
    Ok(Some(row.value::<StoredPin>()?.cid))
}

/// What is public, at one moment.
pub struct Published {
    pub(crate) snapshot: Snapshot,
}

impl Published {
    /// The position of the main tenant's log that this is the state at.
    pub fn position(&self) -> Result<Position, ViewError> {
        Ok(crate::database::point(&self.snapshot, &Tenant::main())?.head.seq)
    }

    /// What is public now, by bucket and prefix.
    pub fn active(&self) -> Result<Vec<Publication>, ViewError> {
        let rows = self.snapshot.rows(TableId::Published, &[], None)?;
        let all = rows.map(|row| {
            let row = row?;
            publication(row.key(), row.value()?)
        });
        all.filter(|found| found.as_ref().map_or(true, |found| found.active))
            .collect()
    }

    /// A bucket's prefix, public or not any more.
    pub fn find(&self, bucket: &str, prefix: &str) -> Result<Option<Publication>, ViewError> {
        let key = row_key(bucket, prefix);
        match self
            .snapshot
            .value::<StoredPublication>(TableId::Published, &key)?
        {
            Some(stored) => publication(&key, stored).map(Some),
            None => Ok(None),
        }
    }

    /// What has an IPNS name, public or not any more.
    pub fn named(&self, ipns: &str) -> Result<Option<Publication>, ViewError> {
        let key = self
            .snapshot
            .get(TableId::IpnsNames, ipns.as_bytes(), |key| Ok(key.to_vec()))?;
        let Some(key) = key else { return Ok(None) };
        match self
            .snapshot
            .value::<StoredPublication>(TableId::Published, &key)?
        {
            Some(stored) => publication(&key, stored).map(Some),
            None => Ok(None),
        }
    }

    /// Every DAG from elsewhere that is kept.
    pub fn pins(&self) -> Result<Vec<Pinned>, ViewError> {
        let rows = self.snapshot.rows(TableId::Pins, &[], None)?;
        rows.map(|row| Ok(row?.value::<StoredPin>()?.record())).collect()
    }
}

fn publication(key: &[u8], stored: StoredPublication) -> Result<Publication, ViewError> {
    let damaged = || ViewError::Damaged("a publication's row has no place".into());
    let text = std::str::from_utf8(key).map_err(|_| damaged())?;
    let (bucket, prefix) = text.split_once('\0').ok_or_else(damaged)?;
    Ok(stored.record(bucket, prefix))
}
