//! What the engine and the read side share: the database, which can be exchanged under way, and whether
//! it was found damaged.

use crate::engine::Core;
use crate::error::ViewError;
use parking_lot::{Mutex, RwLock};
use redb::Database;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use stead_log::Tail;
use stead_runtime::{TaskKind, Tasks};

/// What is wrong with the database; the greater includes the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Nothing.
    None = 0,
    /// It met an I/O error and has closed itself; what it last made durable is good.
    Closed = 1,
    /// Something in it is not what was written.
    Damaged = 2,
}

/// Shared by the engine, all views and all snapshots.
pub(crate) struct Shared {
    /// `None` while it is folded anew.
    database: RwLock<Option<Arc<Database>>>,
    pub(crate) tail: Tail,
    trouble: AtomicU8,
    /// How often a batch that made, removed or configured a bucket became visible, or all was folded anew.
    configured: AtomicU64,
    core: OnceLock<Weak<Mutex<Core>>>,
    tasks: Option<Tasks>,
    /// Held by the one rebuild that may run.
    pub(crate) rebuild: Mutex<()>,
}

impl Shared {
    pub(crate) fn new(tail: Tail, database: Database, tasks: Option<Tasks>) -> Arc<Self> {
        Arc::new(Self {
            database: RwLock::new(Some(Arc::new(database))),
            tail,
            trouble: AtomicU8::new(0),
            configured: AtomicU64::new(0),
            core: OnceLock::new(),
            tasks,
            rebuild: Mutex::new(()),
        })
    }

    /// Lets the read side reach the engine. Called once, when the engine is made.
    pub(crate) fn attach(&self, core: Weak<Mutex<Core>>) {
        let _ = self.core.set(core);
    }

    /// The engine, where one runs.
    pub(crate) fn core(&self) -> Option<Arc<Mutex<Core>>> {
        self.core.get()?.upgrade()
    }

    pub(crate) fn database(&self) -> Result<Arc<Database>, ViewError> {
        self.database.read().clone().ok_or(ViewError::Rebuilding)
    }

    /// Takes the database away; whoever asks is told that it is being rebuilt.
    pub(crate) fn close(&self) {
        self.database.write().take();
    }

    /// Puts a good database in place.
    pub(crate) fn replace(&self, database: Database) {
        *self.database.write() = Some(Arc::new(database));
        self.count_configured();
        self.trouble.store(Trouble::None as u8, Ordering::SeqCst);
    }

    /// Says, once it can be read, that something changed about a bucket itself.
    pub(crate) fn count_configured(&self) {
        self.configured.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn configured(&self) -> u64 {
        self.configured.load(Ordering::SeqCst)
    }

    pub(crate) fn trouble(&self) -> Trouble {
        match self.trouble.load(Ordering::SeqCst) {
            0 => Trouble::None,
            1 => Trouble::Closed,
            _ => Trouble::Damaged,
        }
    }

    /// Remembers what an error says of the database.
    pub(crate) fn remember(&self, error: &ViewError) -> Trouble {
        let trouble = match error {
            ViewError::Damaged(_) | ViewError::Stored(_) => Trouble::Damaged,
            ViewError::Database(_) => Trouble::Closed,
            _ => return Trouble::None,
        };
        self.trouble.fetch_max(trouble as u8, Ordering::SeqCst);
        trouble
    }

    /// A reader met an error of the database: the engine is set to repair it, in a thread of its own.
    pub(crate) fn note(self: &Arc<Self>, error: ViewError) -> ViewError {
        let before = self.trouble();
        let found = self.remember(&error);
        if found <= before {
            return error;
        }
        tracing::warn!(%error, "the view database cannot be read; it is repaired from the log");
        let (Some(core), Some(tasks)) = (self.core(), &self.tasks) else {
            return error;
        };
        let heal = move || {
            if let Err(error) = core.lock().ready() {
                tracing::error!(%error, "the views could not be folded anew; the next write tries again");
            }
        };
        if let Err(error) = tasks.thread(TaskKind::Core, "view-repair", heal) {
            tracing::error!(%error, "no thread for repairing the views; the next write does it");
        }
        error
    }
}
