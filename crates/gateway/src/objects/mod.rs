//! Objects: bodies to blocks and events, and back. S3 and the API share it.
//!
//! Owns: ingest (chunks, hashes, blocks), ranged reads, multipart uploads, copies, deletes, buckets and
//! access keys. Promises: everything claimed about a body (length, MD5, SHA-256, checksum) is checked
//! before the append, so that nothing is stored when one fails; what is answered is durable. An ingest
//! that ends early leaves only blocks that nothing names, which the collector frees.
//! Never: knows a protocol's syntax, or evaluates conditional headers of reads.

mod append;
mod buckets;
pub mod checksum;
mod chunks;
mod cipher;
mod complete;
mod config;
mod copies;
mod delete;
mod digest;
mod error;
mod expire;
mod grant;
mod ingest;
mod keys;
mod lanes;
mod lock;
mod multipart;
mod put;
mod read;
mod request;
mod restripe;
pub mod rules;

pub use checksum::{Algorithm, ChecksumSpec, TrailerValue, Verify};
pub use cipher::{CustomerKey, Protect};
pub use copies::{keep_wanted, quorum_wanted};
pub use error::ObjectError;
pub use lock::{DefaultRetention, LockConfig, Period};
pub use put::ENCRYPTION;
pub use read::{ObjectBody, check_kept};
pub use request::*;
pub use restripe::Restriping;
pub use stead_block::{Keep, Quorum};

use crate::locks::Fence;
use crate::{ReadContext, WriteContext};
use ingest::Intake;
use std::ops::{Deref, Range};
use stead_view::ObjectRecord;

/// Reads objects. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    context: ReadContext,
}

/// Reads and changes objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    reader: Reader,
    context: WriteContext,
    intake: Intake,
    /// What every change requires beside its own conditions.
    fence: Option<Fence>,
}

/// An object's bytes, opened.
pub struct Opened {
    /// The first byte and the one behind the last, in the object.
    pub range: Range<u64>,
    /// The whole object's size, in bytes.
    pub size: u64,
    /// The bytes. Both a stream and an [`http_body::Body`] of exactly known length; `Send + Sync`.
    pub body: ObjectBody,
}

impl Deref for Objects {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Reader {
    /// Over a context.
    pub fn new(context: ReadContext) -> Self {
        Self { context }
    }

    /// What it reads from.
    pub fn context(&self) -> &ReadContext {
        &self.context
    }

    /// [`Self::head`] and [`Self::body`].
    pub async fn get(&self, request: &GetRequest<'_>) -> Result<(ObjectRecord, Opened), ObjectError> {
        let record = self.head(request)?;
        let opened = self.body(&record, request.range).await?;
        Ok((record, opened))
    }
}

impl Objects {
    /// Over a context.
    pub fn new(context: WriteContext) -> Self {
        Self {
            reader: Reader::new(context.read_only().clone()),
            context,
            intake: Intake::default(),
            fence: None,
        }
    }

    /// The same, where every change of objects and buckets is refused unless the lock is held with that token when the
    /// change is applied.
    pub fn fenced(&self, fence: Option<Fence>) -> Self {
        Self {
            fence,
            ..self.clone()
        }
    }

    /// What it writes through.
    pub fn context(&self) -> &WriteContext {
        &self.context
    }

    /// What it reads through.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}
