//! From NetBox.

use super::answers::{End, draws, id, list, text};
use crate::lab::error::{LabError, LabErrorKind as Kind};
use crate::lab::model::{Lab, Part};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most that is said of what could not be taken over.
const MOST_NOTES: usize = 50;

/// What was made of NetBox's answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The lab. It need not hold together: [`Lab::resolve`] says.
    pub lab: Lab,
    /// What could not be taken over.
    pub notes: Vec<String>,
}

/// Reads NetBox's answers: an object with a list, or a page with `results`, for each kind of object.
///
/// # Errors
///
/// That it is not such an object.
pub fn import(text: &str) -> Result<Imported, LabError> {
    let wrong = |message: String| {
        let next = "Give an object with what GET /api/dcim/devices/ and so on answer, by kind.";
        LabError::new(Kind::Syntax, message, next)
    };
    if text.len() > super::MAX_BYTES {
        let message = format!("the file has more than {} bytes", super::MAX_BYTES);
        return Err(LabError::new(Kind::TooLarge, message, "Ask NetBox for one site."));
    }
    let answers: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if list(&answers, "devices").is_empty() {
        return Err(wrong("there are no `devices` in it".to_owned()));
    }
    let mut import = Import::new(&answers);
    import.places();
    import.devices();
    import.connections();
    let made = std::mem::take(&mut import.parts);
    import.lab.parts.extend(made.into_values());
    let unknown = std::mem::take(&mut import.unknown_parts);
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.into_iter().take(20).collect();
        import.notes.push(format!(
            "not in the catalogue, so without figures: {}",
            names.join(", ")
        ));
    }
    Ok(Imported {
        lab: import.lab,
        notes: import.notes,
    })
}

/// An import under way.
pub(super) struct Import<'a> {
    pub(super) answers: &'a Value,
    pub(super) lab: Lab,
    pub(super) notes: Vec<String>,
    pub(super) names: BTreeSet<String>,
    pub(super) sites: BTreeMap<u64, String>,
    pub(super) racks: BTreeMap<u64, String>,
    pub(super) feeds: BTreeMap<u64, String>,
    pub(super) devices: BTreeMap<u64, String>,
    /// The device of each port, outlet and interface.
    pub(super) holders: BTreeMap<End, u64>,
    /// Devices with power outlets.
    pub(super) gives_power: BTreeSet<u64>,
    pub(super) interfaces: BTreeMap<u64, &'a Value>,
    pub(super) types: BTreeMap<u64, &'a Value>,
    /// What power ports say that a device takes together, by device: least and most.
    pub(super) draws: BTreeMap<u64, (f64, f64)>,
    /// Wall outlets by name, as positions in the lab's list.
    pub(super) outlets: BTreeMap<String, usize>,
    /// What is plugged in where, by device.
    pub(super) power: BTreeMap<String, Vec<String>>,
    pub(super) unknown_parts: BTreeSet<String>,
    /// Wall outlets that NetBox has nothing for, by power feed.
    pub(super) spare_outlets: BTreeMap<u64, String>,
    /// Parts made of what NetBox says.
    pub(super) parts: BTreeMap<String, Part>,
}

impl<'a> Import<'a> {
    fn new(answers: &'a Value) -> Self {
        let mut notes = Vec::new();
        let mut holders = BTreeMap::new();
        for (kind, list_of) in answers.as_object().into_iter().flatten() {
            if list_of.get("next").is_some_and(|next| !next.is_null()) {
                notes.push(format!(
                    "`{kind}` is one page of several: ask with limit=0 for all"
                ));
            }
        }
        let mut hold = |kind, end: fn(u64) -> End| {
            for port in list(answers, kind) {
                if let Some(device) = port.pointer("/device/id").and_then(Value::as_u64) {
                    holders.insert(end(id(port)), device);
                }
            }
        };
        hold("power_ports", End::PowerPort);
        hold("power_outlets", End::PowerOutlet);
        hold("interfaces", End::Interface);
        let by_id = |kind| list(answers, kind).iter().map(|it| (id(it), it)).collect();
        let gives_power = holders
            .iter()
            .filter(|(end, _)| matches!(end, End::PowerOutlet(_)));
        Self {
            answers,
            gives_power: gives_power.map(|(_, device)| *device).collect(),
            interfaces: by_id("interfaces"),
            types: by_id("device_types"),
            draws: draws(answers, &holders),
            outlets: BTreeMap::new(),
            power: BTreeMap::new(),
            lab: answers
                .get("stead")
                .and_then(|kept| Lab::deserialize(kept).ok())
                .unwrap_or_default(),
            notes,
            names: BTreeSet::new(),
            sites: BTreeMap::new(),
            racks: BTreeMap::new(),
            feeds: BTreeMap::new(),
            devices: BTreeMap::new(),
            holders,
            unknown_parts: BTreeSet::new(),
            spare_outlets: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }

    /// A name that no other thing has: NetBox's are unique by kind or site only.
    pub(super) fn name(&mut self, object: &Value, kind: &str) -> String {
        let clean: String = text(object, "/name")
            .unwrap_or_default()
            .chars()
            .filter(|letter| !letter.is_control())
            .take(80)
            .collect();
        let clean = match clean.trim() {
            "" => format!("{kind} {}", id(object)),
            clean => clean.to_owned(),
        };
        self.free(&clean, kind, id(object))
    }

    /// Says what could not be taken over: each once, and not without end.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// This name, or one made of it that is free.
    pub(super) fn free(&mut self, name: &str, kind: &str, id: u64) -> String {
        let tries = [
            name.to_owned(),
            format!("{name} ({kind})"),
            format!("{name} ({kind} {id})"),
        ];
        let free = tries
            .iter()
            .find(|name| !self.names.contains(*name))
            .unwrap_or(&tries[2])
            .clone();
        self.names.insert(free.clone());
        free
    }
}
