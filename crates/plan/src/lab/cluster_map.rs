//! The cluster that a lab makes: what placement goes by.
//!
//! Owns: which machine is which node of the map, with its disks and what it sits behind. Promises: nodes come in the
//! order of the file, which stands for the order in which they join.

use super::model::{Node as Machine, Role};
use super::{Resolved, ThingId, ThingKind};
use crate::map::{ClusterMap, Disk, Domains, Node, NodeId};
use std::collections::BTreeSet;

/// Bytes of a gigabyte, as sizes of disks are sold.
const BYTES_PER_GB: f64 = 1e9;

impl Resolved {
    /// Machines that are members of the cluster, in the order of the file.
    pub fn members(&self) -> impl Iterator<Item = (ThingId, &Machine)> {
        self.of_kind(ThingKind::Node)
            .filter_map(|(id, _)| Some((id, self.node(id)?)))
            .filter(|(_, node)| node.role() != Role::Other)
    }

    /// The map of all members. Behind more than one circuit or switch at once, the domain is all of them together,
    /// because a node fails with all of them only.
    pub fn cluster_map(&self) -> ClusterMap {
        let nodes = self.members().map(|(id, machine)| self.map_node(id, machine));
        ClusterMap {
            nodes: nodes.collect(),
        }
    }

    fn map_node(&self, id: ThingId, machine: &Machine) -> Node {
        let thing = self.thing(id);
        let data = thing.disks.iter().filter(|disk| disk.data);
        let disks: Vec<Disk> = data
            .map(|disk| Disk {
                id: disk.name.clone(),
                weight: (disk.size_gb * BYTES_PER_GB) as u64,
            })
            .collect();
        let holds = machine.role() == Role::Storage;
        let name = |id: ThingId| self.thing(id).name.clone();
        Node {
            id: NodeId(thing.name.clone()),
            weight: 0,
            disks: if holds { disks } else { Vec::new() },
            domains: Domains {
                site: thing.site.map(name),
                rack: thing.rack.map(name),
                circuit: self.together(self.circuits_of(id)),
                switch: self.together(self.switches_of(id)),
            },
            state: machine.state,
        }
    }

    fn together(&self, things: BTreeSet<ThingId>) -> Option<String> {
        let names: Vec<&str> = things.iter().map(|id| self.thing(*id).name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" + "))
    }

    /// The switches that a device has a cable to.
    pub fn switches_of(&self, id: ThingId) -> BTreeSet<ThingId> {
        let ends = self.links.iter().filter_map(|link| match link {
            link if link.from == id => Some(link.to),
            link if link.to == id => Some(link.from),
            _ => None,
        });
        ends.filter(|end| self.thing(*end).kind == ThingKind::Switch)
            .collect()
    }
}
