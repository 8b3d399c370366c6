//! The read side of the log, shared by everybody.
//!
//! The engine publishes heads; anybody reads up to them. Every line that is handed out parses, has the
//! position asked for, and is the line that its successor (or the published head) names, so a flipped bit
//! is an error that names the place, never data.

use crate::SegmentError;
use crate::reader::SegmentReader;
use crate::segment::{self, DamageKind, SegmentFile, tenant_dir};
use bytes::Bytes;
use memchr::memmem;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stead_event::event::line_cid;
use stead_event::{ChainError, ChainHead, Cid, Event, EventError, Position, Tenant};
use tokio::sync::watch;

/// A read ends early after this many bytes, so that a few huge lines do not fill memory.
const READ_BYTES: usize = 4 << 20;
/// Segments kept open for each tenant; each may hold one decompressed frame.
const KEPT_OPEN: usize = 4;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its position.
    pub seq: Position,
    /// Its bytes, without the line feed.
    pub bytes: Bytes,
}

impl Line {
    /// The event.
    pub fn event(&self) -> Result<Event, EventError> {
        Event::from_line(&self.bytes)
    }

    /// The line's CID, which the next line names as `prev`.
    pub fn cid(&self) -> Cid {
        line_cid(&self.bytes)
    }
}

/// Reads any tenant's log up to its published head. Cheap to clone.
#[derive(Clone)]
pub struct Tail(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    tenants: RwLock<BTreeMap<Tenant, Arc<TenantTail>>>,
}

struct TenantTail {
    dir: PathBuf,
    head: watch::Sender<ChainHead>,
    files: RwLock<Vec<SegmentFile>>,
    /// Most recently used last.
    open: Mutex<Vec<Arc<SegmentReader>>>,
}

impl Tail {
    /// Opens `<data>/log`; each tenant's head is its last whole line until another is published. A directory
    /// that is not there is a log without tenants.
    pub fn open(dir: &Path) -> Result<Self, SegmentError> {
        let inner = Inner {
            dir: dir.to_owned(),
            tenants: RwLock::default(),
        };
        let entries = match std::fs::read_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self(Arc::new(inner))),
            other => other.map_err(SegmentError::io("list", dir))?,
        };
        for entry in entries {
            let name = entry.map_err(SegmentError::io("list", dir))?.file_name();
            let Some(tenant) = name.to_str().and_then(|name| name.parse::<Tenant>().ok()) else {
                continue;
            };
            let own = tenant_dir(dir, &tenant);
            if own.is_dir() {
                let files = segment::list(&own)?;
                let head = last_head(&files)?;
                inner
                    .tenants
                    .write()
                    .insert(tenant, Arc::new(TenantTail::new(own, files, head)));
            }
        }
        Ok(Self(Arc::new(inner)))
    }

    fn tenant(&self, tenant: &Tenant) -> Arc<TenantTail> {
        if let Some(known) = self.0.tenants.read().get(tenant) {
            return known.clone();
        }
        let dir = tenant_dir(&self.0.dir, tenant);
        let new = || Arc::new(TenantTail::new(dir, Vec::new(), ChainHead::default()));
        self.0
            .tenants
            .write()
            .entry(tenant.clone())
            .or_insert_with(new)
            .clone()
    }

    /// Makes lines up to `head` visible. Only the engine calls this, after it flushed them. A head before
    /// the one known (after a restart that cut off uncommitted lines) is taken as it is.
    pub fn publish(&self, tenant: &Tenant, head: ChainHead) {
        let own = self.tenant(tenant);
        let was = own.head.send_replace(head);
        if head.seq < was.seq {
            own.files.write().clear();
            own.open.lock().clear();
        }
    }

    /// The published head; before the first event, position zero.
    pub fn head(&self, tenant: &Tenant) -> ChainHead {
        self.0
            .tenants
            .read()
            .get(tenant)
            .map_or_else(ChainHead::default, |own| *own.head.borrow())
    }

    /// Every tenant with a log, sorted.
    pub fn tenants(&self) -> Vec<Tenant> {
        let tenants = self.0.tenants.read();
        let with_events = tenants.iter().filter(|(_, own)| own.head.borrow().seq > 0);
        with_events.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// Up to `max` lines from `from` on (from the first, where that is zero): fewer at the head or where
    /// they are very long, none past the head. Blocking. Where a line is damaged, the good ones before it
    /// are returned, and the error when it is the first one.
    pub fn read(&self, tenant: &Tenant, from: Position, max: usize) -> Result<Vec<Line>, SegmentError> {
        let head = self.head(tenant);
        let from = from.max(1);
        if from > head.seq || max == 0 {
            return Ok(Vec::new());
        }
        let last = head.seq.min(from.saturating_add(max as u64 - 1));
        let mut batch = Batch::new(from, last, head);
        let outcome = self.tenant(tenant).collect(&mut batch);
        batch.finish(outcome)
    }

    /// Forgets open files of a tenant's log: one was replaced by another of the same name.
    pub fn reopen(&self, tenant: &Tenant) {
        self.tenant(tenant).open.lock().clear();
    }

    /// Returns when the head is past `position`. A live subscription is a loop of this and [`Self::read`].
    pub async fn wait_past(&self, tenant: &Tenant, position: Position) -> ChainHead {
        let own = self.tenant(tenant);
        let mut heads = own.head.subscribe();
        // Copied out at once: the guard must not be held across an await, or no other thread could go on.
        let head = heads.wait_for(|head| head.seq > position).await.map(|head| *head);
        match head {
            Ok(head) => head,
            // The sender is held by `own`, so it cannot be gone.
            Err(_) => std::future::pending().await,
        }
    }
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}

