//! The composition root: the one place where a node is put together from its rooms.
//!
//! Owns: the order in which things start and stop. Directory, block store, engine, consensus, context,
//! listeners, background work; and back.
//! Promises: when [`Node::start`] returns, requests are answered; when [`Node::stop`] returns, everything
//! acknowledged is durable and nothing of it is left to replay.
//! Never: decides anything about data.

mod background;
mod ballast;
mod bitswap;
mod console;
mod disks;
mod doctor;
mod drill;
mod heal;
pub mod members;
pub mod offline;
mod operations;
mod overview;
mod power;
mod root;
mod seal;
mod settings;
mod wants;

pub use members::Joining;
pub use root::Root;

use crate::codes;
use crate::config::Live;
use crate::directory::{self, Directory, node_id};
use crate::failure::Failure;
use crate::settings::{Settings, Webhook};
use operations::{NodeOperations, Running};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stead_block::{BlockError, LocalOptions, LocalStore};
use stead_cluster::{ClusterError, ClusterOptions, FOUNDER, RaftLog, Together};
use stead_event::Tenant;
use stead_gateway::context::{Limits, Parts};
use stead_gateway::ipfs::{self, PublishedBlocks};
use stead_gateway::listen::{ListenOptions, Runtime};
use stead_gateway::locks::LeaseKeeper;
use stead_gateway::{Gateway, Identity, Listener, Metrics, ReadContext, SecretBox, WriteContext};
use stead_gateway_api::{Api, ApiGateway, Components};
use stead_gateway_ipfs::{Ipfs, IpfsGateway};
use stead_gateway_s3::lifecycle::Day;
use stead_gateway_s3::notify::Webhooks;
use stead_gateway_s3::{S3, S3Options};
use stead_gateway_web::SignIn;
use stead_log::Log;
use stead_runtime::{Clock, Rng, Space, TaskKind, Tasks, blocking, free_bytes};
use stead_view::published::Index;
use stead_view::{Engine, EngineOptions};

/// How long what is not a request may take to end.
const CORE_DRAIN: Duration = Duration::from_secs(5);
/// How long a public directory is still answered after it changed, in seconds: whoever reads it goes on.
const OLD_ROOTS_SECS: u32 = 600;

/// Where to listen, where the command line says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listen {
    /// For S3.
    pub s3: Option<SocketAddr>,
    /// For the API.
    pub api: Option<SocketAddr>,
    /// For the web console.
    pub web: Option<SocketAddr>,
    /// For IPFS.
    pub ipfs: Option<SocketAddr>,
    /// For other nodes.
    pub mesh: Option<SocketAddr>,
}

/// What a node is told about itself and others when it starts.
#[derive(Default)]
pub struct Start<'a> {
    /// Where to listen.
    pub listen: Listen,
    /// What people call it; the machine's name where nobody says.
    pub name: Option<String>,
    /// The cluster that it is to join.
    pub joining: Option<Joining<'a>>,
}

/// A node that runs.
pub struct Node {
    /// URLs by gateway.
    pub endpoints: BTreeMap<String, String>,
    /// The root access key.
    pub root: Root,
    /// Signs a browser in to the console, once.
    pub console_link: String,
    tasks: Tasks,
    raft: Arc<RaftLog>,
    store: LocalStore,
    drain: Duration,
    // Last, so that the lock goes when all else has.
    directory: Directory,
}

/// Lets others find this node nearby, if it listens where they can reach it.
async fn announce(settings: &Settings, listen: SocketAddr, raft: &Arc<RaftLog>) {
    if !settings.mesh.announce || listen.ip().is_loopback() {
        return;
    }
    match raft.announce().await {
        Ok(said) => tracing::debug!(said, "nodes that are to join find this one nearby"),
        Err(error) => tracing::warn!(%error, "nodes that are to join do not find this one by themselves"),
    }
}

/// What every part is given.
#[derive(Clone)]
struct Ambient {
    clock: Clock,
    rng: Rng,
    tasks: Tasks,
    space: Space,
}

impl Ambient {
    fn new(data: &Path, settings: &Settings) -> Self {
        let space = Space::new(data, reserve(data, settings));
        Self {
            clock: Clock::system(),
            rng: Rng::system(),
            tasks: Tasks::new(),
            space,
        }
    }
}

