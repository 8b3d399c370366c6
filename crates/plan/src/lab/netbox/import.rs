//! From NetBox.

use super::super::catalogue::Catalogue;
use super::super::error::{LabError, LabErrorKind as Kind};
use super::super::model::{
    Cable, Circuit, Common, Lab, Node, Outlet, Part, PartKind, Pdu, Rack, RackKind, Role, Site, Switch, Ups,
};
use super::super::read::MAX_FIGURE;
use crate::interval::Interval;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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

/// The objects of a kind: a list, or a page of the API.
fn list<'a>(answers: &'a Value, kind: &str) -> &'a [Value] {
    let found = answers.get(kind).or_else(|| answers.get(kind.replace('_', "-")));
    let found = found.map(|found| found.get("results").unwrap_or(found));
    found.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn id(object: &Value) -> u64 {
    object.get("id").and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    object
        .pointer(path)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// Numbers are numbers or, where NetBox keeps decimals, texts.
fn number(object: &Value, path: &str) -> Option<f64> {
    let value = object.pointer(path)?;
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| number.is_finite() && *number >= 0.0)
}

/// One end of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Feed(u64),
    PowerPort(u64),
    PowerOutlet(u64),
    Interface(u64),
}

struct Import<'a> {
    answers: &'a Value,
    lab: Lab,
    notes: Vec<String>,
    names: BTreeSet<String>,
    sites: BTreeMap<u64, String>,
    racks: BTreeMap<u64, String>,
    feeds: BTreeMap<u64, String>,
    devices: BTreeMap<u64, String>,
    /// The device of each port, outlet and interface.
    holders: BTreeMap<End, u64>,
    /// Devices with power outlets.
    gives_power: BTreeSet<u64>,
    interfaces: BTreeMap<u64, &'a Value>,
    types: BTreeMap<u64, &'a Value>,
    /// What power ports say that a device takes together, by device: least and most.
    draws: BTreeMap<u64, (f64, f64)>,
    /// Wall outlets by name, as positions in the lab's list.
    outlets: BTreeMap<String, usize>,
    /// What is plugged in where, by device.
    power: BTreeMap<String, Vec<String>>,
    unknown_parts: BTreeSet<String>,
    /// Wall outlets that NetBox has nothing for, by power feed.
    spare_outlets: BTreeMap<u64, String>,
    /// Parts made of what NetBox says.
    parts: BTreeMap<String, Part>,
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
    fn name(&mut self, object: &Value, kind: &str) -> String {
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

    /// This name, or one made of it that is free.
    fn free(&mut self, name: &str, kind: &str, id: u64) -> String {
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

    fn places(&mut self) {
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
                self.notes.push(format!(
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

    fn devices(&mut self) {
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

    fn connections(&mut self) {
        let mut seen = BTreeSet::new();
        for cable in list(self.answers, "cables") {
            for one in ends(cable, "a_terminations") {
                for other in ends(cable, "b_terminations") {
                    if seen.insert((one.min(other), one.max(other))) {
                        self.connect(one, other, text(cable, "/label"));
                    }
                }
            }
        }
        self.plug_all();
        let lost: Vec<String> = self
            .lab
            .outlets
            .iter()
            .filter(|it| it.circuit.is_empty())
            .map(|it| it.name.clone())
            .collect();
        for name in lost {
            self.notes
                .push(format!("outlet `{name}` is on no power feed: name its circuit"));
        }
    }

    fn device(&self, end: End) -> Option<String> {
        self.holders
            .get(&end)
            .and_then(|device| self.devices.get(device))
            .cloned()
    }

    fn connect(&mut self, one: End, other: End, label: Option<&str>) {
        match (one, other) {
            (End::PowerPort(_), End::Feed(feed)) | (End::Feed(feed), End::PowerPort(_)) => {
                let port = if matches!(one, End::PowerPort(_)) {
                    one
                } else {
                    other
                };
                let (Some(device), Some(circuit)) = (self.device(port), self.feeds.get(&feed).cloned())
                else {
                    return;
                };
                match self.outlets.get(&device) {
                    Some(outlet) => self.lab.outlets[*outlet].circuit = circuit,
                    None => {
                        let outlet = self.spare_outlet(feed, circuit);
                        self.plug(&device, outlet);
                    }
                }
            }
            (End::PowerPort(_), End::PowerOutlet(_)) | (End::PowerOutlet(_), End::PowerPort(_)) => {
                let (port, outlet) = if matches!(one, End::PowerPort(_)) {
                    (one, other)
                } else {
                    (other, one)
                };
                if let (Some(device), Some(from)) = (self.device(port), self.device(outlet)) {
                    self.plug(&device, from);
                }
            }
            (End::Interface(_), End::Interface(_)) => self.network(one, other, label),
            _ => self.notes.push("a cable of another kind was left out".to_owned()),
        }
    }

    /// Where nothing stands for a wall outlet, there is one for each circuit that something is plugged into.
    fn spare_outlet(&mut self, feed: u64, circuit: String) -> String {
        if let Some(name) = self.spare_outlets.get(&feed) {
            return name.clone();
        }
        let name = self.free(&format!("{circuit} outlet"), "wall", feed);
        self.spare_outlets.insert(feed, name.clone());
        self.lab.outlets.push(Outlet {
            name: name.clone(),
            circuit,
        });
        name
    }

    fn plug(&mut self, device: &str, from: String) {
        self.power.entry(device.to_owned()).or_default().push(from);
    }

    /// Gives every device its plugs.
    fn plug_all(&mut self) {
        let upses = self.lab.upses.iter_mut().map(|it| &mut it.common);
        let pdus = self.lab.pdus.iter_mut().map(|it| &mut it.common);
        let switches = self.lab.switches.iter_mut().map(|it| &mut it.common);
        let nodes = self.lab.nodes.iter_mut().map(|it| &mut it.common);
        for common in upses.chain(pdus).chain(switches).chain(nodes) {
            common.power = self.power.remove(&common.name).unwrap_or_default();
        }
    }

    fn network(&mut self, one: End, other: End, label: Option<&str>) {
        let (Some(from), Some(to)) = (self.device(one), self.device(other)) else {
            self.notes
                .push("a cable between interfaces that are not in the file was left out".to_owned());
            return;
        };
        let (End::Interface(a), End::Interface(b)) = (one, other) else {
            return;
        };
        let interface = |wanted: u64| self.interfaces.get(&wanted).copied();
        let fed = |wanted: u64| interface(wanted).and_then(|it| text(it, "/poe_mode/value")) == Some("pd");
        let kbit = interface(a)
            .and_then(|it| number(it, "/speed"))
            .or_else(|| interface(b).and_then(|it| number(it, "/speed")));
        for (device, from, fed) in [(&from, &to, fed(a)), (&to, &from, fed(b))] {
            if fed {
                self.plug(device, from.clone());
            }
        }
        let label = label.filter(|label| !self.names.contains(*label) && label.chars().count() <= 100);
        if let Some(label) = label {
            self.names.insert(label.to_owned());
        }
        self.lab.cables.push(Cable {
            name: label.map(str::to_owned),
            from,
            to,
            mbit_per_second: kbit.map(|kbit| kbit / 1e3),
        });
    }
}

/// What the export kept for us, read back with what else is in it ignored.
fn kept<T: DeserializeOwned>(object: &Value) -> Option<T> {
    let kept = object.pointer("/custom_fields/stead")?;
    T::deserialize(kept).ok()
}

/// One field of that.
fn kept_field<T: DeserializeOwned>(object: &Value, field: &str) -> Option<T> {
    let kept = object.pointer("/custom_fields/stead")?.get(field)?;
    T::deserialize(kept).ok()
}

/// What power ports say that devices take: allocated, and at most.
fn draws(answers: &Value, holders: &BTreeMap<End, u64>) -> BTreeMap<u64, (f64, f64)> {
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

fn ends(cable: &Value, side: &str) -> Vec<End> {
    let all = cable.get(side).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|end| {
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
