//! What can go wrong with blocks.

use std::io;
use stead_event::Cid;

/// Why a block could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// No block of that name is stored.
    #[error("block {0} is not stored here")]
    NotFound(Cid),
    /// The stored bytes are not the ones that were written. Other blocks are not affected.
    #[error("block {cid} is damaged in pack {pack:06} at byte {offset}: {why}")]
    Damaged {
        /// The block; boxed, for a CID is large and errors travel in every result.
        cid: Box<Cid>,
        /// The pack's number.
        pack: u32,
        /// Where its record begins.
        offset: u64,
        /// What does not hold.
        why: &'static str,
    },
    /// The bytes handed in do not hash to the name handed in.
    #[error("the bytes do not hash to {0}")]
    Mismatch(Cid),
    /// Not a CID that this store can keep: only sha2-256 of 32 bytes, with a codec below 65,536.
    #[error("{0} is not a sha2-256 CID")]
    Unsupported(Cid),
    /// Larger than [`crate::MAX_BLOCK_BYTES`].
    #[error("a block of {0} bytes is larger than a block may be")]
    TooLarge(u64),
    /// The range does not lie within the block.
    #[error("bytes {start}..{end} do not lie within block {cid} of {len} bytes")]
    Range {
        /// The block.
        cid: Box<Cid>,
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
        /// The block's size.
        len: u64,
    },
    /// There is no room on the disk. Nothing was stored.
    #[error("the disk is full")]
    Full,
    /// Too few other nodes have a copy. What was stored here is the collector's to take.
    #[error("too few copies: {0}")]
    Elsewhere(String),
    /// The block index was found damaged and is being rebuilt from the packs; try again soon.
    #[error("the block index is being rebuilt")]
    IndexRebuilding,
    /// The block is not a UnixFS file, or its tree does not add up.
    #[error("{cid} is not a readable UnixFS file: {why}")]
    NotAFile {
        /// The block in question.
        cid: Cid,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A stripe is not one, or gives nothing back.
    #[error("stripes: {0}")]
    Stripe(String),
    /// A directory that packs were to be kept in cannot be used.
    #[error("{} cannot keep blocks: {why}", path.display())]
    Directory {
        /// Where it is.
        path: std::path::PathBuf,
        /// Why not.
        why: String,
    },
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, to what.
        what: String,
        /// The system's words.
        source: io::Error,
    },
}

impl BlockError {
    /// Wraps a system error; a full disk or quota becomes [`BlockError::Full`].
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io {
                what: what.into(),
                source,
            },
        }
    }
}
