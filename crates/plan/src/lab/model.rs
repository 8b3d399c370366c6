//! The inventory of a lab as people write it: one TOML file, `lab.toml`.
//!
//! Owns: the shape of the file. Whether what it says can be is [`super::resolve`]'s matter; figures that it leaves out
//! come from the catalogue by `part`, and the file's own win.
//! Units are in the names of fields. Names of things are unique in the whole file, whatever they are, so that a plug
//! or a cable can name its other end.

use crate::interval::Interval;
use crate::map::NodeState;
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lab {
    /// What people call it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The money that prices are in, as a code such as `EUR`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub currency: String,
    /// Price of a kilowatt hour, in that money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff_per_kwh: Option<f64>,
    /// What a US dollar costs, in that money; the catalogue's prices are in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_usd: Option<f64>,
    /// What of the data is kept how.
    #[serde(rename = "data", skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<Data>,
    /// Buildings.
    #[serde(rename = "site", skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Site>,
    /// Breakers, with what they feed.
    #[serde(rename = "circuit", skip_serializing_if = "Vec::is_empty")]
    pub circuits: Vec<Circuit>,
    /// Wall outlets.
    #[serde(rename = "outlet", skip_serializing_if = "Vec::is_empty")]
    pub outlets: Vec<Outlet>,
    /// Batteries.
    #[serde(rename = "ups", skip_serializing_if = "Vec::is_empty")]
    pub upses: Vec<Ups>,
    /// Power strips and power distribution units.
    #[serde(rename = "pdu", skip_serializing_if = "Vec::is_empty")]
    pub pdus: Vec<Pdu>,
    /// Racks and shelves.
    #[serde(rename = "rack", skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<Rack>,
    /// What connects networks: switches, routers, access points.
    #[serde(rename = "switch", skip_serializing_if = "Vec::is_empty")]
    pub switches: Vec<Switch>,
    /// Machines.
    #[serde(rename = "node", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// Network cables beyond those that machines and switches name with `network`.
    #[serde(rename = "cable", skip_serializing_if = "Vec::is_empty")]
    pub cables: Vec<Cable>,
    /// Parts that the built-in catalogue does not have, or has other figures for.
    #[serde(rename = "part", skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A kind of data, with the way that it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Its name, such as a bucket's.
    pub name: String,
    /// Copies or pieces: `3`, `2 strict`, `4+2`.
    pub redundancy: Policy,
    /// How much there is, in gigabytes of 10^9 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<f64>,
}

/// A building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name.
    pub name: String,
}

/// What one breaker feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circuit {
    /// Its name.
    pub name: String,
    /// The building; none where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Nominal voltage.
    pub volts: f64,
    /// What the breaker is rated for.
    pub amps: f64,
    /// How much of that a load of three hours and more may take; 80 by default (NEC 210.20(A)).
    #[serde(default = "eighty")]
    pub continuous_percent: f64,
    /// What others already take of it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub other_load_w: Interval,
}

fn is_nothing(value: &Interval) -> bool {
    *value == Interval::ZERO
}

fn eighty() -> f64 {
    80.0
}

/// A wall outlet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// The circuit that feeds it.
    pub circuit: String,
}

/// What a device has whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Common {
    /// Its name.
    pub name: String,
    /// What it is, by the name of a part in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Where its power comes from: names of outlets, UPSes, PDUs, or of switches for power over Ethernet. More than
    /// one is more than one power supply, each of which is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub power: Vec<String>,
    /// The rack or shelf that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// The lowest unit that it takes, counted from 1 at the bottom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_u: Option<u32>,
    /// How many units it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height_u: Option<f64>,
    /// What it takes with nothing to do, as measured here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<Interval>,
    /// What it takes with all to do, as measured here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stress_w: Option<Interval>,
    /// What it takes at the moment of a cold start, as measured here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_w: Option<Interval>,
    /// How loud it is at one metre, as measured here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_dba: Option<Interval>,
    /// What it cost or costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

/// A battery. Its capacity counts in watt hours at the plug.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ups {
    /// As every device.
    #[serde(flatten)]
    pub common: Common,
    /// What it can give at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_w: Option<f64>,
    /// What is in it when it is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery_wh: Option<Interval>,
    /// How many plugs it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugs: Option<u32>,
}

/// A power strip or power distribution unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pdu {
    /// As every device.
    #[serde(flatten)]
    pub common: Common,
    /// How many plugs it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugs: Option<u32>,
    /// What it may carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_amps: Option<f64>,
}

/// A rack's shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RackKind {
    /// 19 inches (IEC 60297, EIA-310).
    #[default]
    #[serde(rename = "19-inch")]
    Nineteen,
    /// 10 inches.
    #[serde(rename = "10-inch")]
    Ten,
    /// A shelf or desk; things stand side by side.
    #[serde(rename = "shelf")]
    Shelf,
}

/// A rack or shelf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rack {
    /// Its name.
    pub name: String,
    /// The building; none where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its shape.
    #[serde(default)]
    pub kind: RackKind,
    /// How many units it has (44.45 mm each).
    pub units: u32,
    /// What it cost or costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

