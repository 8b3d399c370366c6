//! NetBox: inventories from and to the JSON of its REST API (NetBox 4, `/api/dcim/…`).
//!
//! Owns: which of NetBox's fields is which of ours ([`SOURCES`]). Promises: what NetBox does not know is not made up;
//! what could not be taken over is said; what was exported is read back the same, by the custom field `stead`.
//! Never: speaks to a NetBox.

mod answers;
mod connect;
mod devices;
mod export;
mod import;

pub use export::export;
pub use import::{Imported, import};

/// The largest file that is taken.
pub const MAX_BYTES: usize = 16 << 20;

/// Each of our fields with the one of NetBox's that it comes from.
pub const SOURCES: &[(&str, &str)] = &[
    ("site", "sites: name"),
    (
        "rack",
        "racks: name, site, u_height (units), width (kind: 10 or 19 inches)",
    ),
    (
        "circuit",
        "power_feeds: name, voltage (volts), amperage (amps), max_utilization (continuous_percent)",
    ),
    (
        "outlet",
        "devices with the role wall-outlet, else one for each power feed",
    ),
    ("ups, pdu, switch, node", "devices: by the words of their role"),
    (
        "part",
        "device_type: manufacturer and model, or model, where the catalogue has it",
    ),
    (
        "rack, at_u, height_u",
        "devices: rack, position; device_types: u_height",
    ),
    (
        "stress_w",
        "power_ports: from allocated_draw to maximum_draw, summed; only where there is no part",
    ),
    (
        "power",
        "cables between power_ports and power_outlets or power_feeds; interfaces with poe_mode pd",
    ),
    (
        "cable",
        "cables between interfaces; mbit_per_second from the interface's speed",
    ),
    (
        "all else",
        "the JSON custom field `stead` of each object, and `stead` beside the lists: the export fills them",
    ),
];
