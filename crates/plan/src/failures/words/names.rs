//! What names mean in a lab.

use super::clause::Refusal;
use crate::lab::{Resolved, ThingId, nearest};
use std::collections::BTreeMap;

/// Something that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Thing(ThingId),
    Disk(ThingId, usize),
    Link(usize),
}

/// All names of a lab, in small letters.
pub(super) struct Names<'l> {
    pub(super) lab: &'l Resolved,
    named: BTreeMap<String, Vec<Target>>,
    /// Words in the longest name.
    pub(super) longest: usize,
}

impl<'l> Names<'l> {
    pub(super) fn of(lab: &'l Resolved) -> Self {
        let mut named: BTreeMap<String, Vec<Target>> = BTreeMap::new();
        let mut add = |name: &str, target| named.entry(name.to_lowercase()).or_default().push(target);
        for (id, thing) in lab.ids() {
            add(&thing.name, Target::Thing(id));
            for (at, disk) in thing.disks.iter().enumerate() {
                add(&disk.name, Target::Disk(id, at));
            }
        }
        for (at, link) in lab.links.iter().enumerate() {
            add(&link.name, Target::Link(at));
        }
        let longest = named.keys().map(|name| name.split_whitespace().count()).max();
        Self {
            lab,
            longest: longest.unwrap_or(1),
            named,
        }
    }

    /// What a name means: as typed, else whatever the size of its letters.
    pub(super) fn get(&self, name: &str) -> Vec<Target> {
        if let Some(id) = self.lab.by_name(name) {
            return vec![Target::Thing(id)];
        }
        let found = self.named.get(&name.to_lowercase()).cloned();
        found.unwrap_or_default()
    }

    fn nearest(&self, word: &str) -> Option<String> {
        let names = self.lab.things.iter().map(|thing| thing.name.as_str());
        let disks = self.lab.things.iter().flat_map(|thing| &thing.disks);
        nearest(word, names.chain(disks.map(|disk| disk.name.as_str()))).map(str::to_owned)
    }
}

/// A word that means nothing here.
pub(super) fn unknown(names: &Names<'_>, word: &str) -> Refusal {
    let next = match names.nearest(word) {
        Some(name) => format!("Did you mean `{name}`?"),
        None => "Use names of the file and words as in the examples.".to_owned(),
    };
    (
        format!("\"{word}\" is no name of the lab, and no word that is understood here"),
        next,
    )
}
