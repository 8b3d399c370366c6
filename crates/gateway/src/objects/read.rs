//! Blocks to bodies: which state, which bytes, and bodies that are ready at once or read ahead.

use super::cipher::Runs;
use super::{ByteRange, CustomerKey, GetRequest, ObjectError, Opened, Reader};
use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use stead_block::unixfs::Leaves;
use stead_block::{BlockError, LocalStore};
use stead_event::{Cid, Position, Timestamp, cids};
use stead_log::command::INLINE_MAX;
use stead_runtime::{TaskKind, Tasks, blocking};
use stead_view::{Names, ObjectRecord};
use tokio::sync::mpsc;

/// Blocks that are read before the client asks for them.
const READ_AHEAD: usize = 2;
/// How often a state that changes while it is being pinned is looked for again.
const PIN_TRIES: u32 = 16;

/// Whether everything that stood at a position of the main log is still known.
///
/// # Errors
/// [`ObjectError::Forgotten`] where gc has dropped states that stood then; `what` was asked for.
pub fn check_kept(names: &Names, at: Position, what: &str) -> Result<(), ObjectError> {
    let Some(before) = names.pruned_before()? else {
        return Ok(());
    };
    // What stood at the last event before that moment was superseded later, so it is kept; what stood
    // earlier may be gone.
    let last_dropped = Timestamp::from_micros(before.as_micros().saturating_sub(1));
    if at >= names.position_at(last_dropped)? {
        return Ok(());
    }
    let what = what.to_owned();
    Err(ObjectError::Forgotten { what, at, before })
}

impl Reader {
    /// The state of a key: the current one, a version, or that at a position. A delete marker is an error
    /// ([`ObjectError::Marker`]). Quick; reads only the view.
    pub fn head(&self, request: &GetRequest<'_>) -> Result<ObjectRecord, ObjectError> {
        let GetRequest {
            who,
            bucket,
            key,
            version,
            at,
            ..
        } = *request;
        who.check_read(bucket)?;
        let names = self.context.views.names()?;
        let found = match (version, at) {
            (Some(version), _) => names.version(bucket, key, version)?,
            (None, Some(position)) => names.object_at(bucket, key, position)?,
            (None, None) => names.object(bucket, key)?,
        };
        match (found, version) {
            (Some(record), _) if !record.marker => Ok(record),
            (Some(record), _) => Err(ObjectError::Marker {
                bucket: bucket.into(),
                key: key.into(),
                version: record.version_id().into(),
                named: version.is_some(),
            }),
            (None, _) if at.is_none() && names.bucket(bucket)?.is_none() => {
                Err(ObjectError::NoSuchBucket(bucket.into()))
            }
            (None, Some(version)) => Err(ObjectError::NoSuchVersion {
                bucket: bucket.into(),
                key: key.into(),
                version: version.chars().take(100).collect(),
            }),
            (None, None) => {
                if let Some(at) = at {
                    check_kept(&names, at, &format!("{bucket}/{key}"))?;
                }
                Err(ObjectError::NoSuchKey {
                    bucket: bucket.into(),
                    key: key.into(),
                })
            }
        }
    }

    /// A state as [`Self::head`] answers it, whose blocks the collector leaves alone while the pin lives.
    pub(super) fn pinned(
        &self,
        request: &GetRequest<'_>,
    ) -> Result<(ObjectRecord, stead_block::Pin), ObjectError> {
        let mut record = self.head(request)?;
        for _ in 0..PIN_TRIES {
            let pin = self.context.store.pin(record.cid.as_slice());
            // A state that is still there now is in the roots of whichever collection did not see the pin.
            let again = self.head(request)?;
            if again.event == record.event {
                return Ok((again, pin));
            }
            record = again;
        }
        Err(ObjectError::Busy)
    }

    /// The bytes of a state that [`Self::head`] answered. An empty object has an empty body; a range that
    /// begins behind the end is [`ObjectError::Range`]. The first block has been read and checked when
    /// this returns, so that damage there is still a clean error.
    pub async fn body(&self, record: &ObjectRecord, range: Option<ByteRange>) -> Result<Opened, ObjectError> {
        self.body_with(record, range, None).await
    }