impl TenantTail {
    fn new(dir: PathBuf, files: Vec<SegmentFile>, head: ChainHead) -> Self {
        Self {
            dir,
            head: watch::Sender::new(head),
            files: RwLock::new(files),
            open: Mutex::default(),
        }
    }

    /// Feeds lines into `batch` until it has enough, or until they run out.
    fn collect(&self, batch: &mut Batch) -> Result<(), SegmentError> {
        let mut fresh = false;
        while !batch.done {
            let next = batch.next;
            let found = self.segment_of(next);
            match found {
                Ok(Some(segment)) => {
                    let end = batch.end;
                    segment.lines(next, end, &mut |seq, line| batch.take(&segment, seq, line))?;
                    if batch.next > next {
                        fresh = false;
                        continue;
                    }
                    if fresh {
                        return Err(segment.damage(next, DamageKind::Truncated(next)));
                    }
                }
                Err(e) if fresh => return Err(e),
                Ok(None) if fresh => {
                    let missing = io::Error::new(
                        io::ErrorKind::NotFound,
                        format!("no segment with position {next}"),
                    );
                    return Err(SegmentError::io("open", &self.dir)(missing));
                }
                _ => {}
            }
            // A segment may be new, or sealed or replaced since: look again, once.
            *self.files.write() = segment::list(&self.dir)?;
            let gone =
                |segment: &Arc<SegmentReader>| segment.file.first > next || !segment.file.path.exists();
            self.open.lock().retain(|segment| !gone(segment));
            fresh = true;
        }
        Ok(())
    }

    fn segment_of(&self, position: Position) -> Result<Option<Arc<SegmentReader>>, SegmentError> {
        let file = {
            let files = self.files.read();
            let after = files.partition_point(|file| file.first <= position);
            match after.checked_sub(1) {
                Some(at) => files[at].clone(),
                None => return Ok(None),
            }
        };
        let mut open = self.open.lock();
        if let Some(at) = open.iter().position(|segment| segment.file.first == file.first) {
            let segment = open.remove(at);
            open.push(segment.clone());
            return Ok(Some(segment));
        }
        drop(open);
        let segment = Arc::new(SegmentReader::open(&file)?);
        let mut open = self.open.lock();
        if open.len() >= KEPT_OPEN {
            open.remove(0);
        }
        open.push(segment.clone());
        Ok(Some(segment))
    }
}

/// Lines on their way out, each checked when its successor is seen.
struct Batch {
    lines: Vec<Line>,
    bytes: usize,
    /// The position to come.
    next: Position,
    /// The last position wanted, and the last one to look at (one more, as proof of the last line).
    last: Position,
    end: Position,
    head: ChainHead,
    chain: Option<ChainHead>,
    done: bool,
    failed: Option<SegmentError>,
}

impl Batch {
    fn new(from: Position, last: Position, head: ChainHead) -> Self {
        let end = head.seq.min(last + 1);
        let room = usize::try_from(last - from + 1).unwrap_or(usize::MAX).min(1024);
        let chain = (from == 1).then(ChainHead::default);
        let lines = Vec::with_capacity(room);
        Self {
            lines,
            bytes: 0,
            next: from,
            last,
            end,
            head,
            chain,
            done: false,
            failed: None,
        }
    }

