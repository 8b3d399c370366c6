//! Copies that other nodes keep now: given up here; and copies that were asked for again: young again.

use super::LocalStore;
use crate::BlockError;
use crate::index::Loc;
use crate::key::Key;
use std::collections::BTreeMap;
use std::time::Duration;
use stead_event::Cid;

/// Seconds for which a block counts as young enough to be left as it is.
const YOUNG: u32 = 300;

impl LocalStore {
    /// Of these, the blocks that are stored here and were stored at least so long ago.
    pub fn older_than(&self, names: &[Cid], age: Duration) -> Result<Vec<Cid>, BlockError> {
        let before = u64::from(self.0.now_seconds()).saturating_sub(age.as_secs());
        let mut old = Vec::new();
        for cid in names {
            let stored = self.0.index.lookup(&Key::of(cid)?)?;
            if stored.is_some_and(|loc| u64::from(loc.seconds) <= before) {
                old.push(*cid);
            }
        }
        Ok(old)
    }

    /// Deletes blocks of which there are enough copies elsewhere. What is pinned stays. The room is freed when
    /// their packs are compacted. Answers how many were deleted. Blocks.
    pub fn give_up(&self, names: &[Cid]) -> Result<u64, BlockError> {
        let inner = &self.0;
        // A dead entry may only name a record that is durable itself.
        inner.sync()?;
        let mut dead: BTreeMap<u32, Vec<(u32, Cid)>> = BTreeMap::new();
        let mut given = 0;
        for cid in names {
            let key = Key::of(cid)?;
            let _claim = inner.stripes.lock(&key);
            let deleted = inner.pins.unless_pinned(&key, || {
                let loc = inner.index.lookup(&key)?;
                if let Some(loc) = loc {
                    inner.index.set(key, Some(loc), None);
                }
                Ok::<_, BlockError>(loc)
            });
            if let Some(loc) = deleted.transpose()?.flatten() {
                dead.entry(loc.pack).or_default().push((loc.offset, *cid));
                given += 1;
            }
        }
        for (pack, records) in dead {
            inner.mark_dead(pack, &records)?;
        }
        inner.sync()?;
        Ok(given)
    }

    /// Makes stored blocks young again for the collector: something that it cannot see yet is to name them.
    pub fn renew(&self, names: &[Cid]) -> Result<(), BlockError> {
        let now = self.0.now_seconds();
        for cid in names {
            let key = Key::of(cid)?;
            let _claim = self.0.stripes.lock(&key);
            let old = |loc: &Loc| loc.seconds.saturating_add(YOUNG) < now;
            if let Some(loc) = self.0.index.lookup(&key)?.filter(old) {
                self.0
                    .index
                    .set(key, Some(loc), Some(Loc { seconds: now, ..loc }));
            }
        }
        Ok(())
    }
}