impl Node {
    /// Starts a node on `data`, which is made where it does not exist.
    /// With `joining`, a directory without data becomes another node of a cluster; returns when it is one.
    pub async fn start(data: &Path, start: Start<'_>) -> Result<Self, Failure> {
        let Start {
            listen,
            name,
            joining,
        } = start;
        let name = name.unwrap_or_else(members::label);
        let (directory, settings, ports) = open(data, listen).await?;
        let mesh_listen = Ports::mesh(&settings, listen);
        let ambient = Ambient::new(data, &settings);
        let live = Live::new(data, settings.clone())?;
        let facts = members::facts(data, &settings);
        ballast::give_up(data, &ambient.space);
        let listeners = ports.beside_socket(data).await?;
        let mut endpoints = listeners.endpoints();

        let key = directory.node_key(&ambient.rng)?;
        let (mut membership, mut door) = (members::read(data)?, None);
        if let (None, Some(joining)) = (&membership, &joining) {
            let with = (&ambient.rng, &ambient.tasks);
            let joined = members::join(&directory, &key, (mesh_listen, &name, &facts), joining, with).await?;
            (membership, door) = (Some(joined.0), Some(joined.1));
        }
        let storage_key = directory.storage_key(&ambient.rng)?;
        let secrets = SecretBox::new(storage_key);
        let node = node_id(&key);
        let store = open_store(data, &settings, &ambient, false).await?;
        let (engine, views, tail) = open_engine(data, &settings, &ambient, &node, store.clone()).await?;
        let together = Together {
            secret: key.to_bytes(),
            listen: match &membership {
                Some(known) => SocketAddr::new(mesh_listen.ip(), known.port),
                None => mesh_listen,
            },
            member: membership.is_some(),
            tail: tail.clone(),
            store: store.clone(),
            label: name,
            facts,
            level: live.level(),
            wants: Some(Arc::new(wants::BucketWants::new(views.clone(), store.clone()))),
            door,
            known: membership
                .as_ref()
                .map(|known| known.known.clone())
                .unwrap_or_default(),
        };
        let number = membership.as_ref().map_or(FOUNDER, |known| known.number);
        let raft = start_raft(data, &ambient, &node, engine, (number, together)).await?;
        let log: Arc<dyn Log> = raft.clone();

        let read = ReadContext::new(Parts {
            tenant: Tenant::main(),
            node: node.clone(),
            views,
            tail,
            store: store.clone(),
            clock: ambient.clock.clone(),
            rng: ambient.rng.clone(),
            tasks: ambient.tasks.clone(),
            space: ambient.space.clone(),
            metrics: Metrics::new(),
            secrets,
            limits: Limits::default(),
        });
        let write = WriteContext::new(read.clone(), log);
        let leases = LeaseKeeper::new(write.clone());
        background::leases(&ambient, &raft, leases);
        root::first_event(&write).await?;
        let root = root::credential(&directory, &write).await?;
        raft.on_cluster_stop(Box::new(crate::process::terminate));
        announce(&settings, mesh_listen, &raft).await;
        raft.share(members::shared(&storage_key, &root.credential).into());

        let index = open_index(data, &read).await?;
        bitswap::start(&settings, key.to_bytes(), &read, &index, &mut endpoints).await?;

        let drain = Duration::from_secs(settings.drain.seconds);
        let doors = SignIn::new(read.clone());
        let console_link = console::link(&doors, endpoints.get("web"), &Identity::local("owner"))
            .map(|link| link.url)
            .unwrap_or_default();
        let declared = settings.webhook.iter().map(Webhook::declared);
        let webhooks = Webhooks::new(declared.collect());
        let running = Running {
            raft: raft.clone(),
            endpoints: endpoints.clone(),
            write: write.clone(),
            doors: doors.clone(),
            key,
            webhooks: webhooks.clone(),
        };
        let operations = Arc::new(
            NodeOperations::new(
                data,
                read.clone(),
                (settings.clone(), live.clone()),
                Some(running),
            )
            .rooted(&root.credential.access_key),
        );
        set_probe(&read, &raft);
        let front = Front {
            index: index.clone(),
            doors,
            owner_key: root.credential.access_key.clone(),
            webhooks: webhooks.clone(),
        };
        // Before the first write can take the room.
        ballast::look_after(data, &ambient.space).await;
        listeners.serve(&write, operations.clone(), &settings, front);
        let follower = ipfs::follow(write.clone(), index);
        ambient
            .tasks
            .spawn(TaskKind::Background, "ipfs-follower", follower);
        background::spawn(&ambient, &settings, operations);
        background::lifecycle(&ambient, &settings, &write);
        background::restriping(&ambient, &live, &write);
        webhooks.spawn(&write, &S3Options::default().region);
        let position = read.views.position(&read.tenant);
        tracing::info!(data = %data.display(), ?endpoints, position, "ready");
        Ok(Self {
            endpoints,
            root,
            console_link,
            tasks: ambient.tasks,
            raft,
            store,
            drain,
            directory,
        })
    }

