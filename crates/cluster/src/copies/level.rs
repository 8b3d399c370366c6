//! Fetching what belongs here and is missing: when this node begins, when a node is back, when the membership or
//! a policy changes, and now and then.

use super::{PATIENCE, keep, others, owed, stripes, surplus};
use crate::RaftLog;
use crate::mesh::{Ask, Reply};
use crate::placement::Wants;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stead_block::LocalStore;
use stead_event::{Cid, NodeId};
use stead_plan::rules;
use stead_runtime::{Adjustable, blocking};
use tokio::time::Instant;

/// Blocks asked for at once.
const ASK_BLOCKS: usize = 64;
/// Names that are gathered before their blocks are fetched.
const GATHER: usize = 100_000;
/// How often it is looked whether something changed.
const TICK: Duration = Duration::from_secs(2);

/// How copies are levelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelOptions {
    /// Between two comparisons of what is here with what others have, where nothing changed.
    pub every: Duration,
    /// Bytes fetched in a second at most.
    pub bytes_per_second: u64,
    /// A member that was away for longer is out: others hold its copies until it is back.
    pub out_after: Duration,
    /// A block that others hold is given up when it is older.
    pub surplus_after: Duration,
}

impl Default for LevelOptions {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(600),
            bytes_per_second: 200 * 1024 * 1024,
            out_after: Duration::from_secs(600),
            surplus_after: Duration::from_secs(3600),
        }
    }
}

/// Fetches every block that belongs here, that `from` has and this node has not; answers how many came. Where it is
/// said which membership this node goes by, `from` has to know it: by an older one it would leave blocks out.
pub(crate) async fn fetch_all(
    log: &RaftLog,
    (store, options): (&LocalStore, &Adjustable<LevelOptions>),
    from: &NodeId,
    membership: Option<(u64, u64)>,
) -> io::Result<u64> {
    let (mut after, mut fetched) = (None, 0);
    loop {
        let missing = missing(log, store, (from, membership), &mut after).await?;
        if missing.is_empty() && after.is_none() {
            return Ok(fetched);
        }
        log.progress.found(missing.len() as u64);
        fetched += fetch_these(log, (store, options), from, missing).await?;
        if after.is_none() {
            return Ok(fetched);
        }
    }
}

/// Names of blocks that `from` has, that belong here and are not: behind `after`, and where to go on.
async fn missing(
    log: &RaftLog,
    store: &LocalStore,
    (from, membership): (&NodeId, Option<(u64, u64)>),
    after: &mut Option<Cid>,
) -> io::Result<BTreeSet<Cid>> {
    let mesh = log.mesh().map_err(io::Error::other)?;
    let mut missing = BTreeSet::new();
    while missing.len() < GATHER {
        let ask = match membership {
            Some(membership) => Ask::ListAt(*after, membership),
            None => Ask::List(*after),
        };
        let (names, next) = match mesh.ask(from, &ask, PATIENCE).await {
            Ok(Reply::List(names, next)) => (names, next),
            Ok(other) => return Err(other.unexpected()),
            Err(error) => return Err(io::Error::other(error)),
        };
        *after = next;
        missing.extend(names.into_iter().filter(|cid| !store.contains(cid)));
        if after.is_none() {
            break;
        }
    }
    Ok(missing)
}

async fn fetch_these(
    log: &RaftLog,
    (store, options): (&LocalStore, &Adjustable<LevelOptions>),
    from: &NodeId,
    mut missing: BTreeSet<Cid>,
) -> io::Result<u64> {
    let mesh = log.mesh().map_err(io::Error::other)?;
    let (mut due, mut fetched) = (Instant::now(), 0);
    while !missing.is_empty() {
        let wanted: Vec<Cid> = missing.iter().take(ASK_BLOCKS).copied().collect();
        let blocks = match mesh.ask(from, &Ask::Get(wanted.clone()), PATIENCE).await {
            Ok(Reply::Blocks(blocks)) => blocks,
            Ok(other) => return Err(other.unexpected()),
            Err(error) => return Err(io::Error::other(error)),
        };
        let before = missing.len();
        if blocks.is_empty() {
            // Collected there since, or damaged there: another node may have them.
            missing.retain(|cid| !wanted.contains(cid));
        }
        missing.retain(|cid| !blocks.iter().any(|(name, _)| name == cid));
        let (came, size) = (
            blocks.len() as u64,
            blocks.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>(),
        );
        let store = store.clone();
        blocking(move || keep(&store, blocks))
            .await
            .map_err(io::Error::other)?;
        log.progress.asked((before - missing.len()) as u64, came, size);
        fetched += came;
        // By the rate as it is now: it may be changed meanwhile.
        due += Duration::from_secs_f64(size as f64 / options.get().bytes_per_second.max(1) as f64);
        tokio::time::sleep_until(due).await;
    }
    Ok(fetched)
}

