//! Answering other nodes: every connection a task, every question a task, both bounded.

use super::greet::Incarnation;
use super::wire::{Ask, Reply};
use super::{Mesh, frame};
use async_trait::async_trait;
use iroh::Endpoint;
use iroh::endpoint::{Connection, Incoming, RecvStream, SendStream};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use stead_event::NodeId;
use stead_runtime::{TaskKind, Tasks};
use tokio::sync::Semaphore;

/// Connections that may be open at once; a member needs one or two.
const CONNECTIONS: usize = 512;
/// Connections of nodes that are no members.
const STRANGERS: usize = 16;
/// How long a handshake, and a question after its stream was opened, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What answers.
#[async_trait]
pub(crate) trait Service: Send + Sync + 'static {
    /// Whether a node is a member, and so may ask for anything.
    fn is_member(&self, node: &NodeId) -> bool;

    /// Another process counts as this node; a member says why.
    fn superseded(&self, by: &NodeId, why: &str);

    /// The answer to a question of `from`, which is a member unless it asks to join.
    async fn answer(&self, from: NodeId, ask: Ask) -> Reply;
}

pub(super) async fn accept(mesh: Arc<Mesh>, endpoint: Endpoint, tasks: Tasks, service: Arc<dyn Service>) {
    let all = Arc::new(Semaphore::new(CONNECTIONS));
    let strangers = Arc::new(Semaphore::new(STRANGERS));
    let mut stop = tasks.shutdown_signal();
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = stop.wait() => return,
        };
        let Some(incoming) = incoming else { return };
        let Ok(permit) = all.clone().try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        let (mesh, service, strangers) = (mesh.clone(), service.clone(), strangers.clone());
        tasks.spawn(TaskKind::Connection, "mesh-connection", async move {
            connection(&mesh, incoming, service, strangers).await;
            drop(permit);
        });
    }
}

async fn connection(
    mesh: &Arc<Mesh>,
    incoming: Incoming,
    service: Arc<dyn Service>,
    strangers: Arc<Semaphore>,
) {
    let Ok(Ok(connection)) = tokio::time::timeout(PATIENCE, incoming).await else {
        return;
    };
    let from = NodeId::from_public_key(connection.remote_id().as_bytes());
    let member = service.is_member(&from);
    let _stranger = if member {
        None
    } else {
        let Ok(permit) = strangers.try_acquire_owned() else {
            connection.close(1_u32.into(), b"too many wait");
            return;
        };
        Some(permit)
    };
    questions(connection, from, (mesh.clone(), service), Greeted::default()).await;
}

/// Which process is at the other end of a connection, once it has said so.
#[derive(Clone, Default)]
pub(super) struct Greeted(Arc<Mutex<Option<Incarnation>>>);

impl Greeted {
    /// For a connection on which this node greeted: who is there was answered.
    pub fn by(process: Incarnation) -> Self {
        Self(Arc::new(Mutex::new(Some(process))))
    }

    /// Whether questions of a member are answered.
    fn may_ask(&self, mesh: &Mesh, from: &NodeId) -> bool {
        self.0
            .lock()
            .is_some_and(|process| mesh.is_current(from, process))
    }
}

/// Answers what comes over a connection, whichever side made it.
pub(super) async fn questions(
    connection: Connection,
    from: NodeId,
    (mesh, service): (Arc<Mesh>, Arc<dyn Service>),
    greeted: Greeted,
) {
    let tasks = mesh.tasks.clone();
    let mut stop = tasks.shutdown_signal();
    loop {
        let stream = tokio::select! {
            stream = connection.accept_bi() => stream,
            () = stop.wait() => break,
        };
        let Ok((send, receive)) = stream else { break };
        let (mesh, service, greeted) = (mesh.clone(), service.clone(), greeted.clone());
        let (from, connection) = (from.clone(), connection.clone());
        tasks.spawn(TaskKind::Core, "mesh-question", async move {
            question(&connection, (send, receive), (&mesh, service, greeted), from).await;
        });
    }
}

async fn question(
    connection: &Connection,
    (mut send, mut receive): (SendStream, RecvStream),
    (mesh, service, greeted): (&Arc<Mesh>, Arc<dyn Service>, Greeted),
    from: NodeId,
) {
    let max = if service.is_member(&from) {
        frame::MAX
    } else {
        frame::STRANGERS_MAX
    };
    let ask = match tokio::time::timeout(PATIENCE, frame::read::<Ask>(&mut receive, max)).await {
        Ok(Ok(ask)) => ask,
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a question was not understood");
            let refused = Reply::Refused(error.to_string());
            // Who asked may have gone; then nobody needs the answer.
            let _ = frame::write(&mut send, &refused).await;
            return;
        }
        Err(_) => return,
    };
    // Greeting is answered, or nobody could be told that it is over.
    if mesh.drill.is_on() && !matches!(ask, Ask::Drill(_) | Ask::Hail(_)) {
        return;
    }
    let member = service.is_member(&from);
    let reply = match ask {
        Ask::Hail(process) if member => match mesh.meet(&from, process, connection).await {
            Ok(()) => {
                *greeted.0.lock() = Some(process);
                // Whoever reached this node is reached the same way: it may be behind something that lets nobody in.
                mesh.adopt(&from, connection);
                Reply::Hail(mesh.incarnation)
            }
            Err(why) => {
                tracing::error!(%from, why, "two processes say to be one node");
                Reply::Superseded(why)
            }
        },
        Ask::Hail(process) => {
            // It may be a member soon, and go on over this connection.
            *greeted.0.lock() = Some(process);
            Reply::Hail(mesh.incarnation)
        }
        ask if member && !greeted.may_ask(mesh, &from) => {
            tracing::debug!(%from, ?ask, "asked by a process that does not count");
            Reply::Superseded("another process counts as this node".into())
        }
        ask if member || matches!(ask, Ask::Meet(_) | Ask::Knock(_) | Ask::Join(_)) => tokio::select! {
            reply = service.answer(from, ask) => reply,
            _ = connection.closed() => return,
        },
        _ => Reply::Refused("you are not a member of this cluster".into()),
    };
    let _ = frame::write(&mut send, &reply).await;
    let _ = send.finish();
}
