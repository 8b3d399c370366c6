//! The live log as server-sent events, for very many subscribers.
//!
//! A line is read and encoded once, by the hub, and shared: what a subscriber holds is a position. The hub
//! only wakes it. Whoever falls behind what the hub still keeps reads on from the log itself, so a slow
//! subscriber is served slowly and completely, and costs no memory.

use crate::ApiError;
use crate::filter::{Filter, Top};
use crate::log::Lines;
use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stead_event::event::line_cid;
use stead_event::{Position, Tenant};
use stead_gateway::{ReadContext, TaskKind};
use tokio::sync::watch;

/// Lines read at once.
const BATCH: usize = 512;
/// Encoded bytes that the hub keeps for those who are a little late (8 MiB).
const KEPT: usize = 8 << 20;
/// How long events are gathered before subscribers are woken: each wake costs every one of them a write.
const GATHER: Duration = Duration::from_millis(50);
/// How often a quiet stream says that it lives.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a hub without subscribers goes on.
const IDLE: Duration = Duration::from_secs(5);

/// Some lines, encoded.
struct Batch {
    first: Position,
    text: Bytes,
    /// Of each line: where its text ends, and what filters look at.
    marks: Vec<(usize, Option<Top>)>,
}

impl Batch {
    fn behind(&self) -> Position {
        self.first + self.marks.len() as u64
    }

    /// The text of the lines from `from` on that pass.
    fn text(&self, from: Position, filter: &Filter) -> Bytes {
        let skip = from.saturating_sub(self.first) as usize;
        let start = skip.checked_sub(1).map_or(0, |before| self.marks[before].0);
        if filter.is_all() {
            return self.text.slice(start..);
        }
        let mut passed = BytesMut::new();
        let mut start = start;
        for (end, top) in &self.marks[skip..] {
            if top.as_ref().is_some_and(|top| filter.passes(top)) {
                passed.put_slice(&self.text[start..*end]);
            }
            start = *end;
        }
        passed.freeze()
    }
}

#[derive(Default)]
struct Ring {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    running: bool,
}

impl Ring {
    fn push(&mut self, batch: Batch) {
        self.bytes += batch.text.len();
        self.batches.push_back(Arc::new(batch));
        while self.bytes > KEPT && self.batches.len() > 1 {
            if let Some(gone) = self.batches.pop_front() {
                self.bytes -= gone.text.len();
            }
        }
    }

    /// The batch with a position, where it is still (or already) here.
    fn with(&self, position: Position) -> Option<Arc<Batch>> {
        let at = self.batches.partition_point(|batch| batch.behind() <= position);
        self.batches
            .get(at)
            .filter(|batch| batch.first <= position)
            .cloned()
    }
}

/// What one tenant's subscribers share.
struct Hub {
    lines: Lines,
    ring: Mutex<Ring>,
    /// The last position that is encoded.
    head: watch::Sender<Position>,
    subscribers: AtomicUsize,
}

/// The hubs by tenant; each runs as long as somebody listens.
#[derive(Default)]
pub(crate) struct Hubs(Mutex<BTreeMap<Tenant, Arc<Hub>>>);

impl Hubs {
    fn of(&self, context: &ReadContext, tenant: &Tenant) -> Arc<Hub> {
        let mut hubs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let lines = Lines::new(context, tenant, Filter::default());
            let head = watch::Sender::new(lines.head());
            Arc::new(Hub {
                lines,
                ring: Mutex::default(),
                head,
                subscribers: AtomicUsize::new(0),
            })
        };
        hubs.entry(tenant.clone()).or_insert_with(new).clone()
    }
}

impl Hub {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a subscriber, and starts the hub for the first one.
    fn join(self: &Arc<Self>) {
        let mut ring = self.ring();
        self.subscribers.fetch_add(1, Ordering::AcqRel);
        if !std::mem::replace(&mut ring.running, true) {
            let from = self.lines.head() + 1;
            self.head.send_replace(from - 1);
            let context = &self.lines.context;
            context
                .tasks
                .spawn(TaskKind::Background, "events", self.clone().encode(from));
        }
    }

    /// Ends where nobody listens any more.
    fn deserted(&self) -> bool {
        let mut ring = self.ring();
        if self.subscribers.load(Ordering::Acquire) > 0 {
            return false;
        }
        *ring = Ring::default();
        true
    }

