//! Connections to a node: HTTP/1.1 over its socket or over TCP, kept and used again.

use crate::sign::UNSIGNED;
use crate::{Answer, Body, BodyError, Error, Key, Transport};
use futures::future::BoxFuture;
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
use stead_runtime::{Clock, TaskKind, Tasks};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

const CONNECT: Duration = Duration::from_secs(10);

/// Where a node listens.
pub(crate) enum Address {
    /// Its socket.
    Socket(PathBuf),
    /// `HOST:PORT`, and who signs.
    Tcp(String, Key),
}

/// A node that answers over connections.
pub(crate) struct Connections {
    address: Address,
    clock: Clock,
    tasks: Tasks,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

impl Connections {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            clock: Clock::system(),
            tasks: Tasks::new(),
            idle: Mutex::default(),
        }
    }

    /// Makes a connection and keeps it for the first request: whether anybody answers.
    pub(crate) async fn probe(&self) -> std::io::Result<()> {
        let sender = self.connect().await?;
        self.keep(sender);
        Ok(())
    }

    async fn answer(&self, mut request: Request<Body>) -> Result<Response<Answer>, Error> {
        self.prepare(&mut request).await?;
        let unreachable = |why: String| Error::Unreachable(format!("{} {why}", self.name()));
        let mut sender = match self.take() {
            Some(sender) => sender,
            None => self
                .connect()
                .await
                .map_err(|e| unreachable(format!("does not answer: {e}")))?,
        };
        let sent = sender.send_request(request).await;
        let response = sent.map_err(|e| unreachable(format!("did not answer: {}", causes(&e))))?;
        // The connection can carry the next request as soon as this answer is read.
        self.keep(sender);
        Ok(response.map(|body| body.map_err(BodyError::from).boxed_unsync()))
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
    async fn prepare(&self, request: &mut Request<Body>) -> Result<(), Error> {
        let (host, signer) = match &self.address {
            Address::Socket(_) => ("stead", None),
            Address::Tcp(authority, signer) => (authority.as_str(), Some(signer)),
        };
        let bad = |_| Error::Invalid(format!("{host:?} is not a host"));
        let host = HeaderValue::from_str(host).map_err(bad)?;
        request.headers_mut().insert(HOST, host);
        let size = request.body().size_hint().exact();
        if let Some(size) = size {
            request.headers_mut().insert(CONTENT_LENGTH, size.into());
        }
        let Some(signer) = signer else { return Ok(()) };
        let hash = match size {
            Some(size) if size <= 64 << 10 => hash_body(request).await?,
            _ => UNSIGNED.to_owned(),
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
            .map_err(|e| Error::Invalid(format!("the request cannot be signed: {e}")))
    }
}

impl Transport for Connections {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Answer>, Error>> {
        Box::pin(self.answer(request))
    }
}

/// Reads a small body to hash it, and puts it back.
async fn hash_body(request: &mut Request<Body>) -> Result<String, Error> {
    let body = std::mem::replace(request.body_mut(), crate::empty());
    let bytes = body
        .collect()
        .await
        .map_err(|e| Error::Source(e.to_string()))?
        .to_bytes();
    let hash = cids::digest(&cids::raw(&bytes)).unwrap_or_default();
    *request.body_mut() = crate::body_of(bytes);
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
