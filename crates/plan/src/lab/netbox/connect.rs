//! From NetBox: what is plugged and cabled to what.

use super::answers::{End, ends, list, number, text};
use super::import::Import;
use crate::lab::model::{Cable, Outlet};
use std::collections::BTreeSet;

impl Import<'_> {
    /// Takes over cables, of power and of network.
    pub(super) fn connections(&mut self) {
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
            self.note(format!("outlet `{name}` is on no power feed: name its circuit"));
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
            _ => self.note("a cable of another kind was left out".to_owned()),
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
            self.note("a cable between interfaces that are not in the file was left out".to_owned());
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
