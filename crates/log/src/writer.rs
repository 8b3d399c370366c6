//! The write side of a tenant's segments.
//!
//! Lines are buffered and written at explicit offsets, so a write that failed half way is simply repeated,
//! and [`SegmentWriter::rollback`] works after any error. Where a line goes depends on the lines before it
//! and on [`SegmentOptions`] alone, so a replay writes the same bytes to the same places.

use crate::frames::SealedFile;
use crate::lines::{LineStream, sealed_error};
use crate::segment::{self, MAX_LINE, SegmentFile, open_path, sealed_path, sync_dir, tenant_dir};
use crate::{Draft, LogPoint, SegmentError, SegmentOptions};
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use stead_event::event::line_cid;
use stead_event::{ChainHead, Event, EventError, NodeId, Position, Tenant};

/// Lines of one segment that the system has not been given yet.
#[derive(Debug)]
struct Pending {
    segment: Position,
    /// Where in the segment they go.
    start: u64,
    bytes: Vec<u8>,
}

/// Appends lines to one tenant's segments. Owned by one thread.
#[derive(Debug)]
pub struct SegmentWriter {
    dir: PathBuf,
    tenant: Tenant,
    options: SegmentOptions,
    point: LogPoint,
    /// Oldest first; the last one takes the next line.
    pending: Vec<Pending>,
    /// The file written last, and its first position.
    file: Option<(Position, File)>,
    /// Files written and left since the last sync.
    unsynced: Vec<File>,
    /// The current file has bytes that are not synced.
    dirty: bool,
    /// Names changed since the last sync.
    dir_dirty: bool,
    sync_failed: bool,
}

impl SegmentWriter {
    /// Opens `<dir>/<tenant>` where the log stood at `at`, and cuts off whatever was written after it: the
    /// tail of the segment is truncated, later segments are set aside under `*.cut`. A segment that had been
    /// sealed already and must grow again is uncompressed first.
    pub fn open(
        dir: &Path,
        tenant: &Tenant,
        at: LogPoint,
        options: SegmentOptions,
    ) -> Result<Self, SegmentError> {
        let own = tenant_dir(dir, tenant);
        fs::create_dir_all(&own).map_err(SegmentError::io("create", &own))?;
        // Names too are to survive a power cut: of the tenant's directory, and of the one that it is in.
        let above = dir.parent().filter(|parent| parent.is_dir());
        [Some(dir), above].into_iter().flatten().try_for_each(sync_dir)?;
        let at = LogPoint {
            segment: at.segment.max(1),
            ..at
        };
        set_aside_after(&own, at.segment)?;
        let mut writer = Self {
            dir: own,
            tenant: tenant.clone(),
            options,
            point: at,
            pending: Vec::new(),
            file: None,
            unsynced: Vec::new(),
            dirty: true,
            dir_dirty: false,
            sync_failed: false,
        };
        let file = open_at(&writer.dir, at, options).map_err(|e| e.unwrap_or_else(|| writer.no_such(at)))?;
        writer.file = file.map(|file| (at.segment, file));
        sync_dir(&writer.dir)?;
        sync_dir(dir)?;
        Ok(writer)
    }

    /// The last event pushed.
    pub fn head(&self) -> ChainHead {
        self.point.head
    }

    /// Where the log ends, with what is not flushed yet.
    pub fn point(&self) -> LogPoint {
        self.point
    }

    /// Gives a draft its position, its place in the chain and its line. Nothing is written before
    /// [`Self::flush`]; on an error nothing has changed.
    pub fn push(&mut self, draft: Draft, node: &NodeId) -> Result<Event, SegmentError> {
        let seq = self.point.head.seq + 1;
        let (cause, correlation) = draft.cause.unwrap_or((draft.id, draft.id));
        let event = Event {
            actor: draft.actor,
            at: draft.at,
            stream: draft.body.stream(),
            body: draft.body,
            cause,
            correlation,
            id: draft.id,
            node: node.clone(),
            prev: self.point.head.cid,
            seq,
        };
        let line = event.to_line()?;
        if line.len() > MAX_LINE {
            return Err(EventError::Malformed(format!("a line of {} bytes is too long", line.len())).into());
        }
        self.put(seq, &line);
        Ok(event)
    }

