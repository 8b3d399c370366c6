//! The words that are known, and what they mean.

/// What happens to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is gone for good.
    Dies,
    /// It stops for a while.
    Off,
    /// Its plug or cable is pulled.
    Unplug,
    /// It burns, or is stolen.
    Burns,
}

/// What is meant of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Cable,
    Card,
    Supply,
    Battery,
    Power,
    Disk,
    Every,
    From,
}

pub(super) const VERBS: &[(Verb, &[&str])] = &[
    (
        Verb::Dies,
        &[
            "die", "dies", "died", "dead", "dying", "kill", "kills", "killed", "fail", "fails", "failed",
            "failing", "break", "breaks", "broken", "broke", "lose", "loses", "lost", "trip", "trips",
            "tripped", "gone",
        ],
    ),
    (
        Verb::Off,
        &[
            "off", "stop", "stops", "stopped", "reboot", "reboots", "restart", "restarts", "hang", "hangs",
            "hung", "crash", "crashes", "crashed", "away", "shut", "shutdown", "down",
        ],
    ),
    (
        Verb::Unplug,
        &[
            "unplug",
            "unplugs",
            "unplugged",
            "pull",
            "pulls",
            "pulled",
            "disconnect",
            "disconnected",
            "cut",
            "cuts",
        ],
    ),
    (
        Verb::Burns,
        &[
            "burn",
            "burns",
            "burned",
            "burnt",
            "fire",
            "flood",
            "floods",
            "flooded",
            "stolen",
            "theft",
            "burgled",
            "destroyed",
        ],
    ),
];

pub(super) const PARTS: &[(Part, &[&str])] = &[
    (
        Part::Cable,
        &["cable", "cables", "wire", "link", "ethernet", "patch"],
    ),
    (Part::Card, &["nic", "nics", "card", "adapter", "network"]),
    (
        Part::Supply,
        &["psu", "psus", "supply", "supplies", "cord", "plug", "plugs"],
    ),
    (Part::Battery, &["battery", "batteries"]),
    (Part::Power, &["power", "blackout", "outage", "electricity"]),
    (
        Part::Disk,
        &["disk", "disks", "drive", "drives", "ssd", "hdd", "nvme"],
    ),
    (Part::Every, &["all", "every", "both", "everything"]),
    (Part::From, &["from"]),
];

/// Words that change nothing.
pub(super) const FILLERS: &[&str] = &[
    "the", "a", "an", "of", "at", "in", "on", "to", "is", "are", "was", "were", "has", "have", "no", "goes",
    "go", "went", "out", "up", "between", "with", "its", "their", "my", "our", "it", "if", "when", "what",
    "i", "we", "gets", "there", "turn", "turned", "switched", "runs", "empty", "by",
];

/// Words for kinds, which may stand before a name.
pub(super) const KINDS: &[&str] = &[
    "node", "nodes", "machine", "server", "host", "switch", "switches", "router", "circuit", "breaker",
    "fuse", "outlet", "socket", "ups", "pdu", "strip", "site", "house", "building", "rack", "shelf",
];

/// What a word means, in a table.
pub(super) fn word_in<T: Copy>(table: &[(T, &[&str])], word: &str) -> Option<T> {
    let found = table.iter().find(|(_, words)| words.contains(&word));
    found.map(|(meaning, _)| *meaning)
}
