//! The map that a membership is, and who is out.

use crate::map::{ClusterMap, Domains, Node, NodeState};

/// A member, as far as placement goes by it.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes that it can hold; zero where it did not say.
    pub capacity: u64,
    /// What can fail with it.
    pub domains: &'a Domains,
    /// It votes and holds no data.
    pub witness: bool,
    /// It gives up its copies.
    pub draining: bool,
    /// It was away for so long that others hold its copies.
    pub out: bool,
}

/// The map that these members are. A member that never said how much it holds counts as the others do.
pub fn cluster_map<'a>(members: impl Iterator<Item = Standing<'a>> + Clone) -> ClusterMap {
    let said: Vec<u64> = members
        .clone()
        .map(|member| member.capacity)
        .filter(|capacity| *capacity > 0)
        .collect();
    let usual = said
        .iter()
        .sum::<u64>()
        .checked_div(said.len() as u64)
        .unwrap_or(1);
    let node = |member: Standing<'_>| {
        let capacity = match member.capacity {
            0 => usual,
            capacity => capacity,
        };
        Node {
            id: member.name.into(),
            weight: if member.witness { 0 } else { capacity },
            disks: Vec::new(),
            domains: member.domains.clone(),
            state: match (member.out, member.draining) {
                (true, _) => NodeState::Lost,
                (_, true) => NodeState::Draining,
                _ => NodeState::Active,
            },
        }
    };
    ClusterMap {
        nodes: members.map(node).collect(),
    }
}

/// Whether others hold a member's copies from now on: it was away for too long; until it is up again.
pub fn is_out(was: bool, is_up: bool, away_too_long: bool) -> bool {
    if was { !is_up } else { away_too_long }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_out_stays_it_until_it_is_up() {
        assert!(is_out(false, false, true) && !is_out(false, false, false));
        assert!(is_out(true, false, false) && !is_out(true, true, false));
    }

    #[test]
    fn who_did_not_say_what_it_holds_counts_as_the_others_do() {
        let domains = Domains::default();
        let member = |name, capacity, witness| Standing {
            name,
            capacity,
            domains: &domains,
            witness,
            draining: false,
            out: false,
        };
        let members = [
            member("a", 10, false),
            member("b", 0, false),
            member("c", 30, true),
        ];
        let weights: Vec<u64> = cluster_map(members.into_iter())
            .nodes
            .iter()
            .map(|node| node.weight)
            .collect();
        assert_eq!(weights, [10, 20, 0]);
    }
}
