//! What a UPS says, judged: on mains, on battery, about to switch off, or unknown.
//!
//! Source: the variables `ups.status`, `battery.charge` (%), `battery.runtime` (s), `ups.load` (%), `ups.realpower` and
//! `ups.realpower.nominal` (W) of NUT (docs/nut-names.txt; status tokens in docs/new-drivers.txt).
//! Promises: a contradiction is [`Supply::Unknown`]. A number that cannot be is left out and told in [`Ups::doubts`].
//! Never: decides what follows; [`crate::watch`] does.

use crate::error::quote;
use crate::source::{MAX_WATTS, within};
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest that a battery is believed to last, in seconds: four days.
const MAX_RUNTIME_SECONDS: f64 = 4.0 * 86_400.0;

/// More than this of its load a UPS does not carry, in percent.
const MAX_LOAD_PERCENT: f64 = 300.0;

/// What feeds the sockets of a UPS.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "supply", content = "why")]
pub enum Supply {
    /// The wall.
    Mains,
    /// The battery.
    Battery,
    /// The battery, and the UPS says that it is low.
    BatteryLow,
    /// It was told that it will be switched off (FSD), whatever feeds it now.
    SwitchesOff,
    /// It cannot be said, and why.
    Unknown(String),
}

/// A UPS at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ups {
    /// Its name at its server.
    pub name: String,
    /// What feeds its sockets.
    #[serde(flatten)]
    pub supply: Supply,
    /// The words of `ups.status`, as they were said.
    pub status: Vec<String>,
    /// How full the battery is, in percent.
    pub charge_percent: Option<f64>,
    /// How long it thinks the battery lasts at this load, in seconds.
    pub runtime_seconds: Option<f64>,
    /// How much of what it can carry it carries, in percent.
    pub load_percent: Option<f64>,
    /// What its load draws, in watts. Computed of load and nominal power where it measures none.
    pub watts: Option<f64>,
    /// What it said that cannot be.
    pub doubts: Vec<String>,
    /// The battery is to be replaced (RB).
    pub replace_battery: bool,
}

impl Ups {
    /// One of which nothing can be said.
    pub fn unknown(name: &str, why: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            supply: Supply::Unknown(why.into()),
            status: Vec::new(),
            charge_percent: None,
            runtime_seconds: None,
            load_percent: None,
            watts: None,
            doubts: Vec::new(),
            replace_battery: false,
        }
    }

    /// Judges the variables of a UPS.
    pub fn judge(name: &str, variables: &BTreeMap<String, String>) -> Self {
        let mut doubts = Vec::new();
        let mut number = |variable: &str, most: f64| {
            let text = variables.get(variable)?;
            let value = text.trim().parse().ok().and_then(|value| within(value, most));
            if value.is_none() {
                doubts.push(format!("{variable} is {}", quote(text)));
            }
            value
        };
        let charge_percent = number("battery.charge", 100.0);
        let runtime_seconds = number("battery.runtime", MAX_RUNTIME_SECONDS);
        let load_percent = number("ups.load", MAX_LOAD_PERCENT);
        let measured = number("ups.realpower", MAX_WATTS);
        let nominal = number("ups.realpower.nominal", MAX_WATTS);
        let computed = load_percent
            .zip(nominal)
            .map(|(load, nominal)| load * nominal / 100.0);
        // A measured power that cannot be is not replaced by a computed one: the UPS lies.
        let watts = match variables.get("ups.realpower") {
            Some(_) => measured,
            None => computed,
        };
        let status: Vec<String> = variables
            .get("ups.status")
            .map(|text| text.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default();
        Self {
            name: name.to_owned(),
            supply: supply(&status),
            replace_battery: status.iter().any(|word| word == "RB"),
            status,
            charge_percent,
            runtime_seconds,
            load_percent,
            watts,
            doubts,
        }
    }
}

/// What the words of `ups.status` mean together.
fn supply(status: &[String]) -> Supply {
    let has = |word: &str| status.iter().any(|own| own == word);
    let unknown = |why: &str| Supply::Unknown(format!("{why} ({})", quote(&status.join(" "))));
    if has("NOCOMM") || has("WAIT") {
        return unknown("its driver has no word from it");
    }
    match (has("OL"), has("OB")) {
        (true, true) => unknown("it says both on mains and on battery"),
        _ if has("FSD") => Supply::SwitchesOff,
        _ if has("OFF") => unknown("it says that its sockets are off"),
        (false, false) => unknown("it says neither on mains nor on battery"),
        (true, false) => Supply::Mains,
        // In a calibration it empties its battery on purpose, with mains at hand.
        (false, true) if has("LB") && !has("CAL") => Supply::BatteryLow,
        (false, true) => Supply::Battery,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&str, &str)]) -> Ups {
        let variables = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Ups::judge("rack", &variables)
    }

    #[test]
    fn status_words_are_judged_together() {
        let supply = |status| judged(&[("ups.status", status)]).supply;
        assert_eq!(supply("OL"), Supply::Mains);
        assert_eq!(supply("OL CHRG LB RB"), Supply::Mains);
        assert_eq!(supply("ALARM OB DISCHRG"), Supply::Battery);
        assert_eq!(supply("OB LB"), Supply::BatteryLow);
        assert_eq!(supply("OB LB CAL"), Supply::Battery);
        assert_eq!(supply("FSD OB LB"), Supply::SwitchesOff);
        assert_eq!(supply("FSD OL"), Supply::SwitchesOff);
        for unknown in [
            "",
            "OL OB",
            "FSD OL OB",
            "LB",
            "OL OFF",
            "NOCOMM",
            "WAIT",
            "ol",
            "0L",
        ] {
            assert!(matches!(supply(unknown), Supply::Unknown(_)), "{unknown:?}");
        }
        assert!(matches!(judged(&[]).supply, Supply::Unknown(_)));
        assert!(judged(&[("ups.status", "OL RB")]).replace_battery);
    }

    #[test]
    fn numbers_that_cannot_be_are_doubts() {
        let ups = judged(&[
            ("ups.status", "OB"),
            ("battery.charge", "150"),
            ("battery.runtime", "-1"),
            ("ups.load", "NaN"),
            ("ups.realpower", "1e9"),
            ("ups.realpower.nominal", "600"),
        ]);
        assert_eq!((ups.charge_percent, ups.runtime_seconds), (None, None));
        assert_eq!((ups.load_percent, ups.watts), (None, None));
        assert_eq!(ups.doubts.len(), 4);
    }

    #[test]
    fn power_is_measured_or_computed() {
        let load = [("ups.load", "25"), ("ups.realpower.nominal", "600")];
        assert_eq!(judged(&load).watts, Some(150.0));
        assert_eq!(
            judged(&[load[0], load[1], ("ups.realpower", "141")]).watts,
            Some(141.0)
        );
        assert_eq!(judged(&load[..1]).watts, None);
    }
}
