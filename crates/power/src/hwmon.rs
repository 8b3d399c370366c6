//! Power sensors of this machine, through the kernel's hwmon tree.
//!
//! Source: Linux, Documentation/hwmon/sysfs-interface.rst: `power[1-*]_average` and `power[1-*]_input` in µW,
//! `power[1-*]_label`, and `name` of the chip. The average is taken where there is one: a sensor of a graphics card
//! jumps from one moment to the next.

use crate::error::Why;
use crate::rapl::{number, text};
use crate::source::Found;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use stead_runtime::blocking;

/// Where the kernel has it.
pub const ROOT: &str = "/sys/class/hwmon";

/// Sensors of one machine; more are not looked at.
const MAX_SENSORS: usize = 64;

/// The reader.
#[derive(Debug)]
pub struct Hwmon {
    root: PathBuf,
}

impl Hwmon {
    /// Reads below `root`, which is [`ROOT`] except in tests.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) async fn found(&self) -> Result<Vec<Found>, Why> {
        let root = self.root.clone();
        blocking(move || sensors(&root)).await
    }
}

fn sensors(root: &Path) -> Result<Vec<Found>, Why> {
    let none = |why: String| Why::NoMeter(format!("{}: {why}", root.display()));
    let entries = std::fs::read_dir(root).map_err(|error| none(error.to_string()))?;
    let mut chips = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    chips.sort();
    let mut found = Vec::new();
    for chip in chips {
        for sensor in numbers(&chip)? {
            if found.len() < MAX_SENSORS {
                found.push(one(&chip, &sensor)?);
            }
        }
    }
    if found.is_empty() {
        return Err(none("no chip there measures power".into()));
    }
    Ok(found)
}

/// The sensors of a chip that measure power: `power1`, `power2`, … Files like `power1_cap` alone make none.
fn numbers(chip: &Path) -> Result<BTreeSet<String>, Why> {
    let mut sensors = BTreeSet::new();
    for entry in std::fs::read_dir(chip)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let sensor = name
            .strip_suffix("_average")
            .or_else(|| name.strip_suffix("_input"));
        let number = sensor.and_then(|sensor| sensor.strip_prefix("power"));
        if let (Some(sensor), Some(number)) = (sensor, number)
            && number.parse::<u16>().is_ok()
        {
            sensors.insert(sensor.to_owned());
        }
    }
    Ok(sensors)
}

fn one(chip: &Path, sensor: &str) -> Result<Found, Why> {
    let average = chip.join(format!("{sensor}_average"));
    let input = chip.join(format!("{sensor}_input"));
    let microwatts = number(if average.exists() { &average } else { &input })?;
    let place = chip.file_name().unwrap_or_default().to_string_lossy();
    let name = text(&chip.join("name")).unwrap_or_default();
    let label = text(&chip.join(format!("{sensor}_label"))).unwrap_or_else(|_| sensor.to_owned());
    Ok(Found {
        device: format!("{place} {name} {label}"),
        watts: Some(microwatts as f64 / 1e6),
        energy_wh: None,
        part_of: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_goes_before_the_moment_and_a_cap_is_no_sensor() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(sensors(root.path()), Err(Why::NoMeter(_))));
        let write = |chip: &str, file: &str, text: &str| {
            std::fs::create_dir_all(root.path().join(chip)).unwrap();
            std::fs::write(root.path().join(chip).join(file), text).unwrap();
        };
        write("hwmon0", "name", "acpitz\n");
        write("hwmon0", "temp1_input", "27800\n");
        write("hwmon1", "name", "amdgpu\n");
        write("hwmon1", "power1_average", "34042000\n");
        write("hwmon1", "power1_input", "90000000\n");
        write("hwmon1", "power1_cap", "200000000\n");
        write("hwmon1", "power1_label", "PPT\n");
        write("hwmon2", "power2_input", "5500000\n");
        let found = sensors(root.path()).unwrap();
        let short: Vec<_> = found
            .iter()
            .map(|sensor| (sensor.device.as_str(), sensor.watts))
            .collect();
        assert_eq!(
            short,
            [("hwmon1 amdgpu PPT", Some(34.042)), ("hwmon2  power2", Some(5.5))]
        );
        write("hwmon2", "power2_input", "-1\n");
        assert!(matches!(sensors(root.path()), Err(Why::Answer(_))));
    }
}
