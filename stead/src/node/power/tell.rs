//! What meters and UPSes said, in the words of the log, the metrics and the API.

use crate::codes::{self, Code};
use crate::node::operations::NodeOperations;
use crate::node::overview;
use std::sync::PoisonError;
use stead_client::wire;
use stead_gateway::metrics::UpsFigures;
use stead_power::{Load, PowerError, Reading, Supply, Ups, Verdict};

pub(super) fn said(ups: &str, verdict: &Verdict) {
    match verdict {
        Verdict::Fine => tracing::info!(ups, "the UPS is on mains"),
        Verdict::OnBattery => tracing::warn!(ups, "the UPS is on battery"),
        Verdict::Unknown(why) => tracing::warn!(ups, why, "the UPS is unknown"),
        Verdict::Stop(why) => tracing::error!(ups, why, "the UPS fails"),
    }
}

pub(super) fn figures((source, ups): &(String, Ups)) -> Option<UpsFigures> {
    if matches!(ups.supply, Supply::Unknown(_)) {
        return None;
    }
    // One that switches off may be on either.
    let on_battery = ups.status.iter().any(|word| word == "OB");
    Some(UpsFigures {
        source: source.clone(),
        ups: ups.name.clone(),
        on_battery,
        charge: ups.charge_percent,
        runtime: ups.runtime_seconds,
    })
}

pub(super) fn reading(reading: &Reading) -> wire::PowerReading {
    wire::PowerReading {
        source: reading.source.clone(),
        device: reading.device.clone(),
        watts: reading.watts,
        watt_hours: reading.energy_wh,
        part_of: reading.part_of.clone(),
    }
}

pub(super) fn failure(error: &PowerError) -> wire::PowerFailure {
    wire::PowerFailure {
        source: error.place.clone(),
        why: error.why.to_string(),
    }
}

pub(super) fn supply(supply: &Supply) -> (&'static str, Option<String>) {
    match supply {
        Supply::Mains => ("mains", None),
        Supply::Battery => ("battery", None),
        Supply::BatteryLow => ("battery_low", None),
        Supply::SwitchesOff => ("switches_off", None),
        Supply::Unknown(why) => ("unknown", Some(why.clone())),
    }
}

pub(super) fn word(load: Load) -> &'static str {
    match load {
        Load::Fine => "fine",
        Load::Near { .. } => "near",
        Load::Above { .. } => "above",
        Load::Over => "over",
    }
}

/// What of power a person should look at.
pub(in crate::node) fn warnings(node: &NodeOperations) -> Vec<wire::Warning> {
    let last = node.power.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(power) = &*last else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let mut warn = |code: Code, what: String| {
        let page = codes::find(&code.to_string());
        let next = page.map_or(String::new(), |page| page.next.to_owned());
        warnings.push(overview::warning(code, what, next));
    };
    for failed in &power.failed {
        warn(codes::POWER, format!("{}: {}", failed.source, failed.why));
    }
    let turn = power
        .stops_in_seconds
        .map_or(String::new(), |left| format!("; this node stops in {left} s"));
    for ups in power
        .ups
        .iter()
        .filter(|ups| ups.feeds_this && ups.supply != "mains")
    {
        let why = ups.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let is = ups.supply.replace('_', " ");
        warn(
            codes::UPS,
            format!("the UPS {} that feeds this node is {is}{why}{turn}", ups.name),
        );
    }
    match (power.breaker.as_deref(), power.watts) {
        (None | Some("fine"), _) | (_, None) => {}
        (Some(_), Some(watts)) => {
            let rated = node.settings.power.breaker_watts;
            warn(
                codes::BREAKER,
                format!("{watts:.0} W are drawn behind a breaker of {rated} W"),
            );
        }
    }
    warnings
}
