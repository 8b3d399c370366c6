//! Letting a node in: it shows a code and waits; a member that is told the code lets it in.
//!
//! Both ends compute the code (see [`crate::code`]), so who approves it approves the node that shows it and no other.
//! Two that wait with one code are both turned away by it.

use crate::code::{Nonce, code, commitment, plain};
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

/// Requests that wait here.
#[derive(Default)]
pub(crate) struct Joins {
    requests: Mutex<Vec<Request>>,
    /// Who has committed itself to a number, and what was answered.
    met: Mutex<Vec<Meeting>>,
}

struct Meeting {
    node: NodeId,
    commitment: [u8; 32],
    answered: Nonce,
    at: Instant,
}

struct Request {
    node: NodeId,
    ask: JoinAsk,
    /// What lets it in.
    code: String,
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

/// Asks the member of a ticket to be let in, until somebody approves the code; `waiting` is called with it when the
/// member has the request, and again where it has another one.
///
/// # Errors
/// Where the port cannot be had, or the member refuses for good.
pub async fn join(
    ticket: &Ticket,
    options: JoinOptions,
    waiting: &(dyn Fn(&str) + Send + Sync),
    (rng, tasks): (&Rng, &Tasks),
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
        drawn: Bytes::copy_from_slice(&rng.bytes::<32>()),
        label: options.label,
        addresses: mesh.addresses(),
        release: options.release,
        witness: options.witness,
        facts: options.facts,
    };
    let granted = wait_for_grant(&mesh, &ticket.node, ask, waiting).await;
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
    waiting: &(dyn Fn(&str) + Send + Sync),
) -> Result<Grant, ClusterError> {
    let drawn: Nonce = request.drawn.as_ref().try_into().unwrap_or_default();
    let meet = Ask::Meet(Bytes::copy_from_slice(&commitment(&drawn)));
    let (knock, join) = (Ask::Knock(request.clone()), Ask::Join(request));
    let (mut told, mut noted) = (false, false);
    let mut shown = None;
    loop {
        let ask = match (&shown, noted) {
            (None, _) => &meet,
            (_, false) => &knock,
            (_, true) => &join,
        };
        match mesh.ask(member, ask, ANSWER).await {
            Ok(Reply::Met(answered)) => {
                let answered: Nonce = answered
                    .as_ref()
                    .try_into()
                    .map_err(|_| ClusterError::Mesh(format!("{member} answers no number")))?;
                shown = Some(code((mesh.own(), &drawn), (member, &answered)));
            }
            // It has forgotten: it was started anew.
            Ok(Reply::Unmet) => (shown, noted) = (None, false),
            Ok(Reply::Grant(grant)) => return Ok(grant),
            // The request is there; or, later, nobody has decided yet.
            Ok(Reply::Done) => {
                if let (false, Some(code)) = (std::mem::replace(&mut noted, true), &shown) {
                    waiting(code);
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
    /// Answers a commitment with a number.
    pub(crate) fn meet(&self, node: &NodeId, commitment: &[u8], rng: &Rng) -> Reply {
        let Ok(commitment) = commitment.try_into() else {
            return Reply::Refused("that is no commitment".into());
        };
        let mut met = self.met.lock();
        met.retain(|meeting| meeting.at.elapsed() < FORGET && meeting.node != *node);
        if met.len() >= WAITING {
            return Reply::Refused("too many wait here to be let in".into());
        }
        let answered = rng.bytes();
        met.push(Meeting {
            node: node.clone(),
            commitment,
            answered,
            at: Instant::now(),
        });
        Reply::Met(Bytes::copy_from_slice(&answered))
    }

    /// The code of a node that reveals what it had committed itself to.
    fn code_of(&self, node: &NodeId, own: &NodeId, drawn: &[u8]) -> Option<String> {
        let drawn: Nonce = drawn.try_into().ok()?;
        let mut met = self.met.lock();
        let meeting = met.iter_mut().find(|meeting| meeting.node == *node)?;
        meeting.at = Instant::now();
        let fits = meeting.commitment == commitment(&drawn);
        fits.then(|| code((node, &drawn), (own, &meeting.answered)))
    }

    /// Who waits, by the code that lets it in.
    pub(crate) fn waiting(&self) -> Vec<(NodeId, String, String)> {
        let mut requests = self.requests.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        let open = requests.iter().filter(|request| request.is_open());
        open.map(|request| {
            (
                request.node.clone(),
                request.ask.label.clone(),
                request.code.clone(),
            )
        })
        .collect()
    }

    /// Notes a request, or that its node still waits; what to watch for the decision.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(crate) fn note(
        &self,
        node: &NodeId,
        own: &NodeId,
        ask: JoinAsk,
    ) -> Result<watch::Receiver<Option<Reply>>, Reply> {
        let code = self.code_of(node, own, &ask.drawn).ok_or(Reply::Unmet)?;
        let mut requests = self.requests.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        if let Some(known) = requests.iter_mut().find(|request| request.node == *node) {
            if known.code == code {
                known.asked = Instant::now();
                return Ok(known.decided.subscribe());
            }
            // It was started anew, and shows another code.
            requests.retain(|request| request.node != *node);
        }
        if requests.len() >= WAITING {
            return Err(Reply::Refused("too many wait here to be let in".into()));
        }
        let (decided, watched) = watch::channel(None);
        requests.push(Request {
            node: node.clone(),
            ask,
            code,
            asked: Instant::now(),
            decided,
        });
        Ok(watched)
    }

    /// Waits a while for the decision on a request.
    pub(crate) async fn wait(&self, node: NodeId, own: &NodeId, ask: JoinAsk) -> Reply {
        let mut watched = match self.note(&node, own, ask) {
            Ok(watched) => watched,
            Err(reply) => return reply,
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
        let mut requests = self.requests.lock();
        requests.retain(|request| request.asked.elapsed() < FORGET);
        let has = |request: &&Request| {
            let own = plain(&request.code);
            request.is_open() && bool::from(subtle::ConstantTimeEq::ct_eq(own.as_bytes(), code.as_bytes()))
        };
        let same: Vec<_> = requests.iter().filter(has).collect();
        match same[..] {
            [] => Ok(None),
            [one] => Ok(Some((one.node.clone(), one.ask.clone()))),
            _ => {
                requests.retain(|request| plain(&request.code) != code);
                Err(ClusterError::Refused(
                    "two nodes wait with this code; both were turned away and have to ask again".into(),
                ))
            }
        }
    }

    fn decide(&self, node: &NodeId, reply: Reply) {
        let requests = self.requests.lock();
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
        let of = |(node, label, code)| Waiting { node, label, code };
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
