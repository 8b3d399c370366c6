//! The handle: who we are, and blocks from peers.

use crate::node::{Command, Node, Shared};
use crate::peer::Answer;
use crate::{Blocks, NAME};
use async_trait::async_trait;
use bytes::Bytes;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use std::sync::Arc;
use std::time::Duration;
use stead_event::Cid;
use stead_gateway::TaskKind;
use stead_gateway::ipfs::{IpfsError, Peers, ipld};
use stead_gateway::listen::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a peer may take to be reached, and to answer one question.
const CONNECT: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(30);
/// How long the node may take to bind its addresses.
const BIND: Duration = Duration::from_secs(10);
/// Peers that one block is asked of at most.
const PEERS_MAX: usize = 16;

/// Why there is no block, or no node.
#[derive(Clone, Debug, thiserror::Error)]
#[allow(missing_docs)] // the message says what each is
pub enum FetchError {
    #[error("the node does not start: {0}")]
    Start(String),
    #[error("{0:?} is not the address of a peer: it looks like /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…")]
    Address(String),
    #[error("no peer was named")]
    NoPeers,
    #[error("{0} cannot be reached: {1}")]
    Unreachable(PeerId, String),
    #[error("{0} does not have it")]
    Absent(PeerId),
    #[error("{0} sent bytes that are not what was asked for")]
    Wrong(PeerId),
    #[error("{0} did not answer")]
    Silent(PeerId),
}

/// A running Bitswap node. Cheap to clone.
#[derive(Clone)]
pub struct Bitswap {
    shared: Arc<Shared>,
    id: PeerId,
    usual: Arc<[String]>,
}

/// A peer's id and its address without that, from an address that ends with `/p2p/ID`.
fn parse(text: &str) -> Result<(PeerId, Multiaddr), FetchError> {
    let not = || FetchError::Address(text.to_owned());
    let mut address: Multiaddr = text.parse().map_err(|_| not())?;
    match address.pop() {
        Some(Protocol::P2p(id)) if !address.is_empty() => Ok((id, address)),
        _ => Err(not()),
    }
}

/// Whether a text is the address of a peer.
pub fn check_peer(text: &str) -> Result<(), FetchError> {
    parse(text).map(drop)
}

/// Whether a text is an address to listen on: TCP, or QUIC over UDP, on an IP address.
pub fn check_listen(text: &str) -> Result<(), FetchError> {
    let not = || {
        FetchError::Start(format!(
            "{text:?} is not like /ip4/127.0.0.1/tcp/7304 or /ip4/127.0.0.1/udp/7304/quic-v1"
        ))
    };
    let address: Multiaddr = text.parse().map_err(|_| not())?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
        | [
            Protocol::Ip4(_) | Protocol::Ip6(_),
            Protocol::Udp(_),
            Protocol::QuicV1,
        ] => Ok(()),
        _ => Err(not()),
    }
}

impl Bitswap {
    /// Starts a node with the Ed25519 key that has this seed; it runs until shutdown.
    pub async fn start(
        seed: [u8; 32],
        listen: &[String],
        blocks: Arc<dyn Blocks>,
        runtime: Runtime,
    ) -> Result<Self, FetchError> {
        let parsed: Result<Vec<Multiaddr>, _> = listen.iter().map(|text| text.parse()).collect();
        let listen = parsed.map_err(|why| FetchError::Start(format!("{listen:?}: {why}")))?;
        let tasks = runtime.tasks.clone();
        let started = timeout(BIND, Node::start(seed, &listen, blocks, runtime)).await;
        let (node, shared, id) =
            started.map_err(|_| FetchError::Start("its addresses are not bound in time".into()))??;
        let running = node.run();
        tasks.spawn(TaskKind::Listener, NAME, running);
        Ok(Self {
            shared,
            id,
            usual: Arc::default(),
        })
    }

    /// Asks these peers where nobody names any.
    #[must_use]
    pub fn with_usual(mut self, peers: &[String]) -> Self {
        self.usual = peers.into();
        self
    }