    fn take(&mut self, segment: &SegmentReader, seq: Position, line: &[u8]) -> ControlFlow<()> {
        if let Err(broken) = self.follow(seq, line) {
            self.fail(segment, seq, line, broken);
            return ControlFlow::Break(());
        }
        self.next = seq + 1;
        if seq > self.last {
            self.done = true;
            return ControlFlow::Break(());
        }
        self.bytes += line.len();
        self.lines.push(Line {
            seq,
            bytes: Bytes::copy_from_slice(line),
        });
        if seq == self.head.seq {
            if self
                .head
                .cid
                .is_some_and(|cid| Some(cid) != self.chain.and_then(|chain| chain.cid))
            {
                self.lines.pop();
                self.failed = Some(segment.damage(seq, DamageKind::Changed(seq)));
            }
            self.done = true;
        } else if self.bytes >= READ_BYTES {
            self.last = seq;
            self.end = seq + 1;
        }
        if self.done {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn follow(&mut self, seq: Position, line: &[u8]) -> Result<(), ChainError> {
        let Some(chain) = &mut self.chain else {
            // The first line asked for: nothing before it has been read that could name it.
            let mut chain = ChainHead {
                seq: seq - 1,
                cid: None,
            };
            let parsed = Event::from_line(line);
            chain.cid = parsed
                .map_err(|source| ChainError::Line {
                    expected: seq,
                    source,
                })?
                .prev;
            chain.follow(line)?;
            self.chain = Some(chain);
            return Ok(());
        };
        chain.follow(line).map(drop)
    }

    fn fail(&mut self, segment: &SegmentReader, seq: Position, line: &[u8], broken: ChainError) {
        self.done = true;
        // A line that is damaged elsewhere still proves the one before it, if it names its CID: no damage makes
        // up a hash.
        let before = self.lines.last().map(Line::cid);
        let proves = before.is_none_or(|cid| memmem::find(line, cid.to_string().as_bytes()).is_some());
        if !proves {
            self.lines.pop(); // one of the two was changed, and it is not known which
        }
        if seq <= self.last || !proves {
            self.failed = Some(segment.damage(seq, broken.into()));
        }
    }

    /// The lines, or what is wrong with the first of them.
    fn finish(self, outcome: Result<(), SegmentError>) -> Result<Vec<Line>, SegmentError> {
        let failed = self.failed.or(outcome.err());
        match failed {
            // What failed to be read was only the proof, in another segment, of the last line wanted.
            Some(e) if self.lines.is_empty() => Err(e),
            _ => Ok(self.lines),
        }
    }
}

/// The last line of a log that is an event; an unfinished or unreadable end is left out, so that a damaged
/// segment does not keep the others from being read.
fn last_head(files: &[SegmentFile]) -> Result<ChainHead, SegmentError> {
    for file in files.iter().rev() {
        let found = if file.sealed {
            last_sealed_line(file)
        } else {
            last_plain_line(file)
        };
        match found {
            Ok(Some(head)) => return Ok(head),
            Ok(None) => {}
            Err(SegmentError::Damaged(damage)) => tracing::warn!(%damage, "a segment cannot be read"),
            Err(e) => return Err(e),
        }
    }
    Ok(ChainHead::default())
}

fn last_event(lines: &[u8]) -> Option<ChainHead> {
    let mut rest = lines;
    while let Some(end) = memchr::memrchr(b'\n', rest) {
        let start = memchr::memrchr(b'\n', &rest[..end]).map_or(0, |before| before + 1);
        let line = &rest[start..end];
        if let Ok(event) = Event::from_canonical_line(line) {
            return Some(ChainHead {
                seq: event.seq,
                cid: Some(line_cid(line)),
            });
        }
        rest = &rest[..start];
    }
    None
}

fn last_sealed_line(file: &SegmentFile) -> Result<Option<ChainHead>, SegmentError> {
    let reader = SegmentReader::open(file)?;
    let mut last = None;
    reader.last_frame(&mut |lines| last = last_event(lines))?;
    Ok(last)
}

fn last_plain_line(file: &SegmentFile) -> Result<Option<ChainHead>, SegmentError> {
    let failed = |e| SegmentError::io("read", &file.path)(e);
    let handle = std::fs::File::open(&file.path).map_err(failed)?;
    let length = handle.metadata().map_err(failed)?.len();
    let mut size = length.min(64 << 10);
    loop {
        let mut bytes = vec![0; size as usize];
        handle.read_exact_at(&mut bytes, length - size).map_err(failed)?;
        // The first line may begin before what was read.
        let whole = match size == length {
            true => 0,
            false => memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |end| end + 1),
        };
        let found = last_event(&bytes[whole..]);
        if found.is_some() || size == length {
            return Ok(found);
        }
        size = length.min(size * 8);
    }
}
