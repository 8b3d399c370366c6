//! The read side of all views.

use crate::database::{self, Points};
use crate::engine::Paths;
use crate::error::ViewError;
use crate::shared::Shared;
use crate::tables::Snapshot;
use crate::{Config, Keys, Locks, Names, Published, Segments, applied, engine};
use redb::Database;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use stead_block::Overlay;
use stead_event::{ChainHead, Position, Tenant, Timestamp};
use stead_log::{LogPoint, Tail};

/// Memory for pages of a database that is folded anew offline (32 MiB).
const OFFLINE_CACHE: usize = 32 << 20;

/// What a rebuild found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Whether the tables folded anew are the ones that stood there, byte for byte.
    pub equal: bool,
    /// Tables that differ, sorted.
    pub different: Vec<String>,
    /// How many events were folded.
    pub events: u64,
    /// SHA-256 of each table folded anew, in hexadecimal.
    pub tables: BTreeMap<String, String>,
}

/// The read side of all views; cheap to clone. Everything but `at` and `rebuild` blocks, but not for long.
#[derive(Clone)]
pub struct Views {
    shared: Arc<Shared>,
    /// Where each tenant's log ended by what was remembered beside it; empty where an engine runs, which
    /// knows.
    remembered: Arc<Points>,
}

impl Views {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            remembered: Arc::default(),
        }
    }

    /// The views of a directory that no node runs on, without changing anything in it: what the views
    /// lack is folded from the log in memory.
    ///
    /// # Errors
    /// Where the log cannot be read, or is damaged behind what the views hold.
    pub fn offline(data: &Path, cache_bytes: usize) -> Result<(Self, Tail), ViewError> {
        let paths = Paths::of(data);
        let tail = Tail::open(&paths.log).map_err(ViewError::log(&Tenant::main()))?;
        let to: Points = tail
            .tenants()
            .into_iter()
            .map(|tenant| {
                let point = LogPoint {
                    head: tail.head(&tenant),
                    ..LogPoint::default()
                };
                (tenant, point)
            })
            .collect();
        let checkpoint = applied::read(&paths.applied)?.unwrap_or_default();
        let mut remembered = checkpoint.points;
        let (database, from) = match offline_database(&paths, cache_bytes) {
            Ok(Some((database, points))) => {
                later(&mut remembered, &points);
                (database, points)
            }
            other => {
                if let Err(error) = other {
                    tracing::warn!(%error, "the view database is passed over; views are folded from the log");
                }
                let database = database::open_on(Overlay::empty(), cache_bytes)?;
                database::prepare(&database)?;
                (database, Points::new())
            }
        };
        engine::fold(&database, &paths.log, &from, &to, &mut |_, _| {})?;
        let views = Self {
            remembered: Arc::new(remembered),
            ..Self::new(Shared::new(tail.clone(), database, None))
        };
        Ok((views, tail))
    }

    /// Where a tenant's log must reach: its end, or a later one that was remembered when it was made durable.
    /// They differ where the log was cut off behind the node's back.
    pub fn expected(&self, tenant: &Tenant) -> ChainHead {
        let found = self.shared.tail.head(tenant);
        match self.remembered.get(tenant) {
            // Of two ends at one position, the log's own is the one in doubt.
            Some(point) if point.head.seq >= found.seq => point.head,
            _ => found,
        }
    }

    /// Every tenant that has a log, or had one, sorted.
    pub fn tenants(&self) -> Vec<Tenant> {
        let had = self.remembered.iter().filter(|(_, point)| point.head.seq > 0);
        let mut tenants: Vec<_> = had.map(|(tenant, _)| tenant.clone()).collect();
        tenants.extend(self.shared.tail.tenants());
        tenants.sort();
        tenants.dedup();
        tenants
    }

    fn snapshot(&self) -> Result<Snapshot, ViewError> {
        Snapshot::begin(self.shared.database()?, Some(self.shared.clone()))
    }

    /// How far a tenant's log is folded.
    pub fn position(&self, tenant: &Tenant) -> Position {
        self.shared.tail.head(tenant).seq
    }

    /// How often something changed about a bucket itself (made, removed, configured) since the start: as long as
    /// this stays, what was read of buckets' documents stays true.
    pub fn configured(&self) -> u64 {
        self.shared.configured()
    }

    /// Returns when `position` is folded.
    pub async fn at(&self, tenant: &Tenant, position: Position) {
        if let Some(before) = position.checked_sub(1) {
            self.shared.tail.wait_past(tenant, before).await;
        }
    }

    /// The last position of the main tenant's log whose event is not younger than `time`; zero where all
    /// are.
    pub fn position_at(&self, time: Timestamp) -> Result<Position, ViewError> {
        self.names()?.position_at(time)
    }

    /// Buckets and objects, as of now, unchanging while the answer is held.
    pub fn names(&self) -> Result<Names, ViewError> {
        Ok(Names::new(self.snapshot()?, self.shared.tail.clone()))
    }

    /// Access keys, as of now.
    pub fn keys(&self) -> Result<Keys, ViewError> {
        Ok(Keys {
            snapshot: self.snapshot()?,
        })
    }

    /// The settings that all nodes share, as of now.
    pub fn config(&self) -> Result<Config, ViewError> {
        Ok(Config {
            snapshot: self.snapshot()?,
        })
    }

    /// Locks and who holds them, as of now.
    pub fn locks(&self) -> Result<Locks, ViewError> {
        Ok(Locks {
            snapshot: self.snapshot()?,
        })
    }

    /// What is public to IPFS, as of now.
    pub fn published(&self) -> Result<Published, ViewError> {
        Ok(Published {
            snapshot: self.snapshot()?,
        })
    }

    /// Sealed segments, as of now.
    pub fn segments(&self) -> Result<Segments, ViewError> {
        Ok(Segments {
            snapshot: self.snapshot()?,
        })
    }

    /// SHA-256 (hexadecimal) of every table's rows, by table: two directories with the same log answer
    /// the same.
    pub fn dump_hash(&self) -> Result<BTreeMap<String, String>, ViewError> {
        database::hash_tables(&self.snapshot()?)
    }

    /// Folds all views anew beside the present ones, compares, and puts the new ones in their place.
    /// Reading and writing go on meanwhile. `progress` is told (events folded, events in all).
    pub async fn rebuild(
        &self,
        mut progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<RebuildReport, ViewError> {
        let shared = self.shared.clone();
        stead_runtime::blocking(move || engine::rebuild(&shared, &mut progress)).await
    }
}

