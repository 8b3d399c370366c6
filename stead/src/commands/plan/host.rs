//! What a machine says of itself, as Linux shows it.
//!
//! Owns: reading `/sys` and `/proc`. Promises: what cannot be read is left out; nothing is written, nothing is run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// At most so much of a file is looked at; the kernel's files here are short.
const MOST_BYTES: usize = 64 * 1024;

/// At most so many disks and cards.
const MOST_ENTRIES: usize = 64;

/// A disk.
#[derive(Clone, Debug, PartialEq)]
pub struct HostDisk {
    /// As the kernel calls it.
    pub name: String,
    /// Its kind, as an inventory has it.
    pub kind: &'static str,
    /// In gigabytes of 10^9 bytes.
    pub size_gb: f64,
    /// As its maker calls it.
    pub model: Option<String>,
}

/// A network card.
#[derive(Clone, Debug, PartialEq)]
pub struct HostCard {
    /// As the kernel calls it.
    pub name: String,
    /// Whether a cable is in it, with something at its other end.
    pub linked: bool,
    /// How fast that is.
    pub mbit_per_second: Option<u32>,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// Its name.
    pub name: Option<String>,
    /// Its maker and model.
    pub product: Option<String>,
    /// In gigabytes of 10^9 bytes: what the kernel can use, which is a little less than is built in.
    pub memory_gb: Option<f64>,
    /// Cores, not threads.
    pub cores: Option<usize>,
    /// Its disks, by name.
    pub disks: Vec<HostDisk>,
    /// Its wired network cards, by name.
    pub cards: Vec<HostCard>,
    /// Whether its processor counts the energy that it takes (RAPL).
    pub rapl: bool,
}

impl Host {
    /// Reads `sys` and `proc` below this directory, which is `/` outside of tests.
    pub fn read(root: &Path) -> Self {
        let at = |path: &str| root.join(path);
        let product = model(root);
        let memory = text(&at("proc/meminfo")).and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib * 1024.0 / 1e9)
        });
        let rapl = entries(&at("sys/class/powercap"))
            .iter()
            .any(|path| file_name(path).starts_with("intel-rapl:"));
        Self {
            name: text(&at("proc/sys/kernel/hostname")),
            product,
            memory_gb: memory.map(|gb| (gb * 10.0).round() / 10.0),
            cores: cores(&at("sys/devices/system/cpu")),
            disks: entries(&at("sys/block"))
                .iter()
                .filter_map(|path| disk(path))
                .take(MOST_ENTRIES)
                .collect(),
            cards: entries(&at("sys/class/net"))
                .iter()
                .filter_map(|path| card(path))
                .take(MOST_ENTRIES)
                .collect(),
            rapl,
        }
    }
}

/// From the firmware of a PC, or the device tree of a board.
fn model(root: &Path) -> Option<String> {
    let dmi = root.join("sys/class/dmi/id");
    // What a firmware says that nobody filled in.
    let told = |text: &String| {
        !["To Be Filled By O.E.M.", "System Product Name", "Default string"].contains(&text.as_str())
    };
    let product = text(&dmi.join("product_name")).filter(told);
    let vendor = text(&dmi.join("sys_vendor")).filter(told);
    match (vendor, product) {
        (Some(vendor), Some(product)) if !product.starts_with(&vendor) => Some(format!("{vendor} {product}")),
        (_, Some(product)) => Some(product),
        _ => text(&root.join("proc/device-tree/model")),
    }
}

/// A short file's text, without what surrounds it; none if it is empty.
fn text(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MOST_BYTES as u64).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut all: Vec<_> = found.map(|entry| entry.path()).collect();
    all.sort();
    all
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// Threads that are of one core of one package count once.
fn cores(path: &Path) -> Option<usize> {
    let mut found = BTreeSet::new();
    for cpu in entries(path) {
        let numbered = file_name(&cpu)
            .strip_prefix("cpu")
            .is_some_and(|rest| rest.parse::<u32>().is_ok());
        if numbered {
            let own = file_name(&cpu).to_owned();
            let package = text(&cpu.join("topology/physical_package_id")).unwrap_or_default();
            let core = text(&cpu.join("topology/core_id")).unwrap_or(own);
            found.insert((package, core));
        }
    }
    (!found.is_empty()).then_some(found.len())
}

