//! What a meter keeps between two runs of a program, so that a restart does not begin the month anew.
//!
//! Promises: nothing is believed of a file that a reading would not be believed: one wrong value, and all of it is
//! refused.

use super::{MAX_DEVICES, Meter, Track};
use crate::error::Why;
use crate::source::{MAX_ENERGY_WH, within};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The format's number.
const VERSION: u32 = 1;

/// A meter at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    version: u32,
    /// Year and month, in UTC.
    month: Option<(i32, u8)>,
    devices: Vec<Device>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Device {
    source: String,
    device: String,
    part: bool,
    at_micros: i64,
    energy_wh: Option<f64>,
    month_wh: f64,
    unseen_seconds: u64,
}

impl Meter {
    /// What is to be kept.
    pub fn saved(&self) -> Saved {
        let device = |((source, device), track): (&(String, String), &Track)| Device {
            source: source.clone(),
            device: device.clone(),
            part: track.part,
            at_micros: track.at_micros,
            energy_wh: track.energy_wh,
            month_wh: track.month_wh,
            unseen_seconds: track.unseen.as_secs(),
        };
        Saved {
            version: VERSION,
            month: self.month,
            devices: self.devices.iter().map(device).collect(),
        }
    }

    /// Goes on from what was kept, on a meter that has taken nothing yet. What devices with a counter drew meanwhile is
    /// counted with their next reading.
    ///
    /// # Errors
    /// Where it is of another version, or a value in it cannot be; the meter is as it was then.
    pub fn resume(&mut self, saved: Saved) -> Result<(), Why> {
        if saved.version != VERSION {
            return Err(Why::Answer(format!("it is of version {}", saved.version)));
        }
        if saved.devices.len() > MAX_DEVICES {
            return Err(Why::Answer(format!("it has more than {MAX_DEVICES} devices")));
        }
        for device in &saved.devices {
            for value in [Some(device.month_wh), device.energy_wh].into_iter().flatten() {
                within(value, MAX_ENERGY_WH)
                    .ok_or_else(|| Why::absurd(format!("an energy of {}", device.device), value))?;
            }
        }
        self.month = saved.month;
        self.devices = saved
            .devices
            .into_iter()
            .map(|device| {
                let track = Track {
                    at_micros: device.at_micros,
                    // What was drawn then says nothing of now.
                    watts: None,
                    energy_wh: device.energy_wh,
                    part: device.part,
                    month_wh: device.month_wh,
                    unseen: Duration::from_secs(device.unseen_seconds),
                };
                ((device.source, device.device), track)
            })
            .collect();
        Ok(())
    }
}