    /// Where the data is.
    pub fn data(&self) -> &Path {
        self.directory.path()
    }

    /// Stops: no new requests, the running ones get their time, then everything is made durable.
    pub async fn stop(self) -> Result<(), Failure> {
        self.tasks.shutdown();
        self.tasks
            .drain(TaskKind::Listener, self.drain + CORE_DRAIN)
            .await;
        // Listeners have waited for their connections; what is left now is being cut off.
        let left = self.tasks.drain(TaskKind::Connection, CORE_DRAIN).await;
        if left > 0 {
            tracing::warn!(
                connections = left,
                "the time to drain is over; what still runs is cut off"
            );
        }
        self.tasks.drain(TaskKind::Background, CORE_DRAIN).await;
        let stopped = self.raft.stop().await;
        let store = self.store.clone();
        let closed = blocking(move || store.close()).await;
        // The name must not outlive the listener: a command that finds it would wait for nobody.
        let _ = std::fs::remove_file(directory::socket(self.directory.path()));
        stopped.map_err(|e| Failure::new(codes::START, format!("the node did not stop cleanly: {e}")))?;
        closed.map_err(|e| {
            Failure::new(
                codes::START,
                format!("the block store did not close cleanly: {e}"),
            )
        })
    }
}

/// Opens the directory and binds the ports. A directory that is there is locked first: that it is in use says
/// more than that its ports are. One that is not there is made last, so that a port that is taken leaves no
/// trace.
async fn open(data: &Path, listen: Listen) -> Result<(Directory, Settings, Ports), Failure> {
    if directory::is_stead(data)? {
        let directory = Directory::create_or_open(data)?;
        let settings = Settings::load(data)?;
        let ports = Ports::bind(&settings, listen).await?;
        return Ok((directory, settings, ports));
    }
    let settings = Settings::load(data)?;
    let ports = Ports::bind(&settings, listen).await?;
    Ok((Directory::create_or_open(data)?, settings, ports))
}

/// Free space that client writes may not use, in bytes. On a small file system a tenth of it will do.
fn reserve(data: &Path, settings: &Settings) -> u64 {
    let wanted = settings.storage.reserve_mib << 20;
    let whole = rustix::fs::statvfs(data).map(|stat| stat.f_blocks.saturating_mul(stat.f_frsize));
    whole.map_or(wanted, |whole| wanted.min(whole / 10))
}

async fn open_store(
    data: &Path,
    settings: &Settings,
    ambient: &Ambient,
    read_only: bool,
) -> Result<LocalStore, Failure> {
    let (packs, state, space) = (data.join("blocks"), data.join("state"), ambient.space.clone());
    let options = LocalOptions {
        more: settings.storage.blocks.clone(),
        clock: ambient.clock.clone(),
        tasks: ambient.tasks.clone(),
        read_only,
        ..LocalOptions::default()
    };
    blocking(move || LocalStore::open(&packs, &state, options, space))
        .await
        .map_err(|e| match e {
            BlockError::Full => full(data),
            e @ BlockError::Directory { .. } => Failure::new(codes::SETTINGS, format!("storage.blocks: {e}"))
                .next("name directories that are this node's, or new ones, each once"),
            e => Failure::new(codes::START, format!("the block store does not open: {e}")),
        })
}

type Opened = (Engine, stead_view::Views, stead_log::Tail);

