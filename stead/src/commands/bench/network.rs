//! What TCP carries from this machine to itself, and how long until another node answers.

use super::Effort;
use crate::codes;
use crate::failure::Failure;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;
use stead_gateway::listen;
use stead_guide::showcase::Figure;
use stead_runtime::{Clock, blocking};

/// Written at once.
const PIECE: usize = 1 << 18;

/// How long another node may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often another node is asked.
const ASKED: usize = 4;

/// 10^6 bytes a second; empty where loopback does not work.
pub(super) async fn loopback(clock: &Clock, effort: Effort) -> Vec<f64> {
    let mut seen = Vec::new();
    for _ in 0..effort.runs {
        let Ok((one, other)) = listen::loopback() else {
            break;
        };
        let (own, limit) = (clock.clone(), effort.each);
        let sent = blocking(move || send(&own, one, limit));
        let own = clock.clone();
        let received = blocking(move || receive(&own, other));
        let (_, rate) = tokio::join!(sent, received);
        seen.extend(rate);
    }
    seen
}

fn send(clock: &Clock, mut stream: TcpStream, limit: Duration) -> std::io::Result<()> {
    let piece = vec![7; PIECE];
    let began = clock.instant();
    while clock.instant().saturating_duration_since(began) < limit {
        stream.write_all(&piece)?;
    }
    Ok(())
}

/// Reads to the end; none where nothing came or it broke.
fn receive(clock: &Clock, mut stream: TcpStream) -> Option<f64> {
    let mut piece = vec![0; PIECE];
    let began = clock.instant();
    let mut bytes = 0;
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes += count,
            Err(_) => return None,
        }
    }
    let took = clock.instant().saturating_duration_since(began);
    (bytes > 0).then(|| bytes as f64 / 1e6 / took.as_secs_f64().max(1e-9))
}

/// The address in `http://HOST:PORT`.
pub(super) fn peer(url: &str) -> Result<SocketAddr, Failure> {
    let place = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let refused = |why: String| {
        Failure::usage(format!("{url:?} names no node: {why}")).next("give --peer http://HOST:PORT")
    };
    let mut found = place.to_socket_addrs().map_err(|why| refused(why.to_string()))?;
    found.next().ok_or_else(|| refused("no such host".into()))
}

/// Milliseconds until a connection is accepted: one trip there and back.
pub(super) async fn round_trip(clock: &Clock, peer: SocketAddr, effort: Effort) -> Result<Figure, Failure> {
    let (clock, count) = (clock.clone(), effort.runs * ASKED);
    let seen = blocking(move || -> std::io::Result<Vec<f64>> {
        let mut seen = Vec::with_capacity(count);
        for _ in 0..count {
            let began = clock.instant();
            TcpStream::connect_timeout(&peer, PATIENCE)?;
            seen.push(clock.instant().saturating_duration_since(began).as_secs_f64() * 1e3);
        }
        Ok(seen)
    });
    let seen = seen
        .await
        .map_err(|why| Failure::new(codes::NOT_RUNNING, format!("no node answers at {peer}: {why}")))?;
    Figure::of(&seen).ok_or_else(super::nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_addresses() {
        assert_eq!(peer("http://127.0.0.1:7300/").expect("good").port(), 7300);
        for bad in ["http://127.0.0.1", "https://127.0.0.1:1", "", "127.0.0.1:x"] {
            assert!(peer(bad).expect_err("bad").is(codes::USAGE), "{bad}");
        }
    }
}
