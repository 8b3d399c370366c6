//! `docs/benchmarks.md`: the bars, the figures, and whether they meet.

use super::scenarios::{Full, GET_4K, PUT_4K, Results, large};
use super::table::number;
use super::{Notes, peers};
use crate::{Outcome, paths, process, sign};
use std::fmt::Write;
use std::process::Command;

/// A bar and what was reached.
struct Row {
    what: String,
    bar: String,
    figure: String,
    met: Option<bool>,
}

fn ratio(what: &str, bar: f64, own: f64, other: f64, of: &str) -> Row {
    let reached = own / other;
    Row {
        what: what.to_owned(),
        bar: format!("≥ {bar} × {of}"),
        figure: format!("{} / {} = **{}×**", number(own), number(other), number(reached)),
        met: reached.is_finite().then_some(reached >= bar),
    }
}

fn at_most(what: &str, bar: f64, unit: &str, own: f64) -> Row {
    Row {
        what: what.to_owned(),
        bar: format!("≤ {bar} {unit}"),
        figure: format!("**{} {unit}**", number(own)),
        met: own.is_finite().then_some(own <= bar),
    }
}

fn mib(bytes: u64) -> f64 {
    if bytes == 0 {
        f64::NAN
    } else {
        bytes as f64 / f64::from(1 << 20)
    }
}

fn rows(results: &Results, full: &Full, first: (f64, f64)) -> Vec<Row> {
    let rate = |scenario: &str, peer: &str| results.cell(scenario, peer).rate.median();
    let mib_s = |scenario: &str, peer: &str| results.cell(scenario, peer).mib_s.median();
    let put = "4 KiB PUT, 32 clients, fsynced, per second";
    let get = "4 KiB GET, 32 clients, ordinary client, per second";
    let mut rows = vec![
        ratio(
            put,
            50.0,
            rate(PUT_4K, "Stead"),
            rate(PUT_4K, "Garage, fsync"),
            "Garage with fsync",
        ),
        ratio(
            put,
            3.0,
            rate(PUT_4K, "Stead"),
            rate(PUT_4K, "Garage"),
            "Garage without fsync",
        ),
        ratio(
            get,
            5.0,
            rate(GET_4K, "Stead"),
            rate(GET_4K, "Garage"),
            "Garage with quick ACK",
        ),
        ratio(
            get,
            1.2,
            rate(GET_4K, "Stead"),
            rate(GET_4K, "s3s-fs"),
            "s3s-fs with quick ACK",
        ),
    ];
    for clients in [1, 4] {
        let (put, get) = (large("PUT", clients), large("GET", clients));
        let unit = |name: &str| format!("{name}, MiB/s");
        let own = (mib_s(&put, "Stead"), mib_s(&get, "Stead"));
        let garage = "Garage without fsync";
        rows.push(ratio(&unit(&put), 2.0, own.0, mib_s(&put, "Garage"), garage));
        rows.push(ratio(&unit(&get), 3.0, own.1, mib_s(&get, "Garage"), garage));
        rows.push(ratio(&unit(&get), 0.5, own.1, mib_s(&get, "nginx"), "nginx"));
    }
    let (idle, after) = results.memory.get("Stead").copied().unwrap_or_default();
    rows.push(at_most("resident memory, idle", 40.0, "MiB", mib(idle)));
    rows.push(at_most(
        "resident memory after the whole run",
        150.0,
        "MiB",
        mib(after),
    ));
    if full.objects > 0 {
        let count = number(full.objects as f64);
        rows.push(at_most(
            &format!("{count} objects: listing 1,000 keys, p50"),
            10.0,
            "ms",
            full.list_p50_ms,
        ));
        rows.push(at_most(
            &format!("{count} objects: ready after a clean stop"),
            2.0,
            "s",
            full.ready_s,
        ));
        rows.push(at_most(
            &format!("{count} objects: ready after SIGKILL behind the load"),
            2.0,
            "s",
            full.ready_after_kill_s,
        ));
        rows.push(at_most(
            &format!("{count} objects: resident after the load"),
            250.0,
            "MiB",
            mib(full.resident.0),
        ));
        let name = format!("{count} objects: resident after a restart and listings");
        rows.push(at_most(&name, 250.0, "MiB", mib(full.resident.1)));
    }
    rows.push(at_most("first start to ready line", 1.0, "s", first.0));
    rows.push(at_most(
        "first start to first object stored and read",
        1.0,
        "s",
        first.1,
    ));
    rows
}

