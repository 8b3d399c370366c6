//! `cargo xtask bench sse`: very many subscribers of the live log while it is written to.
//!
//! Each subscriber checks that it gets every position, in order. Latency is from the moment that an event
//! carries (when it was proposed, so the commit is in it) to the moment that a subscriber has read it.

use super::page::{Row, Section};
use super::socket;
use super::table::number;
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths, process};
use memchr::{memchr, memmem};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const BUCKET: &str = "events";
/// Threads that write, each at its share of the rate.
const WRITERS: u64 = 16;
/// One event in so many is timed by each subscriber.
const TIMED: u64 = 50;
const DAY_MICROS: u64 = 86_400_000_000;
const BAR_MS: f64 = 250.0;
const BAR_MIB: f64 = 100.0;

/// What is measured, and how.
struct Plan {
    subscribers: u64,
    rate: u64,
    seconds: u64,
    as_built: bool,
}

/// `cargo xtask bench sse [--subscribers N] [--rate N] [--seconds N] [--as-built]`
pub fn run(mut args: Args) -> Outcome {
    let as_built = args.flag("--as-built");
    if cfg!(debug_assertions) && !as_built {
        return super::in_release();
    }
    let plan = Plan {
        subscribers: args.number("--subscribers", 1_000)?,
        rate: args.number("--rate", 1_000)?,
        seconds: args.number("--seconds", 10)?,
        as_built,
    };
    args.done()?;
    let build = if as_built { Build::Test } else { Build::Release };
    let dir = paths::scratch("bench-sse")?;
    let settings = Settings::new(&binary(build)?, &dir.join("data"), &dir.join("log"));
    let server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET).map_err(|e| e.to_string())?;
    let outcome = measure(&plan, &server, &settings);
    server.stop(Duration::from_secs(30))?;
    std::fs::remove_dir_all(&dir)?;
    outcome
}

fn measure(plan: &Plan, server: &Server, settings: &Settings) -> Outcome {
    let api = server.api.clone().ok_or("the server names no API")?;
    let api: SocketAddr = api.trim_start_matches("http://").parse()?;
    let token = token(&settings.data)?;
    let written = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let before = process::resident(server.pid())?;
    let connected = Arc::new(Barrier::new(plan.subscribers as usize + 1));
    let mut subscribers = Vec::new();
    for number in 0..plan.subscribers {
        let (token, over, written, connected) =
            (token.clone(), over.clone(), written.clone(), connected.clone());
        let body = move || subscribe(api, &token, number, &connected, &over, &written);
        subscribers.push(thread::Builder::new().stack_size(256 << 10).spawn(body)?);
    }
    connected.wait();
    let began = Instant::now();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (mut client, written) = (server.client(), written.clone());
        let (count, pause) = (
            plan.rate * plan.seconds / WRITERS,
            Duration::from_secs_f64(WRITERS as f64 / plan.rate as f64),
        );
        writers.push(thread::spawn(move || {
            for n in 0..count {
                let due = began + pause * n as u32;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                client
                    .put(BUCKET, &format!("{writer}/{n}"), b"an event")
                    .map_err(|e| e.to_string())?;
                written.fetch_add(1, Relaxed);
            }
            Ok::<_, String>(())
        }));
    }
    let mut highest = before;
    while writers.iter().any(|writer| !writer.is_finished()) {
        thread::sleep(Duration::from_millis(200));
        highest = highest.max(process::resident(server.pid())?);
    }
    let took = began.elapsed();
    for writer in writers {
        writer.join().map_err(|_| "a writer panicked")??;
    }
    over.store(true, Relaxed);
    let mut latencies = Vec::new();
    for subscriber in subscribers {
        latencies.extend(subscriber.join().map_err(|_| "a subscriber panicked")??);
    }
    let rate = written.load(Relaxed) as f64 / took.as_secs_f64();
    report(plan, rate, latencies, highest.saturating_sub(before))
}

