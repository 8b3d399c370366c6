//! What NetBox answers: lists, numbers, names and the ends of cables, read with patience.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The objects of a kind: a list, or a page of the API.
pub(super) fn list<'a>(answers: &'a Value, kind: &str) -> &'a [Value] {
    let found = answers.get(kind).or_else(|| answers.get(kind.replace('_', "-")));
    let found = found.map(|found| found.get("results").unwrap_or(found));
    found.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn id(object: &Value) -> u64 {
    object.get("id").and_then(Value::as_u64).unwrap_or_default()
}

pub(super) fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    object
        .pointer(path)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// Numbers are numbers or, where NetBox keeps decimals, texts.
pub(super) fn number(object: &Value, path: &str) -> Option<f64> {
    let value = object.pointer(path)?;
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| number.is_finite() && *number >= 0.0)
}

/// One end of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Feed(u64),
    PowerPort(u64),
    PowerOutlet(u64),
    Interface(u64),
}

/// What the export kept for us, read back with what else is in it ignored.
pub(super) fn kept<T: DeserializeOwned>(object: &Value) -> Option<T> {
    let kept = object.pointer("/custom_fields/stead")?;
    T::deserialize(kept).ok()
}

/// One field of that.
pub(super) fn kept_field<T: DeserializeOwned>(object: &Value, field: &str) -> Option<T> {
    let kept = object.pointer("/custom_fields/stead")?.get(field)?;
    T::deserialize(kept).ok()
}

/// What power ports say that devices take: allocated, and at most.
pub(super) fn draws(answers: &Value, holders: &BTreeMap<End, u64>) -> BTreeMap<u64, (f64, f64)> {
    let mut draws: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for port in list(answers, "power_ports") {
        let device = holders.get(&End::PowerPort(id(port)));
        if let (Some(device), Some(most)) = (device, number(port, "/maximum_draw")) {
            let sum = draws.entry(*device).or_default();
            sum.0 += number(port, "/allocated_draw").unwrap_or_default();
            sum.1 += most;
        }
    }
    draws
}

/// One side of a cable has no more ends than this.
const MOST_ENDS: usize = 64;

/// The ends at one side of a cable, of the kinds that matter here.
pub(super) fn ends(cable: &Value, side: &str) -> Vec<End> {
    let all = cable.get(side).and_then(Value::as_array).into_iter().flatten();
    all.take(MOST_ENDS)
        .filter_map(|end| {
            let id = end.get("object_id").and_then(Value::as_u64)?;
            match end.get("object_type").and_then(Value::as_str)? {
                "dcim.powerfeed" => Some(End::Feed(id)),
                "dcim.powerport" => Some(End::PowerPort(id)),
                "dcim.poweroutlet" => Some(End::PowerOutlet(id)),
                "dcim.interface" => Some(End::Interface(id)),
                _ => None,
            }
        })
        .collect()
}
