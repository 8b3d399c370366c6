//! One reading, what may be believed of it, and the kinds of sources.
//!
//! Promises: every reader answers within [`PATIENCE`] (IPMI within [`crate::ipmi::PATIENCE`]) and takes no more than
//! [`MAX_REPLY_BYTES`] of anything.

use crate::error::{PowerError, Why};
use crate::http::Address;
use crate::hwmon::{self, Hwmon};
use crate::ipmi::Ipmi;
use crate::nut::{self, Nut};
use crate::rapl::{self, Rapl};
use crate::ups::Ups;
use crate::{shelly, tasmota};
use serde::Serialize;
use std::str::FromStr;
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
        self.look(clock).await?.readings
    }

    /// Reads every device, and the state of each UPS: a UPS whose power cannot be is still on mains or on battery.
    ///
    /// # Errors
    /// Where nothing at all was read.
    pub async fn look(&mut self, clock: &Clock) -> Result<Look, PowerError> {
        let name = self.name();
        let (found, upses) = match self {
            Self::Nut(nut) => {
                let upses = nut.read().await?;
                (nut::found(&upses), upses)
            }
            Self::Shelly(address) => (shelly::read(address).await, Vec::new()),
            Self::Tasmota(address) => (tasmota::read(address).await, Vec::new()),
            Self::Rapl(rapl) => (rapl.found(clock).await, Vec::new()),
            Self::Hwmon(hwmon) => (hwmon.found().await, Vec::new()),
            Self::Ipmi(ipmi) => (ipmi.found().await, Vec::new()),
        };
        let at = clock.now_micros();
        let believe = |found: Vec<Found>| found.into_iter().map(|one| one.believe(&name, at)).collect();
        let readings = found.and_then(believe).map_err(|why: Why| why.at(&name));
        Ok(Look { readings, upses })
    }
}

/// A source at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// What its devices draw.
    pub readings: Result<Vec<Reading>, PowerError>,
    /// Its UPSes, where it has any.
    pub upses: Vec<Ups>,
}

impl FromStr for Source {
    type Err = PowerError;

    /// `shelly ADDRESS`, `tasmota ADDRESS`, `nut [USER:PASSWORD@]HOST[:PORT]`, `rapl`, `hwmon` or `ipmi`.
    fn from_str(text: &str) -> Result<Self, PowerError> {
        let (kind, place) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let place = place.trim();
        let address = || place.parse::<Address>().map_err(|why| why.at(kind));
        let unknown = "name one of: shelly URL, tasmota URL, nut HOST, rapl, hwmon, ipmi";
        match (kind, place.is_empty()) {
            ("shelly", false) => Ok(Self::Shelly(address()?)),
            ("tasmota", false) => Ok(Self::Tasmota(address()?)),
            ("nut", false) => Ok(Self::Nut(place.parse()?)),
            ("rapl", true) => Ok(Self::Rapl(Rapl::new(rapl::ROOT))),
            ("hwmon", true) => Ok(Self::Hwmon(Hwmon::new(hwmon::ROOT))),
            ("ipmi", true) => Ok(Self::Ipmi(Ipmi::default())),
            _ => Err(Why::Address(unknown.to_owned()).at(if kind.is_empty() { "a source" } else { kind })),
        }
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

    #[test]
    fn sources_are_named_as_in_the_settings() {
        let name = |text: &str| text.parse::<Source>().map(|source| source.name());
        assert_eq!(name("shelly http://a:b@10.0.0.5/").unwrap(), "shelly 10.0.0.5");
        assert_eq!(name("nut ana:pw@ups.lan").unwrap(), "nut ups.lan:3493");
        assert_eq!(name(" rapl ").unwrap(), "rapl");
        for wrong in [
            "",
            "shelly",
            "rapl 10.0.0.5",
            "modbus 10.0.0.5",
            "nut a/b",
            "tasmota https://a",
        ] {
            let error = name(wrong).unwrap_err();
            assert!(matches!(error.why, Why::Address(_)), "{wrong}: {error}");
        }
        let secret = name("nut ana:s3cret@a/b").unwrap_err();
        assert!(!secret.to_string().contains("s3cret"), "{secret}");
    }
}