fn line(command: &mut Command) -> String {
    process::output(command)
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let found = text
            .lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split(':').nth(1));
        found.unwrap_or("?").trim().to_owned()
    };
    let cpus = read("/proc/cpuinfo");
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory: u64 = field(&read("/proc/meminfo"), "MemTotal")
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(0);
    format!(
        "{cores} × {} (virtual), {} GiB of memory, Linux {}",
        field(&cpus, "model name"),
        memory / (1 << 20),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// Writes the page and prints the bars.
pub fn write(results: &Results, full: &Full, first: (f64, f64), notes: &Notes) -> Outcome {
    let mut page = String::new();
    let rows = rows(results, full, first);
    writeln!(page, "# Benchmarks\n")?;
    writeln!(
        page,
        "Written by `cargo xtask bench s3{}`; not edited by hand",
        if notes.quick { " --quick" } else { "" }
    )?;
    writeln!(
        page,
        "above \"Where a bar is missed\". Further sections are written by the benchmarks that they name.\n"
    )?;
    let date = sign::amz_date(std::time::SystemTime::now());
    writeln!(
        page,
        "- {}-{}-{}, {} UTC",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[9..13]
    )?;
    writeln!(page, "- Machine: {}", machine())?;
    writeln!(
        page,
        "- Load before the run: {}; fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms",
        notes.load, notes.sync_ms.0, notes.sync_ms.1
    )?;
    let commit = line(
        Command::new("git")
            .args(["describe", "--always", "--dirty"])
            .current_dir(paths::root()),
    );
    writeln!(
        page,
        "- Stead {commit} (release), Garage {}, s3s-fs {}, {}, {}",
        peers::GARAGE,
        peers::S3S_FS,
        notes.nginx,
        line(Command::new("rustc").arg("--version"))
    )?;
    writeln!(
        page,
        "- {} rounds, Stead and its peers by turns, medians (least–most). HTTP/1.1 keep-alive on loopback, SigV4, \
        every answer's status, ETag, length and bytes checked; the load tool runs on the same two cores. \
        Garage's and s3s-fs's clients acknowledge at once (TCP_QUICKACK), Stead's do not.\n",
        notes.rounds
    )?;
    writeln!(
        page,
        "## The bars\n\n| what | bar | figure | |\n|---|---|---|---|"
    )?;
    for row in &rows {
        let verdict = row
            .met
            .map_or("not measured", |met| if met { "met" } else { "**missed**" });
        writeln!(
            page,
            "| {} | {} | {} | {verdict} |",
            row.what, row.bar, row.figure
        )?;
        println!("{:<52} {:<28} {:<40} {verdict}", row.what, row.bar, row.figure);
    }
    writeln!(
        page,
        "\n## All figures\n\n| scenario | who | per second | MiB/s | server CPU, µs each | p50, µs | p99, µs |\n|---|---|---|---|---|---|---|"
    )?;
    for (scenario, peer, cell) in results.cells() {
        let (rate, mib_s, cpu) = (cell.rate.spread(), cell.mib_s.spread(), cell.cpu_us.spread());
        writeln!(
            page,
            "| {scenario} | {peer} | {rate} | {mib_s} | {cpu} | {} | {} |",
            cell.p50_us.spread(),
            cell.p99_us.spread()
        )?;
    }
    writeln!(
        page,
        "\n| resident memory, MiB | idle | after the run |\n|---|---|---|"
    )?;
    for (peer, (idle, after)) in &results.memory {
        writeln!(
            page,
            "| {peer} | {} | {} |",
            number(mib(*idle)),
            number(mib(*after))
        )?;
    }
    if full.objects > 0 {
        writeln!(
            page,
            "\nThe bucket of {} objects was filled with {} PUT/s (64 clients, 100 bytes each); listing 1,000 keys \
            at random places: p50 {} ms, p99 {} ms.",
            number(full.objects as f64),
            number(full.load_rate),
            number(full.list_p50_ms),
            number(full.list_p99_ms)
        )?;
    }
    let file = paths::root().join("docs/benchmarks.md");
    let old = std::fs::read_to_string(&file).unwrap_or_default();
    let kept = old
        .split_once("\n## Where a bar is missed")
        .map_or("\n\nNothing is written here yet.\n", |(_, rest)| rest);
    write!(page, "\n## Where a bar is missed{kept}")?;
    std::fs::write(&file, page)?;
    println!("written: {}", file.display());
    Ok(())
}
