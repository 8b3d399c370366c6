//! The libp2p node: one task owns the swarm; everybody else sends it commands.

use crate::message::Message;
use crate::peer::Peer;
use crate::streams::{Opened, Streams};
use crate::wire::Memory;
use crate::{Blocks, FetchError, NAME};
use futures::StreamExt;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{Config, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, SwarmBuilder, identify, identity, noise, tcp, yamux};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use stead_gateway::TaskKind;
use stead_gateway::listen::Runtime;
use tokio::sync::{mpsc, oneshot};

/// Connections at most: that others made, in all, of one peer.
const INCOMING_MAX: u32 = 256;
const CONNECTIONS_MAX: u32 = 320;
const PER_PEER_MAX: u32 = 4;
/// Connections that are being made, each way.
const PENDING_MAX: u32 = 64;
/// An idle connection is closed after this time.
const IDLE: Duration = Duration::from_secs(60);
/// Streams that wait for a reader, and commands that wait for the swarm.
const QUEUE: usize = 256;
/// Memory for messages that are read, and for those that are written, in MiB.
const MEMORY_MIB: usize = 64;

/// What is asked of the swarm.
pub(crate) enum Command {
    /// Be connected to a peer, at one of these addresses.
    Connect(PeerId, Vec<Multiaddr>, oneshot::Sender<Result<(), String>>),
    /// Open a stream to a peer.
    Open(PeerId, Opened),
    /// Close all connections to a peer.
    Leave(PeerId),
}

