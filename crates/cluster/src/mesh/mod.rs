//! The mesh: QUIC between nodes, each of which is its Ed25519 key.
//!
//! Owns: the UDP port, connections, the frames on them, who may ask for what.
//! Promises: whoever is spoken to is the node of that key, and nobody else reads along; a node that is no
//! member is answered nothing but its request to join; every question ends within a bound.
//! Never: looks anything up outside (no relay, no DNS, no discovery service).

mod drill;
mod frame;
mod greet;
mod serve;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use greet::Incarnation;
pub(crate) use serve::Service;
pub(crate) use wire::{
    About, AppendAnswer, AppendEntries, Ask, Grant, JoinAsk, NodeHealth, Offer, Proposed, Reply, VoteAnswer,
    VoteAsk, WireEntry, WireId, WireVote,
};

use crate::ClusterError;
use frame::FrameError;
use iroh::endpoint::{Connection, IdleTimeout, QuicTransportConfig, presets};
use iroh::{Endpoint, EndpointAddr, PublicKey, SecretKey, TransportAddr};
use parking_lot::Mutex;
use serve::Greeted;
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stead_event::NodeId;
use stead_runtime::{TaskKind, Tasks};

/// The protocol's name and version. Questions may be added to one: who does not know a question refuses it. A
/// release that changes frames offers the older name as well.
const ALPN: &[u8] = b"stead/2";
/// Questions that one connection may have open.
const STREAMS: u32 = 256;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection that is silent for so long is gone.
const IDLE: Duration = Duration::from_secs(6);
/// How often one says something, so that it is not.
const KEEP_ALIVE: Duration = Duration::from_millis(1500);
/// Addresses kept for each node.
const ADDRESSES: usize = 16;

/// Why a node could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeshError {
    /// It could not be reached, or the connection was lost before all of the question was sent.
    #[error("{node} cannot be reached: {why}")]
    Unreachable {
        /// Who.
        node: NodeId,
        /// The library's words.
        why: String,
    },
    /// The question was sent, and no answer came: it may have had its effect.
    #[error("{node} did not answer: {why}")]
    Lost {
        /// Who.
        node: NodeId,
        /// What happened.
        why: String,
    },
    /// It answered that it will not.
    #[error("{node} refused: {why}")]
    Refused {
        /// Who.
        node: NodeId,
        /// Its words.
        why: String,
    },
}

/// What a mesh is started with.
pub(crate) struct MeshOptions {
    /// The node's secret key.
    pub secret: [u8; 32],
    /// Where to listen for datagrams; port zero takes a free one.
    pub listen: SocketAddr,
    /// Where tasks run.
    pub tasks: Tasks,
    /// Which process this is.
    pub incarnation: Incarnation,
}

/// This node's end of the mesh.
pub(crate) struct Mesh {
    endpoint: Endpoint,
    own: NodeId,
    listen: SocketAddr,
    tasks: Tasks,
    incarnation: Incarnation,
    met: greet::Met,
    /// Where nodes were seen or say that they are.
    book: Mutex<HashMap<NodeId, BTreeSet<SocketAddr>>>,
    connections: Mutex<HashMap<NodeId, Connection>>,
    /// Held while a connection to that node is being made, so that it is made once.
    making: Mutex<HashMap<NodeId, Arc<tokio::sync::Mutex<()>>>>,
    /// What answers, once somebody does.
    service: OnceLock<Arc<dyn Service>>,
    drill: drill::CutOff,
    /// Nodes that could not be reached the last time: nobody but the one who tries again waits for them.
    away: Mutex<BTreeSet<NodeId>>,
}

fn transport() -> QuicTransportConfig {
    let idle = IdleTimeout::try_from(IDLE).ok();
    QuicTransportConfig::builder()
        .max_concurrent_bidi_streams(STREAMS.into())
        .max_concurrent_uni_streams(0_u32.into())
        .max_idle_timeout(idle)
        .keep_alive_interval(KEEP_ALIVE)
        .build()
}

impl Mesh {
    /// Binds the port. Nothing is answered before [`Self::serve`].
    pub async fn start(options: MeshOptions) -> Result<Arc<Self>, ClusterError> {
        let secret = SecretKey::from_bytes(&options.secret);
        let own = NodeId::from_public_key(secret.public().as_bytes());
        let failed = |why: String| ClusterError::Mesh(format!("cannot listen on {}: {why}", options.listen));
        let endpoint = Endpoint::builder(presets::Minimal)
            .secret_key(secret)
            .alpns(vec![ALPN.to_vec()])
            .clear_ip_transports()
            .clear_relay_transports()
            .clear_address_lookup()
            .transport_config(transport())
            .bind_addr(options.listen)
            .map_err(|error| failed(error.to_string()))?
            .bind()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let bound = endpoint
            .bound_sockets()
            .first()
            .copied()
            .unwrap_or(options.listen);
        Ok(Arc::new(Self {
            endpoint,
            own,
            listen: bound,
            tasks: options.tasks,
            incarnation: options.incarnation,
            met: greet::Met::default(),
            book: Mutex::default(),
            connections: Mutex::default(),
            making: Mutex::default(),
            away: Mutex::default(),
            drill: drill::CutOff::default(),
            service: OnceLock::new(),
        }))
    }

    /// Answers other nodes from now on.
    pub fn serve(self: &Arc<Self>, service: Arc<dyn Service>) {
        // Called once, by whoever composes the node.
        let _ = self.service.set(service.clone());
        let serving = serve::accept(self.clone(), self.endpoint.clone(), self.tasks.clone(), service);
        self.tasks.spawn(TaskKind::Core, "mesh", serving);
    }

