//! What of an outage is seen from a node: facts in sentences, and the sections of the guide that fit.
//!
//! Pure: a node's own answers come in. What a node does not tell is not guessed.

use crate::blocks::words;
use stead_client::wire::{ClusterNode, GuideBlock, GuideLive, GuideSymptom, Power, Status, Warning};

/// The guide whose sections these are.
pub const OUTAGE: &str = "outage";

/// What can be seen, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// No node answers the command.
    Silent,
    /// Nobody leads.
    NoLeader,
    /// A UPS is not on mains, or not known to be.
    Power,
    /// No room for writes.
    Full,
    /// Blocks that are not what was written.
    Damaged,
    /// Nodes that do not answer the others.
    Away,
    /// Copies that are not where they belong yet.
    Owed,
    /// A breaker near its limit.
    Breaker,
    /// A clock that is off.
    Clock,
    /// A warning of another kind.
    Other,
}

impl Symptom {
    /// All, the worst first.
    pub const ALL: &[Self] = &[
        Self::Silent,
        Self::NoLeader,
        Self::Power,
        Self::Full,
        Self::Damaged,
        Self::Away,
        Self::Owed,
        Self::Breaker,
        Self::Clock,
        Self::Other,
    ];

    /// The heading of its section in the guide.
    pub fn section(self) -> &'static str {
        match self {
            Self::Silent => "Nothing answers",
            Self::NoLeader => "Nothing can be written",
            Self::Power => "The power fails",
            Self::Full => "A disk is full",
            Self::Damaged => "Something is damaged",
            Self::Away => "A node is away",
            Self::Owed => "Copies are still owed",
            Self::Breaker => "A breaker carries too much",
            Self::Clock => "A clock is wrong",
            Self::Other => "Something else",
        }
    }

    /// What a warning with this code is about.
    pub fn of_code(code: &str) -> Self {
        match code {
            "STEAD-0050" => Self::Full,
            "STEAD-0030" | "STEAD-0031" | "STEAD-0032" | "STEAD-0033" => Self::Damaged,
            "STEAD-0090" | "STEAD-0091" => Self::Power,
            "STEAD-0092" => Self::Breaker,
            "STEAD-0203" => Self::Clock,
            _ => Self::Other,
        }
    }
}

/// What a node that answers tells.
pub fn live(status: &Status, warnings: &[Warning]) -> GuideLive {
    if !status.running {
        let fact = format!(
            "No node runs on {}: this is what the directory holds, position {}.",
            status.data,
            status.logs.first().map_or(0, |log| log.position)
        );
        return said(
            vec![fact],
            vec![(Symptom::Silent, "no node runs here".to_owned())],
        );
    }
    let cluster = &status.cluster;
    let mut seen = Vec::new();
    let mut facts = vec![nodes(&cluster.nodes)];
    match (leader(status), without_quorum(&cluster.nodes)) {
        // Who led last goes on saying so; what counts is whether enough hear it.
        (_, Some(why)) => {
            facts.push(format!(
                "{why}: writes are refused, and so are reads that have to be current."
            ));
            seen.push((Symptom::NoLeader, why));
        }
        (Some(name), None) => facts.push(format!("{name} leads, and writes are accepted.")),
        (None, None) => {
            facts.push("Nobody leads: writes are refused, and so are reads that have to be current.".into());
            seen.push((Symptom::NoLeader, "nobody leads".to_owned()));
        }
    }
    let spare = match cluster.can_lose {
        0 => "No node may be lost now".to_owned(),
        1 => "1 node may be lost now".to_owned(),
        more => format!("{more} nodes may be lost now"),
    };
    facts.push(format!("{spare}: {}.", cluster.because));
    facts.push(format!(
        "{} free in {} on this node.",
        gigabytes(status.free_bytes),
        status.data
    ));
    let away = names(&cluster.nodes, |node| node.state == "away");
    if !away.is_empty() {
        seen.push((Symptom::Away, format!("no answer from {}", away.join(", "))));
    }
    let owed = owed(&cluster.nodes);
    facts.push(match owed.as_slice() {
        [] if cluster.nodes.len() < 2 => "There is one node, so there is one copy of everything.".to_owned(),
        [] => "Every node that answers has the copies that belong there.".to_owned(),
        owed => format!("Copies are not all known to be in place: {}.", owed.join("; ")),
    });
    // To compare is what a node does now and then; to lack something is not.
    if cluster
        .nodes
        .iter()
        .any(|node| node.copies.as_ref().is_some_and(|copies| copies.missing > 0))
    {
        seen.push((Symptom::Owed, owed.join("; ")));
    }
    if let Some(power) = &status.power {
        facts.extend(power_facts(power));
    }
    for warning in warnings {
        let symptom = Symptom::of_code(&warning.code);
        // That nobody leads has been said already.
        if !(symptom == Symptom::Other && seen.iter().any(|(seen, _)| *seen == Symptom::NoLeader)) {
            seen.push((symptom, format!("{} ({})", warning.what, warning.code)));
        }
    }
    said(facts, seen)
}

