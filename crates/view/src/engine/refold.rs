//! Folding views anew from the log: after damage, and to check that the result is the same.

use super::{Core, Paths};
use crate::database::{self, Points, Progress};
use crate::error::ViewError;
use crate::shared::{Shared, Trouble};
use crate::tables::Snapshot;
use crate::views::RebuildReport;
use redb::Database;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stead_block::CheckedFile;

/// Told how many events were folded, of how many.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// An empty database where new ones are made.
pub(crate) fn begin(paths: &Paths, cache_bytes: usize) -> Result<Database, ViewError> {
    CheckedFile::remove(&paths.fresh).map_err(ViewError::io("remove", &paths.fresh))?;
    let database = database::open_file(&paths.fresh, cache_bytes)?;
    database::prepare(&database)?;
    Ok(database)
}

/// Folds every tenant's log behind `from` up to `to`.
pub(crate) fn fold(
    database: &Database,
    log: &Path,
    from: &Points,
    to: &Points,
    progress: OnProgress<'_>,
) -> Result<u64, ViewError> {
    let after = |tenant| from.get(tenant).map_or(0, |point| point.head.seq);
    let total = to
        .iter()
        .map(|(tenant, point)| point.head.seq.saturating_sub(after(tenant)))
        .sum();
    let mut done = 0;
    for (tenant, point) in to {
        database::fold_log(database, log, tenant, after(tenant), point.head, &mut |folded| {
            done += folded;
            progress(done, total);
        })?;
    }
    Ok(done)
}

/// Puts the new database's files in the place of the old one's. A crash between the two leaves checksums
/// that do not fit, and so another refold.
pub(crate) fn put_in_place(paths: &Paths) -> Result<(), ViewError> {
    let beside = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".crc");
        PathBuf::from(name)
    };
    for (from, to) in [
        (paths.fresh.clone(), paths.database.clone()),
        (beside(&paths.fresh), beside(&paths.database)),
    ] {
        fs::rename(&from, &to).map_err(ViewError::io("rename to", &to))?;
    }
    let directory = fs::File::open(&paths.state).and_then(|directory| directory.sync_all());
    directory.map_err(ViewError::io("sync", &paths.state))
}

/// A durable database in the old one's place, folded from the whole log. Lines and blocks must be durable.
pub(crate) fn refold(
    paths: &Paths,
    progress: &Progress,
    cache_bytes: usize,
    on_progress: OnProgress<'_>,
) -> Result<Database, ViewError> {
    let database = begin(paths, cache_bytes)?;
    fold(
        &database,
        &paths.log,
        &Points::new(),
        &progress.points,
        on_progress,
    )?;
    database::commit_durably(&database, progress)?;
    put_in_place(paths)?;
    Ok(database)
}

impl Core {
    /// Returns when the database is good, repairing it where it was found not to be.
    pub(crate) fn ready(&mut self) -> Result<(), ViewError> {
        if let Some(why) = &self.broken {
            let what = format!("a failed write could not be taken back, so nothing more is written: {why}");
            return Err(ViewError::Diverged(what));
        }
        let trouble = self.shared.trouble();
        if trouble == Trouble::None && self.shared.database().is_ok() {
            return Ok(());
        }
        // Closing makes what redb holds durable; what it speaks of must be so before.
        self.sync_log_and_blocks()?;
        self.shared.close();
        if trouble == Trouble::Closed {
            match self.reopen() {
                Ok(database) => {
                    self.shared.replace(database);
                    return Ok(());
                }
                Err(error) if error.is_full() || !error.is_of_database() => return Err(error),
                Err(error) => tracing::warn!(%error, "the view database cannot be opened again"),
            }
        }
        let progress = self.progress();
        let cache_bytes = self.options.cache_bytes;
        let database = refold(&self.paths, &progress, cache_bytes, &mut |_, _| {})?;
        self.record_durable(progress)?;
        self.shared.replace(database);
        tracing::info!("the views were folded anew from the log");
        Ok(())
    }

    /// Opens the database as it was last made durable, and folds what came since.
    fn reopen(&mut self) -> Result<Database, ViewError> {
        let database = Arc::new(database::open_file(
            &self.paths.database,
            self.options.cache_bytes,
        )?);
        if let Err(error) = self.catch_up(&database) {
            // Closed, it would keep what was folded without the marker that goes with it.
            std::mem::forget(database);
            let interrupted = "catching up with the log was interrupted";
            self.shared.remember(&ViewError::Damaged(interrupted.into()));
            return Err(error);
        }
        Ok(Arc::into_inner(database).expect("the snapshot that shared it is gone"))
    }

