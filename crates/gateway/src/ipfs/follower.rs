//! The follower: reads the log behind everybody's back and keeps directories, roots and the index up.
//!
//! A round asks which keys of public prefixes changed, makes their directories anew, says in the log where
//! the roots are now (`ipfs.rooted`), and writes the index. Changes that come close together share a round,
//! so no write waits for this, and a busy bucket has a root every two seconds rather than one a put.

use crate::WriteContext;
use crate::objects::ObjectError;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stead_block::unixfs::directory::{DirError, Directory};
use stead_block::{Block, LocalStore, Pin};
use stead_event::body::IpfsRooted;
use stead_event::{Body, Cid, Position, Principal, Tenant};
use stead_log::{Append, Draft};
use stead_runtime::blocking;
use stead_view::published::tree::{self, Directories, Keys};
use stead_view::published::{Applied, Index, Update};
use stead_view::{Publication, Views};

/// Rounds are at least this far apart: what comes within it shares one.
const SHORTEST: Duration = Duration::from_millis(50);
/// And this far where rounds follow each other without an end.
const SUSTAINED: Duration = Duration::from_secs(2);
/// So many rounds may follow each other quickly.
const BURST: u32 = 20;
/// After an error.
const PAUSE: Duration = Duration::from_secs(2);
/// Keys that a round takes up at most; what changed behind them is the next one's.
const KEYS: usize = 100_000;
/// Lines read at a time.
const LINES: usize = 1000;
/// New blocks stored at a time, in bytes.
const BLOCKS_BYTES: usize = 4 << 20;
/// The index is made durable after so many rounds that changed it.
const DURABLE_EVERY: u32 = 64;

/// Follows the log until shutdown.
pub async fn follow(context: WriteContext, index: Index) {
    let mut stop = context.tasks.shutdown_signal();
    let mut follower = Follower {
        context,
        index,
        seen: 0,
        rounds: 0,
    };
    let (mut burst, mut clock) = (BURST, follower.context.clock.instant());
    loop {
        let pause = match follower.round().await {
            Ok(changed) => {
                let now = follower.context.clock.instant();
                let passed = now.saturating_duration_since(clock).as_secs() / SUSTAINED.as_secs();
                let regained = u32::try_from(passed).unwrap_or(BURST).min(BURST);
                clock = match regained {
                    BURST => now,
                    some => clock + SUSTAINED * some,
                };
                burst = burst.saturating_add(regained).min(BURST);
                // Saying a root is an event, too: the round that finds nothing behind it is not one of a burst.
                burst = burst.saturating_sub(u32::from(changed));
                if burst > 0 { SHORTEST } else { SUSTAINED }
            }
            Err(error) => {
                tracing::warn!(%error, "what is public to IPFS is not up to date; trying again");
                PAUSE
            }
        };
        let tenant = Tenant::main();
        let next = async {
            tokio::time::sleep(pause).await;
            follower.context.tail.wait_past(&tenant, follower.seen).await;
        };
        tokio::select! {
            () = next => {}
            () = stop.wait() => return,
        }
    }
}

struct Follower {
    context: WriteContext,
    index: Index,
    /// Everything up to here has been looked at.
    seen: Position,
    rounds: u32,
}

/// What a round found and made, before it is said.
struct Made {
    publication: Publication,
    directories: Directories,
    root: Cid,
}

/// All that a round makes.
struct Round {
    seen: Position,
    made: Vec<Made>,
    gone: Vec<Position>,
    pinned: Vec<(String, Cid)>,
    unpinned: Vec<String>,
    /// New blocks are not the collector's until the roots are said.
    pins: Vec<Pin>,
}

impl Follower {
    /// Whether anything had changed.
    async fn round(&mut self) -> Result<bool, ObjectError> {
        let (views, index, store) = (
            self.context.views.clone(),
            self.index.clone(),
            self.context.store.clone(),
        );
        let (tail, seen) = (self.context.tail.clone(), self.seen);
        let round = blocking(move || plan(&views, &index, &store, &tail, seen)).await?;
        let Round { seen, .. } = round;
        if round.is_empty() {
            self.index.saw(seen);
            self.seen = seen;
            return Ok(false);
        }
        // Every node makes the same directories; one says so.
        if self.context.leads() {
            self.say(&round).await?;
        }
        self.rounds += 1;
        let durably = self.rounds % DURABLE_EVERY == 1;
        let now = self.context.clock.now_micros();
        let (index, store) = (self.index.clone(), self.context.store.clone());
        blocking(move || write(&index, &store, round, now, durably)).await?;
        self.index.saw(seen);
        self.seen = seen;
        Ok(true)
    }

