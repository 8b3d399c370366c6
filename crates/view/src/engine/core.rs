//! What the engine owns, and how a batch goes through it: all of it or nothing.

use super::{EngineOptions, Paths, preconditions};
use crate::applied;
use crate::database::{self, Points, Progress};
use crate::error::ViewError;
use crate::projection::Projections;
use crate::shared::{Shared, Trouble};
use crate::tables::Tables;
use bytes::Bytes;
use redb::{Durability, WriteTransaction};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use stead_block::{LocalStore, Pin};
use stead_event::{Body, Cid, Tenant};
use stead_log::{
    Append, Appended, Committed, LogPoint, Marker, Outcome, Precondition, Rejection, SegmentError,
    SegmentOptions, SegmentWriter,
};

/// Nothing is applied with less room than this on the disk, so that a full one is met before a batch and
/// not within (8 MiB).
const ROOM: u64 = 8 << 20;

/// What the engine owns.
pub(crate) struct Core {
    pub(super) options: EngineOptions,
    pub(super) paths: Paths,
    pub(super) store: LocalStore,
    pub(crate) shared: Arc<Shared>,
    pub(super) writers: BTreeMap<Tenant, SegmentWriter>,
    pub(crate) marker: Marker,
    /// What a restart would begin from.
    pub(super) durable: Progress,
    /// Why nothing more may be written: lines of a batch that failed could not be taken back.
    pub(super) broken: Option<String>,
}

/// What a batch left to do once its transaction is committed.
struct Written {
    outcomes: Vec<Vec<Outcome>>,
    touched: BTreeSet<Tenant>,
    /// Whether something changed about a bucket itself.
    configured: bool,
    /// The blocks are the collector's to take until the views that name them can be read.
    _pin: Pin,
}

/// One batch under way.
struct Batch<'t> {
    tables: Tables<'t>,
    projections: Projections,
    blocks: Vec<(Cid, Bytes)>,
    touched: BTreeSet<Tenant>,
    configured: bool,
}

impl Core {
    /// Where every tenant's log ends.
    pub(super) fn points(&self) -> Points {
        self.writers
            .iter()
            .map(|(tenant, writer)| (tenant.clone(), writer.point()))
            .collect()
    }

