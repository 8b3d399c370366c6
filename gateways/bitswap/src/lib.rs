//! Bitswap: blocks given to IPFS peers, and fetched from them, over libp2p.
//!
//! Owns: the libp2p node (TCP and QUIC, noise, yamux, identify), the messages of Bitswap 1.2 ([`message`]),
//! what each peer wants and was asked.
//! Promises: only what is public is given, and what is not public is answered as what is not there; a block
//! that is taken hashes to the CID that was asked for; wantlists, queues, streams, connections and memory are
//! bounded, and a peer that asks too fast waits.
//! Never: asks or tells anybody who was not named: no DHT, no mDNS, no announcements. Stores nothing.

mod fetch;
pub mod ledger;
pub mod message;
mod node;
mod peer;
mod streams;
mod wire;

pub use fetch::{Bitswap, FetchError, check_listen, check_peer};

use async_trait::async_trait;
use bytes::Bytes;
use stead_event::Cid;
use stead_gateway::ipfs::PublishedBlocks;

/// The gateway's name in metrics and endpoints.
pub const NAME: &str = "bitswap";

/// Blocks that may be given to anybody.
#[async_trait]
pub trait Blocks: Send + Sync + 'static {
    /// A block; `None` where there is none for others.
    async fn get(&self, cid: &Cid) -> Option<Bytes>;
    /// Whether [`Self::get`] would have one.
    async fn has(&self, cid: &Cid) -> bool;
}

#[async_trait]
impl Blocks for PublishedBlocks {
    async fn get(&self, cid: &Cid) -> Option<Bytes> {
        match PublishedBlocks::get(self, cid).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%cid, %error, "a block cannot be given to a peer");
                None
            }
        }
    }

    async fn has(&self, cid: &Cid) -> bool {
        matches!(self.size(cid), Ok(Some(_)))
    }
}