    /// Says in the log where the roots are, once their blocks are durable.
    async fn say(&self, round: &Round) -> Result<(), ObjectError> {
        let changed = round.made.iter().filter(|made| {
            let root = made.publication.root;
            root.is_none_or(|root| root.cid != made.root)
        });
        let events: Vec<Draft> = changed
            .map(|made| Draft {
                actor: Principal::node(),
                at: self.context.now(),
                body: IpfsRooted {
                    bucket: made.publication.bucket.clone(),
                    cid: made.root,
                    position: round.seen,
                    prefix: made.publication.prefix.clone(),
                    sequence: made.publication.sequence + 1,
                }
                .into(),
                cause: None,
                id: self.context.event_id(),
            })
            .collect();
        if events.is_empty() {
            return Ok(());
        }
        let store = self.context.store.clone();
        blocking(move || store.sync()).await?;
        let append = Append {
            node: None,
            tenant: Tenant::main(),
            require: Vec::new(),
            events,
            blocks: Vec::new(),
        };
        let appended = self.context.log().append(append).await?;
        self.context.metrics.appended(appended.last + 1 - appended.first);
        Ok(())
    }
}

impl Round {
    fn is_empty(&self) -> bool {
        self.made.is_empty() && self.gone.is_empty() && self.pinned.is_empty() && self.unpinned.is_empty()
    }
}

fn write(
    index: &Index,
    store: &LocalStore,
    round: Round,
    now: i64,
    durably: bool,
) -> Result<(), ObjectError> {
    let moved = round.made.into_iter().map(|made| {
        let applied = Applied {
            position: round.seen,
            root: made.root,
        };
        (made.publication.id, (applied, made.directories))
    });
    let update = Update {
        moved: moved.collect(),
        gone: round.gone,
        pinned: round.pinned,
        unpinned: round.unpinned,
        now,
    };
    if let Err(error) = index.write(store, &update, durably) {
        tracing::warn!(%error, "the index of what is public is made anew");
        index.clear()?;
        return Err(error.into());
    }
    drop(round.pins);
    Ok(())
}

/// Makes what is new since the last round. Blocks.
fn plan(
    views: &Views,
    index: &Index,
    store: &LocalStore,
    tail: &stead_log::Tail,
    seen: Position,
) -> Result<Round, ObjectError> {
    // The names first: then what is published is never older than what it is made of.
    let names = views.names()?;
    let published = views.published()?;
    let (active, applied, counted) = (published.active()?, index.applied()?, index.pins()?);
    let mut round = Round {
        seen: names.position()?,
        made: Vec::new(),
        gone: Vec::new(),
        pinned: Vec::new(),
        unpinned: Vec::new(),
        pins: Vec::new(),
    };
    let wanted: BTreeMap<String, Cid> = published
        .pins()?
        .into_iter()
        .filter(|pin| {
            active
                .iter()
                .any(|publication| publication.covers(&pin.bucket, &pin.key))
        })
        .map(|pin| (format!("{}\0{}\0{}", pin.bucket, pin.key, pin.cid), pin.cid))
        .collect();
    let new = wanted.iter().filter(|(name, _)| !counted.contains_key(*name));
    round.pinned = new.map(|(name, cid)| (name.clone(), *cid)).collect();
    round.unpinned = counted
        .into_keys()
        .filter(|name| !wanted.contains_key(name))
        .collect();
    let ids: BTreeSet<Position> = active.iter().map(|publication| publication.id).collect();
    round.gone = applied.keys().copied().filter(|id| !ids.contains(id)).collect();

    let known = |publication: &Publication| applied.get(&publication.id);
    let from = active
        .iter()
        .filter_map(|p| Some(known(p)?.position.max(seen)))
        .min();
    let dirty = match from {
        Some(from) => dirty(&active, tail, from, &mut round.seen)?,
        None => BTreeMap::new(),
    };
    let mut blocks = Blocks::new(store);
    for publication in active {
        let keys = Keys {
            names: &names,
            store,
            bucket: &publication.bucket,
            prefix: &publication.prefix,
        };
        let changed = dirty.get(&publication.id);
        let Some((directories, root)) = make(
            &keys,
            &publication,
            index,
            known(&publication),
            changed,
            &mut blocks,
        )?
        else {
            continue;
        };
        round.made.push(Made {
            publication,
            directories,
            root,
        });
    }
    round.pins = blocks.finish()?;
    Ok(round)
}

