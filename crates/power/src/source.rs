//! One reading, what may be believed of it, and the kinds of sources.
//!
//! Promises: every reader answers within [`PATIENCE`] (IPMI within [`crate::ipmi::PATIENCE`]) and takes no more than
//! [`MAX_REPLY_BYTES`] of anything.

use crate::error::{PowerError, Why};
use crate::http::Address;
use crate::hwmon::Hwmon;
use crate::ipmi::Ipmi;
use crate::nut::Nut;
use crate::rapl::Rapl;
use crate::{shelly, tasmota};
use serde::Serialize;
use std::time::Duration;
use stead_runtime::Clock;

/// How long a source is waited for, in all.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The most that is taken from a source at once, in bytes.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// The most that anything in a home can draw, in watts. More is a broken meter.
pub const MAX_WATTS: f64 = 100_000.0;

/// The most that a counter can have reached, in watt-hours: [`MAX_WATTS`] for a hundred years.
pub const MAX_ENERGY_WH: f64 = MAX_WATTS * 24.0 * 366.0 * 100.0;

/// What one device said at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Who was asked: the kind and the address, without any login.
    pub source: String,
    /// What of it this is about: a switch, a UPS, a zone of a processor.
    pub device: String,
    /// What it draws now, in watts.
    pub watts: Option<f64>,
    /// What it has drawn, in watt-hours, since a moment that only the device knows. May begin anew.
    pub energy_wh: Option<f64>,
    /// Another device of the same source that measures this too, so that nobody adds both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// When, in microseconds since the Unix epoch.
    pub at_micros: i64,
}

/// What a reader found, before it is believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub device: String,
    pub watts: Option<f64>,
    pub energy_wh: Option<f64>,
    pub part_of: Option<String>,
}

impl Found {
    /// The reading, where its values can be.
    fn believe(self, source: &str, at_micros: i64) -> Result<Reading, Why> {
        if let Some(watts) = self.watts {
            within(watts, MAX_WATTS)
                .ok_or_else(|| Why::absurd(format!("the power of {} in watts", self.device), watts))?;
        }
        if let Some(energy) = self.energy_wh {
            within(energy, MAX_ENERGY_WH)
                .ok_or_else(|| Why::absurd(format!("the energy of {} in Wh", self.device), energy))?;
        }
        Ok(Reading {
            source: source.to_owned(),
            device: self.device,
            watts: self.watts,
            energy_wh: self.energy_wh,
            part_of: self.part_of,
            at_micros,
        })
    }
}

/// The value, where it is a number from 0 to `most`.
pub(crate) fn within(value: f64, most: f64) -> Option<f64> {
    // Not a number is in no range.
    (0.0..=most).contains(&value).then_some(value)
}

/// A source of readings.
#[derive(Debug)]
pub enum Source {
    /// A Shelly plug or meter, of any generation.
    Shelly(Address),
    /// A device with Tasmota.
    Tasmota(Address),
    /// The UPSes of a NUT server.
    Nut(Nut),
    /// This machine's processor counters.
    Rapl(Rapl),
    /// This machine's power sensors.
    Hwmon(Hwmon),
    /// This machine's management controller.
    Ipmi(Ipmi),
}

impl Source {
    /// The name by which readings and errors call it. No login is in it.
    pub fn name(&self) -> String {
        match self {
            Self::Shelly(address) => format!("shelly {address}"),
            Self::Tasmota(address) => format!("tasmota {address}"),
            Self::Nut(nut) => nut.name(),
            Self::Rapl(_) => "rapl".to_owned(),
            Self::Hwmon(_) => "hwmon".to_owned(),
            Self::Ipmi(_) => "ipmi".to_owned(),
        }
    }

    /// Reads every device of the source.
    ///
    /// # Errors
    /// Where it does not answer, or answers what is not understood or cannot be. One absurd device makes the whole
    /// source an error: whoever lies about one is not believed about another.
    pub async fn read(&mut self, clock: &Clock) -> Result<Vec<Reading>, PowerError> {
        let name = self.name();
        let found = match self {
            Self::Shelly(address) => shelly::read(address).await,
            Self::Tasmota(address) => tasmota::read(address).await,
            Self::Nut(nut) => nut.found().await,
            Self::Rapl(rapl) => rapl.found(clock).await,
            Self::Hwmon(hwmon) => hwmon.found().await,
            Self::Ipmi(ipmi) => ipmi.found().await,
        };
        let at = clock.now_micros();
        let believed = found.and_then(|found| found.into_iter().map(|one| one.believe(&name, at)).collect());
        believed.map_err(|why: Why| why.at(name))
    }
}

/// Waits for `work`, no longer than [`PATIENCE`].
pub(crate) async fn patiently<T>(work: impl Future<Output = Result<T, Why>>) -> Result<T, Why> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or(Err(Why::Silent(PATIENCE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn believed(watts: f64, energy_wh: f64) -> Result<Reading, Why> {
        let found = Found {
            device: "switch:0".into(),
            watts: Some(watts),
            energy_wh: Some(energy_wh),
            part_of: None,
        };
        found.believe("shelly 10.0.0.5", 7)
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        assert!(believed(0.0, 0.0).is_ok());
        assert!(believed(MAX_WATTS, 1e9).is_ok());
        for watts in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 100_000.1] {
            assert!(matches!(believed(watts, 1.0), Err(Why::Absurd { .. })), "{watts}");
        }
        for energy in [-1.0, f64::NAN, f64::INFINITY, 1e13] {
            assert!(
                matches!(believed(1.0, energy), Err(Why::Absurd { .. })),
                "{energy}"
            );
        }
    }

    #[test]
    fn an_error_names_the_source_and_the_value() {
        let error = believed(-3.0, 0.0).unwrap_err().at("shelly 10.0.0.5");
        let text = "shelly 10.0.0.5: says the power of switch:0 in watts is -3, which cannot be";
        assert_eq!(error.to_string(), text);
    }
}
