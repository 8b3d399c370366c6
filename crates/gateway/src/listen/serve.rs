//! The loop: accept, serve, sweep, drain.

use super::bind::Accepted;
use super::connection::{InRequest, Marked, Marks, Patience};
use super::{Body, ListenOptions, Listener, Peer, Runtime, Service};
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use stead_runtime::TaskKind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n";
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// While draining, a head that began has this long to become a request.
const DRAIN_HEAD: Duration = Duration::from_secs(1);

/// The open connections of one listener.
struct Connections {
    open: Mutex<Open>,
    gauge: Gauge,
    draining: AtomicBool,
}

/// By number, and the last number given.
#[derive(Default)]
struct Open {
    last: u64,
    by_id: HashMap<u64, (Arc<Marks>, AbortHandle)>,
}

/// Takes a connection off the list when its task ends, however it ends.
struct Entry {
    id: u64,
    connections: Arc<Connections>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.open.lock().by_id.remove(&self.id);
        self.connections.gauge.dec();
    }
}

impl Connections {
    fn count(&self) -> usize {
        self.open.lock().by_id.len()
    }

    fn sweep(&self, patience: Patience) {
        let overdue =
            |(marks, abort): &(Arc<Marks>, AbortHandle)| marks.overdue(patience).then(|| abort.clone());
        let given_up: Vec<_> = self.open.lock().by_id.values().filter_map(overdue).collect();
        given_up.iter().for_each(AbortHandle::abort);
    }

    fn abort_all(&self) {
        let all: Vec<_> = self
            .open
            .lock()
            .by_id
            .values()
            .map(|(_, abort)| abort.clone())
            .collect();
        all.iter().for_each(AbortHandle::abort);
    }
}

/// Serves until shutdown is asked for, then finishes the requests in flight, at most `options.drain`.
pub async fn serve<S: Service>(listener: Listener, service: S, options: ListenOptions, runtime: Runtime) {
    let connections = Arc::new(Connections {
        open: Mutex::default(),
        gauge: runtime.metrics.connections(options.name),
        draining: AtomicBool::new(false),
    });
    let mut shutdown = runtime.tasks.shutdown_signal();
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shutdown.wait() => break,
            _ = sweep.tick() => connections.sweep(patience(&options, connections.count())),
            accepted = listener.accept() => match accepted {
                Ok(accepted) => admit(accepted, &service, &options, &runtime, &connections),
                Err(error) => refused(&error).await,
            },
        }
    }
    drop(listener);
    drain(&connections, &options).await;
}

/// A broken connection is nothing; being out of file descriptors is waited out instead of spun on.
async fn refused(error: &std::io::Error) {
    tracing::debug!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(20)).await;
}

fn patience(options: &ListenOptions, open: usize) -> Patience {
    let crowded = open > options.max_connections / 2;
    let idle = if crowded {
        options.idle_timeout / 10
    } else {
        options.idle_timeout
    };
    Patience {
        idle,
        head: options.head_timeout,
        stall: options.body_stall,
    }
}

async fn drain(connections: &Connections, options: &ListenOptions) {
    connections.draining.store(true, Ordering::Release);
    let patience = Patience {
        idle: Duration::ZERO,
        head: DRAIN_HEAD,
        stall: options.body_stall,
    };
    let step = Duration::from_millis(10);
    let mut left = options.drain;
    while connections.count() > 0 && !left.is_zero() {
        connections.sweep(patience);
        tokio::time::sleep(step).await;
        left = left.saturating_sub(step);
    }
    connections.abort_all();
}