/// The directories of a publication that are new, and its root; `None` where nothing changed.
fn make(
    keys: &Keys<'_>,
    publication: &Publication,
    index: &Index,
    known: Option<&Applied>,
    changed: Option<&BTreeSet<String>>,
    blocks: &mut Blocks<'_>,
) -> Result<Option<(Directories, Cid)>, ObjectError> {
    let failed = |error: tree::TreeError| ObjectError::Internal(error.to_string());
    if let Some(known) = known {
        let Some(changed) = changed else { return Ok(None) };
        let find = |prefix: &str| index.directory(publication.id, prefix);
        match tree::update(keys, &find, changed, &mut |block| blocks.push(block)) {
            Ok(directories) => {
                let root = directories.get("").copied().flatten();
                return Ok(Some((
                    directories,
                    root.map_or(known.root, |root: Directory| root.cid),
                )));
            }
            Err(error) => {
                let (bucket, prefix) = (&publication.bucket, &publication.prefix);
                tracing::warn!(%error, bucket, prefix, "a public directory is made anew from its keys");
            }
        }
    }
    let directories = tree::build(keys, &mut |block| blocks.push(block)).map_err(failed)?;
    let root = directories.get("").copied().flatten();
    let root = root.ok_or_else(|| ObjectError::Internal("a tree without a root".into()))?;
    Ok(Some((directories, root.cid)))
}

/// The keys of public prefixes that events behind `from` are about, below their prefix, by publication.
/// Where there are too many, `to` is where the reading stopped.
fn dirty(
    active: &[Publication],
    tail: &stead_log::Tail,
    from: Position,
    to: &mut Position,
) -> Result<BTreeMap<Position, BTreeSet<String>>, ObjectError> {
    let mut found = BTreeMap::<Position, BTreeSet<String>>::new();
    let (mut at, mut count) = (from, 0);
    while at < *to && count < KEYS {
        let lines = tail
            .read(&Tenant::main(), at + 1, LINES)
            .map_err(|error| ObjectError::State(error.to_string()))?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            at = line.seq;
            let event = line
                .event()
                .map_err(|error| ObjectError::State(error.to_string()))?;
            let Some((bucket, key)) = subject(&event.body) else {
                continue;
            };
            for publication in active.iter().filter(|p| p.covers(bucket, key)) {
                let below = key[publication.prefix.len()..].to_owned();
                count += usize::from(found.entry(publication.id).or_default().insert(below));
            }
        }
    }
    *to = at.min(*to).max(from);
    Ok(found)
}

/// The object that an event may have changed.
fn subject(body: &Body) -> Option<(&str, &str)> {
    match body {
        Body::ObjectPut(put) => Some((&put.bucket, &put.key)),
        Body::ObjectDeleted(deleted) => Some((&deleted.bucket, &deleted.key)),
        _ => None,
    }
}

/// Stores new blocks, some at a time.
struct Blocks<'a> {
    store: &'a LocalStore,
    waiting: Vec<(Cid, bytes::Bytes)>,
    bytes: usize,
    pins: Vec<Pin>,
}

impl<'a> Blocks<'a> {
    fn new(store: &'a LocalStore) -> Self {
        Self {
            store,
            waiting: Vec::new(),
            bytes: 0,
            pins: Vec::new(),
        }
    }

    fn push(&mut self, block: Block) -> Result<(), DirError> {
        self.bytes += block.bytes.len();
        self.waiting.push((block.cid, block.bytes));
        if self.bytes >= BLOCKS_BYTES {
            self.store()?;
        }
        Ok(())
    }

    fn store(&mut self) -> Result<(), stead_block::BlockError> {
        self.pins.push(self.store.append_unsynced(&self.waiting)?);
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Pin>, ObjectError> {
        self.store()?;
        Ok(self.pins)
    }
}
