//! Pins: blocks that the collector must leave alone although no root names them yet.

use crate::key::Key;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Default)]
pub(crate) struct Pins(Mutex<Table>);

#[derive(Default)]
struct Table {
    counts: HashMap<Key, u32>,
    /// While a collection runs: what was unpinned meanwhile. Its root may be younger than the roots that the
    /// collection goes by.
    released: Option<HashSet<Key>>,
}

/// Keeps blocks from the collector while it lives.
#[derive(Default)]
#[must_use = "the blocks are protected only while the pin lives"]
pub struct Pin {
    keys: Vec<Key>,
    pins: Arc<Pins>,
}

impl Pins {
    pub fn pin(self: &Arc<Self>, keys: impl Iterator<Item = Key>) -> Pin {
        let mut pin = Pin {
            keys: Vec::new(),
            pins: self.clone(),
        };
        pin.extend(keys);
        pin
    }

    /// A collection begins.
    pub fn watch(&self) {
        self.0.lock().released = Some(HashSet::new());
    }

    /// A collection has ended.
    pub fn unwatch(&self) {
        self.0.lock().released = None;
    }

    /// Everything that the collection under way must leave alone.
    pub fn protected(&self) -> Vec<Key> {
        let table = self.0.lock();
        let released = table.released.iter().flatten();
        table.counts.keys().chain(released).copied().collect()
    }

    /// Runs `change` if the block is not protected. Whoever pins it later sees what `change` did.
    pub fn unless_pinned<T>(&self, key: &Key, change: impl FnOnce() -> T) -> Option<T> {
        let table = self.0.lock();
        let released = table
            .released
            .as_ref()
            .is_some_and(|released| released.contains(key));
        (!released && !table.counts.contains_key(key)).then(change)
    }
}

impl Pin {
    /// Adds blocks.
    pub(crate) fn extend(&mut self, keys: impl Iterator<Item = Key>) {
        let mut table = self.pins.0.lock();
        for key in keys {
            *table.counts.entry(key).or_insert(0) += 1;
            self.keys.push(key);
        }
    }

    /// How many blocks it keeps, counting each time one was added.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut table = self.pins.0.lock();
        for key in &self.keys {
            if let Some(count) = table.counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    table.counts.remove(key);
                }
            }
        }
        if let Some(released) = &mut table.released {
            released.extend(self.keys.drain(..));
        }
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pin({} blocks)", self.keys.len())
    }
}
