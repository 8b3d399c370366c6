//! What is public to IPFS, for every gateway: blocks that may be given to anybody, and how that comes about.
//!
//! Owns: [`PublishedBlocks`] (the one way from a CID to bytes for people who were not asked who they are),
//! publishing and its follower ([`follow`]), IPNS names and records ([`ipns`]), CAR files in and out.
//! Promises: a block is answered only while something public reaches it; whether it is stored beside that
//! makes no difference, neither in the answer nor in what is looked at first. What comes from elsewhere is
//! checked block by block.
//! Never: speaks HTTP to readers; that is `gateways/ipfs`.

mod blocks;
pub mod car;
mod car_in;
mod error;
mod export;
pub mod file;
mod follower;
mod import;
pub mod ipns;
mod peers;
mod pin;
mod publish;
mod stream;
mod tar;
mod tar_header;
mod walk;

pub use blocks::PublishedBlocks;
pub use error::IpfsError;
pub use follower::follow;
pub use import::{ImportDone, ImportRequest, absent};
pub use peers::Peers;
pub use publish::{PublishDone, prefix_of};
pub use stead_block::ipld;
pub use stead_block::unixfs;
pub use stream::{BlockBody, Pieces};
pub use walk::{Found, LISTING_MAX, ListedEntry, Node, Walked};
