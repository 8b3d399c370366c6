//! The energy counters of this machine's processor: RAPL, through the kernel's powercap tree.
//!
//! Source: Linux, Documentation/power/powercap/powercap.rst: a zone is a directory `intel-rapl:0` (a part of it
//! `intel-rapl:0:0`) with `name`, `energy_uj` (µJ, read only by root) and `max_energy_range_uj`, where it begins anew.
//! AMD's processors use the same names.
//! Promises: a counter that wrapped once between two readings is counted right. Which it did more than once cannot be
//! seen; at 60 s and 262 kJ that takes more than 4 kW.
//! Never: adds a part to the whole that it is a part of. `psys` (the whole board) holds every package.

use crate::error::Why;
use crate::source::Found;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use stead_runtime::{Clock, blocking};

/// Where the kernel has it.
pub const ROOT: &str = "/sys/class/powercap";

/// How long the first reading waits for a second look at the counters.
const FIRST: Duration = Duration::from_millis(250);

/// Zones of one machine; more are not looked at.
const MAX_ZONES: usize = 64;

/// The reader; keeps the last state of each counter.
#[derive(Debug)]
pub struct Rapl {
    root: PathBuf,
    last: Option<(Instant, BTreeMap<String, Zone>)>,
    /// What each zone has used since the first reading, in joules.
    used: BTreeMap<String, f64>,
}

/// One zone at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Zone {
    name: String,
    energy_uj: u64,
    range_uj: u64,
}

impl Rapl {
    /// Reads below `root`, which is [`ROOT`] except in tests.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            last: None,
            used: BTreeMap::new(),
        }
    }

    pub(crate) async fn found(&mut self, clock: &Clock) -> Result<Vec<Found>, Why> {
        if self.last.is_none() {
            self.last = Some((clock.instant(), self.zones().await?));
            tokio::time::sleep(FIRST).await;
        }
        let (now, zones) = (clock.instant(), self.zones().await?);
        let Some((then, before)) = self.last.replace((now, zones.clone())) else {
            return Ok(Vec::new());
        };
        let seconds = now.duration_since(then).as_secs_f64();
        Ok(self.compare(&before, &zones, seconds))
    }

    async fn zones(&self) -> Result<BTreeMap<String, Zone>, Why> {
        let root = self.root.clone();
        blocking(move || zones(&root)).await
    }

    /// What was used between two looks.
    fn compare(
        &mut self,
        before: &BTreeMap<String, Zone>,
        now: &BTreeMap<String, Zone>,
        seconds: f64,
    ) -> Vec<Found> {
        let psys = now
            .iter()
            .find(|(_, zone)| zone.name == "psys")
            .map(|(id, _)| id.clone());
        let mut found = Vec::new();
        for (id, zone) in now {
            let Some(was) = before.get(id) else {
                continue;
            };
            let joules = used_uj(was, zone) as f64 / 1e6;
            let total = self.used.entry(id.clone()).or_default();
            *total += joules;
            // `intel-rapl:0:1` is a part of `intel-rapl:0`.
            let above = id.rsplit_once(':').map(|(above, _)| above.to_owned());
            let part_of = above
                .filter(|above| now.contains_key(above))
                .or_else(|| psys.clone().filter(|psys| psys != id));
            let label = |id: &str| format!("{id} {}", now.get(id).map_or("", |zone| zone.name.as_str()));
            found.push(Found {
                device: label(id),
                watts: (seconds > 0.0).then_some(joules / seconds),
                energy_wh: Some(*total / 3600.0),
                part_of: part_of.map(|above| label(&above)),
            });
        }
        found
    }
}

/// Microjoules between two states of a counter that begins anew after `range_uj`.
fn used_uj(before: &Zone, now: &Zone) -> u64 {
    if now.energy_uj >= before.energy_uj {
        now.energy_uj - before.energy_uj
    } else {
        // Where the range is not above what was read, the counter was set back: count from nought.
        now.range_uj
            .checked_sub(before.energy_uj)
            .map_or(now.energy_uj, |rest| rest.saturating_add(now.energy_uj))
    }
}

