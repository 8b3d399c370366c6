//! From NetBox: buildings, racks, circuits and devices.

use super::answers::{id, kept, kept_field, list, number, text};
use super::import::Import;
use crate::interval::Interval;
use crate::lab::catalogue::Catalogue;
use crate::lab::model::{
    Circuit, Common, Node, Outlet, Part, PartKind, Pdu, Rack, RackKind, Role, Site, Switch, Ups,
};
use crate::lab::read::MAX_FIGURE;
use serde_json::Value;

impl Import<'_> {
    /// Takes over sites, racks and power feeds.
    pub(super) fn places(&mut self) {
        for site in list(self.answers, "sites") {
            let name = self.name(site, "site");
            self.sites.insert(id(site), name.clone());
            self.lab.sites.push(Site { name });
        }
        for rack in list(self.answers, "racks") {
            let name = self.name(rack, "rack");
            self.racks.insert(id(rack), name.clone());
            let kind = match rack.pointer("/width/value").and_then(Value::as_u64) {
                Some(10) => RackKind::Ten,
                _ => RackKind::Nineteen,
            };
            let units = number(rack, "/u_height").unwrap_or(42.0).clamp(1.0, 100.0);
            let site = self.site_of(rack);
            self.lab.racks.push(Rack {
                name,
                site,
                kind: kept_field(rack, "kind").unwrap_or(kind),
                units: units as u32,
                price: kept_field(rack, "price"),
            });
        }
        for feed in list(self.answers, "power_feeds") {
            let name = self.name(feed, "circuit");
            self.feeds.insert(id(feed), name.clone());
            let (Some(volts), Some(amps)) = (number(feed, "/voltage"), number(feed, "/amperage")) else {
                self.note(format!(
                    "power feed `{name}` without voltage or amperage: left out"
                ));
                continue;
            };
            self.lab.circuits.push(Circuit {
                name,
                site: feed
                    .pointer("/power_panel/site")
                    .and_then(|site| self.sites.get(&id(site)).cloned()),
                volts,
                amps,
                continuous_percent: number(feed, "/max_utilization").unwrap_or(80.0),
                other_load_w: kept_field(feed, "other_load_w").unwrap_or_default(),
            });
        }
    }

    fn site_of(&self, object: &Value) -> Option<String> {
        object
            .get("site")
            .and_then(|site| self.sites.get(&id(site)).cloned())
    }

    /// Takes over devices.
    pub(super) fn devices(&mut self) {
        for device in list(self.answers, "devices") {
            let name = self.name(device, "device");
            self.devices.insert(id(device), name.clone());
            let words = [
                "/role/slug",
                "/role/name",
                "/device_role/slug",
                "/device_type/model",
            ];
            let words: Vec<String> = words
                .iter()
                .filter_map(|path| text(device, path))
                .map(str::to_lowercase)
                .collect();
            let is = |word: &str| words.iter().take(2).any(|text| text.contains(word));
            let gives_power = self.gives_power.contains(&id(device));
            if is("wall-outlet") {
                // The circuit is found with the cables.
                self.outlets.insert(name.clone(), self.lab.outlets.len());
                self.lab.outlets.push(Outlet {
                    name,
                    circuit: String::new(),
                });
            } else if is("ups") {
                let common = self.common(device, name, PartKind::Ups);
                let ups: Ups = kept(device).unwrap_or_default();
                self.lab.upses.push(Ups { common, ..ups });
            } else if is("pdu") || is("power") || gives_power {
                let common = self.common(device, name, PartKind::Pdu);
                let pdu: Pdu = kept(device).unwrap_or_default();
                self.lab.pdus.push(Pdu { common, ..pdu });
            } else if ["switch", "router", "firewall", "access-point"]
                .iter()
                .any(|word| is(word))
            {
                let common = self.common(device, name, PartKind::Switch);
                let switch: Switch = kept(device).unwrap_or_default();
                self.lab.switches.push(Switch {
                    common,
                    network: Vec::new(),
                    ..switch
                });
            } else {
                let common = self.common(device, name, PartKind::Node);
                let member = ["server", "node", "compute", "storage", "hypervisor"]
                    .iter()
                    .any(|word| is(word));
                let node: Node = kept(device).unwrap_or(Node {
                    role: (!member).then_some(Role::Other),
                    ..Node::default()
                });
                self.lab.nodes.push(Node {
                    common,
                    network: Vec::new(),
                    ..node
                });
            }
        }
    }

    fn common(&mut self, device: &Value, name: String, kind: PartKind) -> Common {
        let exported = kept::<Common>(device);
        let by_type = exported.is_none().then(|| self.part(device, kind)).flatten();
        let own = exported.unwrap_or_default();
        let part = own.part.clone().or(by_type);
        let of_type = device.get("device_type").and_then(|it| self.types.get(&id(it)));
        let height = of_type
            .and_then(|it| number(it, "/u_height"))
            .filter(|height| *height > 0.0);
        Common {
            name,
            part,
            power: Vec::new(),
            rack: device
                .get("rack")
                .and_then(|rack| self.racks.get(&id(rack)).cloned()),
            at_u: number(device, "/position")
                .map(|unit| unit as u32)
                .filter(|unit| *unit > 0),
            height_u: own.height_u.or(height),
            ..own
        }
    }

    /// The catalogue's part of a device's type, or one made of what NetBox says that its power ports take.
    fn part(&mut self, device: &Value, kind: PartKind) -> Option<String> {
        let model = text(device, "/device_type/model")?;
        let maker = text(device, "/device_type/manufacturer/name").unwrap_or_default();
        let both: String = format!("{maker} {model}").trim().chars().take(80).collect();
        let is = |name: &str| name.eq_ignore_ascii_case(model) || name.eq_ignore_ascii_case(&both);
        let found = Catalogue::built_in()
            .parts()
            .find(|part| part.kind == kind && is(&part.name));
        if let Some(part) = found {
            return Some(part.name.clone());
        }
        let draw = self.draws.get(&id(device)).copied();
        let draw = draw.and_then(|(low, high)| Interval::new(low.min(high), high.min(MAX_FIGURE)).ok());
        let (Some(draw), false) = (draw, both.chars().any(char::is_control)) else {
            self.unknown_parts.insert(both);
            return None;
        };
        let source = "NetBox: allocated_draw to maximum_draw of its power ports";
        let part = self.parts.entry(both.clone()).or_insert_with(|| {
            let mut part = Part::new(&both, kind, source, "as planned, not metered");
            part.stress_w = Some(draw);
            part
        });
        part.stress_w = part.stress_w.map(|known| known.hull(draw));
        (part.kind == kind).then_some(both)
    }
}
