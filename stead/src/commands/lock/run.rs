//! `lock run`: a command while a lock is held.
//!
//! Promises: the command is not running any more when the lease has run out. So that this holds without an answer from
//! any node, it is counted here, from before each sign of life was sent.

use super::acquire::{Held, acquire};
use super::child::{Running, exit_code};
use super::url;
use crate::args::{Global, LockRun};
use crate::client::{Client, Needs, find};
use crate::codes;
use crate::failure::Failure;
use http::Method;
use rustix::process::Signal;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use stead_client::wire;
use stead_runtime::Clock;
use tokio::signal::unix::{SignalKind, signal};

/// Of the lease: a sign of life is sent after so much of it, and tried again so often until then.
const RENEW: f64 = 1.0 / 3.0;
/// Of the lease: the command is asked to end so much before it runs out, and at most [`GRACE`].
const END: f64 = 1.0 / 4.0;
const GRACE: Duration = Duration::from_secs(10);
/// The command is killed so long before the lease runs out.
const KILL: Duration = Duration::from_millis(100);
/// How long the command has to end when the lock is known to be lost.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long a release may take.
const RELEASE: Duration = Duration::from_secs(5);

/// Signals that are passed on to the command.
struct Signals([(tokio::signal::unix::Signal, Signal); 3]);

impl Signals {
    fn receive() -> Result<Self, Failure> {
        let receive = |kind| signal(kind).map_err(|error| Failure::io("signals cannot be received", &error));
        Ok(Self([
            (receive(SignalKind::terminate())?, Signal::TERM),
            (receive(SignalKind::interrupt())?, Signal::INT),
            (receive(SignalKind::hangup())?, Signal::HUP),
        ]))
    }

    async fn next(&mut self) -> Signal {
        let [(terminate, term), (interrupt, int), (hang_up, hup)] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => *term,
            _ = interrupt.recv() => *int,
            _ = hang_up.recv() => *hup,
        }
    }
}

/// How the command came to its end.
enum End {
    Ended(ExitStatus),
    Lost(Failure),
}

pub(super) async fn run(global: &Global, wanted: LockRun) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let held = acquire(&client, &wanted.name, &wanted.how).await?;
    let token = held.lock.token;
    let environment = [
        ("STEAD_LOCK_NAME", wanted.name.clone()),
        ("STEAD_LOCK_TOKEN", token.to_string()),
    ];
    // Before the command is there, so that none is missed that is meant for it.
    let signals = Signals::receive()?;
    let end = match Running::start(&wanted.command, environment) {
        Ok(mut running) => guard(&client, held, &mut running, signals).await,
        Err(failure) => {
            release(&client, &wanted.name, token).await;
            return Err(failure);
        }
    };
    match end? {
        End::Ended(status) => {
            release(&client, &wanted.name, token).await;
            Ok(exit_code(status))
        }
        End::Lost(failure) => Err(failure),
    }
}

/// Sends signs of life until the command ends, or ends it in time.
async fn guard(
    client: &Client,
    held: Held,
    running: &mut Running,
    mut signals: Signals,
) -> Result<End, Failure> {
    let mut keeping = std::pin::pin!(keep(client, held));
    let lost = loop {
        tokio::select! {
            status = running.ended() => return status.map(End::Ended),
            // At a terminal the command has it already; twice does no harm.
            signal = signals.next() => running.signal(signal),
            lost = &mut keeping => break lost,
        }
    };
    let (failure, until) = lost;
    eprintln!("{}: the command is asked to end", failure.message);
    running.signal(Signal::TERM);
    let left = until.saturating_duration_since(Clock::system().instant());
    if tokio::time::timeout(left.saturating_sub(KILL), running.ended())
        .await
        .is_err()
    {
        running.signal(Signal::KILL);
        running.ended().await?;
    }
    Ok(End::Lost(failure))
}

/// Sends signs of life; returns when the lock is lost or about to be, with until when it is held for sure.
async fn keep(client: &Client, held: Held) -> (Failure, Instant) {
    let clock = Clock::system();
    let Held { lock, mut until } = held;
    let ttl = Duration::from_secs(lock.ttl_s);
    let margin = ttl.mul_f64(END).min(GRACE);
    let pause = ttl.mul_f64(RENEW);
    let mut next = clock.instant() + pause;
    let mut why = String::from("no node answers");
    loop {
        let end = until - margin;
        tokio::time::sleep_until(next.min(end).into()).await;
        let asked = clock.instant();
        if asked >= end {
            let message = format!("lock {} cannot be kept: {why}", lock.name);
            return (Failure::new(codes::LOCK_LOST, message), until);
        }
        let token = lock.token;
        let url = url(&lock.name);
        let renewal = wire::RenewLock { token };
        let renewing = client.put(url, &renewal);
        match tokio::time::timeout_at(end.into(), renewing).await {
            Ok(Ok(())) => {
                until = asked + ttl;
                next = asked + pause;
            }
            // Somebody else may have it already.
            Ok(Err(failure)) if failure.is(codes::LOCK_LOST) => return (failure, clock.instant() + AT_ONCE),
            Ok(Err(failure)) => {
                why = failure.message;
                next = clock.instant() + pause / 4;
            }
            Err(_) => {}
        }
    }
}

/// Gives the lock up; where that fails it runs out by itself.
async fn release(client: &Client, name: &str, token: u64) {
    let url = url(name).with("fencing_token", &token.to_string());
    let released = tokio::time::timeout(RELEASE, client.call(Method::DELETE, url)).await;
    let why = match released {
        Ok(Ok(())) => return,
        Ok(Err(failure)) => failure.message,
        Err(_) => "no node answered in time".to_owned(),
    };
    eprintln!("warning: lock {name} was not released ({why}); it runs out by itself");
}
