//! Prices where the file and the catalogue have none.
//!
//! Owns: bounds of ours, in US dollars, wide on purpose and without a source. Promises: whatever is reckoned with one of
//! them says so; a lab's own `price`, or a `[[part]]` with `price_usd`, comes first.

use crate::interval::Interval;
use crate::lab::model::DiskKind;

const fn range(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

/// A switch of eight ports, without power over Ethernet.
pub(crate) const SWITCH: Interval = range(20.0, 60.0);
/// A small UPS.
pub(crate) const UPS: Interval = range(60.0, 200.0);
/// A second network card, behind USB.
pub(crate) const CARD: Interval = range(10.0, 30.0);
/// A small power supply.
pub(crate) const SUPPLY: Interval = range(8.0, 25.0);
/// A network cable.
pub(crate) const CABLE: Interval = range(2.0, 8.0);

/// A terabyte of a disk.
pub(crate) fn disk_per_tb(kind: DiskKind) -> Interval {
    match kind {
        DiskKind::Nvme | DiskKind::Ssd | DiskKind::UsbSsd => range(50.0, 120.0),
        DiskKind::HddSmall => range(20.0, 35.0),
        DiskKind::HddLarge => range(13.0, 28.0),
        DiskKind::FlashCard => range(80.0, 200.0),
    }
}
