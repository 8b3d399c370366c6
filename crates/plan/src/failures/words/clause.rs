//! One clause: what is named in it, and what happens to that.

use super::names::{Names, Target, unknown};
use super::tokens::Token;
use super::vocabulary::{FILLERS, KINDS, PARTS, Part, VERBS, Verb, word_in};
use crate::failures::Failure;
use crate::lab::{Resolved, ThingId, ThingKind};

/// What is said when a text is not understood, and what to write.
pub(super) type Refusal = (String, String);

/// One clause, read.
#[derive(Debug)]
pub(super) struct Clause {
    /// What happens, and whether it stands behind what it happens to.
    pub verb: Option<(Verb, bool)>,
    parts: Vec<Part>,
    targets: Vec<Vec<Target>>,
    said: String,
}

impl Clause {
    pub(super) fn read(names: &Names<'_>, tokens: Vec<Token>) -> Result<Self, Refusal> {
        let said: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        let mut clause = Self {
            verb: None,
            parts: Vec::new(),
            targets: Vec::new(),
            said: said.join(" "),
        };
        let mut at = 0;
        while at < tokens.len() {
            at += clause.take(names, &tokens[at..])?;
        }
        clause.parts.sort_unstable();
        clause.parts.dedup();
        Ok(clause)
    }

    /// Takes the next word or name. Answers how many words that was.
    fn take(&mut self, names: &Names<'_>, tokens: &[Token]) -> Result<usize, Refusal> {
        let first = &tokens[0];
        if first.quoted {
            let found = names.get(&first.text);
            return match found.is_empty() {
                true => Err(unknown(names, &first.text)),
                false => Ok(self.add(found, 1)),
            };
        }
        for count in (1..=names.longest.min(tokens.len())).rev() {
            if tokens[..count].iter().any(|token| token.quoted) {
                continue;
            }
            let words: Vec<&str> = tokens[..count].iter().map(|token| token.text.as_str()).collect();
            let name = words.join(" ");
            let whose = name.strip_suffix("'s").or_else(|| name.strip_suffix("’s"));
            for name in [Some(name.as_str()), whose].into_iter().flatten() {
                let found = names.get(name);
                if !found.is_empty() {
                    return Ok(self.add(found, count));
                }
            }
        }
        if let Some((node, disk)) = first.text.split_once('/') {
            let (node, disk) = (names.get(node), names.get(disk));
            if !node.is_empty() && !disk.is_empty() {
                self.targets.push(disk);
                return Ok(self.add(node, 1));
            }
        }
        let word = first.text.to_lowercase();
        if let Some(verb) = word_in(VERBS, &word) {
            // The first one counts, but that something dies says more than that it is off.
            if self
                .verb
                .is_none_or(|(known, _)| known != verb && verb == Verb::Burns)
            {
                self.verb = Some((verb, !self.targets.is_empty()));
            }
        } else if let Some(part) = word_in(PARTS, &word) {
            self.parts.push(part);
        } else if !FILLERS.contains(&word.as_str()) && !KINDS.contains(&word.as_str()) {
            return Err(unknown(names, &first.text));
        }
        Ok(1)
    }

