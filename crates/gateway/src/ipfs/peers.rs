//! The seam to a node among IPFS peers, where there is one.

use super::IpfsError;
use async_trait::async_trait;
use bytes::Bytes;
use stead_event::Cid;

/// A node that exchanges blocks with peers.
#[async_trait]
pub trait Peers: Send + Sync {
    /// Who it is to them.
    fn peer_id(&self) -> String;

    /// Where they find it: multiaddresses that end with its peer id.
    fn addresses(&self) -> Vec<String>;

    /// How many of them are connected.
    fn connected(&self) -> usize;

    /// Those that are asked where nobody names any.
    fn usual(&self) -> Vec<String>;

    /// A block from the first of the named peers (multiaddresses with a peer id) that gives it; it is what its
    /// CID says, and no larger than what can be kept.
    async fn fetch(&self, cid: &Cid, from: &[String]) -> Result<Bytes, IpfsError>;
}
