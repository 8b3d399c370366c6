//! To NetBox: lists of the shape that `GET /api/dcim/…` answers.

use super::super::model::{Common, Lab, RackKind};
use super::super::resolve::{Resolved, Thing, ThingId, ThingKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A lab as NetBox's lists, by kind. What NetBox has no field for is in the JSON custom field `stead` of each object,
/// and what is of no object (data, tariff, parts) in `stead` beside the lists, which NetBox does not take.
pub fn export(lab: &Resolved) -> Value {
    let mut export = Export {
        lab,
        lists: BTreeMap::new(),
    };
    export.places();
    for (id, thing) in lab.ids() {
        export.device(id, thing);
    }
    export.plugs();
    export.cables();
    let lists = export
        .lists
        .into_iter()
        .map(|(kind, list)| (kind.to_owned(), Value::Array(list)));
    let mut all: Map<String, Value> = lists.collect();
    all.insert("stead".to_owned(), rest(&lab.lab));
    Value::Object(all)
}

/// What is of no object.
fn rest(lab: &Lab) -> Value {
    let rest = Lab {
        name: lab.name.clone(),
        currency: lab.currency.clone(),
        tariff_per_kwh: lab.tariff_per_kwh,
        price_per_usd: lab.price_per_usd,
        data: lab.data.clone(),
        parts: lab.parts.clone(),
        ..Lab::default()
    };
    serde_json::to_value(rest).unwrap_or_default()
}

struct Export<'l> {
    lab: &'l Resolved,
    lists: BTreeMap<&'static str, Vec<Value>>,
}

fn number(id: ThingId) -> usize {
    id.0 + 1
}

fn slug(name: &str) -> String {
    let letters = name.to_lowercase();
    let letters = letters
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' });
    letters.collect::<String>().trim_matches('-').to_owned()
}

