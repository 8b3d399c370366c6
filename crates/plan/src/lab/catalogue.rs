//! The catalogue of parts: what is known of boards, machines, disks and the rest, each figure with its source.
//!
//! Owns: the parts that are built in, and the order in which a figure is believed: a lab's own part of a name before
//! the built-in one. Promises: what nobody knows is not there; for it there are bounds ([`Catalogue::bound`]), which
//! say of themselves that they are.

use super::error::LabError;
use super::model::{DiskKind, Lab, Part, PartKind};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const BUILT_IN: &str = include_str!("catalogue.toml");

/// Parts by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    parts: BTreeMap<String, Part>,
}

impl Catalogue {
    /// The one that is built in.
    pub fn built_in() -> &'static Self {
        static PARTS: OnceLock<Catalogue> = OnceLock::new();
        // A test reads it, so that what ships can be read.
        PARTS.get_or_init(|| Self::read(BUILT_IN).unwrap_or_default())
    }

    /// The parts of a file, which has the shape of an inventory.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub fn read(text: &str) -> Result<Self, LabError> {
        let lab = Lab::read(text)?;
        Ok(Self::default().with(&lab.parts))
    }

    /// With these too, which win.
    #[must_use]
    pub fn with(mut self, parts: &[Part]) -> Self {
        let named = parts.iter().map(|part| (part.name.clone(), part.clone()));
        self.parts.extend(named);
        self
    }

    /// The part of this name.
    pub fn get(&self, name: &str) -> Option<&Part> {
        self.parts.get(name)
    }

    /// All parts that are things, by name.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.values().filter(|part| !part.bound)
    }

    /// What counts for a thing of this kind of which nothing is known.
    pub fn bound(&self, kind: PartKind, disk: Option<DiskKind>) -> Option<&Part> {
        self.parts
            .values()
            .find(|part| part.bound && part.kind == kind && part.disk_kind == disk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;

    const DISKS: [DiskKind; 6] = [
        DiskKind::Nvme,
        DiskKind::Ssd,
        DiskKind::UsbSsd,
        DiskKind::HddSmall,
        DiskKind::HddLarge,
        DiskKind::FlashCard,
    ];

    fn holds(outer: Option<Interval>, inner: Option<Interval>) -> bool {
        match (outer, inner) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(outer), Some(inner)) => outer.low <= inner.low && inner.high <= outer.high,
        }
    }

    #[test]
    fn what_is_built_in_can_be_read_and_no_name_is_there_twice() {
        let lab = Lab::read(BUILT_IN).expect("the catalogue");
        assert_eq!(lab.parts.len(), Catalogue::built_in().parts.len());
        assert!(
            lab.parts
                .iter()
                .all(|part| !part.source.is_empty() && !part.method.is_empty())
        );
    }

    #[test]
    fn there_is_a_bound_for_all_and_it_holds_what_is_known() {
        let all = Catalogue::built_in();
        let kinds = [PartKind::Node, PartKind::Switch, PartKind::Ups, PartKind::Pdu];
        let each = kinds.map(|kind| (kind, None)).into_iter();
        for (kind, disk) in each.chain(DISKS.map(|disk| (PartKind::Disk, Some(disk)))) {
            let bound = all.bound(kind, disk).expect("a bound");
            assert!(
                bound.idle_w.is_some() && bound.stress_w.is_some(),
                "{}",
                bound.name
            );
            for part in all
                .parts()
                .filter(|part| part.kind == kind && part.disk_kind == disk)
            {
                assert!(holds(bound.idle_w, part.idle_w), "{} idle", part.name);
                assert!(holds(bound.start_w, part.start_w), "{} start", part.name);
                for most in [part.stress_w, part.geekbench_w, part.hpl_w] {
                    assert!(holds(bound.stress_w, most), "{} stress", part.name);
                }
            }
        }
    }

    #[test]
    fn a_file_s_own_part_wins() {
        let mut part = Catalogue::built_in()
            .get("Raspberry Pi 4 model B")
            .expect("it")
            .clone();
        part.idle_w = Some(Interval::exactly(1.9));
        let with = Catalogue::built_in().clone().with(&[part]);
        let found = with.get("Raspberry Pi 4 model B").expect("it");
        assert_eq!(found.idle_w, Some(Interval::exactly(1.9)));
    }
}
