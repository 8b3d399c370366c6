//! What is under way: messages, and what nodes do now and then.

use super::view::Block;
use crate::schedule::Fault;

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub enum Event {
    /// What the schedule says.
    Fault(Fault),
    /// A node looks what there is to do.
    Tick { node: usize, start: u32 },
    /// Whoever leads looks, or somebody begins to.
    Lead,
    /// The operator looks whether somebody can be removed.
    Operate,
    /// The checker reads something.
    Probe,
    /// A node hears of a version.
    Learn { node: usize, version: usize },
    /// A node that stopped starts.
    Start { node: usize },
    /// Those that were apart reach each other again.
    Rejoin { cut: u64 },
    /// Blocks arrive that a writer, or one that owes them, sent.
    Put {
        from: (usize, u32),
        to: usize,
        blocks: Vec<Block>,
        write: Option<usize>,
    },
    /// Whether they were stored.
    Stored {
        write: usize,
        start: u32,
        node: usize,
        ok: bool,
        blocks: Vec<Block>,
    },
    /// A node answers which of its blocks belong to who asks.
    List {
        by: (usize, u32),
        of: usize,
        under: usize,
    },
    /// Blocks that were asked for arrive; none are left to ask for, or some.
    Arrive {
        by: (usize, u32),
        of: usize,
        under: usize,
        blocks: Vec<Block>,
        rest: bool,
    },
    /// A piece was made anew.
    Made { by: (usize, u32), block: Block },
    /// An owner is asked to promise that it has blocks.
    Promise { trim: usize },
}
