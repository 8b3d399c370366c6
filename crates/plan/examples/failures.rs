//! How long all double failures of a lab take, and how much memory. `cargo run --release --example failures -- 100 4`
//! makes a lab of 100 machines with 4 disks each. Exits 1 beyond the bar given as a third argument, in seconds.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;
use stead_plan::failures::{Failure, Forecaster};
use stead_plan::lab::Lab;

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

fn main() -> ExitCode {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|text| text.parse::<f64>().unwrap_or(0.0));
    let nodes = arguments.next().unwrap_or(10.0) as usize;
    let disks = arguments.next().unwrap_or(4.0) as usize;
    let bar = arguments.next().unwrap_or(f64::INFINITY);
    let read = Lab::read(&lab(nodes, disks)).map_err(|error| vec![error]);
    let lab = match read.and_then(|lab| lab.resolve()) {
        Ok(lab) => lab,
        Err(errors) => {
            eprintln!("{errors:#?}");
            return ExitCode::from(2);
        }
    };
    let (at, prepared) = timed(|| Forecaster::new(&lab));
    let (doubles, swept) = timed(|| at.doubles());
    let singles = Failure::all(&lab).len();
    println!(
        "{nodes} nodes, {} disks: {singles} single failures, {} pairs; prepared in {prepared:.2?}, swept in {swept:.2?}, \
         {} MiB at most\n{:?}",
        nodes * disks,
        doubles.counts.all(),
        most_memory_mib().unwrap_or_default(),
        doubles.counts
    );
    ExitCode::from(u8::from((prepared + swept).as_secs_f64() > bar))
}
