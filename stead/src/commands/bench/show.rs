//! What was measured, for people and for programs; and other machines beside it.

use crate::codes;
use crate::failure::Failure;
use crate::output::{self, Align, Table};
use std::io::Read;
use std::path::{Path, PathBuf};
use stead_guide::Showcase;
use stead_guide::showcase::compare;

/// Showcases of one directory that are read, and bytes of each.
const MOST: usize = 200;
const MOST_BYTES: u64 = 64 * 1024;

/// The showcases to compare with: a file, or those of a directory by name.
pub(super) fn others(path: &Path) -> Result<Vec<Showcase>, Failure> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|why| Failure::io(path.display(), &why))?;
        let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files = paths
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .collect();
        files.sort();
        files.truncate(MOST);
        if files.is_empty() {
            return Err(Failure::new(
                codes::FILE,
                format!("{} has no showcase (*.toml) in it", path.display()),
            ));
        }
    }
    files.iter().map(|file| one(file)).collect()
}

fn one(path: &Path) -> Result<Showcase, Failure> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    read.map_err(|why| Failure::io(path.display(), &why))?;
    Showcase::read(&text).map_err(|why| {
        Failure::new(
            codes::LOCAL_FILE,
            format!("{} is no showcase: {why}", path.display()),
        )
        .next("`stead bench host --write FILE` makes one")
    })
}

pub(super) fn own(own: &Showcase, dir: &Path) {
    let machine = &own.machine;
    let mut is = vec![format!("{} threads", machine.threads), machine.arch.clone()];
    is.extend(machine.cpu.clone());
    is.extend(machine.memory_gb.map(|gb| format!("{gb} GB of memory")));
    is.extend(machine.kernel.as_ref().map(|kernel| format!("Linux {kernel}")));
    output::line(format_args!("{}: {}\n", own.name, is.join(", ")));
    let mut table = Table::new(&[
        ("", Align::Left),
        ("MEDIAN", Align::Right),
        ("LEAST", Align::Right),
        ("MOST", Align::Right),
        ("RUNS", Align::Right),
    ]);
    for (name, figure, _) in own.figures() {
        if let Some(figure) = figure {
            table.row([
                name.to_owned(),
                number(figure.median),
                number(figure.least),
                number(figure.most),
                figure.runs.to_string(),
            ]);
        }
    }
    table.print();
    let file_system = own
        .disk
        .file_system
        .as_deref()
        .unwrap_or("a file system that is not known");
    output::line(format_args!(
        "\nThe disk is {file_system} at {}, a file of {}.",
        dir.display(),
        output::size(own.disk.bytes)
    ));
    if own.disk.read_from_cache {
        output::line("Reading came from memory: the kernel kept the file.");
    } else {
        output::line(
            "Reading began with nothing of the file in the kernel's memory; a host or a disk may have kept it.",
        );
    }
    match &own.power {
        Some(power) => {
            let watts =
                |watts: Option<f64>| watts.map_or("not known".to_owned(), |watts| format!("{watts:.1} W"));
            let (idle, busy) = (watts(power.idle_w), watts(power.busy_w));
            output::line(format_args!(
                "Watts by {}: {idle} at rest, {busy} while hashing.",
                power.source
            ));
        }
        None => output::line(
            "Watts are not known: the machine does not say (RAPL takes root). Measure at the plug.",
        ),
    }
    if !own.optimised {
        output::line("This is a development build: hashing is slower than the machine can.");
    }
}

pub(super) fn compared(own: &Showcase, other: &Showcase) {
    output::line(format_args!(
        "\nBeside {} ({})",
        other.name,
        other.at.get(..10).unwrap_or(&other.at)
    ));
    let mut table = Table::new(&[
        ("", Align::Left),
        ("HERE", Align::Right),
        ("THERE", Align::Right),
        ("TIMES AS GOOD", Align::Right),
        ("", Align::Left),
    ]);
    for row in compare(own, other) {
        table.row([
            row.what.to_owned(),
            number(row.own),
            number(row.other),
            row.times.map_or(String::new(), |times| format!("{times:.2}")),
            if row.may_be_chance { "may be chance" } else { "" }.to_owned(),
        ]);
    }
    table.print();
    if own.optimised != other.optimised {
        output::line("One of the two is a development build: hashing does not compare.");
    }
}

pub(super) fn json(own: &Showcase, others: Option<&[Showcase]>) -> serde_json::Value {
    let beside = |other: &Showcase| {
        let rows = compare(own, other).into_iter().map(|row| {
            serde_json::json!({
                "what": row.what, "here": row.own, "there": row.other, "times": row.times, "may_be_chance": row.may_be_chance,
            })
        });
        serde_json::json!({ "name": other.name, "rows": rows.collect::<Vec<_>>() })
    };
    let mut value = serde_json::json!({ "showcase": own });
    if let Some(others) = others {
        value["compared"] = others.iter().map(beside).collect();
    }
    value
}

fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}
