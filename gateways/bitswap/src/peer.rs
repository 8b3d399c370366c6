//! One peer: what it wants, what it was asked, and the two tasks that read and write for it.

use crate::ledger::{Ledger, Rate, Recent};
use crate::message::{Block, Entry, Message, Presence, Want, v1};
use crate::node::Shared;
use crate::wire;
use bytes::Bytes;
use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stead_event::Cid;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Wants that a peer may send at once, and each second after that.
const WANTS_BURST: u32 = 8192;
const WANTS_PER_SECOND: u32 = 4096;
/// Streams of one peer that are read at the same time.
const READERS: usize = 32;
/// Blocks that one peer is asked for at the same time.
const ASKED_MAX: usize = 1024;
/// What a message of ours holds at most is this much and the block that went beyond it: 2 MiB in all.
const FILL: usize = 1 << 20;
/// Memory that a message of ours may take.
const FILL_MAX: usize = 2 << 20;
/// How long a peer may take to send a message that it began, or to take one of ours.
const TRANSFER: Duration = Duration::from_secs(30);
/// How long a stream may be silent between two messages.
const SILENCE: Duration = Duration::from_secs(120);
/// How long the opening of a stream may take.
const OPEN: Duration = Duration::from_secs(15);

/// What became of a want of ours.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Here it is, and it is what was asked for.
    Block(Bytes),
    /// The peer says that it has none.
    Absent,
    /// The peer sent bytes that nobody asked for, so nothing more is taken from it.
    Wrong,
}

#[derive(Default)]
struct Asked {
    waiting: HashMap<Cid, Vec<oneshot::Sender<Answer>>>,
    recent: Recent,
    /// To be said to the peer.
    outgoing: Vec<Entry>,
}

/// A connected peer.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) readers: Arc<Semaphore>,
    ledger: Mutex<Ledger>,
    rate: Mutex<Rate>,
    asked: Mutex<Asked>,
    gone: AtomicBool,
    /// There is something to say.
    wake: Notify,
}

