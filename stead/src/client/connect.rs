//! Connections to a node: HTTP/1.1 over its socket or over TCP, kept and used again.

use super::{Answer, Body, BodyFailure};
use crate::codes;
use crate::failure::Failure;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use stead_event::{Timestamp, cids};
use stead_gateway::sigv4::{Signer, UNSIGNED_PAYLOAD};
use stead_runtime::{Clock, TaskKind, Tasks};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

const CONNECT: Duration = Duration::from_secs(10);

/// Where a node listens.
pub(super) enum Address {
    /// Its socket.
    Socket(PathBuf),
    /// `HOST:PORT`, and who signs.
    Tcp(String, Signer),
}

/// A node that answers over connections.
pub(super) struct Server {
    address: Address,
    clock: Clock,
    tasks: Tasks,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

impl Server {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            clock: Clock::system(),
            tasks: Tasks::new(),
            idle: Mutex::default(),
        }
    }

    /// Makes a connection and keeps it for the first request: whether anybody answers.
    pub(super) async fn probe(&self) -> std::io::Result<()> {
        let sender = self.connect().await?;
        self.keep(sender);
        Ok(())
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Result<Response<Answer>, Failure> {
        self.prepare(&mut request).await?;
        let mut sender = match self.take() {
            Some(sender) => sender,
            None => self.connect().await.map_err(|e| self.unreachable(&e))?,
        };
        let sent = sender.send_request(request).await;
        let response = sent.map_err(|e| {
            Failure::new(
                codes::NOT_RUNNING,
                format!("the node at {} did not answer: {}", self.name(), causes(&e)),
            )
        })?;
        // The connection can carry the next request as soon as this answer is read.
        self.keep(sender);
        Ok(response.map(|body| body.map_err(BodyFailure::from).boxed_unsync()))
    }

    pub(super) fn unreachable(&self, error: &std::io::Error) -> Failure {
        Failure::new(
            codes::NOT_RUNNING,
            format!("no node answers at {}: {error}", self.name()),
        )
    }

    fn name(&self) -> String {
        match &self.address {
            Address::Socket(path) => path.display().to_string(),
            Address::Tcp(authority, _) => format!("http://{authority}"),
        }
    }

    fn take(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let ready = idle.iter().position(SendRequest::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    fn keep(&self, sender: SendRequest<Body>) {
        if !sender.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            idle.retain(|sender| !sender.is_closed());
            idle.push(sender);
        }
    }

    async fn connect(&self) -> std::io::Result<SendRequest<Body>> {
        let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
        match &self.address {
            Address::Socket(path) => {
                let stream = tokio::time::timeout(CONNECT, UnixStream::connect(path))
                    .await
                    .map_err(timed_out)??;
                self.shake(stream).await
            }
            Address::Tcp(authority, _) => {
                let stream = TcpStream::connect(authority.as_str());
                let stream = tokio::time::timeout(CONNECT, stream).await.map_err(timed_out)??;
                stream.set_nodelay(true)?;
                self.shake(stream).await
            }
        }
    }

    async fn shake<S>(&self, stream: S) -> std::io::Result<SendRequest<Body>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        self.tasks.spawn(TaskKind::Connection, "node", async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(sender)
    }

    /// Gives the request its host, its length and its signature.
    async fn prepare(&self, request: &mut Request<Body>) -> Result<(), Failure> {
        let (host, signer) = match &self.address {
            Address::Socket(_) => ("stead", None),
            Address::Tcp(authority, signer) => (authority.as_str(), Some(signer)),
        };
        let bad = |_| Failure::usage(format!("{host:?} is not a host"));
        let host = HeaderValue::from_str(host).map_err(bad)?;
        request.headers_mut().insert(HOST, host);
        let size = request.body().size_hint().exact();
        if let Some(size) = size {
            request.headers_mut().insert(CONTENT_LENGTH, size.into());
        }
        let Some(signer) = signer else { return Ok(()) };
        let hash = match size {
            Some(size) if size <= 64 << 10 => hash_body(request).await?,
            _ => UNSIGNED_PAYLOAD.to_owned(),
        };
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let now = Timestamp::from_micros(self.clock.now_micros());
        signer
            .sign(
                &method,
                uri.path(),
                uri.query().unwrap_or_default(),
                request.headers_mut(),
                &hash,
                now,
            )
            .map_err(|e| Failure::usage(format!("the request cannot be signed: {e}")))
    }
}

/// Reads a small body to hash it, and puts it back.
async fn hash_body(request: &mut Request<Body>) -> Result<String, Failure> {
    let body = std::mem::replace(request.body_mut(), super::empty());
    let bytes = body
        .collect()
        .await
        .map_err(|e| Failure::new(codes::FILE, format!("what was to be sent cannot be read: {e}")))?
        .to_bytes();
    let hash = cids::digest(&cids::raw(&bytes)).unwrap_or_default();
    *request.body_mut() = super::body_of(bytes);
    Ok(hex::encode(hash))
}

/// An error and what led to it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
