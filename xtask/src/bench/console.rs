//! `cargo xtask bench console`: the overview page in Chromium over loopback, nothing cached.

use super::load_average;
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::suite::console;
use crate::{Outcome, paths, process};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// The section of docs/benchmarks.md that this writes.
const BEGIN: &str = "## The console";
const PAINT_MS: f64 = 300.0;
const TRANSFER_KIB: f64 = 150.0;

/// `cargo xtask bench console [--rounds N]`
pub fn run(mut args: Args) -> Outcome {
    let rounds = args.number("--rounds", 15)?;
    args.done()?;
    let scripts = console::scripts()?;
    let stead = binary(Build::Release)?;
    let work = paths::scratch("bench-console")?;
    let settings = Settings::new(&stead, &work.join("data"), &work.join("server.log"));
    let server = Server::start(&settings, None)?;
    fill(&settings)?;
    let mut command = Command::new("node");
    command
        .arg(scripts.join("paint.mjs"))
        .env("STEAD_BIN", &settings.binary)
        .env("STEAD_DATA", &settings.data)
        .env("ROUNDS", rounds.to_string());
    let answer: Value = serde_json::from_str(process::output(&mut command)?.trim())?;
    server.stop(Duration::from_secs(30))?;
    std::fs::remove_dir_all(&work)?;
    let section = section(&answer, rounds);
    print!("{section}");
    write(&section)
}

/// A node that has something to show: buckets, objects, events.
fn fill(settings: &Settings) -> Outcome {
    let file = settings.data.with_file_name("some.txt");
    std::fs::write(&file, "something to show\n")?;
    for bucket in ["photos", "films", "notes", "backup"] {
        process::output(&mut settings.stead(&["bucket", "create", bucket]))?;
        for key in ["a.txt", "b.txt", "c.txt"] {
            let to = format!("{bucket}/{key}");
            process::output(&mut settings.stead(&["cp", &file.to_string_lossy(), &to]))?;
        }
    }
    Ok(())
}

fn section(answer: &Value, rounds: u64) -> String {
    let of = |name: &str, which: &str| answer[name][which].as_f64().unwrap_or(f64::NAN);
    let met = |good: bool| if good { "met" } else { "missed" };
    let (paint, kib) = (of("paint_ms", "median"), of("transfer_bytes", "median") / 1024.0);
    format!(
        "{BEGIN}\n\n`cargo xtask bench console`: the overview in Chromium {} over loopback, {rounds} times with \
         nothing cached; load {}.\n\n\
         | what | bar | reached | |\n|---|---|---|---|\n\
         | overview to first paint, median (worst) | ≤ {PAINT_MS} ms | **{paint:.0} ms** ({:.0}) | {} |\n\
         | all that it transfers | ≤ {TRANSFER_KIB} KiB | **{kib:.0} KiB** in {:.0} requests | {} |\n\
         | until its figures are there, median (worst) | | {:.0} ms ({:.0}) | |\n",
        answer["browser"].as_str().unwrap_or_default(),
        load_average(),
        of("paint_ms", "worst"),
        met(paint <= PAINT_MS),
        of("requests", "median"),
        met(kib <= TRANSFER_KIB),
        of("filled_ms", "median"),
        of("filled_ms", "worst"),
    )
}

/// Puts the section in the place of the one before, or at the end.
fn write(section: &str) -> Outcome {
    let path = paths::root().join("docs/benchmarks.md");
    let text = std::fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).unwrap_or((&text, ""));
    let after = rest.find("\n## ").map_or("", |at| &rest[at + 1..]);
    let gap = if after.is_empty() { "" } else { "\n" };
    std::fs::write(path, format!("{}\n\n{section}{gap}{after}", before.trim_end()))?;
    Ok(())
}
