//! The one HTTP server loop.

use crate::Metrics;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use stead_runtime::{Clock, Tasks};

/// The other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address; `None` over a Unix socket, whose only possible peer is the node's owner.
    pub remote: Option<SocketAddr>,
}

impl Peer {
    /// Whether it came through the socket in the data directory.
    pub fn is_local(&self) -> bool {
        self.remote.is_none()
    }
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No byte for longer than [`ListenOptions::body_stall`].
    #[error("no byte of the body arrived for {0:?}")]
    Stalled(Duration),
    /// Slower on average than [`ListenOptions::body_rate`].
    #[error("the body arrives more slowly than {0} bytes a second")]
    TooSlow(u64),
    /// The connection broke or the framing was wrong.
    #[error("the body was cut short: {0}")]
    Interrupted(Box<dyn std::error::Error + Send + Sync>),
}

/// A request's body: fails when it stalls.
#[derive(Debug)]
pub struct Body {
    inner: hyper::body::Incoming,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.inner)
            .poll_frame(cx)
            .map_err(|e| BodyError::Interrupted(Box::new(e)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

/// Answers requests of one protocol. Cloned once a connection.
pub trait Service: Clone + Send + Sync + 'static {
    /// The answer's body. Small ones should be ready at the first poll, with an exact size hint: then head
    /// and body leave in one write.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static;

    /// Answers one request.
    fn call(&self, peer: Peer, request: Request<Body>) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Limits of a listener.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// The gateway's name, for tasks and metrics.
    pub name: &'static str,
    /// Connections above this get a 503 and are closed.
    pub max_connections: usize,
    /// A request's head must arrive within this.
    pub head_timeout: Duration,
    /// A request's head may have this many bytes; more gets a 431.
    pub head_bytes: usize,
    /// An idle connection is closed after this; after a tenth of it when more than half of
    /// `max_connections` are open.
    pub idle_timeout: Duration,
    /// A body or an answer that moves no byte for this long is given up.
    pub body_stall: Duration,
    /// A body must arrive at this many bytes a second, averaged after the first `body_stall`.
    pub body_rate: u64,
    /// At shutdown, requests in flight get this long.
    pub drain: Duration,
}

impl ListenOptions {
    /// The defaults, for the gateway of that name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            max_connections: 12_000,
            head_timeout: Duration::from_secs(10),
            head_bytes: 64 << 10,
            idle_timeout: Duration::from_secs(300),
            body_stall: Duration::from_secs(30),
            body_rate: 256,
            drain: Duration::from_secs(20),
        }
    }
}

/// What the loop needs beside the service.
#[derive(Clone)]
pub struct Runtime {
    /// Time.
    pub clock: Clock,
    /// Where connections run.
    pub tasks: Tasks,
    /// What is counted.
    pub metrics: Metrics,
}

/// A bound address.
#[derive(Debug)]
pub struct Listener {}

impl Listener {
    /// Binds a TCP address; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let _ = address;
        todo!()
    }

    /// Binds a Unix socket, mode 0600. A stale socket file is replaced; one that somebody answers on is
    /// `AddrInUse`.
    pub async fn unix(path: &Path) -> io::Result<Self> {
        let _ = path;
        todo!()
    }

    /// The bound TCP address; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        todo!()
    }
}

/// Serves until shutdown is asked for, then finishes the requests in flight, at most `options.drain`.
pub async fn serve<S: Service>(listener: Listener, service: S, options: ListenOptions, runtime: Runtime) {
    let _ = (listener, service, options, runtime);
    todo!()
}

/// Raises the limit of open files to the hard limit; answers the limit that now holds.
pub fn raise_open_files() -> u64 {
    todo!()
}
