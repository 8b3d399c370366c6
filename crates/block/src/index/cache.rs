//! A bounded cache of places, in shards. Approximates least-recently-used with two generations: when the
//! young one is full it becomes the old one, and the old one is dropped.

use super::Loc;
use crate::key::Key;
use parking_lot::Mutex;
use std::collections::HashMap;

const SHARDS: usize = 16;
/// Entries of one generation of one shard; 32,768 in all, some 4 MiB.
const GENERATION: usize = 1024;

#[derive(Default)]
struct Shard {
    young: HashMap<Key, Loc>,
    old: HashMap<Key, Loc>,
}

#[derive(Default)]
pub(super) struct Cache([Mutex<Shard>; SHARDS]);

impl Cache {
    pub fn get(&self, key: &Key) -> Option<Loc> {
        let mut shard = self.0[key.bucket(SHARDS)].lock();
        if let Some(loc) = shard.young.get(key) {
            return Some(*loc);
        }
        let loc = shard.old.remove(key)?;
        shard.put(*key, loc);
        Some(loc)
    }

    pub fn put(&self, key: Key, loc: Loc) {
        self.0[key.bucket(SHARDS)].lock().put(key, loc);
    }

    pub fn remove(&self, key: &Key) {
        let mut shard = self.0[key.bucket(SHARDS)].lock();
        shard.young.remove(key);
        shard.old.remove(key);
    }
}

impl Shard {
    fn put(&mut self, key: Key, loc: Loc) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, loc);
    }
}
