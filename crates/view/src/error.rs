//! Why a view cannot answer.

use std::io;
use std::path::Path;
use stead_event::{MigrateError, Tenant};
use stead_log::MachineError;

/// Why a view cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The views are being folded anew from the log; ask again shortly.
    #[error("the views are being rebuilt from the log")]
    Rebuilding,
    /// A stored page or value is not what was written. The engine folds the views anew by itself.
    #[error("the view database is damaged: {0}")]
    Damaged(String),
    /// The log and what the node remembers of it do not fit together; the message says what to do.
    #[error("{0}")]
    Diverged(String),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, to what.
        what: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// The log of a tenant could not be read or written.
    #[error("log of tenant {tenant}: {source}")]
    Log {
        /// Whose log.
        tenant: Tenant,
        /// What is wrong.
        source: Box<stead_log::SegmentError>,
    },
    /// The block store refused.
    #[error("block store: {0}")]
    Block(#[from] stead_block::BlockError),
    /// The database refused for another reason.
    #[error("the view database: {0}")]
    Database(Box<redb::Error>),
    /// A stored value is of a newer release, or does not decode.
    #[error(transparent)]
    Stored(#[from] MigrateError),
}

impl ViewError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }

    pub(crate) fn log(tenant: &Tenant) -> impl FnOnce(stead_log::SegmentError) -> Self {
        let tenant = tenant.clone();
        move |source| Self::Log {
            tenant,
            source: Box::new(source),
        }
    }

    /// Whether it came from the view database, which can always be folded anew.
    pub(crate) fn is_of_database(&self) -> bool {
        matches!(
            self,
            Self::Rebuilding | Self::Damaged(_) | Self::Database(_) | Self::Stored(_)
        )
    }

    /// Whether there is no room on the disk.
    pub fn is_full(&self) -> bool {
        let full = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        };
        match self {
            Self::Io { source, .. } => full(source),
            Self::Log { source, .. } => source.is_full(),
            Self::Block(error) => matches!(error, stead_block::BlockError::Full),
            Self::Database(error) => matches!(&**error, redb::Error::Io(source) if full(source)),
            _ => false,
        }
    }
}

impl From<redb::Error> for ViewError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(why) => Self::Damaged(why),
            redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
                Self::Damaged(source.to_string())
            }
            // An earlier error closed the database; whoever met it has had it opened anew by now.
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Rebuilding,
            other => Self::Database(Box::new(other)),
        }
    }
}

macro_rules! through_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for ViewError {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}

through_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);

impl From<ViewError> for MachineError {
    fn from(error: ViewError) -> Self {
        if error.is_full() {
            return Self::Full;
        }
        match error {
            ViewError::Io { what, source } => Self::Io { what, source },
            other => Self::Damaged(other.to_string()),
        }
    }
}
