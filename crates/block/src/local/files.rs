//! Which pack is appended to next.

use super::Inner;
use crate::BlockError;
use crate::pack::Pack;
use std::sync::Arc;

/// Where a directory's next active pack comes from.
#[derive(Default)]
pub(crate) struct Supply {
    /// Packs with room, left from before the start, and where they end.
    pub spare: Vec<(Arc<Pack>, u64)>,
    /// The next new pack's number.
    pub next: u32,
}

impl Inner {
    pub(super) fn pack(&self, number: u32) -> Option<Arc<Pack>> {
        self.packs.read().get(&number).cloned()
    }

    /// A pack of a directory to append to, and where it ends. The caller holds the lane.
    pub(super) fn next_pack(&self, at: usize, room: u64) -> Result<(Arc<Pack>, u64), BlockError> {
        let mut supplies = self.supply.lock();
        let supply = &mut supplies[at];
        while let Some((pack, end)) = supply.spare.pop() {
            if end + room <= self.options.pack_bytes && self.pack(pack.number()).is_some() {
                return Ok((pack, end));
            }
        }
        let salt = u64::from_le_bytes(self.options.rng.bytes());
        let pack = Arc::new(Pack::create(&self.dirs.all[at].path, supply.next, salt)?);
        supply.next += 1;
        let end = pack.len()?;
        self.packs.write().insert(pack.number(), pack.clone());
        Ok((pack, end))
    }

    /// Sees to it that nothing more is appended to a pack.
    pub(super) fn close_pack(&self, number: u32) {
        for lane in &self.lanes {
            let mut lane = lane.lock();
            if lane
                .active
                .as_ref()
                .is_some_and(|(pack, _)| pack.number() == number)
            {
                lane.active = None;
            }
        }
        for supply in self.supply.lock().iter_mut() {
            supply.spare.retain(|(pack, _)| pack.number() != number);
        }
    }
}
