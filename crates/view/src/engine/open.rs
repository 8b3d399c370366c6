//! Opening: from the views where they are good, else from the log and the file beside it.

use super::{Core, EngineOptions, refold};
use crate::applied;
use crate::database::{self, Points, Progress};
use crate::error::ViewError;
use crate::shared::Shared;
use redb::Database;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stead_block::{CheckedFile, LocalStore};
use stead_event::Tenant;
use stead_log::{LogPoint, SegmentError, SegmentOptions, SegmentWriter, Tail};

/// Files of a data directory that are the engine's.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) log: PathBuf,
    pub(crate) applied: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) database: PathBuf,
    /// Where a database is folded anew before it takes the other's place.
    pub(crate) fresh: PathBuf,
    /// The driver's own; only whether there is anything in it matters here.
    raft: PathBuf,
}

impl Paths {
    pub(crate) fn of(data: &Path) -> Self {
        let [log, state] = ["log", "state"].map(|name| data.join(name));
        Self {
            applied: log.join("applied"),
            database: state.join("views.redb"),
            fresh: state.join("views.fresh.redb"),
            raft: data.join("raft"),
            log,
            state,
        }
    }
}

/// Opens whatever of the two is good, and cuts the log to where it says.
pub(super) fn open(options: EngineOptions, store: LocalStore) -> Result<Core, ViewError> {
    let paths = Paths::of(&options.data);
    for directory in [&paths.log, &paths.state] {
        fs::create_dir_all(directory).map_err(ViewError::io("create", directory))?;
    }
    let tail = Tail::open(&paths.log).map_err(ViewError::log(&Tenant::main()))?;
    CheckedFile::remove(&paths.fresh).map_err(ViewError::io("remove", &paths.fresh))?;
    let applied = applied::read(&paths.applied)?;
    let behind = |progress: &Progress| {
        applied
            .as_ref()
            .is_some_and(|a| a.marker.index > progress.marker.index)
    };

    if let Some((database, progress)) = open_views(&paths, options.cache_bytes)? {
        if behind(&progress) {
            tracing::warn!("the views are older than the log's last checkpoint; they are folded anew");
        } else {
            match open_writers(&paths, &tail, &progress.points, &options) {
                Ok(writers) => return Ok(core(options, paths, store, tail, database, progress, writers)),
                Err(ViewError::Log { tenant, source }) if is_short(&source) => {
                    tracing::warn!(%tenant, error = %source, "the log ends before the views do");
                }
                Err(error) => return Err(error),
            }
        }
    }
    let progress = match applied {
        Some(applied) => applied,
        None => progress_of_log(&paths, &tail)?,
    };
    let writers = open_writers(&paths, &tail, &progress.points, &options)?;
    let database = refold::refold(&paths, &progress, options.cache_bytes, &mut |_, _| {})?;
    applied::write(&paths.applied, &progress)?;
    Ok(core(options, paths, store, tail, database, progress, writers))
}

fn is_short(error: &SegmentError) -> bool {
    matches!(error, SegmentError::NoSuchPoint { .. })
}

fn core(
    options: EngineOptions,
    paths: Paths,
    store: LocalStore,
    tail: Tail,
    database: Database,
    progress: Progress,
    writers: BTreeMap<Tenant, SegmentWriter>,
) -> Core {
    let shared = Shared::new(tail, database, Some(options.tasks.clone()));
    let (marker, durable) = (progress.marker.clone(), progress);
    Core {
        options,
        paths,
        store,
        shared,
        writers,
        marker,
        durable,
        broken: None,
    }
}

/// The database as it stands, where it is there, whole, and of this format.
fn open_views(paths: &Paths, cache_bytes: usize) -> Result<Option<(Database, Progress)>, ViewError> {
    if !paths.database.exists() {
        return Ok(None);
    }
    let opened = database::open_file(&paths.database, cache_bytes)
        .map(Arc::new)
        .and_then(|database| {
            let progress = database::progress(database.clone())?;
            let database = Arc::into_inner(database).expect("the snapshot that shared it is gone");
            Ok(progress.map(|progress| (database, progress)))
        });
    match opened {
        Ok(Some(found)) => Ok(Some(found)),
        Ok(None) => {
            tracing::warn!("the view database is of another format; it is folded anew from the log");
            Ok(None)
        }
        Err(error) if error.is_of_database() => {
            tracing::warn!(%error, "the view database cannot be opened; it is folded anew from the log");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A writer for each tenant, at its point; lines behind it were never acknowledged as applied, and the
/// driver brings them again.
fn open_writers(
    paths: &Paths,
    tail: &Tail,
    points: &Points,
    options: &EngineOptions,
) -> Result<BTreeMap<Tenant, SegmentWriter>, ViewError> {
    let mut at: Points = tail
        .tenants()
        .into_iter()
        .map(|tenant| (tenant, LogPoint::default()))
        .collect();
    at.extend(points.iter().map(|(tenant, point)| (tenant.clone(), *point)));
    let segments = SegmentOptions {
        rotate_bytes: options.rotate_bytes,
    };
    let mut writers = BTreeMap::new();
    for (tenant, point) in at {
        let writer = SegmentWriter::open(&paths.log, &tenant, point, segments);
        let writer = writer.map_err(ViewError::log(&tenant))?;
        tail.publish(&tenant, writer.head());
        writers.insert(tenant, writer);
    }
    Ok(writers)
}

/// How far the log itself reaches, where nothing else says so: at the very first start, or where a log
/// was brought from elsewhere.
fn progress_of_log(paths: &Paths, tail: &Tail) -> Result<Progress, ViewError> {
    let mut progress = Progress::default();
    for tenant in tail.tenants() {
        let found = stead_log::longest_valid(&paths.log, &tenant, LogPoint::default(), &mut |_, _| {
            ControlFlow::Continue(())
        });
        let found = found.map_err(ViewError::log(&tenant))?;
        if let Some(damage) = found.damage {
            return Err(ViewError::log(&tenant)(damage.into()));
        }
        progress.points.insert(tenant, found.point);
    }
    let log_is_empty = progress.points.values().all(|point| point.head.seq == 0);
    let raft_is_empty = fs::read_dir(&paths.raft).map_or(true, |mut entries| entries.next().is_none());
    if log_is_empty || raft_is_empty {
        return Ok(progress);
    }
    Err(ViewError::Diverged(format!(
        "{} and {} are both missing, so it is not known how much of {} the log holds already. Restore one \
         of the two; or, where the log is complete, move {} away and start again: consensus then begins \
         anew after the log",
        paths.applied.display(),
        paths.database.display(),
        paths.raft.display(),
        paths.raft.display(),
    )))
}