    /// Takes a line over as another node wrote it; it must follow the last one. Nothing is written before
    /// [`Self::flush`]; on an error nothing has changed.
    pub fn push_line(&mut self, line: &[u8]) -> Result<Event, SegmentError> {
        let event = Event::from_line(line)?;
        let head = self.point.head;
        if line.len() > MAX_LINE || event.seq != head.seq + 1 || event.prev != head.cid {
            let what = format!("line {} does not follow position {}", event.seq, head.seq);
            return Err(EventError::Malformed(what).into());
        }
        self.put(event.seq, line);
        Ok(event)
    }

    /// Buffers a line that follows the last one.
    fn put(&mut self, seq: Position, line: &[u8]) {
        if self.point.offset >= self.options.rotate_bytes {
            self.point = LogPoint {
                segment: seq,
                offset: 0,
                ..self.point
            };
        }
        let LogPoint {
            segment,
            offset: start,
            ..
        } = self.point;
        if self.pending.last().is_none_or(|last| last.segment != segment) {
            self.pending.push(Pending {
                segment,
                start,
                bytes: Vec::new(),
            });
        }
        if let Some(last) = self.pending.last_mut() {
            last.bytes.extend_from_slice(line);
            last.bytes.push(b'\n');
        }
        self.point.offset += line.len() as u64 + 1;
        self.point.head = ChainHead {
            seq,
            cid: Some(line_cid(line)),
        };
    }

    /// Hands buffered lines to the system (no fsync): one write per segment touched. After an error the same
    /// call may be made again, or [`Self::rollback`].
    pub fn flush(&mut self) -> Result<(), SegmentError> {
        while let Some(next) = self.pending.first() {
            let (segment, start) = (next.segment, next.start);
            if self.file.as_ref().is_none_or(|(first, _)| *first != segment) {
                self.switch_to(segment)?;
            }
            let Some((_, file)) = &self.file else { break };
            self.dirty = true;
            let path = || open_path(&self.dir, segment);
            file.write_all_at(&self.pending[0].bytes, start)
                .map_err(|e| SegmentError::io("write", &path())(e))?;
            if self.pending.len() > 1 {
                self.pending.remove(0);
                continue;
            }
            // The buffer is kept for the next lines, unless a burst made it large.
            let last = &mut self.pending[0];
            last.start += last.bytes.len() as u64;
            last.bytes.clear();
            last.bytes.shrink_to(1 << 20);
            break;
        }
        Ok(())
    }

    fn switch_to(&mut self, segment: Position) -> Result<(), SegmentError> {
        let path = open_path(&self.dir, segment);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = file.map_err(SegmentError::io("create", &path))?;
        if let Some((_, old)) = self.file.replace((segment, file))
            && self.dirty
        {
            self.unsynced.push(old);
        }
        self.dirty = true;
        self.dir_dirty = true;
        Ok(())
    }

    /// Takes back every line pushed after `to`, which must be a [`Self::point`] of before, flushed or not.
    /// Works after any error of [`Self::push`] or [`Self::flush`].
    pub fn rollback(&mut self, to: LogPoint) -> Result<(), SegmentError> {
        self.pending.retain(|pending| pending.segment <= to.segment);
        if let Some(last) = self.pending.last_mut().filter(|last| last.segment == to.segment) {
            let keep = to.offset.saturating_sub(last.start);
            last.bytes.truncate(keep as usize);
            last.start = last.start.min(to.offset);
        }
        self.pending.retain(|pending| !pending.bytes.is_empty());
        self.point = to;
        // Whatever reached a file goes too, so that nobody ever reads it; what is still pending comes again.
        let at = match self.pending.first() {
            Some(first) => LogPoint {
                segment: first.segment,
                offset: first.start,
                ..to
            },
            None => to,
        };
        self.drop_segments_after(at.segment)?;
        // A file that a rotation had just left may hold lines that no sync has met yet.
        self.unsynced.extend(self.file.take().map(|(_, old)| old));
        let file = open_at(&self.dir, at, self.options).map_err(|e| e.unwrap_or_else(|| self.no_such(at)))?;
        self.file = file.map(|file| (at.segment, file));
        self.dirty = true;
        self.dir_dirty = true;
        Ok(())
    }

    fn no_such(&self, at: LogPoint) -> SegmentError {
        let tenant = self.tenant.clone();
        SegmentError::NoSuchPoint {
            tenant,
            segment: at.segment,
            offset: at.offset,
        }
    }

