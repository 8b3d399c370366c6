//! The bill of materials: each part once, how often, and what it costs.

use super::super::figures;
use super::html::{Html, escape};
use crate::lab::model::DiskKind;
use crate::lab::{DiskThing, Figure, Resolved};
use std::collections::BTreeMap;

/// One line of the bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The part, or what it is where no part is stated.
    pub part: String,
    /// How many.
    pub count: usize,
    /// For one, in the lab's currency; none where nobody knows.
    pub each: Option<f64>,
    /// Where the price comes from.
    pub source: String,
}

impl Item {
    /// For all of them.
    pub fn sum(&self) -> Option<f64> {
        self.each.map(|each| each * self.count as f64)
    }
}

fn disk(disk: &DiskThing) -> String {
    let kind = match disk.kind {
        DiskKind::Nvme => "NVMe disk",
        DiskKind::Ssd => "SATA SSD",
        DiskKind::UsbSsd => "USB SSD",
        DiskKind::HddSmall => "hard disk, 2.5 inches",
        DiskKind::HddLarge => "hard disk, 3.5 inches",
        DiskKind::FlashCard => "flash card",
    };
    format!("{kind}, {} GB", figures::plain(disk.size_gb))
}

/// Everything that a lab is made of, in the order of the file; what has the same price and source is one line.
pub fn bill(lab: &Resolved) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut at: BTreeMap<(String, String, u64), usize> = BTreeMap::new();
    let mut add = |part: String, price: Option<(f64, &str)>| {
        let source = price.map_or("not known", |(_, source)| source).to_owned();
        let each = price.map(|(price, _)| price);
        let key = (part.clone(), source.clone(), each.map_or(u64::MAX, f64::to_bits));
        match at.get(&key) {
            Some(at) => items[*at].count += 1,
            None => {
                at.insert(key, items.len());
                items.push(Item {
                    part,
                    count: 1,
                    each,
                    source,
                });
            }
        }
    };
    let known = |price: &Option<Figure<f64>>| price.clone().map(|price| (price.value, price.source));
    for (id, thing) in lab.ids() {
        if let Some(rack) = lab.rack(id) {
            add(
                format!("rack or shelf, {} U", rack.units),
                rack.price.map(|price| (price, "the inventory")),
            );
        }
        let Some(own) = &thing.figures else { continue };
        let price = known(&own.price);
        add(
            figures::part(lab, id),
            price.as_ref().map(|(price, source)| (*price, source.as_str())),
        );
        for each in &thing.disks {
            let price = known(&each.price);
            add(
                disk(each),
                price.as_ref().map(|(price, source)| (*price, source.as_str())),
            );
        }
    }
    for _ in &lab.links {
        add("network cable".to_owned(), None);
    }
    items
}

/// As a table.
pub(super) fn table(lab: &Resolved, html: &mut Html) {
    let items = bill(lab);
    let money = match lab.lab.currency.as_str() {
        "" => "price".to_owned(),
        currency => escape(currency),
    };
    html.raw("<section class=\"bill\"><h2>Bill of materials</h2>\n<table><thead><tr><th>Part</th><th class=\"n\">Count</th>");
    html.raw(&format!(
        "<th class=\"n\">Each, {money}</th><th class=\"n\">Sum</th><th>Price from</th></tr></thead><tbody>\n"
    ));
    let money = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    for item in &items {
        html.raw(&format!(
            "<tr><td><bdi>{}</bdi></td><td class=\"n\">{}</td>",
            escape(&item.part),
            item.count
        ));
        html.raw(&format!(
            "<td class=\"n\">{}</td><td class=\"n\">{}</td>",
            money(item.each),
            money(item.sum())
        ));
        html.raw(&format!("<td class=\"q\">{}</td></tr>\n", escape(&item.source)));
    }
    let sum: f64 = items.iter().filter_map(Item::sum).sum();
    let unknown: usize = items
        .iter()
        .filter(|item| item.each.is_none())
        .map(|item| item.count)
        .sum();
    let least = if unknown == 0 { "" } else { "at least " };
    let more = if unknown == 0 {
        String::new()
    } else {
        format!("{unknown} of unknown price")
    };
    html.raw(&format!(
        "</tbody><tfoot><tr><td>All</td><td></td><td></td><td class=\"n\">{least}{sum:.2}</td><td class=\"q\">{more}</td></tr></tfoot></table></section>\n"
    ));
}
