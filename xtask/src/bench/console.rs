//! `cargo xtask bench console`: the overview page in Chromium over loopback, nothing cached.

use super::page::{Row, Section};
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::suite::console;
use crate::{Outcome, paths, process};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

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
    section(&answer, rounds).write()
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

fn section(answer: &Value, rounds: u64) -> Section {
    let of = |name: &str, which: &str| answer[name][which].as_f64().unwrap_or(f64::NAN);
    let (paint, kib) = (of("paint_ms", "median"), of("transfer_bytes", "median") / 1024.0);
    let about = format!(
        "`cargo xtask bench console`: the overview in Chromium {} over loopback, {rounds} times with nothing cached.",
        answer["browser"].as_str().unwrap_or_default()
    );
    let mut section = Section::new("The console", &about);
    section.row(&Row {
        what: "overview to first paint, median (worst)".to_owned(),
        bar: format!("≤ {PAINT_MS} ms"),
        figure: format!("**{paint:.0} ms** ({:.0})", of("paint_ms", "worst")),
        met: Some(paint <= PAINT_MS),
    });
    section.row(&Row {
        what: "all that it transfers".to_owned(),
        bar: format!("≤ {TRANSFER_KIB} KiB"),
        figure: format!("**{kib:.0} KiB** in {:.0} requests", of("requests", "median")),
        met: Some(kib <= TRANSFER_KIB),
    });
    section.row(&Row {
        what: "until its figures are there, median (worst)".to_owned(),
        bar: String::new(),
        figure: format!(
            "{:.0} ms ({:.0})",
            of("filled_ms", "median"),
            of("filled_ms", "worst")
        ),
        met: None,
    });
    section
}