    fn catch_up(&mut self, database: &Arc<Database>) -> Result<(), ViewError> {
        let damaged = || ViewError::Damaged("it does not say how far it is folded".into());
        let then = database::progress(database.clone())?.ok_or_else(damaged)?;
        fold(
            database,
            &self.paths.log,
            &then.points,
            &self.points(),
            &mut |_, _| {},
        )?;
        let progress = self.progress();
        database::commit_durably(database, &progress)?;
        self.record_durable(progress)
    }
}

/// Folds all views anew beside those of a running engine, compares, and puts the new ones in place. Holds
/// the engine up only for what came in meanwhile.
pub(crate) fn rebuild(shared: &Arc<Shared>, on_progress: OnProgress<'_>) -> Result<RebuildReport, ViewError> {
    let _one = shared.rebuild.lock();
    let Some(core) = shared.core() else {
        return Err(ViewError::Diverged("no engine runs on these views".into()));
    };
    let (snapshot, then, paths, cache_bytes) = {
        let mut core = core.lock();
        core.ready()?;
        let snapshot = Snapshot::begin(shared.database()?, None)?;
        (
            snapshot,
            core.points(),
            core.paths.clone(),
            core.options.cache_bytes,
        )
    };
    let database = Arc::new(begin(&paths, cache_bytes)?);
    let events = fold(&database, &paths.log, &Points::new(), &then, on_progress)?;
    let report = compare(&snapshot, &Snapshot::begin(database.clone(), None)?, events)?;
    drop(snapshot);

    let mut core = core.lock();
    let progress = core.progress();
    fold(&database, &paths.log, &then, &progress.points, &mut |_, _| {})?;
    core.sync_log_and_blocks()?;
    database::commit_durably(&database, &progress)?;
    put_in_place(&paths)?;
    core.record_durable(progress)?;
    shared.replace(Arc::into_inner(database).expect("the snapshots that shared it are gone"));
    Ok(report)
}

/// What differs between the views that stood and those folded anew.
pub(crate) fn compare(old: &Snapshot, new: &Snapshot, events: u64) -> Result<RebuildReport, ViewError> {
    let tables = database::hash_tables(new)?;
    // Old views that cannot be read are not equal; that is no reason not to replace them.
    let stood = database::hash_tables(old).unwrap_or_default();
    let different: Vec<String> = tables
        .iter()
        .filter(|(name, hash)| stood.get(*name) != Some(hash))
        .map(|(name, _)| name.clone())
        .collect();
    Ok(RebuildReport {
        equal: different.is_empty(),
        different,
        events,
        tables,
    })
}

#[cfg(test)]
mod tests {
    use crate::ViewError;
    use crate::engine::testing::{create, open};
    use stead_event::Tenant;
    use stead_log::Machine;

    #[test]
    fn a_database_that_closed_itself_is_opened_again_and_catches_up() {
        let directory = tempfile::tempdir().unwrap();
        let (mut engine, views, _) = open(directory.path(), "aa");
        engine.apply(vec![create(1)]).unwrap();
        engine.checkpoint().unwrap();
        engine.apply(vec![create(2)]).unwrap();
        let hash = views.dump_hash().unwrap();
        {
            let core = engine.core.lock();
            // What was not made durable is lost with the database, as after an I/O error.
            std::mem::forget(core.shared.database().unwrap());
            core.shared
                .remember(&ViewError::from(redb::Error::Io(std::io::Error::other(
                    "injected",
                ))));
        }
        engine.apply(vec![create(3)]).unwrap();
        assert_eq!(views.names().unwrap().buckets().unwrap().len(), 3);
        let later = views.dump_hash().unwrap();
        assert_ne!(later, hash);
        engine
            .core
            .lock()
            .shared
            .remember(&ViewError::Damaged("injected".into()));
        engine.checkpoint().unwrap();
        assert_eq!(views.dump_hash().unwrap(), later);
    }

    #[test]
    fn an_entry_that_was_applied_already_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (mut engine, views, _) = open(directory.path(), "aa");
        engine.apply(vec![create(1)]).unwrap();
        assert!(engine.apply(vec![create(1)]).is_err());
        assert_eq!(views.position(&Tenant::main()), 1);
    }
}