/// A disk that is one: no part of another, no memory, nothing that is taken out.
fn disk(path: &Path) -> Option<HostDisk> {
    let name = file_name(path);
    let made_up = [
        "loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "rbd", "drbd", "bcache",
    ];
    let boot_area = name.starts_with("mmcblk") && name.contains("boot");
    if made_up.iter().any(|start| name.starts_with(start)) || boot_area {
        return None;
    }
    let sectors = number(&path.join("size")).filter(|sectors| *sectors > 0)?;
    let device = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let usb = device
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with("usb"));
    let spins = number(&path.join("queue/rotational")) == Some(1);
    let kind = match (name, spins, usb) {
        (name, _, _) if name.starts_with("nvme") => "nvme",
        (name, _, _) if name.starts_with("mmcblk") => "flash-card",
        // A virtual machine's: the kernel takes it for one that turns, and nobody knows.
        (name, _, _) if name.starts_with("vd") => "ssd",
        (_, true, _) => "hdd-3.5",
        (_, false, true) => "usb-ssd",
        (_, false, false) => "ssd",
    };
    Some(HostDisk {
        name: name.to_owned(),
        kind,
        // The kernel counts in sectors of 512 bytes, whatever the disk's are.
        size_gb: (sectors as f64 * 512.0 / 1e9).round(),
        model: text(&path.join("device/model")),
    })
}

/// A card with a cable, not a bridge, a tunnel or a radio.
fn card(path: &Path) -> Option<HostCard> {
    let wired =
        path.join("device").exists() && !path.join("wireless").exists() && !path.join("phy80211").exists();
    wired.then(|| HostCard {
        name: file_name(path).to_owned(),
        linked: number(&path.join("carrier")) == Some(1),
        mbit_per_second: text(&path.join("speed")).and_then(|speed| speed.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    #[test]
    fn a_machine_is_read_and_nothing_else_taken_for_one() {
        let temp = tempfile::tempdir().expect("a directory");
        let root = temp.path();
        write(root, "proc/sys/kernel/hostname", "attic\n");
        write(
            root,
            "proc/meminfo",
            "MemTotal:        8130752 kB\nMemFree: 1 kB\n",
        );
        write(root, "sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
        write(root, "sys/class/dmi/id/product_name", "OptiPlex 780\n");
        for (thread, core) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
            let cpu = format!("sys/devices/system/cpu/cpu{thread}/topology");
            write(root, &format!("{cpu}/physical_package_id"), "0\n");
            write(root, &format!("{cpu}/core_id"), &format!("{core}\n"));
        }
        write(root, "sys/devices/system/cpu/cpufreq/x", "");
        for (disk, sectors, spins) in [
            ("sda", "15628053168", "1"),
            ("nvme0n1", "1953525168", "0"),
            ("loop0", "8", "0"),
        ] {
            write(root, &format!("sys/block/{disk}/size"), sectors);
            write(root, &format!("sys/block/{disk}/queue/rotational"), spins);
        }
        write(root, "sys/block/sr0/size", "0");
        write(root, "sys/class/net/eth0/device/vendor", "x");
        write(root, "sys/class/net/eth0/carrier", "1\n");
        write(root, "sys/class/net/eth0/speed", "1000\n");
        write(root, "sys/class/net/wlan0/device/vendor", "x");
        write(root, "sys/class/net/wlan0/wireless/x", "x");
        write(root, "sys/class/net/lo/mtu", "65536");
        write(root, "sys/class/powercap/intel-rapl:0/energy_uj", "1");
        let host = Host::read(root);
        assert_eq!(host.name.as_deref(), Some("attic"));
        assert_eq!(host.product.as_deref(), Some("Dell Inc. OptiPlex 780"));
        assert_eq!(
            (host.memory_gb, host.cores, host.rapl),
            (Some(8.3), Some(2), true)
        );
        let disks: Vec<_> = host
            .disks
            .iter()
            .map(|disk| (disk.name.as_str(), disk.kind, disk.size_gb))
            .collect();
        assert_eq!(disks, [("nvme0n1", "nvme", 1_000.0), ("sda", "hdd-3.5", 8_002.0)]);
        let cards: Vec<_> = host
            .cards
            .iter()
            .map(|card| (card.name.as_str(), card.linked))
            .collect();
        assert_eq!(cards, [("eth0", true)]);
        assert_eq!(Host::read(&root.join("none")), Host::default());
    }
}
