//! Shelly plugs and meters.
//!
//! Sources: Shelly API documentation, Gen2+ `Shelly.GetStatus` (a component's `apower` in W and `aenergy.total` in Wh)
//! and Gen1 `/status` (`meters[].power` in W, `meters[].total` in watt-minutes; `emeters[].total` in Wh).
//! Never: logs in to a Gen2+ device. Those ask for Digest with SHA-256; a 401 says so.

use crate::error::Why;
use crate::http::{self, Address};
use crate::source::Found;
use hyper::StatusCode;
use serde_json::Value;

/// Asks as Gen2+ and, where the device knows no such path, as Gen1.
pub(crate) async fn read(address: &Address) -> Result<Vec<Found>, Why> {
    let reply = http::get(address, "/rpc/Shelly.GetStatus").await?;
    if reply.status == StatusCode::NOT_FOUND {
        return first_generation(&http::get(address, "/status").await?.json()?);
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        return Err(Why::Login(
            "it asks for a password (Digest), which this reader cannot give".into(),
        ));
    }
    later_generation(&reply.json()?)
}

/// Every component that measures: `switch:0`, `pm1:0`, `cover:0`, and `em1:0`, `em:0` of the meters for a board.
fn later_generation(status: &Value) -> Result<Vec<Found>, Why> {
    let components = status
        .as_object()
        .ok_or_else(|| Why::answer("the status is no object"))?;
    let mut found = Vec::new();
    for (name, component) in components {
        let names = ["apower", "act_power", "total_act_power"];
        let Some(power) = names.iter().find_map(|name| component.get(name)) else {
            continue;
        };
        if let Some(errors) = component.get("errors").and_then(Value::as_array)
            && errors.iter().any(|error| error == "power_meter_failure")
        {
            return Err(Why::answer(format!("{name} says that its meter failed")));
        }
        found.push(Found {
            device: name.clone(),
            watts: Some(number(power, name)?),
            energy_wh: counter(component.pointer("/aenergy/total"), name)?,
            part_of: None,
        });
    }
    some(found)
}

fn first_generation(status: &Value) -> Result<Vec<Found>, Why> {
    let mut found = Vec::new();
    // Watt-minutes in one list, watt-hours in the other.
    for (list, per_wh) in [("meters", 60.0), ("emeters", 1.0)] {
        let meters = status.get(list).and_then(Value::as_array);
        for (at, meter) in meters.into_iter().flatten().enumerate() {
            let name = format!("{list}:{at}");
            // A device without a meter lists one that is not valid.
            if meter.get("is_valid") == Some(&Value::Bool(false)) {
                continue;
            }
            let Some(power) = meter.get("power") else {
                continue;
            };
            found.push(Found {
                watts: Some(number(power, &name)?),
                energy_wh: counter(meter.get("total"), &name)?.map(|total| total / per_wh),
                device: name,
                part_of: None,
            });
        }
    }
    some(found)
}

fn some(found: Vec<Found>) -> Result<Vec<Found>, Why> {
    if found.is_empty() {
        return Err(Why::NoMeter("no part of its status has a power".into()));
    }
    Ok(found)
}

fn number(value: &Value, name: &str) -> Result<f64, Why> {
    value
        .as_f64()
        .ok_or_else(|| Why::answer(format!("the power of {name} is no number")))
}

/// A counter, where there is one. Devices say `null` before the first minute.
fn counter(value: Option<&Value>, name: &str) -> Result<Option<f64>, Why> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => number(value, name).map(Some),
    }
}