/// What there is to say where no node answers, and why.
pub fn silent(why: &str) -> GuideLive {
    said(
        vec![format!("Nothing is known of the cluster now: {why}.")],
        vec![(Symptom::Silent, why.to_owned())],
    )
}

/// The guide's blocks, sections of what is there before the others, in the order of `live`.
pub fn with_present_first(blocks: Vec<GuideBlock>, live: &GuideLive) -> Vec<GuideBlock> {
    // What stands before the first section comes first in any case.
    let mut sections: Vec<(usize, Vec<GuideBlock>)> = vec![(0, Vec::new())];
    for block in blocks {
        if let GuideBlock::Heading { level: 2, spans } = &block {
            let title = words(spans);
            let place = live.present.iter().position(|seen| seen.section == title);
            sections.push((1 + place.unwrap_or(live.present.len()), Vec::new()));
        }
        if let Some((_, last)) = sections.last_mut() {
            last.push(block);
        }
    }
    sections.sort_by_key(|(place, _)| *place);
    sections.into_iter().flat_map(|(_, blocks)| blocks).collect()
}

fn said(facts: Vec<String>, mut seen: Vec<(Symptom, String)>) -> GuideLive {
    seen.sort_by_key(|(symptom, _)| *symptom);
    let present = seen.into_iter().map(|(symptom, what)| GuideSymptom {
        section: symptom.section().to_owned(),
        what,
    });
    GuideLive {
        facts,
        present: present.collect(),
    }
}

fn names(nodes: &[ClusterNode], wanted: impl Fn(&ClusterNode) -> bool) -> Vec<String> {
    let chosen = nodes.iter().filter(|node| wanted(node));
    chosen.map(|node| name(node).to_owned()).collect()
}

fn name(node: &ClusterNode) -> &str {
    if node.name.is_empty() {
        node.id.get(..12).unwrap_or(&node.id)
    } else {
        &node.name
    }
}

fn nodes(nodes: &[ClusterNode]) -> String {
    let group = |state: &str| names(nodes, |node| node.state == state);
    let groups = [
        ("up", group("up")),
        ("away", group("away")),
        ("not known", group("unknown")),
    ];
    let groups = groups.iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<String> = groups
        .map(|(state, names)| format!("{state}: {}", names.join(", ")))
        .collect();
    format!("Nodes {}.", said.join("; "))
}

/// Who leads, as people call it.
fn leader(status: &Status) -> Option<String> {
    let id = status.cluster.leader.as_ref()?;
    let node = status.cluster.nodes.iter().find(|node| node.id == *id);
    Some(node.map_or_else(
        || id.get(..12).unwrap_or(id).to_owned(),
        |node| name(node).to_owned(),
    ))
}

