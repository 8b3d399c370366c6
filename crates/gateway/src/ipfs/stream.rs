//! Bodies made of blocks: read ahead off the async threads, a little at a time, as long as they are wanted.

use crate::objects::ObjectError;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_body::Frame;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use stead_runtime::{TaskKind, Tasks, blocking};
use tokio::sync::mpsc;

/// Bytes that are read at a time (1 MiB, or one block where that is more).
const AT_ONCE: usize = 1 << 20;
/// Reads that wait to be asked for.
const AHEAD: usize = 2;

/// The pieces of a body, in their order. Ends after an error.
pub type Pieces = Box<dyn Iterator<Item = Result<Bytes, ObjectError>> + Send>;
type Batch = Result<VecDeque<Bytes>, ObjectError>;

/// A body of pieces. At most three batches are in memory.
pub struct BlockBody {
    /// Bytes still to come, where that is known.
    left: Option<u64>,
    ready: VecDeque<Bytes>,
    ahead: Option<mpsc::Receiver<Batch>>,
}

impl BlockBody {
    /// Bytes that are there.
    pub fn of(bytes: Bytes) -> Self {
        Self {
            left: Some(bytes.len() as u64),
            ready: VecDeque::from_iter((!bytes.is_empty()).then_some(bytes)),
            ahead: None,
        }
    }

    /// Nothing, of a length that is not told.
    pub fn unsized_empty() -> Self {
        Self {
            left: None,
            ready: VecDeque::new(),
            ahead: None,
        }
    }

    /// Reads the first piece, so that what fails there is a clean error, and goes on in a task.
    pub async fn ahead(pieces: Pieces, length: Option<u64>, tasks: &Tasks) -> Result<Self, ObjectError> {
        let (first, rest) = next(pieces).await;
        Self::behind(first.unwrap_or_else(|| Ok(VecDeque::new()))?, rest, length, tasks)
    }

    /// The same for a body that is worth nothing in part: what fails within the first mebibyte is a clean error.
    pub async fn ahead_or_nothing(pieces: Pieces, tasks: &Tasks) -> Result<Self, ObjectError> {
        let (first, mut rest) = next(pieces).await;
        let ready = first.unwrap_or_else(|| Ok(VecDeque::new()))?;
        let got: usize = ready.iter().map(Bytes::len).sum();
        if got < AT_ONCE
            && let Some(more) = rest.next()
        {
            // Only an error can still be there.
            more?;
        }
        Self::behind(ready, rest, None, tasks)
    }

    fn behind(
        ready: VecDeque<Bytes>,
        rest: Pieces,
        length: Option<u64>,
        tasks: &Tasks,
    ) -> Result<Self, ObjectError> {
        let got: u64 = ready.iter().map(|bytes| bytes.len() as u64).sum();
        let mut body = Self {
            left: length,
            ready,
            ahead: None,
        };
        if length.is_none_or(|length| got < length) {
            let (out, ahead) = mpsc::channel(AHEAD);
            tasks.spawn(TaskKind::Connection, "block-read-ahead", pump(rest, out));
            body.ahead = Some(ahead);
        }
        Ok(body)
    }

    /// The first bytes, where they are there already.
    pub fn first(&mut self) -> Option<Bytes> {
        self.ready.front().cloned()
    }

    /// All of it at once, for what is known to be small.
    pub async fn whole(mut self) -> Result<Bytes, ObjectError> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes.freeze())
    }

    fn fail(&mut self, error: ObjectError) -> Poll<Option<Result<Bytes, ObjectError>>> {
        (self.left, self.ahead) = (Some(0), None);
        Poll::Ready(Some(Err(error)))
    }
}

/// The next pieces, about a mebibyte of them.
async fn next(mut pieces: Pieces) -> (Option<Batch>, Pieces) {
    blocking(move || {
        let (mut batch, mut size) = (VecDeque::new(), 0);
        while size < AT_ONCE {
            match pieces.next() {
                Some(Ok(bytes)) => {
                    size += bytes.len();
                    batch.push_back(bytes);
                }
                Some(Err(error)) if batch.is_empty() => return (Some(Err(error)), pieces),
                // What is there goes out first; an iterator that failed is asked once more.
                Some(Err(error)) => {
                    let failed: Pieces = Box::new(std::iter::once(Err(error)));
                    return (Some(Ok(batch)), failed);
                }
                None => break,
            }
        }
        let batch = (!batch.is_empty()).then_some(Ok(batch));
        (batch, pieces)
    })
    .await
}

async fn pump(mut pieces: Pieces, out: mpsc::Sender<Batch>) {
    // A place is taken before anything is read: that bounds what is in memory.
    while let Ok(place) = out.reserve().await {
        let (batch, rest) = next(pieces).await;
        pieces = rest;
        let Some(batch) = batch else { return };
        let failed = batch.is_err();
        place.send(batch);
        if failed {
            return;
        }
    }
}

impl Stream for BlockBody {
    type Item = Result<Bytes, ObjectError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                let size = bytes.len() as u64;
                if self.left.is_some_and(|left| left < size) {
                    return self.fail(ObjectError::Damaged("the file's tree is too long".into()));
                }
                self.left = self.left.map(|left| left - size);
                return Poll::Ready(Some(Ok(bytes)));
            }
            let Some(ahead) = &mut self.ahead else {
                return Poll::Ready(None);
            };
            match ready!(ahead.poll_recv(cx)) {
                Some(Ok(batch)) => self.ready = batch,
                Some(Err(error)) => return self.fail(error),
                None if self.left.is_some_and(|left| left > 0) => {
                    return self.fail(ObjectError::Damaged("the file's tree is too short".into()));
                }
                None => {
                    self.ahead = None;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl http_body::Body for BlockBody {
    type Data = Bytes;
    type Error = ObjectError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ObjectError>>> {
        self.poll_next(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && (self.ahead.is_none() || self.left == Some(0))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self.left {
            Some(left) => http_body::SizeHint::with_exact(left),
            None => http_body::SizeHint::default(),
        }
    }
}
