//! Devices with Tasmota.
//!
//! Source: Tasmota documentation, commands `Status 10` over HTTP (`/cm?cmnd=Status%2010`): `StatusSNS.ENERGY` has
//! `Power` in W and `Total` in kWh; both are lists on devices with several channels. A login is part of the query.

use crate::error::{Why, quote};
use crate::http::{self, Address};
use crate::source::Found;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Asks for the sensors.
pub(crate) async fn read(address: &Address) -> Result<Vec<Found>, Why> {
    let login = address.login().map_or(String::new(), |(user, password)| {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        format!("user={}&password={}&", encode(user), encode(password))
    });
    let reply = http::get(address, &format!("/cm?{login}cmnd=Status%2010")).await?;
    parse(&reply.json()?)
}

fn parse(answer: &Value) -> Result<Vec<Found>, Why> {
    // It answers 200 to a wrong or absent login.
    if let Some(warning) = answer.get("WARNING").and_then(Value::as_str) {
        return Err(Why::Login(format!("it says {}", quote(warning))));
    }
    let sensors = answer
        .get("StatusSNS")
        .ok_or_else(|| Why::answer("there is no StatusSNS"))?;
    let energy = sensors
        .get("ENERGY")
        .ok_or_else(|| Why::NoMeter("StatusSNS has no ENERGY".into()))?;
    let power = energy
        .get("Power")
        .ok_or_else(|| Why::NoMeter("ENERGY has no Power".into()))?;
    let watts = channels(power, "Power")?;
    let totals = energy
        .get("Total")
        .map_or(Ok(Vec::new()), |total| channels(total, "Total"))?;
    // One total of several channels belongs to none of them.
    let totals = if totals.len() == watts.len() {
        totals
    } else {
        Vec::new()
    };
    let found = watts.iter().enumerate().map(|(at, watts)| Found {
        device: format!("energy:{at}"),
        watts: Some(*watts),
        energy_wh: totals.get(at).map(|kwh| kwh * 1000.0),
        part_of: None,
    });
    Ok(found.collect())
}

fn channels(value: &Value, name: &str) -> Result<Vec<f64>, Why> {
    let wrong = || Why::answer(format!("{name} is neither a number nor a list of numbers"));
    match value {
        Value::Array(values) if !values.is_empty() => values
            .iter()
            .map(|value| value.as_f64().ok_or_else(wrong))
            .collect(),
        value => Ok(vec![value.as_f64().ok_or_else(wrong)?]),
    }
}