fn admit<S: Service>(
    accepted: Accepted,
    service: &S,
    options: &ListenOptions,
    runtime: &Runtime,
    connections: &Arc<Connections>,
) {
    if connections.count() >= options.max_connections {
        runtime.metrics.refused(options.name);
        // One try: whoever does not take it at once gets only the close.
        let _ = match &accepted {
            Accepted::Tcp(stream, _) => stream.try_write(TOO_MANY),
            Accepted::Unix(stream) => stream.try_write(TOO_MANY),
        };
        return;
    }
    match accepted {
        Accepted::Tcp(stream, remote) => {
            spawn(
                stream,
                Peer { remote: Some(remote) },
                service,
                options,
                runtime,
                connections,
            );
        }
        Accepted::Unix(stream) => {
            spawn(
                stream,
                Peer { remote: None },
                service,
                options,
                runtime,
                connections,
            );
        }
    }
}

fn spawn<T, S>(
    stream: T,
    peer: Peer,
    service: &S,
    options: &ListenOptions,
    runtime: &Runtime,
    connections: &Arc<Connections>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let marks = Marks::new(runtime.clock.clone());
    let answering = Answering {
        service: service.clone(),
        peer,
        marks: marks.clone(),
        connections: connections.clone(),
        runtime: runtime.clone(),
        head_bytes: options.head_bytes,
        stall: options.body_stall,
        rate: options.body_rate,
    };
    let io = TokioIo::new(Marked {
        inner: stream,
        marks: marks.clone(),
    });
    let head_bytes = options.head_bytes;
    // The lock is held until the task is on the list; a task that ends at once waits for it.
    let mut open = connections.open.lock();
    open.last += 1;
    let id = open.last;
    let entry = Entry {
        id,
        connections: connections.clone(),
    };
    connections.gauge.inc();
    let task = runtime
        .tasks
        .spawn(TaskKind::Connection, options.name, async move {
            let _entry = entry;
            // What a client does to its own connection is its own affair.
            if let Err(error) = connection(io, answering, head_bytes).await {
                tracing::trace!(%error, "a connection ended");
            }
        });
    open.by_id.insert(id, (marks, task.abort_handle()));
}

async fn connection<T, S>(
    io: TokioIo<Marked<T>>,
    answering: Answering<S>,
    head_bytes: usize,
) -> Result<(), hyper::Error>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let service = hyper::service::service_fn(move |request| {
        let answering = answering.clone();
        // On the heap while it is answered: hyper keeps room for it otherwise, tens of KiB in every idle connection.
        Box::pin(async move { Ok::<_, Infallible>(answering.answer(request).await) })
    });
    http1::Builder::new()
        .max_buf_size(head_bytes)
        .header_read_timeout(None) // it would end idle connections, too; the sweep knows the difference
        .serve_connection(io, service)
        .await
}

/// What it takes to answer a request of one connection.
#[derive(Clone)]
struct Answering<S> {
    service: S,
    peer: Peer,
    marks: Arc<Marks>,
    connections: Arc<Connections>,
    runtime: Runtime,
    head_bytes: usize,
    stall: Duration,
    rate: u64,
}

type Answer<B> = Either<B, Empty<Bytes>>;

/// The parser stops reading a head at its limit, but may have read up to that much more by then.
fn head_bytes(request: &Request<Body>) -> usize {
    let uri = request
        .uri()
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    uri + request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum::<usize>()
}

fn too_large<B>() -> Response<Answer<B>> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

impl<S: Service> Answering<S> {
    async fn answer(self, request: Request<Incoming>) -> Response<Tracked<Answer<S::Body>>> {
        let in_request = self.marks.request();
        let clock = self.runtime.clock.clone();
        let request = request.map(|body| Body::new(body, clock, self.stall, self.rate));
        let mut response = if head_bytes(&request) <= self.head_bytes {
            self.service.call(self.peer, request).await.map(Either::Left)
        } else {
            too_large()
        };
        if self.connections.draining.load(Ordering::Acquire) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|inner| Tracked {
            inner,
            _in_request: in_request,
        })
    }
}

/// An answer's body; the request is over when it is dropped.
struct Tracked<B> {
    inner: B,
    _in_request: InRequest,
}

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