fn report(plan: &Plan, rate: f64, mut latencies: Vec<u64>, more: u64) -> Outcome {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies
            .get(index)
            .map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
    };
    let (p50, p99, mib) = (at(0.5), at(0.99), more as f64 / f64::from(1 << 20));
    let about = format!(
        "`cargo xtask bench sse`: {} subscribers in one process beside the node, {WRITERS} writers, {} s; each subscriber \
         checks that it gets every position in order. Latency is from the moment that an event carries to the moment that \
         its bytes are read.",
        plan.subscribers, plan.seconds
    );
    let mut section = Section::new("Live events", &about);
    let full = plan.subscribers >= 1_000 && plan.rate >= 1_000;
    let mut row = |what: &str, bar: String, figure: String, met: Option<bool>| {
        let (what, met) = (what.to_owned(), met.filter(|_| full));
        section.row(&Row {
            what,
            bar,
            figure,
            met,
        });
    };
    row(
        &format!("events a second of {} offered, none missed by anybody", plan.rate),
        "≥ 95 %".to_owned(),
        format!("**{rate:.0}**"),
        Some(rate >= plan.rate as f64 * 0.95),
    );
    row(
        "p99 (p50), ms",
        format!("≤ {BAR_MS:.0} ms"),
        format!("**{}** ({})", number(p99), number(p50)),
        Some(p99 <= BAR_MS),
    );
    row(
        "resident memory more, MiB",
        format!("≤ {BAR_MIB:.0} MiB"),
        format!("**{}**", number(mib)),
        Some(mib <= BAR_MIB),
    );
    match full && !plan.as_built {
        true => section.write(),
        false => Ok(()),
    }
}

/// A token, from the socket of the data directory.
fn token(data: &std::path::Path) -> Outcome<String> {
    let made = socket::call(data, "POST", "/api/v1/tokens", r#"{"expires_s":3600}"#)?;
    Ok(made["token"].as_str().ok_or("no token was made")?.to_owned())
}

fn subscribe(
    api: SocketAddr,
    token: &str,
    number: u64,
    connected: &Barrier,
    over: &AtomicBool,
    written: &AtomicU64,
) -> Result<Vec<u64>, String> {
    let opened = open(api, token);
    connected.wait();
    let mut stream = opened.map_err(|e| format!("subscriber {number}: {e}"))?;
    let (mut seen, mut last, mut latencies) = (0_u64, 0_u64, Vec::new());
    let mut buffer = vec![0; 128 << 10];
    let (mut filled, mut over_since) = (0, None);
    loop {
        if over.load(Relaxed) {
            if seen == written.load(Relaxed) {
                return Ok(latencies);
            }
            if over_since.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(30) {
                let all = written.load(Relaxed);
                return Err(format!("subscriber {number} has {seen} events of {all}"));
            }
        }
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(format!("subscriber {number}: the stream ended")),
            Ok(count) => filled += count,
            Err(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(e) => return Err(format!("subscriber {number}: {e}")),
        }
        let mut start = 0;
        while let Some(end) = memmem::find(&buffer[start..filled], b"\n\n") {
            let event = &buffer[start..start + end];
            start += end + 2;
            let Some(position) = position(event) else { continue };
            if last != 0 && position != last + 1 {
                return Err(format!("subscriber {number}: {position} came after {last}"));
            }
            (last, seen) = (position, seen + 1);
            if position % TIMED == number % TIMED {
                latencies.extend(latency(event));
            }
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
}

fn open(api: SocketAddr, token: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(api)?;
    // In HTTP/1.0 the stream comes without chunks around it.
    write!(
        stream,
        "GET /api/v1/events?token={token} HTTP/1.0\r\nhost: stead\r\n\r\n"
    )?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    // The greeting says that the subscription stands.
    while !head.ends_with(b"retry: 1000\n\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if head.len() > 4096 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    Ok(stream)
}

/// The id of an event; `None` for a comment.
fn position(event: &[u8]) -> Option<u64> {
    let id = event.strip_prefix(b"id: ")?;
    let end = memchr(b'\n', id)?;
    std::str::from_utf8(&id[..end]).ok()?.parse().ok()
}

/// Microseconds since the moment that the event carries.
fn latency(event: &[u8]) -> Option<u64> {
    let at = memmem::find(event, b"\"at\":\"")? + 6;
    let text = std::str::from_utf8(event.get(at + 11..at + 26)?).ok()?;
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let seconds = number(0..2)? * 3600 + number(3..5)? * 60 + number(6..8)?;
    let then = seconds * 1_000_000 + number(9..15)?;
    #[allow(clippy::disallowed_methods)] // the wall clock is what events carry
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_micros() as u64 % DAY_MICROS;
    Some((now + DAY_MICROS - then) % DAY_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_apart() {
        let event =
            b"id: 42\ndata: {\"cid\":\"b\",\"line\":{\"actor\":\"a\",\"at\":\"2026-11-20T13:00:00.123456Z\"";
        assert_eq!(position(event), Some(42));
        assert!(latency(event).is_some_and(|micros| micros < DAY_MICROS));
        assert_eq!(position(b":"), None);
    }
}
