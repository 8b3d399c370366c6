//! Blocks: immutable bytes under the name of their hash, and the files that are built of them.
//!
//! Owns: the [`Store`] trait and its conformance test, packs and their index ([`LocalStore`]), streaming
//! writes ([`BlockWriter`]), pins, scrub, the collector, UnixFS trees ([`unixfs`]) and the checksummed
//! file under every state database ([`checked_file`]).
//! Promises: what was answered as durable survives a crash; what is read was checked against its CRC;
//! damage is named, never served, and stays where it is. The index is derived: it can be deleted and is
//! rebuilt from the packs.
//! Never: decides what is to be kept (the caller names the roots), talks to other nodes, or knows what a
//! bucket is.

pub mod checked_file;
pub mod conformance;
mod elsewhere;
pub mod error;
mod index;
pub mod ipld;
mod key;
pub mod local;
mod overlay;
pub mod pack;
pub mod store;
pub mod stripe;
pub mod unixfs;

pub use checked_file::CheckedFile;
pub use conformance::store_conformance;
pub use elsewhere::{Copying, Elsewhere, Fetched, Lot};
pub use error::BlockError;
pub use local::{
    BlockWriter, CollectOptions, CollectReport, Damage, Directory, DirectoryState, Emptied, LocalOptions,
    LocalStore, Pin, ScrubOptions, ScrubProgress, ScrubReport, Written,
};
pub use overlay::Overlay;
pub use store::{Block, MAX_BLOCK_BYTES, Stat, Store};
pub use stripe::{Durability, Keep, Quorum};