    fn drop_segments_after(&mut self, segment: Position) -> Result<(), SegmentError> {
        if self.file.as_ref().is_some_and(|(first, _)| *first > segment) {
            self.file = None;
        }
        for file in segment::list(&self.dir)?
            .iter()
            .filter(|file| file.first > segment)
        {
            segment::remove(&file.path)?;
            self.dir_dirty = true;
        }
        Ok(())
    }

    /// Makes everything pushed durable: flush, then fdatasync of files and fsync of the directory. After a
    /// failed sync the system may have dropped the bytes, so the writer refuses further syncs and must be
    /// opened again from the last durable point.
    pub fn sync(&mut self) -> Result<(), SegmentError> {
        if self.sync_failed {
            return Err(SegmentError::SyncFailed {
                path: self.dir.clone(),
            });
        }
        self.flush()?;
        let synced = self.sync_files();
        self.sync_failed = synced.is_err();
        synced
    }

    fn sync_files(&mut self) -> Result<(), SegmentError> {
        let failed = |e| SegmentError::io("sync", &self.dir)(e);
        for file in &self.unsynced {
            file.sync_data().map_err(failed)?;
        }
        if let Some((_, file)) = self.file.as_ref().filter(|_| self.dirty) {
            file.sync_data().map_err(failed)?;
        }
        if self.dir_dirty {
            sync_dir(&self.dir)?;
        }
        self.unsynced.clear();
        self.dirty = false;
        self.dir_dirty = false;
        Ok(())
    }
}

/// Renames segments after `segment`, so that they are no longer part of the log.
fn set_aside_after(dir: &Path, segment: Position) -> Result<(), SegmentError> {
    for file in segment::list(dir)?.iter().filter(|file| file.first > segment) {
        for path in [open_path(dir, file.first), sealed_path(dir, file.first)] {
            let aside = path.with_added_extension("cut");
            match fs::rename(&path, &aside) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(SegmentError::io("rename", &path)(e)),
                Ok(()) => tracing::info!(path = %aside.display(), "an uncommitted segment was set aside"),
            }
        }
    }
    Ok(())
}

/// Opens the segment of `at`, cut to its offset; nothing where the segment is empty, or sealed and complete.
/// `Err(None)` where it is shorter.
fn open_at(dir: &Path, at: LogPoint, options: SegmentOptions) -> Result<Option<File>, Option<SegmentError>> {
    let (plain, sealed) = (open_path(dir, at.segment), sealed_path(dir, at.segment));
    if at.offset == 0 {
        segment::remove(&plain)?;
        segment::remove(&sealed)?;
        return Ok(None);
    }
    if !plain.exists() && sealed.exists() {
        let file = SegmentFile {
            first: at.segment,
            path: sealed.clone(),
            sealed: true,
        };
        let opened = File::open(&sealed).map_err(SegmentError::io("open", &sealed))?;
        let size = SealedFile::open(opened)
            .map_err(|e| sealed_error(&file, 1, at.segment, e))?
            .plain_bytes();
        if size == at.offset && at.offset >= options.rotate_bytes {
            return Ok(None);
        }
        unseal(&file, &plain, at.offset)?;
    }
    if !plain.exists() {
        return Err(None);
    }
    let file = OpenOptions::new()
        .write(true)
        .open(&plain)
        .map_err(SegmentError::io("open", &plain))?;
    let length = file.metadata().map_err(SegmentError::io("read", &plain))?.len();
    if length < at.offset {
        return Err(None);
    }
    // A compressed form beside it would hold what is cut off here, or lack what will be added.
    segment::remove(&sealed)?;
    if length > at.offset {
        file.set_len(at.offset)
            .map_err(SegmentError::io("truncate", &plain))?;
    }
    Ok(Some(file))
}

/// Uncompresses the first `bytes` of a sealed segment.
fn unseal(file: &SegmentFile, plain: &Path, bytes: u64) -> Result<(), SegmentError> {
    let temporary = plain.with_added_extension("tmp");
    let out = File::create(&temporary).map_err(SegmentError::io("create", &temporary))?;
    let mut out = BufWriter::with_capacity(1 << 20, out);
    let mut lines = LineStream::open(file)?;
    while lines.offset() < bytes {
        let Some(line) = lines.next()? else { break };
        let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
        written.map_err(SegmentError::io("write", &temporary))?;
    }
    let out = out
        .into_inner()
        .map_err(|e| SegmentError::io("write", &temporary)(e.into_error()))?;
    out.sync_all().map_err(SegmentError::io("sync", &temporary))?;
    fs::rename(&temporary, plain).map_err(SegmentError::io("rename", &temporary))
}
