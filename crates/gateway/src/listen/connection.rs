//! What one connection is doing, seen by the sweep that ends the idle and the stuck.
//!
//! A connection costs no timer: reads, writes and requests leave marks, and one sweep a second looks at
//! them. The phase is changed by compare-and-swap, so that a connection that the sweep has given up never
//! begins a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use stead_runtime::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Between requests.
const IDLE: u8 = 0;
/// Bytes of a head have come.
const HEAD: u8 = 1;
/// A request is being answered.
const BUSY: u8 = 2;
/// Given up by the sweep.
const CLOSING: u8 = 3;

/// The marks of one connection.
pub(super) struct Marks {
    clock: Clock,
    start: Instant,
    phase: AtomicU8,
    /// When the phase began, and when the last byte moved: milliseconds after `start`.
    since: AtomicU64,
    moved: AtomicU64,
    /// Whether a write waits for the client.
    writing: AtomicBool,
}

/// How long each state may last.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) head: Duration,
    pub(super) stall: Duration,
}

impl Marks {
    pub(super) fn new(clock: Clock) -> Arc<Self> {
        let start = clock.instant();
        Arc::new(Self {
            clock,
            start,
            phase: AtomicU8::new(IDLE),
            since: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            writing: AtomicBool::new(false),
        })
    }

    fn now(&self) -> u64 {
        self.clock.instant().duration_since(self.start).as_millis() as u64
    }

    fn enter(&self, from: u8, to: u8) -> bool {
        let entered = self
            .phase
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if entered {
            self.since.store(self.now(), Ordering::Release);
        }
        entered
    }

    /// Bytes came. Answers `false` where the sweep has given the connection up.
    fn read(&self) -> bool {
        self.moved.store(self.now(), Ordering::Release);
        self.enter(IDLE, HEAD) || self.phase.load(Ordering::Acquire) != CLOSING
    }

    fn wrote(&self, waits: bool) {
        if !waits {
            self.moved.store(self.now(), Ordering::Release);
        }
        self.writing.store(waits, Ordering::Release);
    }

    /// A request's head is complete. The answer's body holds what this returns.
    pub(super) fn request(self: &Arc<Self>) -> InRequest {
        if !self.enter(HEAD, BUSY) {
            self.enter(IDLE, BUSY);
        }
        InRequest(self.clone())
    }

    /// Whether the sweep is to end the connection: it has no request, or none that moves.
    pub(super) fn overdue(&self, patience: Patience) -> bool {
        let now = self.now();
        let past = |mark: &AtomicU64, bound: Duration| {
            now.saturating_sub(mark.load(Ordering::Acquire)) > bound.as_millis() as u64
        };
        match self.phase.load(Ordering::Acquire) {
            IDLE => past(&self.since, patience.idle) && self.enter(IDLE, CLOSING),
            HEAD => past(&self.since, patience.head) && self.enter(HEAD, CLOSING),
            BUSY => self.writing.load(Ordering::Acquire) && past(&self.moved, patience.stall),
            _ => true,
        }
    }
}

/// A request is being answered while this lives.
pub(super) struct InRequest(Arc<Marks>);

impl Drop for InRequest {
    fn drop(&mut self) {
        self.0.enter(BUSY, IDLE);
    }
}

/// A connection that leaves marks.
pub(super) struct Marked<T> {
    pub(super) inner: T,
    pub(super) marks: Arc<Marks>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Marked<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before && !self.marks.read() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Marked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.marks.wrote(polled.is_pending());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.marks.wrote(polled.is_pending());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
