//! A cluster as it is now, as a lab: so that what is forecast of a plan is forecast of the real thing.
//!
//! Owns: the lab that members' own words make, and what a file's lab becomes when the members' state is laid over it.
//! Promises: pure. What members do not say (plugs, batteries, how switches are connected) is not invented: power comes
//! from the breaker that a member names, or is taken as always there; switches of one building are connected to each
//! other, and buildings by the internet.

use crate::failures::Forecaster;
use crate::lab::model::{
    Circuit, Common, Data, Disk, DiskKind, Node, Outlet, Rack, RackKind, Role, Site, Switch,
};
use crate::lab::{Lab, Resolved};
use crate::map::NodeState;
use crate::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};

/// What stands for the size of a disk that nobody knows, in gigabytes.
const UNKNOWN_GB: f64 = 1000.0;

/// A member, by its own words and by what the others know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// What people call it; unique.
    pub name: String,
    /// The building that it is in; and so on.
    pub site: Option<String>,
    /// The rack.
    pub rack: Option<String>,
    /// The breaker that feeds it.
    pub circuit: Option<String>,
    /// The switch that it is plugged into.
    pub switch: Option<String>,
    /// What it can hold; zero where it did not say.
    pub capacity_bytes: u64,
    /// It votes and holds no data.
    pub witness: bool,
    /// It has a vote.
    pub voter: bool,
    /// It answers.
    pub up: bool,
    /// It gives up what it holds.
    pub draining: bool,
    /// It was away for so long that others hold its copies.
    pub out: bool,
    /// It has all that belongs there.
    pub level: bool,
}

/// A cluster as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// All members.
    pub members: Vec<Member>,
    /// What is kept how: names of buckets, and their policy.
    pub data: Vec<(String, Policy)>,
}

impl Member {
    fn state(&self) -> NodeState {
        match self {
            Self { out: true, .. } => NodeState::Lost,
            Self { up: false, .. } => NodeState::Down,
            Self { draining: true, .. } => NodeState::Draining,
            _ => NodeState::Active,
        }
    }
}

/// Names that are not taken yet: a breaker and a switch of one name are two things.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn take(&mut self, kind: &str, name: &str) -> String {
        let mut taken = name.to_owned();
        if self.0.contains(&taken) {
            taken = format!("{kind} {name}");
        }
        while !self.0.insert(taken.clone()) {
            taken.push('\'');
        }
        taken
    }
}

/// A lab while it is made: what members name, by kind and name, under the name that it has in the lab.
#[derive(Default)]
struct Making {
    lab: Lab,
    names: Names,
    known: BTreeMap<(&'static str, String), String>,
}

impl Making {
    /// The lab's name of something that a member names; `add` is called where it is new.
    fn name(&mut self, kind: &'static str, name: &str, add: impl FnOnce(&mut Lab, String)) -> String {
        let at = (kind, name.to_owned());
        if let Some(known) = self.known.get(&at) {
            return known.clone();
        }
        let taken = self.names.take(kind, name);
        add(&mut self.lab, taken.clone());
        self.known.insert(at, taken.clone());
        taken
    }

    fn site(&mut self, member: &Member) -> Option<String> {
        let name = member.site.as_deref()?;
        Some(self.name("site", name, |lab, name| lab.sites.push(Site { name })))
    }

    /// What connects the switches of a building, and machines of it that name none.
    fn network(&mut self, site: Option<&str>) -> String {
        let name = site.map_or("network".to_owned(), |site| format!("network of {site}"));
        self.name("network", &name, |lab, name| {
            lab.switches.push(Switch {
                common: Common {
                    name,
                    ..Common::default()
                },
                uplink: true,
                ..Switch::default()
            });
        })
    }

