//! What each table of an inventory may hold.
//!
//! Owns: the names of fields with the kind of value and the unit of each. The types in [`super::model`] say the same
//! to serde, which with flattened tables can neither tell unknown fields nor where an error is; a test holds the two
//! together.

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holds {
    /// Any text.
    Text,
    /// A name of a thing.
    Name,
    /// One of these.
    Word(&'static [&'static str]),
    /// A way to keep data.
    Policy,
    /// Yes or no.
    Flag,
    /// A whole number.
    Count,
    /// A figure in this unit.
    Figure(&'static str),
    /// A figure in this unit, or the two between which it is.
    Range(&'static str),
    /// Names.
    Names,
    /// Tables of these fields.
    Tables(Table),
}

/// A table's fields, of which some are shared with others.
pub(super) type Table = &'static [&'static [Field]];

/// A field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub holds: Holds,
    pub required: bool,
}

use Holds::{Count, Figure, Flag, Name, Names, Policy, Range, Tables, Text, Word};

const fn may(name: &'static str, holds: Holds) -> Field {
    Field {
        name,
        holds,
        required: false,
    }
}

const fn must(name: &'static str, holds: Holds) -> Field {
    Field {
        name,
        holds,
        required: true,
    }
}

const MONEY: Holds = Figure("the file's currency");
const WATTS: Holds = Range("watts");
const GB: Holds = Figure("gigabytes");
const UNITS: Holds = Figure("rack units");
const DISK_KINDS: Holds = Word(&["nvme", "ssd", "usb-ssd", "hdd-2.5", "hdd-3.5", "flash-card"]);

/// The file.
pub(super) const LAB: Table = &[&[
    may("name", Text),
    may("currency", Text),
    may("tariff_per_kwh", Figure("money per kilowatt hour")),
    may("price_per_usd", Figure("money per US dollar")),
    may("data", Tables(DATA)),
    may("site", Tables(SITE)),
    may("circuit", Tables(CIRCUIT)),
    may("outlet", Tables(OUTLET)),
    may("ups", Tables(UPS)),
    may("pdu", Tables(PDU)),
    may("rack", Tables(RACK)),
    may("switch", Tables(SWITCH)),
    may("node", Tables(NODE)),
    may("cable", Tables(CABLE)),
    may("part", Tables(PART)),
]];

const DATA: Table = &[&[must("name", Name), must("redundancy", Policy), may("size_gb", GB)]];

const SITE: Table = &[&[must("name", Name)]];

const CIRCUIT: Table = &[&[
    must("name", Name),
    may("site", Name),
    must("volts", Figure("volts")),
    must("amps", Figure("amperes")),
    may("continuous_percent", Figure("percent")),
    may("other_load_w", WATTS),
]];

const OUTLET: Table = &[&[must("name", Name), must("circuit", Name)]];

const COMMON: &[Field] = &[
    must("name", Name),
    may("part", Name),
    may("power", Names),
    may("rack", Name),
    may("at_u", Count),
    may("height_u", UNITS),
    may("idle_w", WATTS),
    may("stress_w", WATTS),
    may("start_w", WATTS),
    may("noise_dba", Range("decibels (A) at one metre")),
    may("price", MONEY),
];

const UPS: Table = &[
    COMMON,
    &[
        may("max_w", Figure("watts")),
        may("battery_wh", Range("watt hours")),
        may("plugs", Count),
    ],
];

const PDU: Table = &[COMMON, &[may("plugs", Count), may("max_amps", Figure("amperes"))]];

const RACK: Table = &[&[
    must("name", Name),
    may("site", Name),
    may("kind", Word(&["19-inch", "10-inch", "shelf"])),
    must("units", Count),
    may("price", MONEY),
]];

const SWITCH: Table = &[
    COMMON,
    &[
        may("ports", Count),
        may("poe_budget_w", Figure("watts")),
        may("network", Names),
        may("uplink", Flag),
    ],
];

const NODE: Table = &[
    COMMON,
    &[
        may("role", Word(&["storage", "witness", "other"])),
        may("memory_gb", GB),
        may("cores", Count),
        may("disk", Tables(DISK)),
        may("network", Names),
        may("state", Word(&["active", "down", "draining", "lost"])),
    ],
];

const DISK: Table = &[&[
    may("name", Name),
    may("part", Name),
    must("kind", DISK_KINDS),
    must("size_gb", GB),
    may("data", Flag),
    may("idle_w", WATTS),
    may("active_w", WATTS),
    may("spin_up_w", WATTS),
    may("price", MONEY),
]];

const CABLE: Table = &[&[
    may("name", Name),
    must("from", Name),
    must("to", Name),
    may("mbit_per_second", Figure("megabits per second")),
]];

/// A part, in a file or in the catalogue.
pub(super) const PART: Table = &[&[
    must("name", Name),
    must("kind", Word(&["node", "disk", "switch", "ups", "pdu"])),
    must("source", Text),
    must("method", Text),
    may("price_usd", Figure("US dollars")),
    may("price_year", Count),
    may("year", Count),
    may("note", Text),
    may("with_disks", Count),
    may("bound", Flag),
    may("standby_w", WATTS),
    may("idle_w", WATTS),
    may("typical_w", WATTS),
    may("stress_w", WATTS),
    may("geekbench_w", WATTS),
    may("hpl_w", WATTS),
    may("start_w", WATTS),
    may("arch", Text),
    may("cores", Count),
    may("memory_gb", GB),
    may("disk_kind", DISK_KINDS),
    may("size_gb", GB),
    may("ports", Count),
    may("poe_budget_w", Figure("watts")),
    may("height_u", UNITS),
    may("noise_dba", Range("decibels (A) at one metre")),
    may("plugs", Count),
    may("max_amps", Figure("amperes")),
    may("max_w", Figure("watts")),
    may("battery_wh", Range("watt hours")),
]];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;

    /// A value for a field, which is not the one that is meant where nothing is said.
    fn example(field: &Field) -> toml::Value {
        match field.holds {
            Text | Name => "x".into(),
            Word(words) => (*words.last().expect("a word")).into(),
            Policy => "4+2 strict".into(),
            Flag => (field.name != "data").into(),
            Count => 7.into(),
            Figure(_) => 7.5.into(),
            Range(_) => toml::Value::Table("low = 1.5\nhigh = 2.5".parse().expect("a range")),
            Names => vec!["x"].into(),
            Tables(fields) => vec![toml::Value::Table(table(fields))].into(),
        }
    }

    fn table(fields: Table) -> toml::Table {
        let all = fields.iter().flat_map(|part| part.iter());
        all.map(|field| (field.name.to_owned(), example(field))).collect()
    }

    #[test]
    fn every_field_of_these_tables_is_one_of_the_model_and_nothing_is_dropped() {
        let written = table(LAB);
        let text = toml::to_string(&written).expect("text");
        let lab = Lab::read(&text).expect("a lab with every field");
        let again: toml::Table = toml::to_string(&lab).expect("text").parse().expect("TOML");
        assert_eq!(again, written);
        assert_eq!(Lab::read(&toml::to_string(&lab).expect("text")), Ok(lab));
    }
}
