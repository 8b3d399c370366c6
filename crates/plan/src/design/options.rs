//! What a design may be made of.
//!
//! Owns: the machines and disks that are tried. The catalogue does not say which boards are whole machines with a wired
//! network port; that is stated here. Parts of a file of one's own are taken as such.

use crate::failures::prices;
use crate::interval::Interval;
use crate::lab::model::{DiskKind, Part, PartKind};
use crate::lab::{Catalogue, Lab};
use std::fmt::Write;

/// Boards and machines of the catalogue that have a wired network port and need no carrier board.
const WHOLE: [&str; 22] = [
    "Apple Mac mini M4",
    "Dell Optiplex 780",
    "Framework Desktop Mainboard",
    "GMKtec NucBox G3 Plus",
    "Intel Core Ultra 7 265K",
    "Libre Computer AML-S905X-CC",
    "Minisforum MS-R1",
    "Orange Pi 5",
    "Orange Pi 5 Max",
    "Radxa Dragon Q6A",
    "Radxa Orion O6",
    "Radxa Rock 5 model B",
    "Radxa Rock 5C",
    "Radxa X4",
    "Raspberry Pi 3 model B+",
    "Raspberry Pi 4 model B",
    "Raspberry Pi 400",
    "Raspberry Pi 5 model B",
    "Raspberry Pi 500",
    "Raspberry Pi 500+",
    "System76 Thelio Astra",
    "Apple Mac Studio M3 Ultra",
];

/// A machine's memory that Stead needs, in gigabytes.
const LEAST_MEMORY_GB: f64 = 1.0;

/// A disk to try: a kind, with the part whose figures it has, if one is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DiskOption {
    pub kind: DiskKind,
    pub part: Option<&'static str>,
    pub size_gb: f64,
    pub name: &'static str,
}

/// Disks that any of the machines takes, behind USB where it has no other place for them.
pub(super) const DISKS: [DiskOption; 6] = [
    disk(DiskKind::UsbSsd, None, 500.0, "500 GB USB SSD"),
    disk(DiskKind::UsbSsd, None, 1_000.0, "1 TB USB SSD"),
    disk(DiskKind::UsbSsd, None, 2_000.0, "2 TB USB SSD"),
    disk(DiskKind::UsbSsd, None, 4_000.0, "4 TB USB SSD"),
    disk(
        DiskKind::HddSmall,
        Some("2.5in 5TB HDD"),
        5_000.0,
        "2.5-inch hard disk of 5 TB",
    ),
    disk(
        DiskKind::HddLarge,
        Some("3.5in 8TB SMR HDD"),
        8_000.0,
        "3.5-inch hard disk of 8 TB",
    ),
];

const fn disk(kind: DiskKind, part: Option<&'static str>, size_gb: f64, name: &'static str) -> DiskOption {
    DiskOption {
        kind,
        part,
        size_gb,
        name,
    }
}

/// A machine with its disks, in figures.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// Its position in the list of all.
    pub at: usize,
    pub part: String,
    pub disk: DiskOption,
    pub disks: usize,
    /// From rest to hard work.
    pub watts: Interval,
    pub price: Interval,
}

/// Machines of a catalogue that may be proposed: what is built in and whole, and what a file adds.
pub(super) fn boards<'c>(catalogue: &'c Catalogue, own: &[Part]) -> Vec<&'c Part> {
    let whole =
        |part: &Part| WHOLE.contains(&part.name.as_str()) || own.iter().any(|one| one.name == part.name);
    let known = |part: &&Part| {
        part.kind == PartKind::Node
            && whole(part)
            && part.price_usd.is_some()
            && part.idle_w.is_some()
            && part.stress_w.is_some()
            && part.memory_gb.is_none_or(|memory| memory >= LEAST_MEMORY_GB)
    };
    catalogue.parts().filter(known).collect()
}

/// Each board with each kind of disk, one or two of it.
pub(super) fn machines(catalogue: &Catalogue, own: &[Part]) -> Vec<Machine> {
    let mut machines = Vec::new();
    for board in boards(catalogue, own) {
        for disk in DISKS {
            for disks in [1, 2] {
                let at = machines.len();
                machines.extend(machine(board, own, disk, disks).map(|made| Machine { at, ..made }));
            }
        }
    }
    machines
}

/// Figures as the budget of a lab of this one machine has them.
fn machine(board: &Part, own: &[Part], disk: DiskOption, disks: usize) -> Option<Machine> {
    let mut text = format!("[[node]]\nname = \"it\"\npart = {}\n", quote(&board.name));
    for _ in 0..disks {
        text.push_str("[[node.disk]]\n");
        text.push_str(&disk_lines(disk));
    }
    let mut lab = Lab::read(&text).ok()?;
    lab.parts = own.to_vec();
    let lab = lab.resolve().ok()?;
    let figures = lab.things.iter().find_map(|thing| thing.figures.as_ref())?;
    let each = prices::disk_per_tb(disk.kind) * (disk.size_gb / 1e3);
    Some(Machine {
        at: 0,
        part: board.name.clone(),
        disk,
        disks,
        watts: Interval {
            low: figures.idle_w.value.low,
            high: figures.stress_w.value.high,
        },
        price: Interval::exactly(figures.price.as_ref()?.value) + each * disks as f64,
    })
}

/// A disk's lines in a file.
pub(super) fn disk_lines(disk: DiskOption) -> String {
    let kind = toml::Value::try_from(disk.kind).map_or_else(|_| String::new(), |kind| kind.to_string());
    let mut text = format!("kind = {kind}\nsize_gb = {}\n", disk.size_gb);
    if let Some(part) = disk.part {
        let _ = writeln!(text, "part = {}", quote(part));
    }
    let price = prices::disk_per_tb(disk.kind) * (disk.size_gb / 1e3);
    let _ = writeln!(
        text,
        "# Reckoned with {price:.0} USD, a bound of ours; state `price` when you know it."
    );
    text
}

/// A text as a file has it.
pub(super) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
