//! Fetching a DAG from the trustless gateways of others, and by Bitswap from peers, block by block.
//!
//! A source is not trusted: whatever it gives is compared with the CID that was asked for, and one that lies
//! is not asked again. Blocks that are stored already are not fetched, so a fetch that broke off goes on.

use super::car_in::check;
use super::import::{ImportDone, ImportRequest, Taken, may_see_all};
use super::{IpfsError, Peers};
use crate::objects::{ObjectError, Objects};
use bytes::{Bytes, BytesMut};
use futures::stream::{FuturesUnordered, StreamExt};
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use stead_block::{MAX_BLOCK_BYTES, ipld};
use stead_event::{Cid, cids};
use stead_runtime::{TaskKind, Tasks, blocking};
use tokio::net::TcpStream;

/// Blocks that are asked for at the same time.
const AT_ONCE: usize = 8;
/// Blocks of one DAG at most.
const BLOCKS_MAX: usize = 1 << 20;
/// How long a source may take for a block.
const PATIENCE: Duration = Duration::from_secs(30);
/// Sources that are named at most.
const SOURCES_MAX: usize = 16;

/// One that is asked, until it lies.
struct Source {
    place: Place,
    lied: Mutex<Option<String>>,
}

enum Place {
    /// A gateway's host and port.
    Gateway(String),
    /// A peer's multiaddress, and what speaks to it.
    Peer(String, Arc<dyn Peers>),
}

impl Place {
    fn name(&self) -> &str {
        match self {
            Self::Gateway(authority) => authority,
            Self::Peer(address, _) => address,
        }
    }

    async fn fetch(&self, cid: &Cid, tasks: &Tasks) -> Result<Bytes, Why> {
        match self {
            Self::Gateway(authority) => fetch(authority, cid, tasks).await,
            Self::Peer(address, peers) => Ok(peers.fetch(cid, std::slice::from_ref(address)).await?),
        }
    }
}

impl Objects {
    /// Fetches a DAG and keeps it, as [`Self::import_car`] does. `told` is told how many blocks came.
    pub async fn pin_from(
        &self,
        request: ImportRequest,
        root: Cid,
        from: &[String],
        told: impl Fn(u64),
    ) -> Result<ImportDone, ObjectError> {
        self.may_import(&request)?;
        let sources = sources(from, self.context().peers())?;
        let store = self.context().store.clone();
        let tasks = self.context().tasks.clone();
        let trusted = may_see_all(&request.caller);
        let mut taken = Taken::new(&store);
        let mut seen = HashSet::from([root]);
        let mut ahead = vec![root];
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(cid) = ahead.pop()
            {
                running.push(block((&store, trusted), &sources, cid, &tasks));
            }
            let Some(came) = running.next().await else { break };
            let (cid, bytes, new) = came?;
            for link in links(&cid, &bytes)? {
                if seen.insert(link) {
                    ahead.push(link);
                }
            }
            if seen.len() > BLOCKS_MAX {
                return Err(IpfsError::Limit(format!("a DAG has more than {BLOCKS_MAX} blocks")).into());
            }
            if new {
                if !self.context().space.admits(bytes.len() as u64) {
                    return Err(ObjectError::Full);
                }
                taken.push(cid, bytes).await?;
                told(taken.blocks);
            }
        }
        drop(running);
        taken.flush().await?;
        self.keep(request, vec![root], taken).await
    }
}

fn links(cid: &Cid, bytes: &Bytes) -> Result<Vec<Cid>, ObjectError> {
    let malformed = || IpfsError::Unsupported {
        cid: Box::new(*cid),
        why: "it is not in the codec that its CID names",
    };
    Ok(ipld::links(cid, bytes).map_err(|_| malformed())?)
}

