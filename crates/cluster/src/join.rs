//! Letting a node in: it shows a code and waits; a member that is told the code lets it in.
//!
//! The code is random and travels only inside the connection that the joiner has made to the member's key, so
//! who approves it approves that connection's node and no other. Two that wait with one code are both turned
//! away by it.

use crate::mesh::{Ask, Grant, Incarnation, JoinAsk, Mesh, MeshError, MeshOptions, Reply};
use crate::ticket::Ticket;
use crate::types::Facts;
use crate::{ClusterError, RaftLog};
use bytes::Bytes;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stead_event::NodeId;
use stead_runtime::{Rng, Tasks};
use tokio::sync::watch;
use tokio::time::Instant;

/// Requests that may wait at one member.
const WAITING: usize = 16;
/// How long a member holds a request before it answers that nobody has decided yet.
const HOLD: Duration = Duration::from_secs(20);
/// How long the joiner waits for that answer.
const ANSWER: Duration = Duration::from_secs(60);
/// A request whose node has not asked for so long is forgotten, and its grant with it.
const FORGET: Duration = Duration::from_secs(90);
/// Between two tries to reach a member.
const RETRY: Duration = Duration::from_secs(1);
/// How long members are asked about a code.
const ASK: Duration = Duration::from_secs(15);
/// The letters of a code: no two look or sound alike.
const LETTERS: &[u8; 28] = b"ABCDEFGHJKLMNPQRSTUVWXYZ2346";
/// Letters of a code: 28^6 of them, half a thousand million.
const CODE: usize = 6;

/// Requests that wait here.
#[derive(Default)]
pub(crate) struct Joins(Mutex<Vec<Request>>);

struct Request {
    node: NodeId,
    ask: JoinAsk,
    asked: Instant,
    /// What was decided, until its node has fetched it.
    decided: watch::Sender<Option<Reply>>,
}

impl Request {
    fn is_open(&self) -> bool {
        self.decided.borrow().is_none()
    }
}

/// Somebody who waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its key.
    pub node: NodeId,
    /// What it calls itself.
    pub label: String,
    /// What has to be typed to let it in.
    pub code: String,
}

/// What a node that wants to join says of itself.
#[derive(Clone, Debug)]
pub struct JoinOptions {
    /// Its secret key.
    pub secret: [u8; 32],
    /// Where it listens for datagrams.
    pub listen: SocketAddr,
    /// What people call it.
    pub label: String,
    /// Its release.
    pub release: String,
    /// It will vote and hold no data.
    pub witness: bool,
    /// What can fail with it, and how much it holds.
    pub facts: Facts,
    /// Drawn by this process, to be told from another of its node.
    pub lot: u64,
}

/// What a node has when it was let in.
#[derive(Clone)]
pub struct Joined {
    /// Its number among the members.
    pub number: u64,
    /// Its end of the mesh, which others know now.
    pub door: Door,
    /// What every member has and nobody else.
    pub shared: Bytes,
    /// Whom to reach, until the log says so.
    pub members: Vec<(NodeId, Vec<SocketAddr>)>,
}

/// A node's end of the mesh before there is a consensus behind it.
#[derive(Clone)]
pub struct Door(pub(crate) Arc<Mesh>);