    /// Where others may reach this node.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        if !self.listen.ip().is_unspecified() {
            return vec![self.listen];
        }
        let own = self.endpoint.addr();
        own.ip_addrs().copied().take(ADDRESSES).collect()
    }

    /// The port that is listened on.
    pub fn port(&self) -> u16 {
        self.listen.port()
    }

    /// Notes where a node says that it is.
    pub fn learn(&self, node: &NodeId, addresses: impl IntoIterator<Item = SocketAddr>) {
        let mut book = self.book.lock();
        let known = book.entry(node.clone()).or_default();
        for address in addresses {
            if known.len() < ADDRESSES {
                known.insert(address);
            }
        }
    }

    /// Forgets where a node was before, and notes where it says that it is.
    pub fn relearn(&self, node: &NodeId, addresses: impl IntoIterator<Item = SocketAddr>) {
        self.book.lock().remove(node);
        self.learn(node, addresses);
    }

    /// Asks a node, and waits at most `limit` for its answer.
    pub async fn ask(
        self: &Arc<Self>,
        node: &NodeId,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Reply, MeshError> {
        if self.drill.is_on() {
            return Err(MeshError::Unreachable {
                node: node.clone(),
                why: "this node is cut off for a drill".into(),
            });
        }
        let connection = self.connection(node).await?;
        let lost = |why: String| MeshError::Lost {
            node: node.clone(),
            why,
        };
        let exchange = async {
            let (mut send, mut receive) = connection.open_bi().await.map_err(|error| {
                self.drop_connection(node, &connection);
                MeshError::Unreachable {
                    node: node.clone(),
                    why: error.to_string(),
                }
            })?;
            frame::write(&mut send, ask)
                .await
                .map_err(|e| lost(e.to_string()))?;
            // The end of the stream may have been met already; then the answer is on its way.
            let _ = send.finish();
            frame::read::<Reply>(&mut receive, frame::MAX)
                .await
                .map_err(|error| {
                    if matches!(error, FrameError::Stream(_)) {
                        self.drop_connection(node, &connection);
                    }
                    lost(error.to_string())
                })
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(Ok(Reply::Refused(why))) => Err(MeshError::Refused {
                node: node.clone(),
                why,
            }),
            Ok(Ok(Reply::Superseded(why))) => {
                // Greeting anew finds out which of the two counts.
                self.drop_connection(node, &connection);
                Err(MeshError::Unreachable {
                    node: node.clone(),
                    why,
                })
            }
            Ok(answered) => answered,
            Err(_) => Err(lost(format!("no answer within {limit:?}"))),
        }
    }

    /// Takes a connection that a member has made for the way to it, where there is none.
    fn adopt(&self, node: &NodeId, connection: &Connection) {
        self.away.lock().remove(node);
        if self.open(node).is_none() {
            self.connections.lock().insert(node.clone(), connection.clone());
        }
    }

    fn drop_connection(&self, node: &NodeId, connection: &Connection) {
        let mut connections = self.connections.lock();
        if connections
            .get(node)
            .is_some_and(|known| known.stable_id() == connection.stable_id())
        {
            connections.remove(node);
        }
    }

    fn open(&self, node: &NodeId) -> Option<Connection> {
        let connections = self.connections.lock();
        let known = connections.get(node)?;
        known.close_reason().is_none().then(|| known.clone())
    }

    async fn connection(self: &Arc<Self>, node: &NodeId) -> Result<Connection, MeshError> {
        if let Some(open) = self.open(node) {
            return Ok(open);
        }
        let making = self.making.lock().entry(node.clone()).or_default().clone();
        let unreachable = |why: String| MeshError::Unreachable {
            node: node.clone(),
            why,
        };
        let was_away = self.away.lock().contains(node);
        let _one = match making.try_lock() {
            Ok(one) => one,
            Err(_) if was_away => return Err(unreachable("it was away a moment ago".into())),
            Err(_) => making.lock().await,
        };
        if let Some(open) = self.open(node) {
            return Ok(open);
        }
        let connected = self.connect(node).await;
        match connected {
            Ok((connection, process)) => {
                self.away.lock().remove(node);
                self.connections.lock().insert(node.clone(), connection.clone());
                if let Some(service) = self.service.get() {
                    let answering = serve::questions(
                        connection.clone(),
                        node.clone(),
                        (self.clone(), service.clone()),
                        Greeted::by(process),
                    );
                    self.tasks
                        .spawn(TaskKind::Connection, "mesh-connection", answering);
                }
                Ok(connection)
            }
            Err(why) => {
                self.away.lock().insert(node.clone());
                Err(unreachable(why))
            }
        }
    }

    async fn connect(&self, node: &NodeId) -> Result<(Connection, Incarnation), String> {
        let key = node.public_key().and_then(|key| PublicKey::from_bytes(&key).ok());
        let key = key.ok_or("its name is not a key")?;
        let known = self.book.lock().get(node).cloned().unwrap_or_default();
        if known.is_empty() {
            return Err("no address of it is known".into());
        }
        let address = EndpointAddr::from_parts(key, known.into_iter().map(TransportAddr::Ip));
        let connecting = async {
            let connected = self.endpoint.connect(address, ALPN).await;
            let connection = connected.map_err(|error| error.to_string())?;
            let process = self.greet(node, &connection).await?;
            Ok((connection, process))
        };
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(format!("no connection within {CONNECT:?}")),
        }
    }

    /// Ends all connections and gives the port back.
    pub async fn close(&self) {
        self.connections.lock().clear();
        self.endpoint.close().await;
    }

    /// This node.
    pub fn own(&self) -> &NodeId {
        &self.own
    }
}
