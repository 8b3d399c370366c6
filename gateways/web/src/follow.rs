//! A body that ends when the session that asked for it does: a stream of events must not outlive sign-out.

use crate::Answer;
use bytes::Bytes;
use http_body::{Body, Frame};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// The body, and what resolves when the session is over.
pub(crate) struct Following {
    inner: Answer,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

impl Following {
    pub(crate) fn new(inner: Answer, mut alive: watch::Receiver<()>) -> Self {
        // Nothing is ever sent; the sender goes with the session.
        let over = Box::pin(async move { while alive.changed().await.is_ok() {} });
        Self {
            inner,
            over,
            ended: false,
        }
    }
}

impl Body for Following {
    type Data = Bytes;
    type Error = crate::Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.ended || self.over.as_mut().poll(cx).is_ready() {
            self.ended = true;
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }
}
