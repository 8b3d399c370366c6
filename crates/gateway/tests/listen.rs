//! The server loop against raw sockets: what well-behaved clients get, and how the others are bounded.
#![allow(clippy::unwrap_used)] // in tests

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use stead_gateway::listen::{Body, ListenOptions, Listener, Peer, Runtime, Service, serve};
use stead_gateway::metrics::Metrics;
use stead_runtime::{Clock, TaskKind, Tasks};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Answers with the request's body, after `x-wait` milliseconds; 400 where the body fails.
#[derive(Clone)]
struct Echo;

impl Service for Echo {
    type Body = Full<Bytes>;

    async fn call(&self, peer: Peer, request: Request<Body>) -> Response<Full<Bytes>> {
        let wait = request
            .headers()
            .get("x-wait")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(wait) = wait {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        let (status, text) = match request.into_body().collect().await {
            Ok(body) => (StatusCode::OK, body.to_bytes()),
            Err(error) => (StatusCode::BAD_REQUEST, error.to_string().into()),
        };
        let mut response = Response::new(Full::new(text));
        *response.status_mut() = status;
        if peer.is_local() {
            response.headers_mut().insert("x-local", "yes".parse().unwrap());
        }
        response
    }
}

fn quick() -> ListenOptions {
    ListenOptions {
        head_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_secs(60),
        body_stall: Duration::from_millis(300),
        body_rate: 1 << 20,
        drain: Duration::from_secs(5),
        ..ListenOptions::new("test")
    }
}

async fn start(options: ListenOptions) -> (SocketAddr, Tasks) {
    let tasks = Tasks::new();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap();
    assert_ne!(address.port(), 0);
    let runtime = Runtime {
        clock: Clock::system(),
        tasks: tasks.clone(),
        metrics: Metrics::new(),
    };
    tasks.spawn(
        TaskKind::Listener,
        "test",
        serve(listener, Echo, options, runtime),
    );
    (address, tasks)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// One read: what the server's first write brought.
async fn first(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut buffer = vec![0; 1 << 16];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer)).await;
    String::from_utf8_lossy(&buffer[..read.unwrap().unwrap_or(0)]).into_owned()
}

/// Everything until the server closes.
async fn all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A reset counts as a close.
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the server keeps the connection open");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn head_and_small_body_come_together_and_the_connection_is_kept() {
    let (address, _tasks) = start(quick()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for body in ["hello", "again"] {
        send(&mut stream, &post(body)).await;
        let answer = first(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with(body),
            "{answer}"
        );
        assert!(answer.contains("content-length: 5"));
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_ended() {
    let (address, _tasks) = start(quick()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    send(&mut stream, "GET / HTTP/1.1\r\nhost").await;
    assert_eq!(all(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout_but_not_its_own() {
    let (address, _tasks) = start(quick()).await;
    let mut patient = TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    send(&mut patient, &post("still here")).await;
    assert!(first(&mut patient).await.ends_with("still here"));
    let (address, _tasks) = start(ListenOptions {
        idle_timeout: Duration::from_millis(200),
        ..quick()
    })
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    send(&mut stream, &post("a")).await;
    assert!(all(&mut stream).await.ends_with("\r\n\r\na"));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (address, _tasks) = start(quick()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx-big: {}\r\n\r\n",
        "y".repeat(80 << 10)
    );
    // The server may answer and close before all is sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = first(&mut stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(
        answer.matches("HTTP/1.1").count(),
        usize::from(!answer.is_empty())
    );
}

#[tokio::test]
async fn a_head_just_above_the_limit_gets_a_431() {
    let (address, _tasks) = start(quick()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    send(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\nx-big: ").await;
    for _ in 0..64 {
        send(&mut stream, &"y".repeat(1024)).await;
    }
    assert!(first(&mut stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn bodies_that_stall_or_trickle_fail() {
    let (address, _tasks) = start(quick()).await;
    let mut stalled = TcpStream::connect(address).await.unwrap();
    send(
        &mut stalled,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
    )
    .await;
    let answer = first(&mut stalled).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("no byte of the body"),
        "{answer}"
    );
    let options = ListenOptions {
        body_stall: Duration::from_millis(600),
        ..quick()
    };
    let (address, _tasks) = start(options).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    send(
        &mut slow,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n",
    )
    .await;
    let trickle = async {
        let (mut read, mut write) = slow.split();
        let drip = async {
            while write.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            answer = first(&mut read) => answer,
            () = drip => String::new(),
        }
    };
    let answer = trickle.await;
    assert!(answer.contains("more slowly than"), "{answer}");
}

#[tokio::test]
async fn connections_above_the_cap_get_a_503() {
    let (address, _tasks) = start(ListenOptions {
        max_connections: 2,
        ..quick()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        send(&mut stream, &post("a")).await;
        assert!(first(&mut stream).await.ends_with('a'));
        held.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert!(all(&mut third).await.starts_with("HTTP/1.1 503"));
    held.pop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut fourth = TcpStream::connect(address).await.unwrap();
    send(&mut fourth, &post("b")).await;
    assert!(first(&mut fourth).await.ends_with('b'));
}

#[tokio::test]
async fn a_drain_finishes_what_began_and_nothing_else() {
    let (address, tasks) = start(quick()).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    send(&mut busy, "GET / HTTP/1.1\r\nhost: x\r\nx-wait: 400\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    tasks.shutdown();
    assert_eq!(all(&mut idle).await, "");
    let answer = all(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(tasks.drain(TaskKind::Listener, Duration::from_secs(2)).await, 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_drain_is_bounded() {
    let (address, tasks) = start(ListenOptions {
        drain: Duration::from_millis(200),
        ..quick()
    })
    .await;
    let mut busy = TcpStream::connect(address).await.unwrap();
    send(&mut busy, "GET / HTTP/1.1\r\nhost: x\r\nx-wait: 60000\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    tasks.shutdown();
    assert_eq!(all(&mut busy).await, "");
    assert_eq!(tasks.drain(TaskKind::Connection, Duration::from_secs(2)).await, 0);
}

#[tokio::test]
async fn a_unix_socket_is_private_replaces_a_stale_one_and_refuses_a_live_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stead.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::unix(&path).await.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let live = Listener::unix(&path).await.unwrap_err();
    assert_eq!(live.kind(), std::io::ErrorKind::AddrInUse);
    let tasks = Tasks::new();
    let runtime = Runtime {
        clock: Clock::system(),
        tasks: tasks.clone(),
        metrics: Metrics::new(),
    };
    tasks.spawn(
        TaskKind::Listener,
        "test",
        serve(listener, Echo, quick(), runtime),
    );
    let mut stream = UnixStream::connect(&path).await.unwrap();
    send(&mut stream, &post("local")).await;
    let answer = first(&mut stream).await;
    assert!(
        answer.contains("x-local: yes") && answer.ends_with("local"),
        "{answer}"
    );
    tasks.shutdown();
    assert_eq!(tasks.drain(TaskKind::Listener, Duration::from_secs(5)).await, 0);
    assert!(!path.exists());
}