/// What one node is to others' copies, as it goes on.
struct Levelling {
    store: LocalStore,
    options: Adjustable<LevelOptions>,
    wants: Option<Arc<dyn Wants>>,
    /// Nodes whose blocks were compared since something changed.
    compared: BTreeSet<NodeId>,
    /// The belief that they were compared under.
    under: u64,
    /// When everything is compared again.
    due: Option<Instant>,
    /// The revision of wishes that is known.
    revision: Option<u64>,
    /// The belief under which nothing more is to be given up, and when that was seen.
    trimmed: Option<(u64, Instant)>,
}

/// Levels until the log is gone.
pub(crate) async fn level(
    log: Weak<RaftLog>,
    store: LocalStore,
    options: Adjustable<LevelOptions>,
    wants: Option<Arc<dyn Wants>>,
) {
    let mut levelling = Levelling {
        store,
        options,
        wants,
        compared: BTreeSet::new(),
        under: 0,
        due: None,
        revision: None,
        trimmed: None,
    };
    let mut changes = levelling.options.changes();
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            // Another pause counts from now on, not when the one before is over.
            () = changes.next() => levelling.due = None,
        }
        let Some(log) = log.upgrade() else { return };
        if log.is_stopping() {
            return;
        }
        owed::settle(&log, &levelling.store).await;
        if levelling.learn(&log).await {
            levelling.round(&log).await;
        }
    }
}

impl Levelling {
    /// Learns how many copies blocks are to have. Answers whether that is known.
    async fn learn(&mut self, log: &RaftLog) -> bool {
        let Some(wants) = self.wants.clone() else {
            return true;
        };
        let revision = wants.revision();
        if self.revision == Some(revision) && self.due.is_some_and(|due| Instant::now() < due) {
            return true;
        }
        match blocking(move || wants.classes()).await {
            Ok(classes) => {
                log.believe(classes);
                self.revision = Some(revision);
                true
            }
            Err(why) => {
                tracing::warn!(why, "it is not known how many copies blocks are to have");
                false
            }
        }
    }

    async fn round(&mut self, log: &Arc<RaftLog>) {
        let now = Instant::now();
        let belief = log.belief();
        // Without a leader this node is cut off, and misses what others write.
        if self.under != belief.number || self.due.is_none_or(|due| now >= due) || log.leader().is_none() {
            self.compared.clear();
            self.under = belief.number;
            self.due = Some(now + self.options.get().every);
        }
        let others = BTreeSet::from_iter(others(log));
        self.compared.retain(|node| others.contains(node));
        let before = self.compared.len();
        for node in others.difference(&self.compared.clone()) {
            match fetch_all(log, (&self.store, &self.options), node, Some(belief.membership)).await {
                Ok(fetched) => {
                    if fetched > 0 {
                        tracing::info!(%node, fetched, "blocks that were missing here were fetched");
                    }
                    self.compared.insert(node.clone());
                }
                Err(error) => tracing::debug!(%node, %error, "its blocks cannot be compared now"),
            }
        }
        // Members that are out have nothing that is needed: others hold it.
        let out: BTreeSet<NodeId> = log.out();
        let level = rules::is_level(others.iter(), &self.compared, &out);
        let level = level && self.rebuild(log).await;
        log.progress.ended(level.then_some(belief.membership));
        if level && (self.compared.len() > before || self.is_trim_due(belief.number)) {
            self.trim(log).await;
        }
    }

    /// Makes pieces of stripes anew that were lost with the nodes that held them. Answers whether none is missing.
    async fn rebuild(&self, log: &RaftLog) -> bool {
        match stripes::rebuild(log, &self.store, self.options.get().bytes_per_second).await {
            Ok((made, failed)) => {
                if made > 0 {
                    tracing::info!(made, "pieces of stripes that were lost were made anew");
                }
                failed == 0
            }
            Err(error) => {
                tracing::warn!(%error, "pieces of stripes that were lost could not be made anew");
                false
            }
        }
    }

    fn is_trim_due(&self, belief: u64) -> bool {
        let options = self.options.get();
        let after = options.surplus_after.min(options.every);
        self.trimmed
            .is_none_or(|(under, at)| under != belief || at.elapsed() >= after)
    }

    async fn trim(&mut self, log: &Arc<RaftLog>) {
        let belief = log.belief();
        match surplus::give_up(log, &self.store, self.options.get().surplus_after).await {
            Ok(given) => {
                self.trimmed = Some((belief.number, Instant::now()));
                if given > 0 {
                    log.progress.gave_up(given);
                    tracing::info!(given, "copies that other nodes hold were given up");
                }
            }
            Err(error) => tracing::debug!(%error, "nothing is given up now"),
        }
    }
}