fn zones(root: &Path) -> Result<BTreeMap<String, Zone>, Why> {
    let entries = std::fs::read_dir(root)
        .map_err(|error| Why::NoMeter(format!("{}: {error}; the kernel has no powercap", root.display())))?;
    let mut zones = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let id = entry.file_name().to_string_lossy().into_owned();
        // `intel-rapl` alone is the driver, `intel-rapl-mmio:0` the same counters by another way.
        if !id.starts_with("intel-rapl:") || zones.len() == MAX_ZONES {
            continue;
        }
        let dir = entry.path();
        let zone = Zone {
            name: text(&dir.join("name"))?,
            energy_uj: number(&dir.join("energy_uj"))?,
            range_uj: number(&dir.join("max_energy_range_uj"))?,
        };
        zones.insert(id, zone);
    }
    if zones.is_empty() {
        return Err(Why::NoMeter(format!(
            "{} has no intel-rapl zone: a virtual machine, or the module intel_rapl_common is not loaded",
            root.display()
        )));
    }
    Ok(zones)
}

/// A small file of the kernel's, without its line end.
pub(crate) fn text(path: &Path) -> Result<String, Why> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text));
    read.map_err(|error| {
        let root = if error.kind() == std::io::ErrorKind::PermissionDenied {
            "; only root may read it"
        } else {
            ""
        };
        Why::Unreachable(format!("{}: {error}{root}", path.display()))
    })?;
    Ok(text.trim().to_owned())
}

/// A file that holds one number.
pub(crate) fn number(path: &Path) -> Result<u64, Why> {
    let text = text(path)?;
    text.parse()
        .map_err(|_| Why::answer(format!("{} holds {text:?}, no number", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(energy_uj: u64) -> Zone {
        Zone {
            name: "package-0".into(),
            energy_uj,
            range_uj: 262_143_328_850,
        }
    }

    #[test]
    fn a_counter_that_begins_anew_is_counted_through() {
        assert_eq!(used_uj(&zone(5), &zone(12)), 7);
        assert_eq!(used_uj(&zone(262_143_328_840), &zone(5)), 15);
        let broken = Zone {
            range_uj: 0,
            ..zone(3)
        };
        assert_eq!(used_uj(&zone(9), &broken), 3);
    }

    fn write(root: &Path, id: &str, name: &str, energy: &str) {
        let dir = root.join(id);
        std::fs::create_dir_all(&dir).unwrap();
        for (file, text) in [
            ("name", name),
            ("energy_uj", energy),
            ("max_energy_range_uj", "1000000"),
        ] {
            std::fs::write(dir.join(file), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn parts_name_the_whole_and_the_driver_is_no_zone() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("intel-rapl")).unwrap();
        write(root.path(), "intel-rapl:0", "package-0", "900000");
        write(root.path(), "intel-rapl:0:0", "core", "100");
        write(root.path(), "intel-rapl:1", "psys", "0");
        write(root.path(), "intel-rapl-mmio:0", "package-0", "5");
        let before = zones(root.path()).unwrap();
        write(root.path(), "intel-rapl:0", "package-0", "400000");
        write(root.path(), "intel-rapl:1", "psys", "750000");
        let mut rapl = Rapl::new(root.path());
        let found = rapl.compare(&before, &zones(root.path()).unwrap(), 0.25);
        let short: Vec<_> = found
            .iter()
            .map(|zone| (zone.device.as_str(), zone.watts, zone.part_of.as_deref()))
            .collect();
        assert_eq!(
            short,
            [
                ("intel-rapl:0 package-0", Some(2.0), Some("intel-rapl:1 psys")),
                ("intel-rapl:0:0 core", Some(0.0), Some("intel-rapl:0 package-0")),
                ("intel-rapl:1 psys", Some(3.0), None),
            ]
        );
    }

    #[test]
    fn what_is_not_there_or_no_number_is_said() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(zones(&root.path().join("none")), Err(Why::NoMeter(_))));
        assert!(matches!(zones(root.path()), Err(Why::NoMeter(_))));
        write(root.path(), "intel-rapl:0", "package-0", "much");
        assert!(matches!(zones(root.path()), Err(Why::Answer(_))));
    }
}
