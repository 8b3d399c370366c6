//! The write-ahead log.
use std::path::PathBuf;

/// A record of the write-ahead log that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: record at byte {offset} (Raft entry {index:?}) is damaged: {why}. {advice}", file.display())]
pub struct Damage {
    /// Which file.
    pub file: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// Which Raft entry it should have held, where that is known.
    pub index: Option<u64>,
    /// What is wrong.
    pub why: String,
    /// What a person can do.
    pub advice: String,
}
