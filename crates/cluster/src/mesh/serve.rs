//! Answering other nodes: every connection a task, every question a task, both bounded.

use super::wire::{Ask, Reply};
use super::{Mesh, frame};
use async_trait::async_trait;
use iroh::Endpoint;
use iroh::endpoint::{Connection, Incoming, RecvStream, SendStream};
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
        let below = tasks.clone();
        tasks.spawn(TaskKind::Connection, "mesh-connection", async move {
            connection(&mesh, incoming, below, service, strangers).await;
            drop(permit);
        });
    }
}

async fn connection(
    mesh: &Arc<Mesh>,
    incoming: Incoming,
    tasks: Tasks,
    service: Arc<dyn Service>,
    strangers: Arc<Semaphore>,
) {
    let Ok(Ok(connection)) = tokio::time::timeout(PATIENCE, incoming).await else {
        return;
    };
    let from = NodeId::from_public_key(connection.remote_id().as_bytes());
    let member = service.is_member(&from);
    let _stranger = if member {
        // Whoever reached this node is reached the same way: it may be behind something that lets nobody in.
        mesh.adopt(&from, &connection);
        None
    } else {
        let Ok(permit) = strangers.try_acquire_owned() else {
            connection.close(1_u32.into(), b"too many wait");
            return;
        };
        Some(permit)
    };
    questions(connection, from, tasks, service).await;
}

/// Answers what comes over a connection, whichever side made it.
pub(super) async fn questions(connection: Connection, from: NodeId, tasks: Tasks, service: Arc<dyn Service>) {
    let mut stop = tasks.shutdown_signal();
    loop {
        let stream = tokio::select! {
            stream = connection.accept_bi() => stream,
            () = stop.wait() => break,
        };
        let Ok((send, receive)) = stream else { break };
        let (service, from, connection) = (service.clone(), from.clone(), connection.clone());
        tasks.spawn(TaskKind::Core, "mesh-question", async move {
            question(&connection, send, receive, service, from).await;
        });
    }
}

async fn question(
    connection: &Connection,
    mut send: SendStream,
    mut receive: RecvStream,
    service: Arc<dyn Service>,
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
    let allowed = matches!(ask, Ask::Knock(_) | Ask::Join(_)) || service.is_member(&from);
    let reply = if allowed {
        tokio::select! {
            reply = service.answer(from, ask) => reply,
            _ = connection.closed() => return,
        }
    } else {
        Reply::Refused("you are not a member of this cluster".into())
    };
    let _ = frame::write(&mut send, &reply).await;
    let _ = send.finish();
}
