//! A request's body with a patience: it fails when no byte comes for too long, or too few on average.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use stead_runtime::Clock;
use tokio::time::Sleep;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No byte for longer than [`ListenOptions::body_stall`](super::ListenOptions::body_stall).
    #[error("no byte of the body arrived for {0:?}")]
    Stalled(Duration),
    /// Slower on average than [`ListenOptions::body_rate`](super::ListenOptions::body_rate).
    #[error("the body arrives more slowly than {0} bytes a second")]
    TooSlow(u64),
    /// The connection broke or the framing was wrong.
    #[error("the body was cut short: {0}")]
    Interrupted(Box<dyn std::error::Error + Send + Sync>),
}

impl From<BodyError> for crate::objects::BodyError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Interrupted(_) => Self::Interrupted(error.to_string()),
            BodyError::Stalled(_) | BodyError::TooSlow(_) => Self::TooSlow(error.to_string()),
        }
    }
}

/// A request's body. Only time spent waiting for the client counts; a body that is there at once costs no
/// timer.
#[derive(Debug)]
pub struct Body {
    inner: Incoming,
    clock: Clock,
    stall: Duration,
    rate: u64,
    received: u64,
    waited: Duration,
    waiting: Option<Instant>,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Body {
    pub(super) fn new(inner: Incoming, clock: Clock, stall: Duration, rate: u64) -> Self {
        Self {
            inner,
            clock,
            stall,
            rate,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
            patience: None,
        }
    }

    /// Bytes received so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    fn arrived(&mut self, bytes: usize) -> Result<(), BodyError> {
        self.received += bytes as u64;
        let Some(since) = self.waiting.take() else {
            return Ok(());
        };
        self.waited += self.clock.instant().duration_since(since);
        let due = self.waited.as_secs().saturating_mul(self.rate);
        if self.waited > self.stall && self.received < due {
            return Err(BodyError::TooSlow(self.rate));
        }
        Ok(())
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let stall = self.stall;
        if self.waiting.is_none() {
            self.waiting = Some(self.clock.instant());
            match &mut self.patience {
                Some(patience) => patience.as_mut().reset(tokio::time::Instant::now() + stall),
                None => self.patience = Some(Box::pin(tokio::time::sleep(stall))),
            }
        }
        match self.patience.as_mut().map(|patience| patience.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Some(Err(BodyError::Stalled(stall)))),
            _ => Poll::Pending,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Pending => self.wait(cx),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(e))) => Poll::Ready(Some(Err(BodyError::Interrupted(Box::new(e))))),
            Poll::Ready(Some(Ok(frame))) => {
                let arrived = self.arrived(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(arrived.map(|()| frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
