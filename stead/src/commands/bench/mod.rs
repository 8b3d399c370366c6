//! `bench host`: what this machine can, in about ten seconds.
//!
//! Owns: the order of measuring, and showing. Promises: bounded time and space; nothing is left behind; what cannot be
//! read is left out. What a showcase is, and how two compare, is `stead_guide::showcase`'s.

mod cpu;
mod disk;
mod facts;
mod network;
mod show;
mod watts;

use super::progress;
use crate::args::{BenchHost, Global};
use crate::directory;
use crate::failure::{self, Failure};
use crate::output;
use std::path::{Path, PathBuf};
use std::time::Duration;
use stead_event::Timestamp;
use stead_guide::Showcase;
use stead_guide::showcase::{FORMAT, Figure, Hashing, Network};
use stead_runtime::Clock;

/// How much, and how often.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Runs of each measurement.
    runs: usize,
    /// How long one lasts.
    each: Duration,
    /// Of the file, at most.
    bytes: u64,
}

impl Effort {
    fn of(quick: bool) -> Self {
        match quick {
            true => Self {
                runs: 3,
                each: Duration::from_millis(120),
                bytes: 64 << 20,
            },
            false => Self {
                runs: 5,
                each: Duration::from_millis(350),
                bytes: 256 << 20,
            },
        }
    }
}

pub(super) async fn host(global: &Global, args: &BenchHost) -> Result<u8, Failure> {
    // What can be refused is, before anybody waits.
    if let Some(path) = &args.write
        && path.exists()
    {
        return Err(Failure::usage(format!("{} is there already", path.display()))
            .next("name a file that is not there, or remove it first"));
    }
    let others = args.compare.as_deref().map(show::others).transpose()?;
    let peer = args.peer.as_deref().map(network::peer).transpose()?;
    let dir = args.dir.clone().unwrap_or_else(|| place(global));
    let effort = Effort::of(args.quick);
    let own = measure(global, args, &dir, effort, peer).await?;
    let text = own
        .write()
        .map_err(|why| Failure::new(crate::codes::FOUND, format!("what was measured cannot be: {why}")))?;
    if let Some(path) = &args.write {
        let written = std::fs::File::create_new(path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
        written.map_err(|why| Failure::io(path.display(), &why))?;
    }
    if global.json {
        output::json(&show::json(&own, others.as_deref()));
        return Ok(failure::OK);
    }
    show::own(&own, &dir);
    for other in others.iter().flatten() {
        show::compared(&own, other);
    }
    if let Some(path) = &args.write {
        output::line(format_args!("\nWrote {}", path.display()));
    }
    Ok(failure::OK)
}

/// The data directory, or here.
fn place(global: &Global) -> PathBuf {
    let data = global.data.clone().unwrap_or_else(directory::default_path);
    if data.is_dir() { data } else { PathBuf::from(".") }
}

async fn measure(
    global: &Global,
    args: &BenchHost,
    dir: &Path,
    effort: Effort,
    peer: Option<std::net::SocketAddr>,
) -> Result<Showcase, Failure> {
    let clock = Clock::system();
    let machine = facts::machine();
    let spinner = progress::spinner("measuring", global.json);
    let say = |what: &'static str| spinner.set_message(what);
    let mut meter = watts::Meter::find(&clock).await;

    say("watts at rest");
    let idle_w = meter.rest(&clock, effort).await;
    say("hashing on one thread");
    let one = cpu::hashing(&clock, effort, 1).await;
    say("hashing on all threads");
    let all = cpu::hashing(&clock, effort, machine.threads);
    let (all, busy_w) = tokio::join!(all, meter.during(&clock, effort));
    say("disk");
    let disk = disk::measure(&clock, dir, effort).await?;
    say("network");
    let loopback = network::loopback(&clock, effort).await;
    let peer_round_trip_ms = match peer {
        Some(peer) => Some(network::round_trip(&clock, peer, effort).await?),
        None => None,
    };
    spinner.finish_and_clear();

    let figure = |seen: &[f64]| Figure::of(seen).ok_or_else(nothing);
    Ok(Showcase {
        format: FORMAT,
        name: args
            .name
            .clone()
            .or_else(facts::name)
            .unwrap_or_else(|| "a machine".into()),
        at: Timestamp::from_micros(clock.now_micros()).to_string(),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        optimised: !cfg!(debug_assertions),
        note: None,
        machine,
        hashing: Hashing {
            one_thread_mb_per_s: figure(&one)?,
            all_threads_mb_per_s: figure(&all)?,
        },
        disk,
        network: Network {
            loopback_mb_per_s: Figure::of(&loopback),
            peer_round_trip_ms,
        },
        power: meter.power(idle_w, busy_w),
    })
}

fn nothing() -> Failure {
    Failure::new(
        crate::codes::FOUND,
        "nothing could be measured in the time there was",
    )
}