/// What every task of this node uses.
pub(crate) struct Shared {
    pub(crate) blocks: Arc<dyn Blocks>,
    pub(crate) runtime: Runtime,
    pub(crate) reading: Memory,
    pub(crate) writing: Memory,
    pub(crate) peers: Mutex<HashMap<PeerId, Arc<Peer>>>,
    pub(crate) addresses: Mutex<BTreeSet<Multiaddr>>,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Shared {
    pub(crate) async fn open(&self, peer: PeerId) -> Option<Stream> {
        let (opened, stream) = oneshot::channel();
        self.commands.send(Command::Open(peer, opened)).await.ok()?;
        stream.await.ok()
    }

    pub(crate) fn leave(&self, peer: PeerId) {
        // Full: the peer is left when it is next found wanting; nothing is taken from it meanwhile.
        let _ = self.commands.try_send(Command::Leave(peer));
    }

    pub(crate) fn count(&self, message: &Message) {
        let bytes: usize = message.blocks.iter().map(|block| block.data.len()).sum();
        self.runtime.metrics.sent(NAME, bytes as u64);
        message
            .blocks
            .iter()
            .for_each(|_| self.runtime.metrics.peer_block("served"));
        let absent = message.presences.iter().filter(|presence| !presence.have);
        absent.for_each(|_| self.runtime.metrics.peer_block("absent"));
    }

    fn peer(self: &Arc<Self>, id: PeerId) -> Arc<Peer> {
        let mut peers = self.peers.lock();
        if let Some(peer) = peers.get(&id) {
            return peer.clone();
        }
        let peer = Arc::new(Peer::new(id, self));
        peers.insert(id, peer.clone());
        drop(peers);
        let writing = peer.clone().write(self.clone());
        self.runtime
            .tasks
            .spawn(TaskKind::Background, "bitswap-write", writing);
        peer
    }
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    streams: Streams,
}

type Connecting = HashMap<PeerId, Vec<oneshot::Sender<Result<(), String>>>>;

/// The task's own state.
pub(crate) struct Node {
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    incoming: mpsc::Receiver<(PeerId, Stream)>,
    connecting: Connecting,
    listeners: HashMap<ListenerId, bool>,
}

fn failed(why: impl std::fmt::Display) -> FetchError {
    FetchError::Start(why.to_string())
}

fn swarm(
    key: identity::Keypair,
    runtime: &Runtime,
    streams: Streams,
) -> Result<Swarm<Behaviour>, FetchError> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_pending_outgoing(Some(PENDING_MAX))
        .with_max_established_incoming(Some(INCOMING_MAX))
        .with_max_established(Some(CONNECTIONS_MAX))
        .with_max_established_per_peer(Some(PER_PEER_MAX));
    let tasks = runtime.tasks.clone();
    let executor = move |future| {
        tasks.spawn(TaskKind::Background, "bitswap-connection", future);
    };
    let agent = concat!("stead/", env!("CARGO_PKG_VERSION"));
    let about = identify::Config::new("/ipfs/0.1.0".into(), key.public()).with_agent_version(agent.into());
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        identify: identify::Behaviour::new(about),
        streams,
    };
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(failed)?
        .with_quic()
        .with_behaviour(|_| behaviour)
        .map_err(failed)?
        .with_swarm_config(|_| Config::with_executor(executor).with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

impl Node {
    /// Binds every address and waits until it is known.
    pub(crate) async fn start(
        seed: [u8; 32],
        listen: &[Multiaddr],
        blocks: Arc<dyn Blocks>,
        runtime: Runtime,
    ) -> Result<(Self, Arc<Shared>, PeerId), FetchError> {
        let key = identity::Keypair::ed25519_from_bytes(seed).map_err(failed)?;
        let (offered, incoming) = mpsc::channel(QUEUE);
        let (sender, commands) = mpsc::channel(QUEUE);
        let swarm = swarm(key, &runtime, Streams::new(offered))?;
        let id = *swarm.local_peer_id();
        let shared = Arc::new(Shared {
            blocks,
            runtime,
            reading: Memory::new(MEMORY_MIB),
            writing: Memory::new(MEMORY_MIB),
            peers: Mutex::default(),
            addresses: Mutex::default(),
            commands: sender,
        });
        let mut node = Self {
            swarm,
            shared: shared.clone(),
            commands,
            incoming,
            connecting: HashMap::new(),
            listeners: HashMap::new(),
        };
        for address in listen {
            let listener = node.swarm.listen_on(address.clone());
            let listener =
                listener.map_err(|why| FetchError::Start(format!("cannot listen on {address}: {why}")))?;
            node.listeners.insert(listener, false);
        }
        while node.listeners.values().any(|bound| !bound) {
            let event = node.swarm.select_next_some().await;
            if let SwarmEvent::ListenerClosed {
                reason, addresses, ..
            } = &event
            {
                return Err(FetchError::Start(format!(
                    "cannot listen on {addresses:?}: {reason:?}"
                )));
            }
            node.event(event);
        }
        Ok((node, shared, id))
    }

    /// Until shutdown.
    pub(crate) async fn run(mut self) {
        let mut shutdown = self.shared.runtime.tasks.shutdown_signal();
        loop {
            tokio::select! {
                () = shutdown.wait() => break,
                event = self.swarm.select_next_some() => self.event(event),
                Some(command) = self.commands.recv() => self.command(command),
                Some((peer, stream)) = self.incoming.recv() => self.stream(peer, stream),
            }
        }
        let peers = std::mem::take(&mut *self.shared.peers.lock());
        peers.into_values().for_each(|peer| peer.leave());
    }

    fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                if let Some(bound) = self.listeners.get_mut(&listener_id) {
                    *bound = true;
                }
                self.shared.addresses.lock().insert(address);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.shared.addresses.lock().remove(&address);
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                num_established,
                ..
            } => {
                if num_established.get() == 1 {
                    self.shared.runtime.metrics.connections(NAME).inc();
                }
                self.shared.peer(peer_id);
                self.connected(peer_id, Ok(()));
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.shared.runtime.metrics.connections(NAME).dec();
                let peer = self.shared.peers.lock().remove(&peer_id);
                if let Some(peer) = peer {
                    peer.leave();
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } if !self.swarm.is_connected(&peer) => self.connected(peer, Err(error.to_string())),
            SwarmEvent::IncomingConnectionError { .. } => self.shared.runtime.metrics.refused(NAME),
            _ => {}
        }
    }

    fn connected(&mut self, peer: PeerId, how: Result<(), String>) {
        for waiting in self.connecting.remove(&peer).into_iter().flatten() {
            let _ = waiting.send(how.clone());
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Connect(peer, _, reply) if self.swarm.is_connected(&peer) => {
                let _ = reply.send(Ok(()));
            }
            Command::Connect(peer, addresses, reply) => {
                let waiting = self.connecting.entry(peer).or_default();
                waiting.push(reply);
                if waiting.len() > 1 {
                    return;
                }
                let how = DialOpts::peer_id(peer).addresses(addresses).build();
                if let Err(error) = self.swarm.dial(how) {
                    self.connected(peer, Err(error.to_string()));
                }
            }
            Command::Open(peer, opened) => {
                if self.swarm.is_connected(&peer) {
                    self.swarm.behaviour_mut().streams.open(peer, opened);
                }
            }
            Command::Leave(peer) => {
                let _ = self.swarm.disconnect_peer_id(peer);
            }
        }
    }

    fn stream(&mut self, id: PeerId, stream: Stream) {
        if !self.swarm.is_connected(&id) {
            return;
        }
        let peer = self.shared.peer(id);
        match peer.readers.clone().try_acquire_owned() {
            Ok(turn) => {
                let reading = peer.read(self.shared.clone(), stream);
                let reading = async move {
                    reading.await;
                    drop(turn);
                };
                self.shared
                    .runtime
                    .tasks
                    .spawn(TaskKind::Background, "bitswap-read", reading);
            }
            // Dropped: the stream is reset.
            Err(_) => self.shared.runtime.metrics.peer_block("refused"),
        }
    }
}
