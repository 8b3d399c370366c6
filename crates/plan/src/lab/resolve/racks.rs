//! Racks: who is where, and that no two are in one place.

use super::super::model::{Lab, RackKind};
use super::names::{ByName, common, look_up};
use super::{Errors, Kind, Thing, ThingId, ThingKind};
use std::collections::BTreeMap;

/// Finds the rack of each device.
pub(super) fn place(lab: &Lab, things: &mut [Thing], by_name: &ByName, errors: &mut Errors) {
    for at in 0..things.len() {
        let thing = &things[at];
        let Some(common) = common(lab, thing.kind, thing.index) else {
            continue;
        };
        let rack = match (&common.rack, common.at_u) {
            (Some(rack), _) => {
                let all = (&*things, by_name);
                look_up(rack, (&common.name, "rack"), &[ThingKind::Rack], all, errors)
            }
            (None, Some(_)) => {
                let message = format!("`{}` has `at_u` and no `rack`", common.name);
                errors.push(
                    &common.name,
                    Kind::MissingField,
                    message,
                    "Say which rack it is in.",
                );
                None
            }
            (None, None) => None,
        };
        things[at].rack = rack;
    }
}

/// Whether every device with a place is inside its rack and alone there. On a shelf things stand side by side.
pub(super) fn room(lab: &Lab, things: &[Thing], errors: &mut Errors) {
    let mut in_racks: BTreeMap<ThingId, Vec<(f64, f64, &str)>> = BTreeMap::new();
    for thing in things {
        let Some(common) = common(lab, thing.kind, thing.index) else {
            continue;
        };
        let (Some(id), Some(at_u), Some(figures)) = (thing.rack, common.at_u, &thing.figures) else {
            continue;
        };
        let rack = &lab.racks[things[id.0].index];
        let bottom = f64::from(at_u);
        let top = bottom + figures.height_u.value;
        if at_u == 0 || top > f64::from(rack.units) + 1.0 {
            let message = format!(
                "`{}` takes {} U from unit {at_u} up, and `{}` has the units 1 to {}",
                thing.name, figures.height_u.value, rack.name, rack.units
            );
            errors.push(
                &thing.name,
                Kind::OutsideRack,
                message,
                "Put it where there is room.",
            );
        }
        if rack.kind != RackKind::Shelf {
            in_racks.entry(id).or_default().push((bottom, top, &thing.name));
        }
    }
    for (id, mut devices) in in_racks {
        devices.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.2.cmp(other.2)));
        let mut below: Option<(f64, &str)> = None;
        for (bottom, top, name) in devices {
            if let Some((taken, other)) = below
                && bottom < taken
            {
                let message = format!(
                    "`{name}` and `{other}` are both in unit {bottom} of `{}`",
                    things[id.0].name
                );
                errors.push(
                    name,
                    Kind::UnitTaken,
                    message,
                    "Move one of them; `at_u` is its lowest unit.",
                );
            }
            if below.is_none_or(|(taken, _)| top > taken) {
                below = Some((top, name));
            }
        }
    }
}
