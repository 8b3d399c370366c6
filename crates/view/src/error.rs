//! Why a view cannot answer.

use stead_event::{MigrateError, Tenant};

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
        source: stead_log::SegmentError,
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