    /// The peer id, which is the node's key.
    pub fn peer_id(&self) -> String {
        self.id.to_string()
    }

    /// Where peers find this node, with its peer id.
    pub fn addresses(&self) -> Vec<String> {
        let addresses = self.shared.addresses.lock();
        let whole = |address: &Multiaddr| address.clone().with(Protocol::P2p(self.id)).to_string();
        addresses.iter().map(whole).collect()
    }

    /// How many peers are connected.
    pub fn connected(&self) -> usize {
        self.shared.peers.lock().len()
    }

    /// A block from the first of these peers that gives it.
    pub async fn fetch(&self, cid: &Cid, from: &[String]) -> Result<Bytes, FetchError> {
        let mut peers: Vec<(PeerId, Vec<Multiaddr>)> = Vec::new();
        for text in from.iter().take(PEERS_MAX) {
            let (id, address) = parse(text)?;
            match peers.iter_mut().find(|(known, _)| *known == id) {
                Some((_, addresses)) => addresses.push(address),
                None => peers.push((id, vec![address])),
            }
        }
        let mut last = FetchError::NoPeers;
        for (id, addresses) in peers {
            match self.fetch_from(cid, id, addresses).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn fetch_from(&self, cid: &Cid, id: PeerId, at: Vec<Multiaddr>) -> Result<Bytes, FetchError> {
        self.connect(id, at).await?;
        let peer = self.shared.peers.lock().get(&id).cloned();
        let gone = || FetchError::Unreachable(id, "the connection is closed".into());
        let peer = peer.ok_or_else(gone)?;
        let answer = peer.ask(cid).ok_or(FetchError::Silent(id))?;
        match timeout(ANSWER, answer).await {
            Ok(Ok(Answer::Block(bytes))) => Ok(bytes),
            Ok(Ok(Answer::Absent)) => Err(FetchError::Absent(id)),
            Ok(Ok(Answer::Wrong)) => Err(FetchError::Wrong(id)),
            Ok(Err(_)) => Err(gone()),
            Err(_) => {
                peer.give_up(cid);
                Err(FetchError::Silent(id))
            }
        }
    }

    async fn connect(&self, id: PeerId, at: Vec<Multiaddr>) -> Result<(), FetchError> {
        if self.shared.peers.lock().contains_key(&id) {
            return Ok(());
        }
        let (reply, connected) = oneshot::channel();
        let command = Command::Connect(id, at, reply);
        let stopped = || FetchError::Unreachable(id, "the node is stopping".into());
        self.shared.commands.send(command).await.map_err(|_| stopped())?;
        match timeout(CONNECT, connected).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(why))) => Err(FetchError::Unreachable(id, why)),
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(FetchError::Unreachable(id, "it does not answer".into())),
        }
    }
}

#[async_trait]
impl Peers for Bitswap {
    fn peer_id(&self) -> String {
        Bitswap::peer_id(self)
    }

    fn addresses(&self) -> Vec<String> {
        Bitswap::addresses(self)
    }

    fn connected(&self) -> usize {
        Bitswap::connected(self)
    }

    fn usual(&self) -> Vec<String> {
        self.usual.to_vec()
    }

    async fn fetch(&self, cid: &Cid, from: &[String]) -> Result<Bytes, IpfsError> {
        let source = |why: String| IpfsError::Source {
            cid: Box::new(*cid),
            why,
        };
        let bytes = match Bitswap::fetch(self, cid, from).await {
            Ok(bytes) => bytes,
            Err(FetchError::Wrong(_)) => return Err(IpfsError::Mismatch(Box::new(*cid))),
            Err(error) => return Err(source(error.to_string())),
        };
        // Peers were held to the CID already; this also holds them to a size that can be kept.
        ipld::check(cid, &bytes).map_err(|error| source(error.to_string()))?;
        Ok(bytes)
    }
}