    fn add(&mut self, found: Vec<Target>, words: usize) -> usize {
        self.targets.push(found);
        words
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn verb(&self) -> Option<Verb> {
        self.verb.map(|(verb, _)| verb)
    }

    fn refuse<T>(&self, why: impl Into<String>, next: impl Into<String>) -> Result<T, Refusal> {
        Err((format!("\"{}\": {}", self.said, why.into()), next.into()))
    }

    /// What fails, in this clause.
    pub(super) fn failures(&self, names: &Names<'_>) -> Result<Vec<Failure>, Refusal> {
        let lab = names.lab;
        let (things, disks, links) = self.sorted();
        if let [link] = links[..] {
            let ends = [lab.links[link].from, lab.links[link].to].into_iter();
            let mut nodes = ends.filter(|end| lab.thing(*end).kind == ThingKind::Node);
            let node = nodes
                .next()
                .filter(|_| self.has(Part::Card) && !self.has(Part::Cable));
            return Ok(vec![
                node.map_or(Failure::Cable(link), |node| Failure::Card { node, link }),
            ]);
        }
        if !disks.is_empty() {
            return self.disks(lab, &things, &disks);
        }
        match things[..] {
            [] if self.has(Part::Power) && !self.has(Part::Supply) => Ok(match lab.lab.sites.is_empty() {
                true => vec![Failure::Power(None)],
                false => {
                    let sites = lab.of_kind(ThingKind::Site);
                    sites.map(|(id, _)| Failure::Power(Some(id))).collect()
                }
            }),
            [] => self.refuse("it names nothing of the lab", "Name what fails."),
            [thing] => self.one(lab, thing),
            [one, other] if self.pairs() => self.between(lab, one, other),
            _ => self.refuse("it names several things", "Put `and` between them."),
        }
    }

    /// Whether it can be about what is between two things.
    fn pairs(&self) -> bool {
        let parts = [Part::Cable, Part::Card, Part::Supply, Part::From, Part::Power];
        parts.into_iter().any(|part| self.has(part)) || self.verb() == Some(Verb::Unplug)
    }

    /// Things, disks and cables that are named. Where a name is a thing's and a disk's, the thing is meant.
    #[allow(clippy::type_complexity)]
    fn sorted(&self) -> (Vec<ThingId>, Vec<Vec<(ThingId, usize)>>, Vec<usize>) {
        let (mut things, mut disks, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for targets in &self.targets {
            let thing = targets.iter().find_map(|target| match target {
                Target::Thing(id) => Some(*id),
                _ => None,
            });
            let link = targets.iter().find_map(|target| match target {
                Target::Link(link) => Some(*link),
                _ => None,
            });
            match (thing, link) {
                (Some(thing), _) => things.push(thing),
                (None, Some(link)) => links.push(link),
                (None, None) => {
                    let of = targets.iter().filter_map(|target| match target {
                        Target::Disk(node, disk) => Some((*node, *disk)),
                        _ => None,
                    });
                    disks.push(of.collect());
                }
            }
        }
        (things, disks, links)
    }

    fn disks(
        &self,
        lab: &Resolved,
        things: &[ThingId],
        disks: &[Vec<(ThingId, usize)>],
    ) -> Result<Vec<Failure>, Refusal> {
        let mut failures = Vec::new();
        for named in disks {
            let fits = named
                .iter()
                .filter(|(node, _)| things.is_empty() || things.contains(node));
            match fits.collect::<Vec<_>>()[..] {
                [(node, disk)] => failures.push(Failure::Disk {
                    node: *node,
                    disk: *disk,
                }),
                [] => {
                    let of = things.first().map_or("it", |id| &lab.thing(*id).name);
                    return self.refuse(format!("{of} has no such disk"), had_disks(lab, things));
                }
                _ => {
                    return self.refuse(
                        "several machines have a disk of this name",
                        "Say of which: `disk-1 of …`.",
                    );
                }
            }
        }
        Ok(failures)
    }

    fn one(&self, lab: &Resolved, id: ThingId) -> Result<Vec<Failure>, Refusal> {
        let thing = lab.thing(id);
        let (name, verb) = (&thing.name, self.verb());
        let links = || {
            let all = lab.links.iter().enumerate();
            all.filter(|(_, link)| link.from == id || link.to == id)
                .map(|(at, _)| at)
        };
        if self.has(Part::Battery) {
            return match thing.kind {
                ThingKind::Ups => Ok(vec![Failure::Battery(id)]),
                _ => self.refuse(format!("{name} has no battery"), "Name a UPS."),
            };
        }
        if self.has(Part::Disk) {
            let all: Vec<Failure> = (0..thing.disks.len())
                .map(|disk| Failure::Disk { node: id, disk })
                .collect();
            return match all.len() {
                1.. if all.len() == 1 || self.has(Part::Every) => Ok(all),
                _ => self.refuse(format!("{name} has {} disks", all.len()), had_disks(lab, &[id])),
            };
        }
        let power = self.has(Part::Supply) || self.has(Part::Power);
        if self.has(Part::Supply) || (self.has(Part::Power) && self.has(Part::Cable)) {
            let all: Vec<Failure> = (0..thing.feeds.len())
                .map(|plug| Failure::Supply { device: id, plug })
                .collect();
            return self.only(all, "power supplies", lab);
        }
        if self.has(Part::Card) && !self.has(Part::Cable) && thing.kind == ThingKind::Node {
            let all = links().map(|link| Failure::Card { node: id, link }).collect();
            return self.only(all, "network cards", lab);
        }
        if self.has(Part::Cable) {
            return self.only(links().map(Failure::Cable).collect(), "cables", lab);
        }
        self.whole(lab, id, power, verb)
    }

    /// What happens to a thing as a whole.
    fn whole(
        &self,
        lab: &Resolved,
        id: ThingId,
        power: bool,
        verb: Option<Verb>,
    ) -> Result<Vec<Failure>, Refusal> {
        let thing = lab.thing(id);
        let name = &thing.name;
        let plugs = || (0..thing.feeds.len()).map(|plug| Failure::Supply { device: id, plug });
        Ok(match thing.kind {
            ThingKind::Site if power || matches!(verb, Some(Verb::Off)) => vec![Failure::Power(Some(id))],
            ThingKind::Site if matches!(verb, Some(Verb::Burns | Verb::Dies)) => vec![Failure::Site(id)],
            ThingKind::Site => {
                let next = format!("Write `power goes out at {name}` or `{name} burns down`.");
                return self.refuse("a site can lose its power, or be lost itself", next);
            }
            ThingKind::Circuit => vec![Failure::Circuit(id)],
            ThingKind::Outlet => vec![Failure::Outlet(id)],
            ThingKind::Ups | ThingKind::Pdu if verb == Some(Verb::Unplug) || power => plugs().collect(),
            ThingKind::Ups => vec![Failure::Ups(id)],
            ThingKind::Pdu => vec![Failure::Pdu(id)],
            ThingKind::Switch => vec![Failure::Switch(id)],
            ThingKind::Node if power || matches!(verb, Some(Verb::Off | Verb::Unplug)) => {
                vec![Failure::Off(id)]
            }
            ThingKind::Node => vec![Failure::Node(id)],
            ThingKind::Rack => {
                let inside: Vec<ThingId> = lab
                    .ids()
                    .filter(|(_, thing)| thing.rack == Some(id) && thing.kind.is_device())
                    .map(|(id, _)| id)
                    .collect();
                if inside.is_empty() {
                    return self.refuse(format!("nothing is in {name}"), "Name what fails.");
                }
                let each = inside
                    .into_iter()
                    .map(|device| self.whole(lab, device, power, verb));
                each.collect::<Result<Vec<_>, _>>()?.concat()
            }
        })
    }

    /// The only one there is, or all if all are meant; else it has to be said which.
    fn only(&self, all: Vec<Failure>, what: &str, lab: &Resolved) -> Result<Vec<Failure>, Refusal> {
        if all.len() == 1 || (self.has(Part::Every) && !all.is_empty()) {
            return Ok(all);
        }
        let names: Vec<String> = all.iter().map(|failure| failure.name(lab)).collect();
        let next = match names.is_empty() {
            true => "Name something else.".to_owned(),
            false => format!("Say which (`from …`), or `all`: {}.", names.join("; ")),
        };
        self.refuse(format!("there are {} {what}", all.len()), next)
    }

    /// What is between two things: a network cable, else a plug.
    fn between(&self, lab: &Resolved, one: ThingId, other: ThingId) -> Result<Vec<Failure>, Refusal> {
        let joins = |from: ThingId, to: ThingId| (from == one && to == other) || (from == other && to == one);
        let links = lab
            .links
            .iter()
            .enumerate()
            .filter(|(_, link)| joins(link.from, link.to));
        let links: Vec<usize> = links.map(|(at, _)| at).collect();
        let plug = |device: ThingId, feed: ThingId| {
            let feeds = lab.thing(device).feeds.iter().enumerate();
            let own = feeds.filter(move |(_, other)| **other == feed);
            own.map(move |(plug, _)| Failure::Supply { device, plug })
        };
        let plugs: Vec<Failure> = plug(one, other).chain(plug(other, one)).collect();
        let wants_plug = self.has(Part::Supply) || self.has(Part::Power);
        if self.has(Part::Card) && !self.has(Part::Cable) {
            let node = [one, other]
                .into_iter()
                .find(|id| lab.thing(*id).kind == ThingKind::Node);
            let cards = node
                .into_iter()
                .flat_map(|node| links.iter().map(move |link| Failure::Card { node, link: *link }));
            return self.only(cards.collect(), "network cards between them", lab);
        }
        if !links.is_empty() && !wants_plug {
            return self.only(
                links.into_iter().map(Failure::Cable).collect(),
                "cables between them",
                lab,
            );
        }
        self.only(plugs, "cables or plugs between them", lab)
    }
}

fn had_disks(lab: &Resolved, things: &[ThingId]) -> String {
    let disks = things.iter().flat_map(|id| &lab.thing(*id).disks);
    let names: Vec<&str> = disks.map(|disk| disk.name.as_str()).collect();
    match names.is_empty() {
        true => "Name a machine that has disks.".to_owned(),
        false => format!("Say which, or `all disks`: {}.", names.join(", ")),
    }
}
