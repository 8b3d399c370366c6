//! The database file: opening it, what it says of how far it was folded, folding more of the log into it.

use crate::error::ViewError;
use crate::projection::Projections;
use crate::tables::{Read, Snapshot, TableId, Tables};
use bytes::Bytes;
use redb::{Database, Durability, StorageBackend};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use stead_block::CheckedFile;
use stead_event::event::line_cid;
use stead_event::{ChainHead, Event, Position, Tenant};
use stead_log::{LogPoint, Marker};

/// The format of the tables together. A database of another format is folded anew.
const FORMAT: u8 = 3;
const FORMAT_KEY: &[u8] = b"format";
const MARKER_KEY: &[u8] = b"marker";

/// How many events are folded in one transaction where many are folded at once.
const BATCH: usize = 1024;

/// Where each tenant's log ends.
pub(crate) type Points = BTreeMap<Tenant, LogPoint>;

/// How far a database was folded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) marker: Marker,
    pub(crate) points: Points,
}

/// Opens a database file, making an empty one where there is none.
pub(crate) fn open_file(path: &Path, cache_bytes: usize) -> Result<Database, ViewError> {
    let file = CheckedFile::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => ViewError::Damaged(error.to_string()),
        _ => ViewError::io("open", path)(error),
    })?;
    open_on(file, cache_bytes)
}

/// Opens a database on any storage.
pub(crate) fn open_on(backend: impl StorageBackend, cache_bytes: usize) -> Result<Database, ViewError> {
    Ok(Database::builder()
        .set_cache_size(cache_bytes)
        .create_with_backend(backend)?)
}

/// Makes every table of an empty database, durably.
pub(crate) fn prepare(database: &Database) -> Result<(), ViewError> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Tables::open(&transaction)?.put(TableId::Meta, FORMAT_KEY, &[FORMAT])?;
    Ok(transaction.commit()?)
}

/// How far the database was folded; `None` where it is empty or of another format.
pub(crate) fn progress(database: Arc<Database>) -> Result<Option<Progress>, ViewError> {
    let snapshot = Snapshot::begin(database, None)?;
    let format = match snapshot.get(TableId::Meta, FORMAT_KEY, |bytes| Ok(bytes == [FORMAT])) {
        // An empty database has no tables yet.
        Err(ViewError::Database(error)) if matches!(*error, redb::Error::TableDoesNotExist(_)) => None,
        other => other?,
    };
    if format != Some(true) {
        return Ok(None);
    }
    let marker = snapshot
        .get(TableId::Meta, MARKER_KEY, decode_marker)?
        .unwrap_or_default();
    Ok(Some(Progress {
        marker,
        points: points(&snapshot)?,
    }))
}

fn decode_marker(bytes: &[u8]) -> Result<Marker, ViewError> {
    let (index, driver) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| ViewError::Damaged("the marker is too short".into()))?;
    Ok(Marker {
        index: u64::from_be_bytes(*index),
        driver: Bytes::copy_from_slice(driver),
    })
}

fn points(read: &impl Read) -> Result<Points, ViewError> {
    let damaged = |what: String| ViewError::Damaged(format!("a log point does not decode: {what}"));
    let mut points = Points::new();
    for row in read.rows(TableId::Points, &[], None)? {
        let row = row?;
        let tenant = String::from_utf8_lossy(row.key())
            .parse()
            .map_err(|e| damaged(format!("{e}")))?;
        let point = serde_ipld_dagcbor::from_slice(row.bytes()).map_err(|e| damaged(e.to_string()))?;
        points.insert(tenant, point);
    }
    Ok(points)
}

/// Where a tenant's log ends, as of the transaction.
pub(crate) fn point(read: &impl Read, tenant: &Tenant) -> Result<LogPoint, ViewError> {
    let point = read.get(TableId::Points, tenant.as_str().as_bytes(), |bytes| {
        serde_ipld_dagcbor::from_slice(bytes)
            .map_err(|e| ViewError::Damaged(format!("a log point does not decode: {e}")))
    })?;
    Ok(point.unwrap_or_default())
}

/// Writes where a tenant's log ends.
pub(crate) fn set_point(tables: &mut Tables<'_>, tenant: &Tenant, point: &LogPoint) -> Result<(), ViewError> {
    let bytes = serde_ipld_dagcbor::to_vec(point)
        .map_err(|e| ViewError::Damaged(format!("a log point does not encode: {e}")))?;
    tables.put(TableId::Points, tenant.as_str().as_bytes(), &bytes)
}

/// Writes what the driver has applied.
pub(crate) fn set_marker(tables: &mut Tables<'_>, marker: &Marker) -> Result<(), ViewError> {
    let bytes = [&marker.index.to_be_bytes()[..], &marker.driver].concat();
    tables.put(TableId::Meta, MARKER_KEY, &bytes)
}

/// Writes how far the database is folded, and makes all of it durable.
pub(crate) fn commit_durably(database: &Database, progress: &Progress) -> Result<(), ViewError> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut tables = Tables::open(&transaction)?;
        set_marker(&mut tables, &progress.marker)?;
        for (tenant, point) in &progress.points {
            set_point(&mut tables, tenant, point)?;
        }
    }
    Ok(transaction.commit()?)
}

fn fold_batch(database: &Database, tenant: &Tenant, events: &[Event]) -> Result<(), ViewError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::None)?;
    {
        let mut tables = Tables::open(&transaction)?;
        let mut projections = Projections::default();
        for event in events {
            projections.fold(&mut tables, tenant, event)?;
        }
        projections.finish(&mut tables)?;
    }
    Ok(transaction.commit()?)
}

/// Folds a tenant's log behind `after`, up to and including the line that is `to`. `folded` is told how
/// many events each step folded.
///
/// # Errors
/// Also where the chain does not hold, or does not lead to `to`.
pub(crate) fn fold_log(
    database: &Database,
    log: &Path,
    tenant: &Tenant,
    after: Position,
    to: ChainHead,
    folded: &mut dyn FnMut(u64),
) -> Result<(), ViewError> {
    if to.seq <= after {
        return Ok(());
    }
    let mut batch = Vec::with_capacity(BATCH);
    let mut reached = None;
    let mut failed = None;
    stead_log::scan(log, tenant, after + 1, &mut |event, line| {
        if event.seq == to.seq {
            reached = Some(line_cid(line));
        }
        batch.push(event.clone());
        if reached.is_none() && batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        if let Err(error) = fold_batch(database, tenant, &batch) {
            failed = Some(error);
            return ControlFlow::Break(());
        }
        folded(batch.len() as u64);
        batch.clear();
        if reached.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .map_err(ViewError::log(tenant))?;
    if let Some(error) = failed {
        return Err(error);
    }
    if reached.is_none() || reached != to.cid {
        return Err(ViewError::Diverged(format!(
            "the log of tenant {tenant} does not lead to position {} as this node remembers it; \
             run `stead log verify`, and restore the log from a copy where it says so",
            to.seq
        )));
    }
    Ok(())
}

/// SHA-256 of each projected table's rows: of each row the lengths of key and value, then both.
pub(crate) fn hash_tables(snapshot: &Snapshot) -> Result<BTreeMap<String, String>, ViewError> {
    let mut hashes = BTreeMap::new();
    for table in TableId::ALL.iter().filter(|table| table.is_projected()) {
        let mut hash = Sha256::new();
        for row in snapshot.rows(*table, &[], None)? {
            let row = row?;
            for part in [row.key(), row.bytes()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        hashes.insert(table.name().to_owned(), hex(&digest));
    }
    Ok(hashes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
