//! What the members of a cluster decide, as functions of what they know.
//!
//! Owns: who holds a block ([`copy_holders`], [`piece_holders`]), the map that a membership is ([`cluster_map`]), who is
//! out ([`is_out`]), when a writer is answered ([`Need`], [`pieces_lacking`]), when a copy is given up ([`is_surplus`],
//! [`may_promise`], [`may_give_up`]), what is listed for others ([`may_list`]), when a node has all that it should have ([`is_level`]).
//! Promises: the cluster decides by these very functions, and so does the simulation (`sim/`), so that what is tried
//! there is what runs.
//! Never: asks anybody, waits, or remembers.

mod copies;
mod members;
mod writes;

pub use copies::{
    all_have, copy_holders, is_level, is_level_at, is_surplus, may_give_up, may_list, may_promise,
    piece_holders,
};
pub use members::{Standing, cluster_map, is_out};
pub use writes::{Need, When, pieces_lacking};
