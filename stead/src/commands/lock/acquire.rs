//! Asking for a lock, as long as it may take.

use super::url;
use crate::args::LockHow;
use crate::client::Client;
use crate::codes;
use crate::failure::Failure;
use std::time::{Duration, Instant};
use stead_client::wire;
use stead_runtime::{Clock, Rng};

/// How long one request waits at the node.
const WAIT_S: u64 = 30;
/// How long after that its answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// Before a request is made again that got no answer.
const AGAIN: Duration = Duration::from_millis(500);

/// A lock that was had.
pub(super) struct Held {
    pub lock: wire::Lock,
    /// Until when it is held for sure, if nothing more is heard.
    pub until: Instant,
}

fn owner() -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    format!("{host}, process {}", std::process::id())
}

/// Acquires a lock.
///
/// # Errors
/// Where somebody else holds it for too long, or no node answers.
pub(super) async fn acquire(client: &Client, name: &str, how: &LockHow) -> Result<Held, Failure> {
    let clock = Clock::system();
    let wait = if how.no_wait { Some(0) } else { how.wait };
    let end = wait.map(|seconds| clock.instant() + Duration::from_secs(seconds));
    let mut wanted = wire::AcquireLock {
        owner: how.owner.clone().unwrap_or_else(owner),
        request: hex::encode(Rng::system().bytes::<16>()),
        ttl_s: Some(how.ttl),
        wait_s: 0,
    };
    let mut told = false;
    loop {
        // From before the request on: that much of the lease is sure.
        let asked = clock.instant();
        let request = client.post(url(name), &wanted);
        let answered = tokio::time::timeout(Duration::from_secs(wanted.wait_s) + ANSWER, request).await;
        let failure = match answered {
            Ok(Ok(lock)) => {
                let until = asked + Duration::from_secs(how.ttl);
                // A long wait may have used the lease up that is sure.
                return renewed(client, &clock, lock, until, how.ttl).await;
            }
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(codes::UNAVAILABLE, format!("no answer came about lock {name}")),
        };
        let left = end.map(|end| end.saturating_duration_since(clock.instant()));
        let again = failure.is(codes::LOCK_TAKEN) || failure.is(codes::UNAVAILABLE);
        if !again || left == Some(Duration::ZERO) {
            return Err(failure);
        }
        if !told {
            eprintln!("waiting: {}", failure.message);
            told = true;
        }
        if failure.is(codes::UNAVAILABLE) {
            tokio::time::sleep(AGAIN).await;
        }
        wanted.wait_s = left.map_or(WAIT_S, |left| left.as_secs().clamp(1, WAIT_S));
    }
}

/// Begins the lease of a lock anew that was waited for.
async fn renewed(
    client: &Client,
    clock: &Clock,
    lock: wire::Lock,
    until: Instant,
    ttl: u64,
) -> Result<Held, Failure> {
    let now = clock.instant();
    if until > now + Duration::from_secs(ttl) / 2 {
        return Ok(Held { lock, until });
    }
    let token = lock.token;
    client.put(url(&lock.name), &wire::RenewLock { token }).await?;
    let until = now + Duration::from_secs(ttl);
    Ok(Held { lock, until })
}