/// What connects networks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switch {
    /// As every device.
    #[serde(flatten)]
    pub common: Common,
    /// How many ports it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<u32>,
    /// What it may give over Ethernet in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poe_budget_w: Option<f64>,
    /// Switches that a cable goes to from here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// Whether the way to the internet goes through it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uplink: bool,
}

/// What a machine does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Holds data, and votes where it is chosen to.
    Storage,
    /// Votes and holds no data.
    Witness,
    /// Is no member of the cluster, but takes power and room.
    Other,
}

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// As every device.
    #[serde(flatten)]
    pub common: Common,
    /// What it does; `storage` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<f64>,
    /// Its cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Its disks.
    #[serde(rename = "disk", skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<Disk>,
    /// Switches that a cable of a network card of its own goes to, one card each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// What it is now.
    #[serde(skip_serializing_if = "is_active")]
    pub state: NodeState,
}

fn is_active(state: &NodeState) -> bool {
    *state == NodeState::Active
}

impl Node {
    /// What it does.
    pub fn role(&self) -> Role {
        self.role.unwrap_or(Role::Storage)
    }
}

/// What a disk is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DiskKind {
    /// NVMe.
    #[serde(rename = "nvme")]
    Nvme,
    /// A SATA SSD.
    #[serde(rename = "ssd")]
    Ssd,
    /// An SSD behind USB.
    #[serde(rename = "usb-ssd")]
    UsbSsd,
    /// A hard disk of 2.5 inches.
    #[serde(rename = "hdd-2.5")]
    HddSmall,
    /// A hard disk of 3.5 inches.
    #[serde(rename = "hdd-3.5")]
    HddLarge,
    /// A memory card, or eMMC.
    #[serde(rename = "flash-card")]
    FlashCard,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Its name, unique within its machine; `disk-1` and so on where nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is, by the name of a part in the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What it is made of.
    pub kind: DiskKind,
    /// Its size, in gigabytes of 10^9 bytes.
    pub size_gb: f64,
    /// Whether the cluster's data is on it; no for a disk that only the system is on.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub data: bool,
    /// What it takes with nothing to do, as measured here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<Interval>,
    /// What it takes while it works, as measured here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_w: Option<Interval>,
    /// What it takes while it spins up, as measured here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spin_up_w: Option<Interval>,
    /// What it cost or costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
}

fn is_yes(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

/// A network cable between two devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// One end.
    pub from: String,
    /// The other one.
    pub to: String,
    /// How fast it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mbit_per_second: Option<f64>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// A machine or board.
    Node,
    /// A disk.
    Disk,
    /// A switch or router.
    Switch,
    /// A battery.
    Ups,
    /// A power strip or power distribution unit.
    Pdu,
}

/// A part of the catalogue. What is not known is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name, as sold.
    pub name: String,
    /// What it is.
    pub kind: PartKind,
    /// Where the figures come from.
    pub source: String,
    /// How they were found: `metered at the plug`, `datasheet`, `vendor's word`.
    pub method: String,
    /// Price in US dollars, in `price_year`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    /// The year of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_year: Option<u32>,
    /// The year that it came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u32>,
    /// What there is to know besides, such as how a figure was derived from what its source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many disks were in a machine when its figures were found; none where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_disks: Option<u32>,
    /// Whether it is no thing that is sold, but the bound of what such a thing may take: what counts for a thing that
    /// is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bound: bool,
    /// Asleep; for a disk, with its motor off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby_w: Option<Interval>,
    /// While Geekbench 6 runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geekbench_w: Option<Interval>,
    /// While High Performance Linpack runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hpl_w: Option<Interval>,
    /// How many plugs a battery or power strip has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugs: Option<u32>,
    /// What a power strip may carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amps: Option<f64>,
    /// With nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<Interval>,
    /// As it is mostly used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical_w: Option<Interval>,
    /// With all to do; for a disk, while it reads and writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stress_w: Option<Interval>,
    /// At the moment of a cold start; for a disk, while it spins up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_w: Option<Interval>,
    /// A machine's processor: `aarch64`, `x86_64`, `riscv64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// A machine's cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// A machine's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<f64>,
    /// A disk's material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_kind: Option<DiskKind>,
    /// A disk's size, in gigabytes of 10^9 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<f64>,
    /// A switch's ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<u32>,
    /// What a switch gives over Ethernet in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poe_budget_w: Option<f64>,
    /// How many units it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_u: Option<f64>,
    /// How loud it is at one metre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_dba: Option<Interval>,
    /// What a battery can give at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_w: Option<f64>,
    /// What is in a battery when it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_wh: Option<Interval>,
}

impl Part {
    /// A part of which nothing is known yet but where its figures are from, and how they were found.
    pub fn new(name: &str, kind: PartKind, source: &str, method: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            source: source.to_owned(),
            method: method.to_owned(),
            price_usd: None,
            price_year: None,
            year: None,
            note: None,
            with_disks: None,
            bound: false,
            standby_w: None,
            geekbench_w: None,
            hpl_w: None,
            plugs: None,
            max_amps: None,
            idle_w: None,
            typical_w: None,
            stress_w: None,
            start_w: None,
            arch: None,
            cores: None,
            memory_gb: None,
            disk_kind: None,
            size_gb: None,
            ports: None,
            poe_budget_w: None,
            height_u: None,
            noise_dba: None,
            max_w: None,
            battery_wh: None,
        }
    }
}