    fn add(&mut self, member: &Member, switched: bool) {
        let site = self.site(member);
        let rack = member.rack.as_deref().map(|rack| {
            let site = site.clone();
            self.name("rack", rack, |lab, name| {
                lab.racks.push(Rack {
                    name,
                    site,
                    kind: RackKind::Shelf,
                    units: 1,
                    price: None,
                });
            })
        });
        let circuit = member.circuit.as_deref().map(|circuit| {
            let site = site.clone();
            self.name("circuit", circuit, |lab, name| {
                lab.circuits.push(Circuit {
                    name,
                    site,
                    // Neither is known, and neither counts where only what fails is asked.
                    volts: 230.0,
                    amps: 16.0,
                    continuous_percent: 80.0,
                    other_load_w: crate::interval::Interval::ZERO,
                });
            })
        });
        let power = circuit.map(|circuit| {
            let name = format!("outlet of {}", member.name);
            self.name("outlet", &name, |lab, name| {
                lab.outlets.push(Outlet { name, circuit })
            })
        });
        let network = switched.then(|| self.plug(member, site.as_deref()));
        let name = self.names.take("node", &member.name);
        let size_gb = match member.capacity_bytes {
            0 => UNKNOWN_GB,
            bytes => bytes as f64 / 1e9,
        };
        let disk = |name: &str, size_gb, data| Disk {
            name: name.to_owned(),
            part: None,
            kind: DiskKind::Ssd,
            size_gb,
            data,
            idle_w: None,
            active_w: None,
            spin_up_w: None,
            price: None,
        };
        let holds = (!member.witness).then(|| disk("blocks", size_gb, true));
        self.lab.nodes.push(Node {
            common: Common {
                name,
                power: power.into_iter().collect(),
                rack,
                ..Common::default()
            },
            role: Some(if member.witness {
                Role::Witness
            } else {
                Role::Storage
            }),
            disks: std::iter::once(disk("system", 1.0, false)).chain(holds).collect(),
            network: network.into_iter().collect(),
            state: member.state(),
            ..Node::default()
        });
    }

    /// What a machine's cable goes to.
    fn plug(&mut self, member: &Member, site: Option<&str>) -> String {
        let network = self.network(site);
        match member.switch.as_deref() {
            None => network,
            Some(switch) => self.name("switch", switch, |lab, name| {
                lab.switches.push(Switch {
                    common: Common {
                        name,
                        ..Common::default()
                    },
                    network: vec![network],
                    ..Switch::default()
                });
            }),
        }
    }
}

impl Live {
    /// The lab that the members make by their own words.
    pub fn lab(&self) -> Lab {
        let mut making = Making::default();
        // Names of members stay as they are.
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by_key(|member| !member.voter);
        for member in &members {
            making.names.0.insert(member.name.clone());
        }
        let switched = members.iter().any(|member| member.switch.is_some());
        for member in members {
            making.names.0.remove(&member.name);
            making.add(member, switched);
        }
        making.lab.name = "the cluster as it is".into();
        making.lab.data = self.data();
        making.lab
    }

    fn data(&self) -> Vec<Data> {
        let data = |(name, policy): &(String, Policy)| Data {
            name: name.clone(),
            redundancy: *policy,
            size_gb: None,
        };
        self.data.iter().map(data).collect()
    }

    /// Lays the members' state, and what is kept how, over a lab of a file. Answers, in sentences, where the two do not
    /// fit together.
    pub fn over(&self, lab: &mut Lab) -> Vec<String> {
        let mut notes = Vec::new();
        for node in lab.nodes.iter_mut().filter(|node| node.role() != Role::Other) {
            match self.members.iter().find(|member| member.name == node.common.name) {
                Some(member) => node.state = member.state(),
                None => {
                    notes.push(format!(
                        "{} is in the file, and no member of the cluster: taken as gone.",
                        node.common.name
                    ));
                    node.state = NodeState::Lost;
                }
            }
        }
        for member in &self.members {
            if !lab.nodes.iter().any(|node| node.common.name == member.name) {
                notes.push(format!(
                    "{} is a member, and not in the file: left out.",
                    member.name
                ));
            }
        }
        if !self.data.is_empty() {
            lab.data = self.data();
        }
        notes
    }