async fn open_engine(
    data: &Path,
    settings: &Settings,
    ambient: &Ambient,
    node: &stead_event::NodeId,
    store: LocalStore,
) -> Result<Opened, Failure> {
    let options = EngineOptions {
        data: data.to_owned(),
        node: node.clone(),
        cache_bytes: settings.storage.cache_mib << 20,
        rotate_bytes: settings.storage.segment_mib << 20,
        space: ambient.space.clone(),
        tasks: ambient.tasks.clone(),
    };
    blocking(move || Engine::open(options, store))
        .await
        .map_err(|e| match e {
            e if e.is_full() => full(data),
            e => Failure::new(codes::START, format!("the log and its views do not open: {e}")),
        })
}

async fn start_raft(
    data: &Path,
    ambient: &Ambient,
    node: &stead_event::NodeId,
    engine: Engine,
    (number, together): (u64, Together),
) -> Result<Arc<RaftLog>, Failure> {
    let options = ClusterOptions {
        number,
        together: Some(together),
        ..ClusterOptions::new(
            data.join("raft"),
            node.clone(),
            ambient.clock.clone(),
            ambient.rng.clone(),
            ambient.tasks.clone(),
            ambient.space.clone(),
        )
    };
    stead_cluster::start(options, Box::new(engine))
        .await
        .map_err(|e| match e {
            ClusterError::Full => full(data),
            e => Failure::new(codes::START, format!("consensus does not start: {e}")),
        })
}

/// The disk has no room even for a start, which would have to put in place what was acknowledged last.
fn full(data: &Path) -> Failure {
    let free = free_bytes(data).map_or_else(|_| "little".to_owned(), crate::output::size);
    let message = format!(
        "the disk of {} is full ({free} free): what was acknowledged last cannot be put in place",
        data.display()
    );
    Failure::new(codes::DISK_FULL, message).next(
        "free 16 MiB on that disk and start again; until then commands that read (`stead ls`, `cat`, `cp`) work on \
         the directory itself",
    )
}

/// The index of what is public to IPFS, which the context then has.
async fn open_index(data: &Path, read: &ReadContext) -> Result<Index, Failure> {
    let state = data.join("state");
    let index = blocking(move || Index::open(&state, OLD_ROOTS_SECS))
        .await
        .map_err(|e| {
            Failure::new(
                codes::START,
                format!("the index of what is public does not open: {e}"),
            )
        })?;
    read.set_published(index.clone());
    Ok(index)
}

fn set_probe(read: &ReadContext, raft: &Arc<RaftLog>) {
    let raft = raft.clone();
    read.metrics.set_probe(Box::new(move || {
        let status = raft.status();
        let held = status
            .last_log
            .unwrap_or(0)
            .saturating_sub(status.purged.unwrap_or(0));
        stead_gateway::metrics::Probe {
            fsyncs: status.wal_syncs,
            term: status.term,
            wal_entries: held,
        }
    }));
}

/// Bound ports, before anybody is served.
struct Ports {
    s3: Listener,
    api: Listener,
    web: Listener,
    ipfs: Listener,
}

impl Ports {
    /// Where the mesh listens, should there be one: it is bound when another node is to come.
    fn mesh(settings: &Settings, listen: Listen) -> SocketAddr {
        match (listen.mesh, listen.s3) {
            (Some(mesh), _) => mesh,
            (None, Some(s3)) => beside(s3, 5),
            (None, None) => settings.mesh.listen,
        }
    }

    async fn bind(settings: &Settings, listen: Listen) -> Result<Self, Failure> {
        let s3_address = listen.s3.unwrap_or(settings.s3.listen);
        let s3 = bind("S3", s3_address).await?;
        let api_address = match (listen.api, listen.s3) {
            (Some(api), _) => api,
            (None, Some(s3)) => beside(s3, 1),
            (None, None) => settings.api.listen,
        };
        let api = bind("the API", api_address).await?;
        let web_address = match (listen.web, listen.s3) {
            (Some(web), _) => web,
            (None, Some(s3)) => beside(s3, 2),
            (None, None) => settings.web.listen,
        };
        let web = bind("the web console", web_address).await?;
        let ipfs_address = match (listen.ipfs, listen.s3) {
            (Some(ipfs), _) => ipfs,
            (None, Some(s3)) => beside(s3, 3),
            (None, None) => settings.ipfs.listen,
        };
        let ipfs = bind("IPFS", ipfs_address).await?;
        Ok(Self { s3, api, web, ipfs })
    }

