//! The seam to everybody who serves blocks to the public: the HTTP gateway, a bitswap node.

use crate::ReadContext;
use crate::objects::ObjectError;
use bytes::Bytes;
use stead_block::{BlockError, LocalStore, ipld};
use stead_event::Cid;
use stead_runtime::blocking;
use stead_view::published::Index;

/// Blocks of at most this many bytes are read where they are asked for: a hop would cost more (64 KiB).
const IN_PLACE: u64 = 64 << 10;

/// Blocks that may be given to anybody. Cheap to clone.
#[derive(Clone)]
pub struct PublishedBlocks {
    context: ReadContext,
    /// `None` where whoever asks may see everything.
    index: Option<Index>,
}

impl PublishedBlocks {
    /// Over a context and the index of what is public.
    pub fn new(context: ReadContext, index: Index) -> Self {
        Self {
            context,
            index: Some(index),
        }
    }

    /// Every block there is, for somebody who may see them all.
    pub(crate) fn all(context: ReadContext) -> Self {
        Self { context, index: None }
    }

    /// What it reads through.
    pub fn context(&self) -> &ReadContext {
        &self.context
    }

    /// Where blocks are; only for what was found to be public.
    pub(crate) fn store(&self) -> &LocalStore {
        &self.context.store
    }

    /// Whether a block is public. An identity CID always is: it is its own block.
    pub fn is_public(&self, cid: &Cid) -> Result<bool, ObjectError> {
        if ipld::inline(cid).is_some() {
            return Ok(true);
        }
        let now = self.context.clock.now_micros();
        Ok(match &self.index {
            Some(index) => index.is_public(cid, now)?,
            None => self.context.store.contains(cid),
        })
    }

    /// A block, if it is public. What is not stored and what is not public answer the same, after the same
    /// look.
    pub async fn get(&self, cid: &Cid) -> Result<Option<Bytes>, ObjectError> {
        if let Some(bytes) = ipld::inline(cid) {
            return Ok(Some(bytes));
        }
        if !self.is_public(cid)? {
            return Ok(None);
        }
        let store = &self.context.store;
        let read = if store.size_of(cid).is_some_and(|size| size <= IN_PLACE) {
            store.read(cid)
        } else {
            let (store, cid) = (store.clone(), *cid);
            blocking(move || store.read(&cid)).await
        };
        found(read)
    }

    /// As [`Self::get`]; blocks the thread.
    pub fn read(&self, cid: &Cid) -> Result<Option<Bytes>, ObjectError> {
        if let Some(bytes) = ipld::inline(cid) {
            return Ok(Some(bytes));
        }
        if !self.is_public(cid)? {
            return Ok(None);
        }
        found(self.context.store.read(cid))
    }

    /// A block's size in bytes, if it is public.
    pub fn size(&self, cid: &Cid) -> Result<Option<u64>, ObjectError> {
        if let Some(bytes) = ipld::inline(cid) {
            return Ok(Some(bytes.len() as u64));
        }
        if !self.is_public(cid)? {
            return Ok(None);
        }
        Ok(self.context.store.size_of(cid))
    }
}

fn found(read: Result<Bytes, BlockError>) -> Result<Option<Bytes>, ObjectError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(BlockError::NotFound(_) | BlockError::Unsupported(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