    /// A forecast of the cluster: who votes really, and what is really where.
    pub fn forecaster<'l>(&self, lab: &'l Resolved) -> Forecaster<'l> {
        let named = |keep: &dyn Fn(&&Member) -> bool| -> Vec<&str> {
            let kept = self.members.iter().filter(keep);
            kept.map(|member| member.name.as_str()).collect()
        };
        let lacking = |member: &&Member| member.up && !member.witness && !member.level;
        Forecaster::new(lab).with_state(&named(&|member| member.voter), &named(&lacking))
    }

    /// What is to be said of the state besides, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let of = |keep: &dyn Fn(&&Member) -> bool, how: &str| {
            let names: Vec<&str> = self
                .members
                .iter()
                .filter(keep)
                .map(|member| member.name.as_str())
                .collect();
            (!names.is_empty()).then(|| format!("{} {how}", names.join(", ")))
        };
        let lacks = "has not yet all copies that belong there: counted as if it had none.";
        let notes = [
            of(&|member| member.up && !member.witness && !member.level, lacks),
            of(&|member| !member.up && !member.out, "is away now."),
            of(
                &|member| member.out,
                "was away for so long that others hold its copies.",
            ),
        ];
        notes.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::{Verdict, WhatIf, understand};

    fn member(name: &str, voter: bool) -> Member {
        Member {
            name: name.into(),
            voter,
            up: true,
            level: true,
            capacity_bytes: 1 << 40,
            ..Member::default()
        }
    }

    fn verdict(live: &Live, words: &str) -> Verdict {
        let lab = live.lab().resolve().unwrap();
        let forecaster = live.forecaster(&lab);
        WhatIf::of(&forecaster, &understand(&lab, words).unwrap())
            .outcome
            .verdict
    }

    fn three() -> Live {
        Live {
            members: ["a", "b", "c"].map(|name| member(name, true)).into(),
            data: vec![("box".into(), Policy::replicas(3).unwrap())],
        }
    }

    #[test]
    fn what_is_away_or_lacking_counts() {
        let mut live = three();
        assert!(verdict(&live, "a dies").goes_on());
        live.members[1].up = false;
        assert_eq!(verdict(&live, "a dies"), Verdict::Down);
        live.members[1].up = true;
        live.members[1].level = false;
        live.members[2].level = false;
        assert_eq!(verdict(&live, "a dies"), Verdict::DataLost);
        assert!(live.notes()[0].starts_with("b, c has not yet") || live.notes()[0].contains("b, c"));
    }

    #[test]
    fn who_votes_really_counts() {
        let mut live = three();
        live.members.push(member("d", true));
        live.members[0].voter = false;
        // Whoever has no vote may go together with one that has.
        assert!(verdict(&live, "a and b die").goes_on());
        assert_eq!(verdict(&live, "b and c die"), Verdict::Down);
    }

    #[test]
    fn what_members_sit_behind_fails_with_them() {
        let mut live = three();
        for (member, switch) in live.members.iter_mut().zip(["s1", "s1", "s2"]) {
            member.switch = Some(switch.into());
            member.circuit = Some("s1".into());
            member.site = Some("home".into());
            member.rack = Some("home".into());
        }
        assert_eq!(verdict(&live, "unplug s1"), Verdict::Down);
        assert!(verdict(&live, "unplug s2").goes_on());
        assert_eq!(verdict(&live, "circuit s1 trips"), Verdict::Down);
    }

    #[test]
    fn a_file_s_lab_takes_the_members_state_and_says_where_they_differ() {
        let mut live = three();
        let mut lab = live.lab();
        live.members[0].up = false;
        live.members.push(member("new", false));
        lab.nodes[1].common.name = "other".into();
        let notes = live.over(&mut lab);
        assert_eq!(lab.nodes[0].state, NodeState::Down);
        assert_eq!(lab.nodes[1].state, NodeState::Lost);
        assert_eq!(notes.len(), 3, "{notes:?}");
    }
}
