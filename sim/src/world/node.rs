//! What a node has on its disk, and what it has in memory.

use super::view::Block;
use std::collections::{BTreeMap, BTreeSet};

/// A block on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Not damaged. Nobody knows before it is read.
    pub whole: bool,
    /// Since when it is there, or was sent again.
    pub since: u64,
}

/// A node.
#[derive(Debug, Default)]
pub struct Node {
    /// Its disk.
    pub disk: BTreeMap<Block, Held>,
    /// The version that it has applied last; on its disk.
    pub knows: usize,
    /// It runs.
    pub up: bool,
    /// It, and its disk, are gone for good.
    pub dead: bool,
    /// Counts its starts: what was under way before a start is nobody's.
    pub start: u32,
    /// What is in memory.
    pub memory: Memory,
}

/// What a node forgets when it stops.
#[derive(Debug, Default)]
pub struct Memory {
    /// Nodes whose blocks were compared since something changed.
    pub compared: BTreeSet<usize>,
    /// Those that are being compared.
    pub comparing: BTreeSet<usize>,
    /// The version that they were compared under.
    pub under: usize,
    /// When all is compared again.
    pub due: u64,
    /// The version for which it has all that it should have.
    pub level_at: Option<usize>,
    /// Copies that others are owed.
    pub owed: BTreeMap<usize, BTreeSet<Block>>,
    /// Under which version, and when, nothing more was to be given up.
    pub trimmed: Option<(usize, u64)>,
    /// It is asking whether it may give something up.
    pub trimming: bool,
    /// How many were compared when it was last looked.
    pub had_compared: usize,
}

impl Node {
    /// Whether a copy that can be read is on its disk, whether it runs or not.
    pub fn has_whole(&self, block: Block) -> bool {
        !self.dead && self.disk.get(&block).is_some_and(|held| held.whole)
    }
}