    /// How far everything is applied.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            marker: self.marker.clone(),
            points: self.points(),
        }
    }

    /// Applies entries in order, all or (on error) none.
    pub(super) fn apply(&mut self, entries: &[Committed]) -> Result<Vec<Vec<Outcome>>, ViewError> {
        // What brings no events (a leader's first entry) writes nothing, and must not hold up a start.
        let empty = entries.iter().all(|entry| entry.appends.is_empty());
        if !empty && !self.options.space.has(ROOM) {
            let source = Error::from(ErrorKind::StorageFull);
            return Err(ViewError::Io {
                what: "apply".into(),
                source,
            });
        }
        self.ready()?;
        self.check_order(entries)?;
        match self.apply_batch(entries) {
            // Views can always be folded anew; then the batch meets them whole.
            Err(error) if error.is_of_database() => {
                tracing::warn!(%error, "the view database failed in a write; it is repaired from the log");
                if self.shared.remember(&error) == Trouble::None {
                    self.shared.remember(&ViewError::Damaged(error.to_string()));
                }
                self.ready()?;
                self.apply_batch(entries)
            }
            other => other,
        }
    }

    /// An entry that was applied already would be in the log twice.
    fn check_order(&self, entries: &[Committed]) -> Result<(), ViewError> {
        let mut last = self.marker.index;
        for entry in entries {
            if entry.marker.index <= last {
                let what = format!(
                    "the driver brings entry {} behind entry {last}",
                    entry.marker.index
                );
                return Err(ViewError::Diverged(what));
            }
            last = entry.marker.index;
        }
        Ok(())
    }

    fn apply_batch(&mut self, entries: &[Committed]) -> Result<Vec<Vec<Outcome>>, ViewError> {
        let database = self.shared.database()?;
        let before = self.points();
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        let written = self.write(&transaction, entries);
        let committed = match written {
            Ok(written) => transaction.commit().map(|()| written).map_err(ViewError::from),
            Err(error) => {
                drop(transaction);
                Err(error)
            }
        };
        match committed {
            Ok(written) => {
                if let Some(last) = entries.last() {
                    self.marker = last.marker.clone();
                }
                // Before anybody is answered, and when it can be read: whoever sees the count sees the change.
                if written.configured {
                    self.shared.count_configured();
                }
                for tenant in &written.touched {
                    if let Some(writer) = self.writers.get(tenant) {
                        self.shared.tail.publish(tenant, writer.head());
                    }
                }
                Ok(written.outcomes)
            }
            Err(error) => {
                if let Err(worse) = self.roll_back(&before) {
                    self.broken = Some(worse.to_string());
                    return Err(worse);
                }
                Err(error)
            }
        }
    }

    fn roll_back(&mut self, before: &Points) -> Result<(), ViewError> {
        for (tenant, writer) in &mut self.writers {
            let to = before.get(tenant).copied().unwrap_or_default();
            if writer.point() != to {
                writer.rollback(to).map_err(ViewError::log(tenant))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, transaction: &WriteTransaction, entries: &[Committed]) -> Result<Written, ViewError> {
        let mut batch = Batch {
            tables: Tables::open(transaction)?,
            projections: Projections::default(),
            blocks: Vec::new(),
            touched: BTreeSet::new(),
            configured: false,
        };
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            let each = entry
                .appends
                .iter()
                .map(|append| self.append(&mut batch, entry.term, append));
            outcomes.push(each.collect::<Result<_, _>>()?);
        }
        batch.projections.finish(&mut batch.tables)?;
        if let Some(last) = entries.last() {
            database::set_marker(&mut batch.tables, &last.marker)?;
        }
        for tenant in &batch.touched {
            let Some(writer) = self.writers.get_mut(tenant) else {
                continue;
            };
            writer.flush().map_err(ViewError::log(tenant))?;
            database::set_point(&mut batch.tables, tenant, &writer.point())?;
        }
        let pin = match &batch.blocks[..] {
            [] => Pin::default(),
            blocks => self.store.append_unsynced(blocks)?,
        };
        Ok(Written {
            outcomes,
            touched: batch.touched,
            configured: batch.configured,
            _pin: pin,
        })
    }

    /// One append: rejected without a trace, or in lines and views.
    fn append(&mut self, batch: &mut Batch<'_>, term: u64, append: &Append) -> Result<Outcome, ViewError> {
        let before = self
            .writers
            .get(&append.tenant)
            .map(SegmentWriter::point)
            .unwrap_or_default();
        let failed = preconditions::first_failing(&batch.tables, (before.head.seq, term), append)?;
        if let Some(failed) = failed {
            return Ok(Err(Rejection(failed)));
        }
        // What no driver should hand over is turned away rather than stopping everything behind it.
        let impossible = || Ok(Err(Rejection(Precondition::LogAt(before.head.seq))));
        if let Err(error) = append.check() {
            tracing::error!(%error, "an append is not valid; it is rejected");
            return impossible();
        }
        let node = append.node.clone().unwrap_or_else(|| self.options.node.clone());
        let writer = self.writer(&append.tenant)?;
        let mut events = Vec::with_capacity(append.events.len());
        for draft in &append.events {
            match writer.push(draft.clone(), &node) {
                Ok(event) => events.push(event),
                Err(SegmentError::Event(error)) => {
                    tracing::error!(%error, "an event cannot be written as a line; its append is rejected");
                    writer.rollback(before).map_err(ViewError::log(&append.tenant))?;
                    return impossible();
                }
                Err(error) => return Err(ViewError::log(&append.tenant)(error)),
            }
        }
        let last = writer.head().seq;
        for event in &events {
            batch.configured |= configures(&event.body);
            batch.projections.fold(&mut batch.tables, &append.tenant, event)?;
        }
        batch.blocks.extend(append.blocks.iter().cloned());
        if !batch.touched.contains(&append.tenant) {
            batch.touched.insert(append.tenant.clone());
        }
        Ok(Ok(Appended {
            first: before.head.seq + 1,
            last,
        }))
    }

    pub(super) fn writer(&mut self, tenant: &Tenant) -> Result<&mut SegmentWriter, ViewError> {
        if !self.writers.contains_key(tenant) {
            let writer = self.open_writer(tenant, LogPoint::default())?;
            self.writers.insert(tenant.clone(), writer);
        }
        Ok(self.writers.get_mut(tenant).expect("it was inserted above"))
    }

    fn open_writer(&self, tenant: &Tenant, at: LogPoint) -> Result<SegmentWriter, ViewError> {
        let options = SegmentOptions {
            rotate_bytes: self.options.rotate_bytes,
        };
        SegmentWriter::open(&self.paths.log, tenant, at, options).map_err(ViewError::log(tenant))
    }

    /// Lines and blocks onto the disk; views may then be made durable as well.
    pub(super) fn sync_log_and_blocks(&mut self) -> Result<(), ViewError> {
        for (tenant, writer) in &mut self.writers {
            writer
                .flush()
                .and_then(|()| writer.sync())
                .map_err(ViewError::log(tenant))?;
        }
        Ok(self.store.checkpoint()?)
    }

    /// Makes everything applied durable: lines and blocks before the views that speak of them, and the
    /// file beside the log last.
    pub(super) fn checkpoint(&mut self) -> Result<Marker, ViewError> {
        self.ready()?;
        let progress = self.progress();
        if progress == self.durable {
            return Ok(self.marker.clone());
        }
        self.sync_log_and_blocks()?;
        let database = self.shared.database()?;
        if let Err(error) = database::commit_durably(&database, &progress) {
            drop(database);
            if self.shared.remember(&error) == Trouble::None {
                return Err(error);
            }
            // Ends with everything durable.
            self.ready()?;
            return Ok(self.marker.clone());
        }
        self.record_durable(progress)?;
        Ok(self.marker.clone())
    }

    pub(super) fn record_durable(&mut self, progress: Progress) -> Result<(), ViewError> {
        applied::write(&self.paths.applied, &progress)?;
        self.durable = progress;
        Ok(())
    }
}

/// Whether an event changes something about a bucket itself, rather than what is in it.
fn configures(body: &Body) -> bool {
    matches!(
        body,
        Body::BucketCreated(_)
            | Body::BucketDeleted(_)
            | Body::BucketVersioned(_)
            | Body::BucketConfigured(_)
    )
}

impl Drop for Core {
    /// redb makes its last commits durable when it is closed; what they speak of must be so before.
    fn drop(&mut self) {
        let checkpoint = match self.shared.trouble() {
            Trouble::None => self.checkpoint().map(drop),
            // A repair can wait for the next start, which has everything that it needs.
            Trouble::Closed | Trouble::Damaged => Err(ViewError::Rebuilding),
        };
        if let Err(error) = checkpoint {
            tracing::warn!(%error, "no checkpoint at the end; the next start replays the write-ahead log");
            if let Ok(database) = self.shared.database() {
                std::mem::forget(database);
            }
        }
    }
}