/// That fewer voters answer than have to, in words; none where enough do, or where that is not known.
fn without_quorum(nodes: &[ClusterNode]) -> Option<String> {
    let voters = nodes.iter().filter(|node| node.voter);
    let known = voters.clone().filter(|node| node.state != "unknown").count();
    let (all, up) = (
        voters.clone().count(),
        voters.filter(|node| node.state == "up").count(),
    );
    let quorum = all / 2 + 1;
    let lacks = all > 0 && known == all && up < quorum;
    lacks.then(|| format!("{up} of {all} voters answer, and {quorum} have to"))
}

/// Which nodes lack copies, and how many blocks that are.
fn owed(nodes: &[ClusterNode]) -> Vec<String> {
    let lacking = nodes.iter().filter(|node| !node.witness && !node.draining);
    let said = lacking.filter_map(|node| {
        let copies = node
            .copies
            .as_ref()
            .filter(|copies| !copies.level && copies.missing > 0)?;
        let left = copies
            .remaining_secs
            .map_or(String::new(), |left| format!(", {left} s left"));
        Some(format!("{} fetches {} blocks{left}", name(node), copies.missing))
    });
    said.collect()
}

fn power_facts(power: &Power) -> Vec<String> {
    let mut facts = Vec::new();
    for ups in &power.ups {
        let mut said = format!("UPS {} is fed by {}", ups.name, ups.supply.replace('_', " "));
        if let Some(charge) = ups.charge_percent {
            said.push_str(&format!(", {charge:.0} % charged"));
        }
        if let Some(seconds) = ups.runtime_seconds {
            said.push_str(&format!(", lasts {:.0} min", seconds / 60.0));
        }
        facts.push(said + ".");
    }
    if let Some(left) = power.stops_in_seconds {
        facts.push(format!("This node stops in {left} s."));
    }
    facts
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_client::wire::{BlockStatus, Cluster, NodeCopies, PowerUps};

    fn node(name: &str, state: &str) -> ClusterNode {
        ClusterNode {
            id: format!("{name}-and-a-long-key"),
            name: name.into(),
            state: state.into(),
            copies: Some(NodeCopies {
                level: true,
                ..NodeCopies::default()
            }),
            ..ClusterNode::default()
        }
    }

    fn status(nodes: Vec<ClusterNode>, leader: Option<&str>) -> Status {
        Status {
            running: true,
            node: "x".into(),
            release: "0".into(),
            uptime_secs: None,
            endpoints: Default::default(),
            data: "/srv/stead".into(),
            free_bytes: 12_340_000_000,
            logs: Vec::new(),
            buckets: 0,
            objects: 0,
            object_bytes: 0,
            blocks: BlockStatus::default(),
            disks: Vec::new(),
            raft: None,
            tasks: Vec::new(),
            power: None,
            cluster: Cluster {
                nodes,
                leader: leader.map(|name| format!("{name}-and-a-long-key")),
                because: "so".into(),
                ..Cluster::default()
            },
        }
    }

    fn sections(live: &GuideLive) -> Vec<&str> {
        live.present.iter().map(|seen| seen.section.as_str()).collect()
    }

    #[test]
    fn every_symptom_has_its_section_and_they_stand_in_order() {
        let guide = crate::find(OUTAGE).expect("the guide");
        let headings: Vec<String> = crate::blocks(guide.page)
            .iter()
            .filter_map(|block| match block {
                GuideBlock::Heading { level: 2, spans } => Some(words(spans)),
                _ => None,
            })
            .collect();
        let wanted: Vec<&str> = Symptom::ALL.iter().map(|symptom| symptom.section()).collect();
        assert_eq!(headings, wanted);
        assert!(Symptom::ALL.is_sorted());
    }

    #[test]
    fn a_healthy_cluster_has_no_symptom() {
        let live = live(
            &status(vec![node("attic", "up"), node("shed", "up")], Some("shed")),
            &[],
        );
        assert_eq!(live.present, []);
        assert_eq!(live.facts[0], "Nodes up: attic, shed.");
        assert_eq!(live.facts[1], "shed leads, and writes are accepted.");
        assert_eq!(live.facts[3], "12.3 GB free in /srv/stead on this node.");
    }

    #[test]
    fn what_is_there_comes_with_the_worst_first() {
        let mut behind = node("cellar", "up");
        behind.copies = Some(NodeCopies {
            level: false,
            missing: 7,
            remaining_secs: Some(3),
            ..NodeCopies::default()
        });
        let full = Warning {
            code: "STEAD-0050".into(),
            what: "1 MiB free".into(),
            ..Warning::default()
        };
        let nodes = vec![behind, node("shed", "away")];
        let told = live(
            &status(nodes.clone(), Some("cellar")),
            std::slice::from_ref(&full),
        );
        assert_eq!(
            sections(&told),
            ["A disk is full", "A node is away", "Copies are still owed"]
        );
        assert_eq!(told.present[2].what, "cellar fetches 7 blocks, 3 s left");
        // One that led goes on saying so when the others are away.
        let mut voters = nodes.clone();
        voters.iter_mut().for_each(|node| node.voter = true);
        let cut_off = live(&status(voters.clone(), Some("cellar")), &[]);
        assert_eq!(sections(&cut_off)[0], "Nothing can be written");
        assert!(
            cut_off.facts[1].starts_with("1 of 2 voters answer, and 2 have to"),
            "{:?}",
            cut_off.facts
        );
        voters.push(ClusterNode {
            voter: true,
            ..node("attic", "up")
        });
        assert!(!sections(&live(&status(voters, Some("cellar")), &[])).contains(&"Nothing can be written"));
        let alone = live(&status(nodes, None), &[]);
        assert_eq!(sections(&alone)[0], "Nothing can be written");
        assert!(alone.facts[1].starts_with("Nobody leads"));
        assert_eq!(sections(&silent("no node answers")), ["Nothing answers"]);
        let mut stopped = status(Vec::new(), None);
        stopped.running = false;
        assert_eq!(sections(&live(&stopped, &[])), ["Nothing answers"]);
    }

    #[test]
    fn sections_of_what_is_there_come_first() {
        let heading = |title: &str| GuideBlock::Heading {
            level: 2,
            spans: vec![stead_client::wire::GuideSpan::Plain { text: title.into() }],
        };
        let blocks = crate::blocks(
            "Above.\n\n## Nothing answers\n\na\n\n## A disk is full\n\nb\n\n## A node is away\n\nc\n",
        );
        let seen = |symptom: Symptom| (symptom, String::new());
        let live = said(Vec::new(), vec![seen(Symptom::Away), seen(Symptom::Full)]);
        let sorted = with_present_first(blocks, &live);
        let headings = [1, 3, 5].map(|at| sorted[at].clone());
        assert_eq!(
            headings,
            ["A disk is full", "A node is away", "Nothing answers"].map(heading)
        );
        assert_eq!(sorted.len(), 7);
    }

    #[test]
    fn a_ups_is_told_as_it_says() {
        let mut status = status(vec![node("attic", "up")], Some("attic"));
        status.power = Some(Power {
            at: stead_event::Timestamp::from_micros(0),
            watts: None,
            month_watt_hours: 0.0,
            readings: Vec::new(),
            ups: vec![PowerUps {
                source: "nut x".into(),
                name: "rack".into(),
                supply: "battery_low".into(),
                why: None,
                charge_percent: Some(9.0),
                runtime_seconds: Some(90.0),
                load_percent: None,
                feeds_this: true,
            }],
            failed: Vec::new(),
            breaker: None,
            stops_in_seconds: Some(30),
        });
        let facts = live(&status, &[]).facts;
        assert!(
            facts.contains(&"UPS rack is fed by battery low, 9 % charged, lasts 2 min.".to_owned()),
            "{facts:?}"
        );
        assert!(facts.contains(&"This node stops in 30 s.".to_owned()));
    }
}