impl Export<'_> {
    /// Adds an object; answers its number.
    fn add(&mut self, kind: &'static str, mut object: Value) -> usize {
        let list = self.lists.entry(kind).or_default();
        let own = list.len() + 1;
        if let Some(fields) = object.as_object_mut() {
            fields.entry("id").or_insert(own.into());
        }
        list.push(object);
        own
    }

    fn brief(&self, id: Option<ThingId>) -> Value {
        id.map_or(
            Value::Null,
            |id| json!({ "id": number(id), "name": self.lab.thing(id).name }),
        )
    }

    fn places(&mut self) {
        let lab = self.lab;
        for (id, site) in lab.of_kind(ThingKind::Site) {
            self.add(
                "sites",
                json!({ "id": number(id), "name": site.name, "slug": slug(&site.name) }),
            );
        }
        for (id, thing) in lab.of_kind(ThingKind::Rack) {
            let Some(rack) = lab.rack(id) else { continue };
            let width = if rack.kind == RackKind::Ten { 10 } else { 19 };
            let rack = json!({
                "id": number(id),
                "name": thing.name,
                "site": self.brief(thing.site),
                "u_height": rack.units,
                "width": { "value": width, "label": format!("{width} inches") },
                "custom_fields": { "stead": { "kind": rack.kind, "price": rack.price } },
            });
            self.add("racks", rack);
        }
        for (id, thing) in lab.of_kind(ThingKind::Circuit) {
            let Some(circuit) = lab.circuit(id) else { continue };
            let panel = json!({ "name": format!("{} panel", thing.name), "site": self.brief(thing.site) });
            let panel = self.add("power_panels", panel);
            let feed = json!({
                "id": number(id),
                "name": thing.name,
                "power_panel": { "id": panel, "site": self.brief(thing.site) },
                "voltage": circuit.volts,
                "amperage": circuit.amps,
                "max_utilization": circuit.continuous_percent,
                "supply": { "value": "ac", "label": "AC" },
                "phase": { "value": "single-phase", "label": "Single phase" },
                "custom_fields": { "stead": { "other_load_w": circuit.other_load_w } },
            });
            self.add("power_feeds", feed);
        }
    }

    fn device(&mut self, id: ThingId, thing: &Thing) {
        let (role, kept) = match thing.kind {
            ThingKind::Outlet => ("wall-outlet", Value::Null),
            ThingKind::Ups => ("ups", self.kept(&self.lab.lab.upses[thing.index])),
            ThingKind::Pdu => ("pdu", self.kept(&self.lab.lab.pdus[thing.index])),
            ThingKind::Switch => ("switch", self.kept(&self.lab.lab.switches[thing.index])),
            ThingKind::Node => ("server", self.kept(&self.lab.lab.nodes[thing.index])),
            ThingKind::Site | ThingKind::Circuit | ThingKind::Rack => return,
        };
        let common = self.lab.common(id);
        let model = common
            .and_then(|common| common.part.clone())
            .unwrap_or_else(|| role.to_owned());
        let height = thing
            .figures
            .as_ref()
            .filter(|it| it.height_u.known)
            .map(|it| it.height_u.value);
        let kind = self.device_type(&model, height);
        let device = json!({
            "id": number(id),
            "name": thing.name,
            "device_type": kind,
            "role": { "name": role, "slug": role },
            "site": self.brief(thing.site),
            "rack": self.brief(thing.rack),
            "position": common.and_then(|common: &Common| common.at_u),
            "status": { "value": "active", "label": "Active" },
            "custom_fields": { "stead": kept },
        });
        self.add("devices", device);
    }

    /// The type of this model and height; NetBox counts height with the type.
    fn device_type(&mut self, model: &str, height: Option<f64>) -> Value {
        let height = height.unwrap_or(0.0);
        let types = self.lists.entry("device_types").or_default();
        let same = |it: &&Value| it["model"] == model && it["u_height"] == height;
        let found = types.iter().find(same).and_then(|it| it["id"].as_u64());
        let manufacturer = json!({ "name": "unknown", "slug": "unknown" });
        let own = match found {
            Some(own) => own as usize,
            None => {
                let kind = json!({ "model": model, "slug": slug(model), "u_height": height, "manufacturer": manufacturer });
                self.add("device_types", kind)
            }
        };
        json!({ "id": own, "model": model, "slug": slug(model), "manufacturer": manufacturer })
    }

    /// What the file says of it, without what NetBox has fields for.
    fn kept(&self, table: &impl serde::Serialize) -> Value {
        let mut kept = serde_json::to_value(table).unwrap_or_default();
        if let Some(fields) = kept.as_object_mut() {
            for field in ["name", "power", "network", "rack", "at_u"] {
                fields.remove(field);
            }
        }
        kept
    }

    fn port(&mut self, kind: &'static str, device: ThingId, name: String, more: Value) -> usize {
        let mut port = json!({ "device": self.brief(Some(device)), "name": name });
        if let (Some(port), Value::Object(more)) = (port.as_object_mut(), more) {
            port.extend(more);
        }
        self.add(kind, port)
    }

    fn cable(&mut self, one: (&str, usize), other: (&str, usize), label: &str) {
        let end =
            |(kind, id): (&str, usize)| json!([{ "object_type": format!("dcim.{kind}"), "object_id": id }]);
        let cable = json!({ "a_terminations": end(one), "b_terminations": end(other), "label": label });
        self.add("cables", cable);
    }

    /// A power port for each plug, cabled to an outlet of its own or to the feed. What comes over Ethernet comes with a
    /// network cable.
    fn plugs(&mut self) {
        let lab = self.lab;
        for (id, thing) in lab.ids() {
            for (at, feed) in thing.feeds.iter().enumerate() {
                let from = lab.thing(*feed).kind;
                if from == ThingKind::Switch {
                    continue;
                }
                let port = self.port(
                    "power_ports",
                    id,
                    format!("power {}", at + 1),
                    Value::Object(Map::new()),
                );
                match from {
                    ThingKind::Circuit => self.cable(("powerport", port), ("powerfeed", number(*feed)), ""),
                    _ => {
                        let name = format!("outlet for {}", thing.name);
                        let outlet = self.port("power_outlets", *feed, name, Value::Object(Map::new()));
                        self.cable(("powerport", port), ("poweroutlet", outlet), "");
                    }
                }
            }
        }
    }

    fn cables(&mut self) {
        let lab = self.lab;
        let mut fed: BTreeMap<(ThingId, ThingId), usize> = BTreeMap::new();
        for (id, thing) in lab.ids() {
            for feed in thing
                .feeds
                .iter()
                .filter(|feed| lab.thing(**feed).kind == ThingKind::Switch)
            {
                *fed.entry((id, *feed)).or_default() += 1;
            }
        }
        for link in &lab.links {
            let mut take = |device, from| match fed.get_mut(&(device, from)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                _ => false,
            };
            let (from_fed, to_fed) = (take(link.from, link.to), take(link.to, link.from));
            self.network(
                link.from,
                link.to,
                (from_fed, to_fed),
                link.mbit_per_second,
                &link.name,
            );
        }
        // Power over Ethernet without a cable that is listed: the cable is there all the same.
        for ((device, from), left) in fed {
            for _ in 0..left {
                self.network(device, from, (true, false), None, "");
            }
        }
    }

    fn network(
        &mut self,
        from: ThingId,
        to: ThingId,
        (from_fed, to_fed): (bool, bool),
        mbit: Option<f64>,
        label: &str,
    ) {
        let interface = |own: bool, other: bool| {
            let mode = match (own, other) {
                (true, _) => json!({ "value": "pd", "label": "PD" }),
                (_, true) => json!({ "value": "pse", "label": "PSE" }),
                _ => Value::Null,
            };
            json!({ "poe_mode": mode, "speed": mbit.map(|mbit| mbit * 1e3), "type": { "value": "other", "label": "Other" } })
        };
        let one = self.port(
            "interfaces",
            from,
            format!("to {}", self.lab.thing(to).name),
            interface(from_fed, to_fed),
        );
        let other = self.port(
            "interfaces",
            to,
            format!("to {}", self.lab.thing(from).name),
            interface(to_fed, from_fed),
        );
        self.cable(("interface", one), ("interface", other), label);
    }
}