    /// Whether `key` is what an object's bytes are read with.
    pub fn check_key(&self, record: &ObjectRecord, key: Option<&CustomerKey>) -> Result<(), ObjectError> {
        Runs::of(record, &self.context.secrets, key).map(drop)
    }

    /// As [`Self::body`], of an object that is encrypted with its owner's key.
    pub async fn body_with(
        &self,
        record: &ObjectRecord,
        range: Option<ByteRange>,
        key: Option<&CustomerKey>,
    ) -> Result<Opened, ObjectError> {
        let size = record.size;
        let runs = Runs::of(record, &self.context.secrets, key)?;
        let range = match range {
            None => 0..size,
            Some(range) => range.resolve(size)?,
        };
        let cid = record
            .cid
            .ok_or_else(|| ObjectError::Damaged("an object without a CID".into()))?;
        let mut body = self.open(cid, size, range.clone()).await?;
        body.runs = runs.map(|runs| runs.from(range.start));
        Ok(Opened { range, size, body })
    }

    #[allow(clippy::result_large_err)] // the closures' error is the block store's own
    async fn open(&self, cid: Cid, size: u64, range: Range<u64>) -> Result<ObjectBody, ObjectError> {
        let store = &self.context.store;
        if range.is_empty() {
            return Ok(ObjectBody::ready(Bytes::new()));
        }
        if cid.codec() == cids::RAW {
            let bytes = if size <= INLINE_MAX as u64 {
                // One small block, most likely in the page cache: a hop would cost more than the read.
                store.read(&cid)?
            } else {
                let store = store.clone();
                blocking(move || store.read(&cid)).await?
            };
            return slice(&cid, bytes, range).map(ObjectBody::ready);
        }
        let reading = store.clone();
        let leaves = Leaves::new(move |cid: &Cid| reading.read(cid), cid, size, Some(range.clone()));
        ObjectBody::ahead(
            store.clone(),
            Box::new(leaves),
            range.end - range.start,
            &self.context.tasks,
        )
        .await
    }
}

fn slice(cid: &Cid, bytes: Bytes, range: Range<u64>) -> Result<Bytes, ObjectError> {
    let whole = range.start == 0 && range.end == bytes.len() as u64;
    if whole {
        return Ok(bytes);
    }
    if range.end > bytes.len() as u64 {
        return Err(ObjectError::Damaged(format!(
            "block {cid} is shorter than its object"
        )));
    }
    // Both ends lie within the block, whose length is a usize.
    Ok(bytes.slice(range.start as usize..range.end as usize))
}

impl ByteRange {
    /// First byte and the one behind the last, within an object of `size` bytes.
    pub fn resolve(self, size: u64) -> Result<Range<u64>, ObjectError> {
        match self {
            Self::From(first, last) if first < size && last.is_none_or(|last| last >= first) => {
                Ok(first..last.map_or(size, |last| last.saturating_add(1).min(size)))
            }
            Self::Last(count) if count > 0 && size > 0 => Ok(size.saturating_sub(count)..size),
            _ => Err(ObjectError::Range { size }),
        }
    }
}

type LeafIterator = Box<dyn Iterator<Item = Result<stead_block::unixfs::Leaf, BlockError>> + Send>;

/// The bytes of an object. Small ones are ready at once; large ones are read ahead off the async threads.
pub struct ObjectBody {
    left: u64,
    ready: Option<Bytes>,
    ahead: Option<mpsc::Receiver<Result<Bytes, ObjectError>>>,
    /// Where the bytes are encrypted: what decrypts them.
    runs: Option<Runs>,
}

impl ObjectBody {
    fn ready(bytes: Bytes) -> Self {
        Self {
            left: bytes.len() as u64,
            ready: Some(bytes).filter(|b| !b.is_empty()),
            ahead: None,
            runs: None,
        }
    }

