//! A copy of a lab with changes, and the lines of the file that make them.
//!
//! Promises: what is changed is said, and what is said is changed.

use crate::lab::model::{Circuit, Common, Lab, Node, Outlet, Switch, Ups};
use crate::policy::Policy;
use std::collections::BTreeSet;

/// A lab that is being changed.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub lab: Lab,
    /// What is changed, in lines of the file.
    pub change: Vec<String>,
}

/// A list of names, as the file has it.
fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quote(name)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A text, as the file has it.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Edit {
    pub(super) fn of(lab: &Lab) -> Self {
        Self {
            lab: lab.clone(),
            change: Vec::new(),
        }
    }

    /// A name that is not there yet: `switch-2`.
    pub(super) fn fresh(&self, word: &str) -> String {
        let lab = &self.lab;
        let devices = lab.upses.iter().map(|it| &it.common.name);
        let devices = devices.chain(lab.pdus.iter().map(|it| &it.common.name));
        let devices = devices.chain(lab.switches.iter().map(|it| &it.common.name));
        let devices = devices.chain(lab.nodes.iter().map(|it| &it.common.name));
        let rest = lab.sites.iter().map(|it| &it.name);
        let rest = rest.chain(lab.circuits.iter().map(|it| &it.name));
        let rest = rest.chain(lab.outlets.iter().map(|it| &it.name));
        let rest = rest.chain(lab.racks.iter().map(|it| &it.name));
        let taken: BTreeSet<String> = devices.chain(rest).map(|name| name.to_lowercase()).collect();
        let mut names = (1_usize..).map(|number| format!("{word}-{number}"));
        // There are fewer names taken than numbers.
        names.find(|name| !taken.contains(name)).unwrap_or_default()
    }

    fn common(&mut self, name: &str) -> Option<(&'static str, &mut Common)> {
        let lab = &mut self.lab;
        let upses = lab.upses.iter_mut().map(|it| ("ups", &mut it.common));
        let pdus = lab.pdus.iter_mut().map(|it| ("pdu", &mut it.common));
        let switches = lab.switches.iter_mut().map(|it| ("switch", &mut it.common));
        let nodes = lab.nodes.iter_mut().map(|it| ("node", &mut it.common));
        let mut all = upses.chain(pdus).chain(switches).chain(nodes);
        all.find(|(_, common)| common.name == name)
    }

    /// Plugs a device in elsewhere.
    pub(super) fn power(&mut self, name: &str, power: Vec<String>) {
        if let Some((table, common)) = self.common(name) {
            let line = format!("[[{table}]] {name}: power = {}", list(&power));
            common.power = power;
            self.change.push(line);
        }
    }

    /// Gives a machine one more cable.
    pub(super) fn cable(&mut self, node: &str, switch: &str) {
        let found = self.lab.nodes.iter_mut().find(|it| it.common.name == node);
        if let Some(found) = found {
            found.network.push(switch.to_owned());
            let line = format!("[[node]] {node}: network = {}", list(&found.network));
            self.change.push(line);
        }
    }

    /// Keeps data in another way.
    pub(super) fn redundancy(&mut self, data: &str, policy: Policy) {
        if let Some(found) = self.lab.data.iter_mut().find(|it| it.name == data) {
            found.redundancy = policy;
            self.change
                .push(format!("[[data]] {data}: redundancy = \"{policy}\""));
        }
    }

    /// Says how data is kept where nothing is said.
    pub(super) fn add_circuit(&mut self, circuit: Circuit, outlet: Outlet) {
        self.add("circuit", &circuit);
        self.add("outlet", &outlet);
        self.lab.circuits.push(circuit);
        self.lab.outlets.push(outlet);
    }

    pub(super) fn add_switch(&mut self, switch: Switch) {
        self.add("switch", &switch);
        self.lab.switches.push(switch);
    }

    pub(super) fn add_ups(&mut self, ups: Ups) {
        self.add("ups", &ups);
        self.lab.upses.push(ups);
    }

    pub(super) fn add_node(&mut self, node: Node) {
        self.add("node", &node);
        self.lab.nodes.push(node);
    }

    /// A new table, with what is not nothing in it.
    fn add(&mut self, table: &str, value: &impl serde::Serialize) {
        let Ok(toml::Value::Table(fields)) = toml::Value::try_from(value) else {
            return;
        };
        self.change.push(format!("[[{table}]]"));
        let empty = |value: &toml::Value| match value {
            toml::Value::Array(items) => items.is_empty(),
            toml::Value::Boolean(flag) => !flag,
            toml::Value::Table(range) => range.values().all(|end| end.as_float() == Some(0.0)),
            _ => false,
        };
        // The name first, as people write it.
        let rank = |(name, _): &(&String, &toml::Value)| (name.as_str() != "name", (*name).clone());
        let mut fields: Vec<_> = fields.iter().filter(|(_, value)| !empty(value)).collect();
        fields.sort_by_key(rank);
        for (name, value) in fields {
            self.change.push(format!("{name} = {value}"));
        }
    }
}
