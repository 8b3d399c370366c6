//! The one HTTP/1.1 server loop, for every gateway, over TCP and Unix sockets.
//!
//! Promises: small answers leave in one write, without Nagle's delay; a connection, a head, a body and an
//! answer that do not move are ended after a bound; no more than a set number of connections is open; at
//! shutdown requests in flight are finished, within a bound.
//! Never: looks into a request. What is answered is the [`Service`]'s.

mod bind;
mod body;
mod connection;
mod loopback;
mod serve;

pub use bind::Listener;
pub use body::{Body, BodyError};
pub use loopback::loopback;
pub use serve::serve;

use crate::Metrics;
use bytes::Bytes;
use http::{Request, Response};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::future::Future;
use std::net::SocketAddr;
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

/// Answers requests of one protocol. Cloned once a request, so cloning is to be cheap.
pub trait Service: Clone + Send + Sync + 'static {
    /// The answer's body. Small ones should be ready at the first poll, with an exact size hint: then head
    /// and body leave in one write.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
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
    /// A body must arrive at this many bytes a second, averaged over the time spent waiting for it, once
    /// that is longer than `body_stall`.
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

/// Raises the limit of open files to the hard limit; answers the limit that now holds.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it cannot be raised, the soft limit holds, and the connection cap is the caller's to lower.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