    /// Reads the first block, and goes on reading in a task as long as the body is wanted.
    async fn ahead(
        store: LocalStore,
        leaves: LeafIterator,
        left: u64,
        tasks: &Tasks,
    ) -> Result<Self, ObjectError> {
        let (first, leaves) = next_block(&store, leaves).await;
        let first = first.ok_or_else(|| ObjectError::Damaged("the object's tree is too short".into()))??;
        if first.len() as u64 >= left {
            return Ok(Self::ready(first));
        }
        let (out, ahead) = mpsc::channel(READ_AHEAD);
        tasks.spawn(TaskKind::Connection, "read-ahead", pump(store, leaves, out));
        Ok(Self {
            left,
            ready: Some(first),
            ahead: Some(ahead),
            runs: None,
        })
    }

    /// Bytes still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// All bytes at once, where they are in memory already (an object of one block).
    pub fn take_small(&mut self) -> Option<Bytes> {
        if self.ahead.is_some() {
            return None;
        }
        self.left = 0;
        let bytes = self.ready.take().unwrap_or_default();
        Some(self.plain(bytes))
    }
}

async fn next_block(
    store: &LocalStore,
    mut leaves: LeafIterator,
) -> (Option<Result<Bytes, ObjectError>>, LeafIterator) {
    let store = store.clone();
    blocking(move || {
        let next = leaves.next().map(|leaf| {
            let leaf = leaf?;
            slice(&leaf.cid, store.read(&leaf.cid)?, leaf.slice)
        });
        (next, leaves)
    })
    .await
}

async fn pump(store: LocalStore, mut leaves: LeafIterator, out: mpsc::Sender<Result<Bytes, ObjectError>>) {
    // A place in the channel is taken before the block is read: that bounds what is in memory.
    while let Ok(place) = out.reserve().await {
        let (next, rest) = next_block(&store, leaves).await;
        leaves = rest;
        let Some(block) = next else { return };
        let failed = block.is_err();
        place.send(block);
        if failed {
            return;
        }
    }
}

impl Stream for ObjectBody {
    type Item = Result<Bytes, ObjectError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(bytes) = self.ready.take() {
            self.left = self.left.saturating_sub(bytes.len() as u64);
            return Poll::Ready(Some(Ok(self.plain(bytes))));
        }
        let Some(ahead) = &mut self.ahead else {
            return Poll::Ready(None);
        };
        match ready!(ahead.poll_recv(cx)) {
            Some(Ok(bytes)) if bytes.len() as u64 <= self.left => {
                self.left -= bytes.len() as u64;
                Poll::Ready(Some(Ok(self.plain(bytes))))
            }
            Some(Ok(_)) => self.fail(ObjectError::Damaged("the object's tree is too long".into())),
            Some(Err(error)) => self.fail(error),
            None if self.left > 0 => self.fail(ObjectError::Damaged("the object's tree is too short".into())),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), None)
    }
}

impl ObjectBody {
    fn plain(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.runs {
            None => bytes,
            Some(runs) => runs.next(bytes),
        }
    }

    fn fail(&mut self, error: ObjectError) -> Poll<Option<Result<Bytes, ObjectError>>> {
        (self.left, self.ahead) = (0, None);
        Poll::Ready(Some(Err(error)))
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

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.ready.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_resolve_as_in_rfc_9110() {
        let resolve = |range: ByteRange, size| range.resolve(size).ok();
        assert_eq!(resolve(ByteRange::From(0, None), 10), Some(0..10));
        assert_eq!(resolve(ByteRange::From(3, Some(3)), 10), Some(3..4));
        assert_eq!(resolve(ByteRange::From(3, Some(u64::MAX)), 10), Some(3..10));
        assert_eq!(resolve(ByteRange::Last(4), 10), Some(6..10));
        assert_eq!(resolve(ByteRange::Last(40), 10), Some(0..10));
        for (range, size) in [
            (ByteRange::From(10, None), 10),
            (ByteRange::From(4, Some(3)), 10),
            (ByteRange::Last(0), 10),
            (ByteRange::Last(5), 0),
            (ByteRange::From(0, None), 0),
        ] {
            assert!(
                matches!(range.resolve(size), Err(ObjectError::Range { .. })),
                "{range:?}"
            );
        }
    }
}
