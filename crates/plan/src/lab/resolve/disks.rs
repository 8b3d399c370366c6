//! The figures of disks, and prices.

use super::super::model::{Disk, DiskKind, Lab, Node, Part, PartKind};
use super::figures::{From, HERE, part};
use super::watts::{MEASURED, figure, measured, said, watts};
use super::{DiskThing, Errors, Figure};

/// Its price here, else the catalogue's in the lab's money, if it is known what a dollar costs.
pub(super) fn price(lab: &Lab, own: Option<f64>, part: Option<&Part>) -> Option<Figure<f64>> {
    if let Some(own) = own {
        return Some(figure(own, HERE));
    }
    let dollars = lab.currency.is_empty() || lab.currency.eq_ignore_ascii_case("USD");
    let rate = lab.price_per_usd.or(dollars.then_some(1.0))?;
    let part = part?;
    Some(figure(part.price_usd? * rate, said(part)))
}

pub(super) fn spins(kind: DiskKind) -> bool {
    matches!(kind, DiskKind::HddSmall | DiskKind::HddLarge)
}

pub(super) fn disks(from: &From<'_>, node: &Node, errors: &mut Errors) -> Vec<DiskThing> {
    let mut all = Vec::new();
    for (at, disk) in node.disks.iter().enumerate() {
        let named = (node.common.name.as_str(), PartKind::Disk);
        let part = part(disk.part.as_deref(), named, from.catalogue, errors);
        all.push(one_disk(from, at, disk, part));
    }
    all
}

pub(super) fn one_disk(from: &From<'_>, at: usize, disk: &Disk, part: Option<&Part>) -> DiskThing {
    let bound = from.catalogue.bound(PartKind::Disk, Some(disk.kind));
    let (idle_w, active_w) = measured(watts(part, bound), disk.idle_w, disk.active_w);
    let own = disk.spin_up_w.map(|own| figure(own, MEASURED));
    let of_part = || part.and_then(|part| Some(figure(part.start_w?, said(part))));
    let of_bound = || {
        let bound = bound?;
        Some(Figure {
            value: bound.start_w?,
            source: format!("bound: {}", said(bound)),
            known: false,
        })
    };
    let name = match disk.name.is_empty() {
        true => format!("disk-{}", at + 1),
        false => disk.name.clone(),
    };
    DiskThing {
        name,
        kind: disk.kind,
        size_gb: disk.size_gb,
        data: disk.data,
        idle_w,
        active_w,
        spin_up_w: own
            .or_else(of_part)
            .or_else(of_bound)
            .filter(|_| spins(disk.kind)),
        price: price(from.lab, disk.price, part),
    }
}