    async fn beside_socket(self, data: &Path) -> Result<Listeners, Failure> {
        let path = directory::socket(data);
        let socket = Listener::unix(&path)
            .await
            .map_err(|e| Failure::new(codes::SOCKET, format!("cannot listen on {}: {e}", path.display())))?;
        Ok(Listeners {
            s3: self.s3,
            api: self.api,
            web: self.web,
            ipfs: self.ipfs,
            socket,
        })
    }
}

/// What the console and IPFS are given besides what every gateway is.
struct Front {
    index: Index,
    doors: SignIn,
    owner_key: String,
    webhooks: Webhooks,
}

/// Everything that is listened on.
struct Listeners {
    s3: Listener,
    api: Listener,
    web: Listener,
    ipfs: Listener,
    socket: Listener,
}

impl Listeners {
    fn endpoints(&self) -> BTreeMap<String, String> {
        let all = [
            ("s3", &self.s3),
            ("api", &self.api),
            ("web", &self.web),
            ("ipfs", &self.ipfs),
        ];
        all.into_iter()
            .filter_map(|(name, listener)| Some((name.to_owned(), url(listener.address()?))))
            .collect()
    }

    fn serve(self, write: &WriteContext, operations: Arc<NodeOperations>, settings: &Settings, front: Front) {
        let drain = Duration::from_secs(settings.drain.seconds);
        let tasks = write.tasks.clone();
        let runtime = Runtime {
            clock: write.clock.clone(),
            tasks: tasks.clone(),
            metrics: write.metrics.clone(),
        };
        let limits = ListenOptions {
            drain,
            ..ListenOptions::new("s3")
        };
        let s3 = Arc::new(S3::new(
            write.clone(),
            s3_options(settings, front.webhooks),
            limits,
        ));
        let components = Components {
            read: write.read_only().clone(),
            write: Some(write.clone()),
            operations,
        };
        let api = Api::new(components);
        let web = console::gateway(write, api.clone(), front.doors, settings, front.owner_key, drain);
        tasks.spawn(TaskKind::Listener, "web", web.serve(self.web));
        let api = Arc::new(ApiGateway::new(api, runtime.clone(), drain));
        let blocks = PublishedBlocks::new(write.read_only().clone(), front.index);
        let limits = ListenOptions {
            drain,
            ..ListenOptions::new("ipfs")
        };
        let ipfs = Arc::new(IpfsGateway::new(Ipfs::new(blocks), runtime, limits));
        tasks.spawn(TaskKind::Listener, "s3", s3.serve(self.s3));
        tasks.spawn(TaskKind::Listener, "ipfs", ipfs.serve(self.ipfs));
        tasks.spawn(TaskKind::Listener, "api", api.clone().serve(self.api));
        tasks.spawn(TaskKind::Listener, "socket", api.serve(self.socket));
    }
}

fn s3_options(settings: &Settings, webhooks: Webhooks) -> S3Options {
    S3Options {
        webhooks,
        domains: settings.s3.domains.clone(),
        lifecycle_day: Day::of_seconds(settings.s3.lifecycle_day_seconds),
        ..S3Options::default()
    }
}

async fn bind(what: &str, address: SocketAddr) -> Result<Listener, Failure> {
    Listener::bind(address).await.map_err(|e| {
        Failure::new(
            codes::LISTEN,
            format!("cannot listen on {address} for {what}: {e}"),
        )
    })
}

/// Another gateway's address where only S3's is given: so many ports on, or a free one.
fn beside(s3: SocketAddr, on: u16) -> SocketAddr {
    let port = match s3.port() {
        0 => 0,
        port => port.checked_add(on).unwrap_or(0),
    };
    SocketAddr::new(s3.ip(), port)
}

/// A URL that works on this machine: an unspecified address is reached by loopback.
fn url(address: SocketAddr) -> String {
    let mut shown = address;
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => shown.set_ip(std::net::Ipv4Addr::LOCALHOST.into()),
            SocketAddr::V6(_) => shown.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
        }
    }
    format!("http://{shown}")
}
