//! The planner's bars: all double failures of a lab of 10 machines with 40 disks in 1 s, of 100 machines with 400 disks
//! in 30 s and 500 MiB, a search for designs in 5 s. `cargo run --release -p stead-plan --example bars` measures all of
//! them on this machine and exits 1 beyond one.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;
use stead_plan::design::{Wish, search};
use stead_plan::failures::{Failure, FailureKind, Forecaster};
use stead_plan::lab::{Lab, LabError};

/// Machines with two supplies at two circuits and two cards at two switches, ten to a rack.
fn lab(nodes: usize, disks: usize) -> String {
    let mut text = String::from("[[site]]\nname = \"home\"\n[[data]]\nname = \"data\"\nredundancy = \"3\"\n");
    text.push_str("[[data]]\nname = \"archive\"\nredundancy = \"4+2\"\n");
    for rack in 0..nodes.div_ceil(10) {
        for side in ["a", "b"] {
            let _ = write!(
                text,
                "[[circuit]]\nname = \"circuit-{rack}{side}\"\nvolts = 230\namps = 16\n[[outlet]]\nname = \
                 \"outlet-{rack}{side}\"\ncircuit = \"circuit-{rack}{side}\"\n[[ups]]\nname = \"ups-{rack}{side}\"\n\
                 power = [\"outlet-{rack}{side}\"]\nbattery_wh = 500\n[[switch]]\nname = \"switch-{rack}{side}\"\n\
                 power = [\"ups-{rack}{side}\"]\n"
            );
            if rack > 0 {
                let _ = writeln!(text, "network = [\"switch-0a\", \"switch-0b\"]");
            }
        }
    }
    for node in 0..nodes {
        let rack = node / 10;
        let _ = write!(
            text,
            "[[node]]\nname = \"node-{node}\"\npower = [\"ups-{rack}a\", \"ups-{rack}b\"]\nnetwork = [\"switch-{rack}a\", \
             \"switch-{rack}b\"]\n"
        );
        for _ in 0..disks {
            text.push_str("[[node.disk]]\nkind = \"ssd\"\nsize_gb = 1000\n");
        }
    }
    text
}

/// The most memory that this process has had, in MiB.
fn most_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    // This is a measurement, which no simulated clock can make.
    #[allow(clippy::disallowed_methods)]
    let begin = std::time::Instant::now();
    let made = work();
    (made, begin.elapsed())
}

fn sweep(nodes: usize, disks: usize, bar: Duration) -> Result<bool, Vec<LabError>> {
    let lab = Lab::read(&lab(nodes, disks))
        .map_err(|error| vec![error])?
        .resolve()?;
    let (at, prepared) = timed(|| Forecaster::new(&lab));
    let (doubles, swept) = timed(|| at.doubles());
    let memory = most_memory_mib().unwrap_or_default();
    println!(
        "{nodes} machines, {} disks: {} failures, {} pairs; prepared in {prepared:.2?}, swept in {swept:.2?} (bar \
         {bar:?}), {memory} MiB at most (bar 500)",
        nodes * disks,
        Failure::all(&lab).len(),
        doubles.counts.all(),
    );
    Ok(prepared + swept <= bar && memory <= 500)
}

fn design(bar: Duration) -> bool {
    let survive = [FailureKind::Node, FailureKind::Disk, FailureKind::Switch];
    let possible = Wish {
        usable_tb: 8.0,
        budget_usd: Some(900.0),
        watts: Some(60.0),
        survive: survive.into(),
    };
    let impossible = Wish {
        budget_usd: Some(90.0),
        ..possible.clone()
    };
    let mut good = true;
    for wish in [possible, impossible] {
        let (found, taken) = timed(|| search(&wish, &[]));
        let found = match found {
            Ok(designs) => format!("{} designs", designs.len()),
            Err(_) => "none possible".to_owned(),
        };
        println!(
            "design under {:?} USD: {found} in {taken:.2?} (bar {bar:?})",
            wish.budget_usd
        );
        good &= taken <= bar;
    }
    good
}

fn main() -> ExitCode {
    let small = sweep(10, 4, Duration::from_secs(1));
    let large = sweep(100, 4, Duration::from_secs(30));
    let designed = design(Duration::from_secs(5));
    match (small, large) {
        (Ok(small), Ok(large)) => ExitCode::from(u8::from(!(small && large && designed))),
        (small, large) => {
            eprintln!("{small:?} {large:?}");
            ExitCode::from(2)
        }
    }
}