/// Keeps the later of two ends of each log.
fn later(points: &mut Points, others: &Points) {
    for (tenant, other) in others {
        let known = points.entry(tenant.clone()).or_default();
        if other.head.seq >= known.head.seq {
            *known = *other;
        }
    }
}

/// The database of a directory as it stands, with whatever is written to it kept in memory.
fn offline_database(paths: &Paths, cache_bytes: usize) -> Result<Option<(Database, Points)>, ViewError> {
    if !paths.database.exists() {
        return Ok(None);
    }
    let overlay = Overlay::over(&paths.database).map_err(ViewError::io("open", &paths.database))?;
    let database = Arc::new(database::open_on(overlay, cache_bytes)?);
    let Some(progress) = database::progress(database.clone())? else {
        return Ok(None);
    };
    let database = Arc::into_inner(database).expect("the snapshot that shared it is gone");
    Ok(Some((database, progress.points)))
}

/// As [`Views::rebuild`], of a directory that no node runs on and that the caller has locked. The views
/// are folded as far as they were, and what a write-ahead log may still bring comes at the next start.
///
/// # Errors
/// Where the log does not verify up to there, or files cannot be read or written.
pub fn rebuild_offline(data: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<RebuildReport, ViewError> {
    let paths = Paths::of(data);
    let missing = || {
        let what = format!(
            "{}: there are no views and no record of a checkpoint",
            data.display()
        );
        ViewError::Diverged(what)
    };
    let old = match paths.database.exists() {
        true => database::open_file(&paths.database, OFFLINE_CACHE)
            .map(Arc::new)
            .and_then(|database| {
                let progress = database::progress(database.clone())?;
                Ok(progress.map(|progress| (database, progress)))
            }),
        false => Ok(None),
    };
    let old = match old {
        Ok(old) => old,
        Err(error) if error.is_of_database() => {
            tracing::warn!(%error, "the view database cannot be read");
            None
        }
        Err(error) => return Err(error),
    };
    let to = match &old {
        Some((_, progress)) => progress.clone(),
        None => applied::read(&paths.applied)?.ok_or_else(missing)?,
    };
    let database = Arc::new(engine::begin(&paths, OFFLINE_CACHE)?);
    let events = engine::fold(&database, &paths.log, &Points::new(), &to.points, progress)?;
    let fresh = Snapshot::begin(database.clone(), None)?;
    let report = match old {
        Some((old, _)) => engine::compare(&Snapshot::begin(old, None)?, &fresh, events)?,
        None => RebuildReport {
            equal: false,
            events,
            tables: database::hash_tables(&fresh)?,
            ..Default::default()
        },
    };
    drop(fresh);
    database::commit_durably(&database, &to)?;
    engine::put_in_place(&paths)?;
    Ok(report)
}