impl Peer {
    pub(crate) fn new(id: PeerId, shared: &Shared) -> Self {
        let rate = Rate::new(WANTS_BURST, WANTS_PER_SECOND, shared.runtime.clock.instant());
        Self {
            id,
            readers: Arc::new(Semaphore::new(READERS)),
            ledger: Mutex::default(),
            rate: Mutex::new(rate),
            asked: Mutex::default(),
            gone: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Its last connection is closed: tasks end, and whoever waits for it is told by a dropped sender.
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        self.asked.lock().waiting.clear();
        self.ledger.lock().clear();
        self.wake.notify_one();
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Asks for a block; `None` where too much is asked of it already, or it is gone.
    pub(crate) fn ask(&self, cid: &Cid) -> Option<oneshot::Receiver<Answer>> {
        let (sender, receiver) = oneshot::channel();
        let mut asked = self.asked.lock();
        // Looked at under the lock: `leave` clears under it too.
        if self.is_gone() || asked.waiting.len() >= ASKED_MAX {
            return None;
        }
        let waiting = asked.waiting.entry(v1(cid)).or_default();
        let first = waiting.is_empty();
        waiting.push(sender);
        if first {
            asked.recent.note(cid);
            asked.outgoing.push(want(cid, false));
        }
        drop(asked);
        self.wake.notify_one();
        Some(receiver)
    }

    /// Does not wait for a block any more; those that nobody waits for are taken back.
    pub(crate) fn give_up(&self, cid: &Cid) {
        let mut asked = self.asked.lock();
        let Some(waiting) = asked.waiting.get_mut(&v1(cid)) else {
            return;
        };
        waiting.retain(|sender| !sender.is_closed());
        if waiting.is_empty() {
            asked.waiting.remove(&v1(cid));
            asked.outgoing.push(want(cid, true));
            drop(asked);
            self.wake.notify_one();
        }
    }

    /// Reads messages until the peer closes the stream.
    pub(crate) async fn read(self: Arc<Self>, shared: Arc<Shared>, mut stream: Stream) {
        while !self.is_gone() {
            let Ok(Ok(Some(length))) = timeout(SILENCE, wire::read_length(&mut stream)).await else {
                break;
            };
            let Some(memory) = shared.reading.take(length).await else {
                break;
            };
            let message = match timeout(TRANSFER, wire::read_message(&mut stream, length)).await {
                Ok(Ok(message)) => message,
                Ok(Err(error)) => {
                    tracing::debug!(peer = %self.id, %error, "a bitswap message was refused");
                    shared.runtime.metrics.peer_block("refused");
                    break;
                }
                Err(_) => break,
            };
            shared.runtime.metrics.received(crate::NAME, length as u64);
            let Some(wants) = self.take(&shared, message) else {
                return;
            };
            drop(memory);
            let wait = self.rate.lock().take(wants, shared.runtime.clock.instant());
            if wait > 0.0 {
                // Nothing more is read from this stream meanwhile, so the peer waits too.
                sleep(Duration::from_secs_f64(wait.min(60.0))).await;
            }
        }
        let _ = stream.close().await;
    }

    /// Takes in what a message says; how many wants it had. `None`: the peer is not listened to any longer.
    fn take(&self, shared: &Shared, message: Message) -> Option<usize> {
        for block in message.blocks {
            if !self.take_block(shared, block) {
                return None;
            }
        }
        for presence in message.presences.iter().filter(|presence| !presence.have) {
            let waiting = self.asked.lock().waiting.remove(&v1(&presence.cid));
            for sender in waiting.into_iter().flatten() {
                let _ = sender.send(Answer::Absent);
            }
        }
        let count = message.wants.len();
        let mut ledger = self.ledger.lock();
        if message.full {
            ledger.clear();
        }
        for entry in message.wants {
            // A wantlist that is longer than what is kept is cut: the peer asks again.
            if !ledger.apply(entry) {
                shared.runtime.metrics.peer_block("refused");
            }
        }
        drop(ledger);
        self.wake.notify_one();
        Some(count)
    }

    /// Only bytes that hash to a CID that was asked for are taken; a peer that sends others is left.
    fn take_block(&self, shared: &Shared, block: Block) -> bool {
        let mut asked = self.asked.lock();
        let cid = block.cid();
        if let Some(waiting) = cid.and_then(|cid| asked.waiting.remove(&cid)) {
            drop(asked);
            shared.runtime.metrics.peer_block("fetched");
            for sender in waiting {
                let _ = sender.send(Answer::Block(block.data.clone()));
            }
            return true;
        }
        if cid.is_some_and(|cid| asked.recent.contains(&cid)) {
            return true; // it came late, or twice
        }
        let waiting = std::mem::take(&mut asked.waiting);
        drop(asked);
        shared.runtime.metrics.peer_block("refused");
        tracing::warn!(peer = %self.id, "bytes came that were not asked for; the peer is left");
        for sender in waiting.into_values().flatten() {
            let _ = sender.send(Answer::Wrong);
        }
        shared.leave(self.id);
        false
    }

    /// Writes what there is to say, each time on a stream of its own, until the peer is gone.
    pub(crate) async fn write(self: Arc<Self>, shared: Arc<Shared>) {
        while !self.is_gone() {
            self.wake.notified().await;
            if !self.has_to_say() {
                continue;
            }
            let opened = timeout(OPEN, shared.open(self.id)).await.ok().flatten();
            let Some(mut stream) = opened else {
                self.unheard();
                continue;
            };
            let Some(memory) = shared.writing.take(FILL_MAX).await else {
                break;
            };
            let mut message = self.next(&shared).await;
            while !message.is_empty() {
                match timeout(TRANSFER, wire::write(&mut stream, &message)).await {
                    Ok(Ok(())) => shared.count(&message),
                    Ok(Err(_)) | Err(_) => {
                        self.unheard();
                        break;
                    }
                }
                message = self.next(&shared).await;
            }
            drop(memory);
            let _ = timeout(OPEN, stream.close()).await;
        }
    }

    fn has_to_say(&self) -> bool {
        !self.asked.lock().outgoing.is_empty() || !self.ledger.lock().is_empty()
    }

    /// The peer does not take what is said: whoever waits for it turns to another.
    fn unheard(&self) {
        let mut asked = self.asked.lock();
        asked.waiting.clear();
        asked.outgoing.clear();
        drop(asked);
        self.ledger.lock().clear();
    }

    /// The next message: all questions, and answers up to its size.
    async fn next(&self, shared: &Shared) -> Message {
        let wants = std::mem::take(&mut self.asked.lock().outgoing);
        let mut message = Message {
            wants,
            ..Message::default()
        };
        let mut bytes = 0;
        while bytes < FILL && message.presences.len() + message.blocks.len() < crate::message::ENTRIES_MAX {
            let next = self.ledger.lock().pop();
            let Some(entry) = next else { break };
            bytes += 64 + answer(shared, &entry, &mut message).await;
        }
        message
    }
}

fn want(cid: &Cid, cancel: bool) -> Entry {
    Entry {
        cid: *cid,
        priority: 1,
        cancel,
        want: Want::Block,
        say_absent: !cancel,
    }
}

/// Answers one want. What is not public is looked for as what is not there, and answered the same.
async fn answer(shared: &Shared, entry: &Entry, message: &mut Message) -> usize {
    let cid = v1(&entry.cid);
    let have = match entry.want {
        Want::Have => shared.blocks.has(&cid).await,
        Want::Block => match shared.blocks.get(&cid).await {
            Some(data) => {
                let bytes = data.len();
                message.blocks.push(Block::of(&entry.cid, data));
                return bytes;
            }
            None => false,
        },
    };
    if have || entry.say_absent {
        let presence = Presence { cid: entry.cid, have };
        message.presences.push(presence);
    }
    0
}