    async fn encode(self: Arc<Self>, mut from: Position) {
        let context = &self.lines.context;
        let mut stop = context.tasks.shutdown_signal();
        loop {
            let woken = tokio::select! {
                _ = context.tail.wait_past(&self.lines.tenant, from - 1) => true,
                () = tokio::time::sleep(IDLE) => false,
                () = stop.wait() => return,
            };
            if self.deserted() {
                return;
            }
            if !woken {
                continue;
            }
            loop {
                match self.lines.batch(from, BATCH) {
                    Ok((_, next)) if next == from => break,
                    Ok((lines, next)) => {
                        self.ring().push(encoded(from, &lines));
                        from = next;
                    }
                    Err(_) => {
                        // Subscribers read the log themselves, and are told at the damaged line.
                        *self.ring() = Ring::default();
                        self.head.send_replace(Position::MAX);
                        return;
                    }
                }
            }
            self.head.send_replace(from - 1);
            tokio::time::sleep(GATHER).await;
        }
    }
}

fn encoded(first: Position, lines: &[crate::log::Raw]) -> Batch {
    let mut text = BytesMut::new();
    let mut marks = Vec::with_capacity(lines.len());
    for line in lines {
        event(&mut text, line);
        marks.push((text.len(), Top::of(&line.bytes)));
    }
    Batch {
        first,
        text: text.freeze(),
        marks,
    }
}

fn event(text: &mut BytesMut, line: &crate::log::Raw) {
    let cid = line_cid(&line.bytes);
    text.put_slice(format!("id: {}\ndata: {{\"cid\":\"{cid}\",\"line\":", line.seq).as_bytes());
    text.put_slice(&line.bytes);
    text.put_slice(b"}\n\n");
}

/// Somebody who listens.
pub(crate) struct Subscriber {
    hub: Arc<Hub>,
    filter: Filter,
    next: Position,
    head: watch::Receiver<Position>,
    greeted: bool,
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.subscribers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Subscriber {
    /// From `from` on; only what is new where `None`.
    pub(crate) fn new(
        hubs: &Hubs,
        context: &ReadContext,
        tenant: &Tenant,
        filter: Filter,
        from: Option<Position>,
    ) -> Self {
        let hub = hubs.of(context, tenant);
        hub.join();
        let next = from.unwrap_or_else(|| hub.lines.head() + 1).max(1);
        let head = hub.head.subscribe();
        Self {
            hub,
            filter,
            next,
            head,
            greeted: false,
        }
    }

    /// What can be told at once; `None` where there is nothing new.
    fn ready(&mut self) -> Result<Option<Bytes>, ApiError> {
        let found = self.hub.ring().with(self.next);
        if let Some(batch) = found {
            let text = batch.text(self.next, &self.filter);
            self.next = batch.behind();
            return Ok(Some(text));
        }
        // Not yet encoded, or not any more: in the second case the log has it.
        let awaited = self.next > *self.head.borrow() && self.hub.ring().running;
        if awaited {
            return Ok(None);
        }
        let (lines, next) = self.hub.lines.batch(self.next, BATCH)?;
        if next == self.next {
            return Ok(None);
        }
        self.next = next;
        let mut text = BytesMut::new();
        for line in &lines {
            if self.filter.is_all() || Top::of(&line.bytes).is_some_and(|top| self.filter.passes(&top)) {
                event(&mut text, line);
            }
        }
        Ok(Some(text.freeze()))
    }

    /// The stream of text.
    pub(crate) fn stream(self) -> impl futures::Stream<Item = Result<Bytes, ApiError>> + Send {
        let stop = self.hub.lines.context.tasks.shutdown_signal();
        stream::unfold((self, stop), |(mut own, mut stop)| async move {
            if !std::mem::replace(&mut own.greeted, true) {
                return Some((Ok(Bytes::from_static(b"retry: 1000\n\n")), (own, stop)));
            }
            loop {
                match own.ready() {
                    Ok(Some(text)) if text.is_empty() => continue,
                    Ok(Some(text)) => return Some((Ok(text), (own, stop))),
                    Ok(None) => {}
                    // The stream breaks off here, at the damaged line, and not behind it.
                    Err(error) => return Some((Err(error), (own, stop))),
                }
                let next = own.next;
                let quiet = tokio::select! {
                    _ = own.head.wait_for(|head| *head >= next) => false,
                    () = tokio::time::sleep(ALIVE) => true,
                    () = stop.wait() => return None,
                };
                if quiet {
                    return Some((Ok(Bytes::from_static(b":\n\n")), (own, stop)));
                }
            }
        })
    }
}