/// Those that are named, or the usual peers where none are.
fn sources(from: &[String], peers: Option<&Arc<dyn Peers>>) -> Result<Vec<Source>, ObjectError> {
    let usual = peers.map(|peers| peers.usual()).unwrap_or_default();
    let from = if from.is_empty() { &usual } else { from };
    if from.is_empty() || from.len() > SOURCES_MAX {
        let why = format!(
            "name 1 to {SOURCES_MAX} to fetch from: --from http://HOST:PORT, or a peer's multiaddress that ends with /p2p/ID"
        );
        return Err(ObjectError::Invalid(why));
    }
    let each = from.iter().map(|url| {
        if url.starts_with('/') {
            let peers = peers.ok_or_else(|| {
                let why = format!("{url} is a peer's address, and Bitswap is off: set ipfs.bitswap = true");
                ObjectError::Invalid(why)
            })?;
            return Ok(Source {
                place: Place::Peer(url.clone(), peers.clone()),
                lied: Mutex::new(None),
            });
        }
        let uri: Option<Uri> = url.trim_end_matches('/').parse().ok();
        let authority = uri
            .filter(|uri| uri.scheme_str() == Some("http"))
            .and_then(|uri| uri.authority().map(ToString::to_string))
            .filter(|authority| !authority.contains('@'));
        let authority = authority.ok_or_else(|| {
            ObjectError::Invalid(format!("{url:?} is not a gateway's address: http://HOST:PORT"))
        })?;
        Ok(Source {
            place: Place::Gateway(authority),
            lied: Mutex::new(None),
        })
    });
    each.collect()
}

/// A block: the one that is stored (for whoever may see every block), or from the first source that gives it. Answers whether it is new.
async fn block(
    (store, trusted): (&stead_block::LocalStore, bool),
    sources: &[Source],
    cid: Cid,
    tasks: &Tasks,
) -> Result<(Cid, Bytes, bool), ObjectError> {
    if let Some(bytes) = ipld::inline(&cid) {
        return Ok((cid, bytes, false));
    }
    if !ipld::is_known(cid.codec()) || cids::digest(&cid).is_none() {
        check(&cid, b"")?;
    }
    if trusted && store.contains(&cid) {
        let store = store.clone();
        return Ok((cid, blocking(move || store.read(&cid)).await?, false));
    }
    let mut why = String::from("none is left to ask");
    for source in sources {
        if let Some(lie) = &*source.lied.lock() {
            why.clone_from(lie);
            continue;
        }
        let fetched = tokio::time::timeout(PATIENCE, source.place.fetch(&cid, tasks)).await;
        match fetched.unwrap_or_else(|_| Err("it took longer than 30 s".into())) {
            Ok(bytes) if check(&cid, &bytes).is_ok() => return Ok((cid, bytes, true)),
            Ok(_) => {
                why = format!(
                    "{} gave other bytes for {cid}; it is not asked again",
                    source.place.name()
                );
                *source.lied.lock() = Some(why.clone());
            }
            Err(error) => why = format!("{}: {error}", source.place.name()),
        }
    }
    Err(IpfsError::Source {
        cid: Box::new(cid),
        why,
    }
    .into())
}

type Why = Box<dyn std::error::Error + Send + Sync>;

/// One block from one gateway.
async fn fetch(authority: &str, cid: &Cid, tasks: &Tasks) -> Result<Bytes, Why> {
    let place = match authority.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
        _ => format!("{authority}:80"),
    };
    let stream = TcpStream::connect(&place).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends when its request does, or this is dropped.
    tasks.spawn(TaskKind::Connection, "ipfs-fetch", async move {
        let _ = connection.await;
    });
    let request = Request::get(format!("/ipfs/{cid}?format=raw"))
        .header(header::HOST, authority)
        .header(header::ACCEPT, "application/vnd.ipld.raw")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("it answered {}", response.status()).into());
    }
    let mut body = response.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if bytes.len() + data.len() > MAX_BLOCK_BYTES {
                return Err("it gave more than a block may have".into());
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}