impl Door {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

/// A new code.
pub fn new_code(rng: &Rng) -> String {
    let letter = || {
        let at = rng.below(LETTERS.len() as u64);
        char::from(LETTERS[usize::try_from(at).unwrap_or(0)])
    };
    (0..CODE).map(|_| letter()).collect()
}

/// A code as it is compared: people type lower case and blanks.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Asks the member of a ticket to be let in, until somebody approves `code`; `waiting` is called when the
/// member has the request.
///
/// # Errors
/// Where the port cannot be had, or the member refuses for good.
pub async fn join(
    ticket: &Ticket,
    options: JoinOptions,
    (code, waiting): (&str, &(dyn Fn(&str) + Send + Sync)),
    tasks: &Tasks,
) -> Result<Joined, ClusterError> {
    let mesh = Mesh::start(MeshOptions {
        secret: options.secret,
        listen: options.listen,
        tasks: tasks.clone(),
        incarnation: Incarnation::new(options.lot),
    })
    .await?;
    if *mesh.own() == ticket.node {
        mesh.close().await;
        return Err(ClusterError::Refused(
            "this is the ticket of this very node".into(),
        ));
    }
    mesh.learn(&ticket.node, ticket.addresses.iter().copied());
    let ask = JoinAsk {
        code: code.to_owned(),
        label: options.label,
        addresses: mesh.addresses(),
        release: options.release,
        witness: options.witness,
        facts: options.facts,
    };
    let granted = wait_for_grant(&mesh, &ticket.node, ask, || waiting(code)).await;
    let grant = match granted {
        Ok(grant) => grant,
        Err(error) => {
            mesh.close().await;
            return Err(error);
        }
    };
    Ok(Joined {
        number: grant.number,
        door: Door(mesh),
        shared: grant.secrets,
        members: grant.members,
    })
}

async fn wait_for_grant(
    mesh: &Arc<Mesh>,
    member: &NodeId,
    request: JoinAsk,
    waiting: impl Fn(),
) -> Result<Grant, ClusterError> {
    let (knock, join) = (Ask::Knock(request.clone()), Ask::Join(request));
    let (mut told, mut noted) = (false, false);
    loop {
        let ask = if noted { &join } else { &knock };
        match mesh.ask(member, ask, ANSWER).await {
            Ok(Reply::Grant(grant)) => return Ok(grant),
            // The request is there; or, later, nobody has decided yet.
            Ok(Reply::Done) => {
                if !std::mem::replace(&mut noted, true) {
                    waiting();
                }
            }
            Ok(other) => return Err(ClusterError::Mesh(format!("{member} answers {other:?}"))),
            Err(MeshError::Refused { why, .. }) => return Err(ClusterError::Refused(why)),
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "the member cannot be reached; trying again");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl Joins {
    /// Who waits.
    pub(crate) fn waiting(&self) -> Vec<(NodeId, JoinAsk)> {
        let mut requests = self.0.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        let open = requests.iter().filter(|request| request.is_open());
        open.map(|request| (request.node.clone(), request.ask.clone()))
            .collect()
    }

    /// Notes a request, or that its node still waits; what to watch for the decision.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(crate) fn note(&self, node: &NodeId, ask: JoinAsk) -> Result<watch::Receiver<Option<Reply>>, String> {
        if plain(&ask.code).len() != CODE {
            return Err("a code has six letters".into());
        }
        let mut requests = self.0.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        if let Some(known) = requests.iter_mut().find(|request| request.node == *node) {
            if known.ask.code == ask.code {
                known.asked = Instant::now();
                return Ok(known.decided.subscribe());
            }
            // It was started anew, and shows another code.
            requests.retain(|request| request.node != *node);
        }
        if requests.len() >= WAITING {
            return Err("too many wait here to be let in".into());
        }
        let (decided, watched) = watch::channel(None);
        requests.push(Request {
            node: node.clone(),
            ask,
            asked: Instant::now(),
            decided,
        });
        Ok(watched)
    }

    /// Waits a while for the decision on a request.
    pub(crate) async fn wait(&self, node: NodeId, ask: JoinAsk) -> Reply {
        let mut watched = match self.note(&node, ask) {
            Ok(watched) => watched,
            Err(why) => return Reply::Refused(why),
        };
        let decided = async {
            let found = watched.wait_for(Option::is_some).await.ok();
            found.and_then(|reply| reply.clone())
        };
        match tokio::time::timeout(HOLD, decided).await {
            Ok(Some(reply)) => reply,
            Ok(None) => Reply::Refused("this node was turned away".into()),
            Err(_) => Reply::Done,
        }
    }

    /// The open request with a code, if it is the only one with it.
    fn find(&self, code: &str) -> Result<Option<(NodeId, JoinAsk)>, ClusterError> {
        let code = plain(code);
        let mut requests = self.0.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        let has = |request: &&Request| {
            let own = plain(&request.ask.code);
            request.is_open() && bool::from(subtle::ConstantTimeEq::ct_eq(own.as_bytes(), code.as_bytes()))
        };
        let same: Vec<_> = requests.iter().filter(has).collect();
        match same[..] {
            [] => Ok(None),
            [one] => Ok(Some((one.node.clone(), one.ask.clone()))),
            _ => {
                requests.retain(|request| plain(&request.ask.code) != code);
                Err(ClusterError::Refused(
                    "two nodes wait with this code; both were turned away and have to ask again".into(),
                ))
            }
        }
    }

    fn decide(&self, node: &NodeId, reply: Reply) {
        let requests = self.0.lock();
        if let Some(request) = requests.iter().find(|request| request.node == *node) {
            request.decided.send_replace(Some(reply));
        }
    }
}

impl RaftLog {
    /// A ticket for nodes that are to join: this node's key and addresses. Opens the mesh where it is not.
    pub async fn ticket(self: &Arc<Self>) -> Result<Ticket, ClusterError> {
        self.open_mesh().await?;
        let mesh = self.mesh()?;
        Ok(Ticket {
            node: self.node.clone(),
            addresses: mesh.addresses(),
        })
    }

    /// Who waits to be let in, here and at other members that answer.
    pub async fn waiting(&self) -> Vec<Waiting> {
        let mut all = self.joins.waiting();
        for (node, reply) in self.ask_others(&Ask::Waiting, ASK).await {
            match reply {
                Ok(Reply::Waiting(waiting)) => all.extend(waiting),
                Ok(_) | Err(_) => tracing::debug!(%node, "does not say who waits there"),
            }
        }
        let of = |(node, ask): (NodeId, JoinAsk)| Waiting {
            node,
            label: ask.label,
            code: ask.code,
        };
        all.into_iter().map(of).collect()
    }

    /// Lets the node in that waits with this code, wherever it waits.
    ///
    /// # Errors
    /// [`ClusterError::Refused`] where nobody waits with it.
    pub async fn approve(&self, code: &str) -> Result<NodeId, ClusterError> {
        if let Some(node) = self.approve_here(code).await? {
            return Ok(node);
        }
        for (_, reply) in self.ask_others(&Ask::Approve(code.to_owned()), ASK).await {
            match reply {
                Ok(Reply::Approved(Some(node))) => return Ok(node),
                Err(MeshError::Refused { why, .. }) => return Err(ClusterError::Refused(why)),
                _ => {}
            }
        }
        Err(ClusterError::Refused(format!(
            "no node waits with the code {}",
            plain(code)
        )))
    }

    /// Lets the node in if it waits here.
    pub(crate) async fn approve_here(&self, code: &str) -> Result<Option<NodeId>, ClusterError> {
        let Some((node, ask)) = self.joins.find(code)? else {
            return Ok(None);
        };
        match self.admit_node(&node, &ask).await {
            Ok(grant) => {
                tracing::info!(%node, "a node was let in");
                self.joins.decide(&node, Reply::Grant(grant));
                Ok(Some(node))
            }
            // It waits on: the reason is the approver's to know, who may try again.
            Err(error) => Err(error),
        }
    }
}
