//! `cargo xtask bench s3`: Stead beside Garage, s3s-fs and nginx on the same disk in the same run.
//! `cargo xtask bench sse`: subscribers of the live log. `bench ipfs`, `bench notifications`, `bench console`: what their
//! modules say. Each owns its section of docs/benchmarks.md.

mod cluster;
mod console;
mod content;
mod copies;
mod ipfs;
mod load;
mod notifications;
mod page;
mod peers;
mod report;
mod scenarios;
mod socket;
mod sse;
mod table;
mod work;

use crate::args::Args;
use crate::server::{Build, binary};
use crate::{Outcome, paths, process};
use scenarios::{Full, Results, Scale};
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

/// What the report says about the run itself.
pub struct Notes {
    quick: bool,
    rounds: u64,
    load: String,
    /// fdatasync of 4 KiB, p50 and p99, in milliseconds.
    sync_ms: (f64, f64),
    nginx: String,
}

/// `cargo xtask bench s3 [--quick] [--only PEER]... [--part small|large|full]... [--rounds N] [--objects N]`
pub fn run(mut args: Args) -> Outcome {
    match args.positional().as_deref() {
        Some("s3") => {}
        Some("sse") => return sse::run(args),
        Some("console") => return console::run(args),
        Some("cluster") => return cluster::run(args),
        Some("copies") => return copies::run(args),
        Some("ipfs") => return ipfs::run(args),
        Some("notifications") => return notifications::run(args),
        _ => {
            return Err(
                "there are `cargo xtask bench s3`, `ipfs`, `notifications`, `sse`, `console`, `cluster` and `copies`"
                    .into(),
            );
        }
    }
    if cfg!(debug_assertions) {
        return in_release();
    }
    let quick = args.flag("--quick");
    let only = args.values("--only")?;
    let parts = args.values("--part")?;
    let rounds = args.number("--rounds", if quick { 1 } else { 3 })?;
    let million = args.number("--objects", if quick { 50_000 } else { 1_000_000 })?;
    args.done()?;
    let window = Duration::from_secs(if quick { 3 } else { 5 });
    let scale = Scale {
        rounds,
        window,
        large: 256 << 20,
        million,
    };
    let wants = |name: &str| only.is_empty() || only.iter().any(|own| own == name);
    let part = |name: &str| parts.is_empty() || parts.iter().any(|own| own == name);
    let stead = if wants("stead") {
        Some(binary(Build::Release)?)
    } else {
        None
    };
    let dir = paths::scratch("bench")?;
    let notes = Notes {
        quick,
        rounds,
        load: load_average(),
        sync_ms: sync_latency(&dir)?,
        nginx: nginx_version(),
    };
    println!(
        "fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms; load {}",
        notes.sync_ms.0, notes.sync_ms.1, notes.load
    );
    let mut results = Results::default();
    let first = match &stead {
        Some(binary) => scenarios::first_start(binary, &made(&dir, "first")?)?,
        None => (f64::NAN, f64::NAN),
    };
    let together = made(&dir, "together")?;
    let everybody = scenarios::everybody(stead.as_deref(), &together, &only)?;
    scenarios::idle_memory(&everybody, &mut results)?;
    if part("small") {
        scenarios::small(&everybody, &scale, &mut results)?;
    }
    if part("large") {
        scenarios::large_objects(&everybody, &together, &scale, &mut results)?;
    }
    scenarios::final_memory(&everybody, &mut results)?;
    for peer in everybody {
        peer.stop()?;
    }
    std::fs::remove_dir_all(&together)?;
    let full = match &stead {
        Some(binary) if scale.million > 0 && part("full") => {
            scenarios::full_bucket(binary, &made(&dir, "full")?, &scale)?
        }
        _ => Full::default(),
    };
    std::fs::remove_dir_all(&dir)?;
    if full.objects > 0 {
        println!("{full:#?}");
    }
    if stead.is_none() || !only.is_empty() || !parts.is_empty() {
        for (name, (idle, after)) in &results.memory {
            println!(
                "  {name}: {} KiB resident idle, {} KiB now",
                idle >> 10,
                after >> 10
            );
        }
        println!("not everything was measured, so docs/benchmarks.md stays as it is");
        return Ok(());
    }
    report::write(&results, &full, first, &notes)
}

/// The load tool has to be fast: the same command again, compiled with optimisation.
fn in_release() -> Outcome {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
        .args(std::env::args().skip(1));
    match command.current_dir(paths::root()).status()?.success() {
        true => Ok(()),
        false => Err("the benchmark failed".into()),
    }
}

fn made(dir: &std::path::Path, name: &str) -> Outcome<std::path::PathBuf> {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn nginx_version() -> String {
    let program = if process::installed("nginx") {
        "nginx"
    } else {
        "/usr/sbin/nginx"
    };
    let said = Command::new(program)
        .arg("-v")
        .output()
        .map(|output| output.stderr)
        .unwrap_or_default();
    String::from_utf8_lossy(&said)
        .trim()
        .trim_start_matches("nginx version: ")
        .to_owned()
}

/// What the disk needs for one small durable write: the figure that everything fsynced is to be read against.
fn sync_latency(dir: &std::path::Path) -> Outcome<(f64, f64)> {
    let mut file = std::fs::File::create(dir.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4_096])?;
        let begin = Instant::now();
        file.sync_data()?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
}
