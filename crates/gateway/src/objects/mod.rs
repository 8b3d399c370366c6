//! Objects: bodies to blocks and events, and back. S3 and the API share it.
//!
//! Owns: ingest (chunks, hashes, blocks), ranged reads, multipart uploads, copies, deletes, buckets and
//! access keys. Promises: everything claimed about a body (length, MD5, SHA-256, checksum) is checked
//! before the append, so that nothing is stored when one fails; what is answered is durable. An ingest
//! that ends early leaves only blocks that nothing names, which the collector frees.
//! Never: knows a protocol's syntax, or evaluates conditional headers of reads.

pub mod checksum;
mod error;
mod request;
pub mod rules;

pub use checksum::{Algorithm, ChecksumSpec, TrailerValue, Verify};
pub use error::ObjectError;
pub use request::*;

use crate::{Caller, Identity, ReadContext, WriteContext};
use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};
use stead_event::body::Versioning;
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

    /// The state of a key: the current one, a version, or that at a position. A delete marker is an error
    /// ([`ObjectError::Marker`]). Quick; reads only the view.
    pub fn head(&self, request: &GetRequest<'_>) -> Result<ObjectRecord, ObjectError> {
        let _ = request;
        todo!()
    }

    /// The bytes of a state that [`Self::head`] answered. An empty object has an empty body; a range that
    /// begins behind the end is [`ObjectError::Range`].
    pub async fn body(&self, record: &ObjectRecord, range: Option<ByteRange>) -> Result<Opened, ObjectError> {
        let _ = (record, range);
        todo!()
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
        }
    }

    /// What it writes through.
    pub fn context(&self) -> &WriteContext {
        &self.context
    }

    /// Stores an object.
    pub async fn put<S>(&self, request: PutRequest, body: S, verify: Verify) -> Result<PutDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let _ = (request, body, verify);
        todo!()
    }

    /// Makes an object of the blocks of another; no bytes move.
    pub async fn copy(&self, request: CopyRequest) -> Result<PutDone, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Deletes the current state or one version. Deleting what is not there succeeds, as in S3.
    pub async fn delete(&self, request: DeleteRequest) -> Result<DeleteDone, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Deletes many in one append; each has its own outcome, in order.
    pub async fn delete_many(
        &self,
        bucket: &str,
        targets: Vec<DeleteTarget>,
        caller: Caller,
    ) -> Result<Vec<Result<DeleteDone, ObjectError>>, ObjectError> {
        let _ = (bucket, targets, caller);
        todo!()
    }

    /// Replaces the tags of the current state or one version. Answers the version id.
    pub async fn tag(&self, request: TagRequest) -> Result<Option<String>, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Opens a multipart upload; answers its id.
    pub async fn start_upload(&self, request: StartRequest) -> Result<String, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Stores one part.
    pub async fn put_part<S>(
        &self,
        request: PartRequest,
        body: S,
        verify: Verify,
    ) -> Result<PartDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let _ = (request, body, verify);
        todo!()
    }

    /// Makes a part of (a range of) an object.
    pub async fn copy_part(&self, request: PartCopyRequest) -> Result<PartDone, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Joins the parts into the object.
    pub async fn complete_upload(&self, request: CompleteRequest) -> Result<PutDone, ObjectError> {
        let _ = request;
        todo!()
    }

    /// Gives an upload up.
    pub async fn abort_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let _ = (bucket, key, upload, caller);
        todo!()
    }

    /// Makes a bucket. One that is there already is [`ObjectError::BucketExists`].
    pub async fn create_bucket(&self, bucket: &str, caller: Caller) -> Result<(), ObjectError> {
        let _ = (bucket, caller);
        todo!()
    }

    /// Removes an empty bucket.
    pub async fn delete_bucket(&self, bucket: &str, caller: Caller) -> Result<(), ObjectError> {
        let _ = (bucket, caller);
        todo!()
    }

    /// Sets a bucket's versioning.
    pub async fn set_versioning(
        &self,
        bucket: &str,
        state: Versioning,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let _ = (bucket, state, caller);
        todo!()
    }

    /// Stores (or with `None` removes) a named configuration document of a bucket: `tagging`, `cors`, …
    pub async fn configure_bucket(
        &self,
        bucket: &str,
        name: &str,
        document: Option<String>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let _ = (bucket, name, document, caller);
        todo!()
    }

    /// Makes an access key. The secret is answered here and never again.
    pub async fn create_key(&self, request: KeyRequest, caller: Caller) -> Result<KeyDone, ObjectError> {
        let _ = (request, caller);
        todo!()
    }

    /// Revokes an access key.
    pub async fn revoke_key(&self, access_key: &str, caller: Caller) -> Result<(), ObjectError> {
        let _ = (access_key, caller);
        todo!()
    }
}

/// An object's bytes, opened.
pub struct Opened {
    /// The first byte and the one behind the last, in the object.
    pub range: std::ops::Range<u64>,
    /// The whole object's size, in bytes.
    pub size: u64,
    /// The bytes. Both a [`Stream`] and an [`http_body::Body`] of exactly known length; `Send + Sync`.
    pub body: ObjectBody,
}

/// The bytes of an object. Small ones are ready at once; large ones are read ahead off the async threads.
pub struct ObjectBody {
    left: u64,
}

impl ObjectBody {
    /// Bytes still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// All bytes at once, where they are in memory already (an object of one small block).
    pub fn take_small(&mut self) -> Option<Bytes> {
        todo!()
    }
}

impl Stream for ObjectBody {
    type Item = Result<Bytes, ObjectError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let _ = cx;
        todo!()
    }
}

impl http_body::Body for ObjectBody {
    type Data = Bytes;
    type Error = ObjectError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ObjectError>>> {
        self.poll_next(cx).map_ok(Frame::data)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

#[allow(unused)]
fn shapes(_: &Identity) {}
