//! Events, CIDs and the hash chain: the small vocabulary that every room shares.
//!
//! Owns: [`Event`] and its canonical line, [`Body`] (the closed set of core kinds), identifiers,
//! [`Timestamp`], content identifiers, the chain check and [`Migrate`].
//! Promises: the same event always encodes to the same bytes, and a line decodes to the event it was
//! made from.
//! Never: I/O, a clock, randomness, async.

pub mod body;
pub mod chain;
pub mod cids;
pub mod event;
pub mod ident;
pub mod migrate;
mod text_map;
pub mod timestamp;

pub use body::{Body, Via};
pub use chain::{ChainError, ChainHead};
pub use cid::Cid;
pub use event::{Event, EventError};
pub use ident::{EventId, IdentError, NodeId, Principal, Tenant};
pub use ipld_core::ipld::Ipld;
pub use migrate::{Migrate, MigrateError};
pub use text_map::TextMap;
pub use timestamp::Timestamp;

/// A place in one tenant's log: the sequence number of an event, from 1. Zero is "before the first".
pub type Position = u64;
