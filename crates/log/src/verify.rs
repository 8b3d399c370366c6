//! Chain-checked reading of whole logs: for `log verify`, and for whoever refolds views from the log.
//!
//! A line is handed out when the line after it has been seen to name it (or when the log ends there), so
//! that a line whose text was changed is never folded. When two neighbours disagree, the line after them
//! says which of the two was changed.

use crate::lines::LineStream;
use crate::segment::{self, Damage, DamageKind, SegmentFile, tenant_dir};
use crate::{LogPoint, SegmentError};
use std::ops::ControlFlow;
use std::path::Path;
use stead_event::event::line_cid;
use stead_event::{ChainError, ChainHead, Event, Position, Tenant};

/// What a check found to be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The end of the chain.
    pub head: ChainHead,
    /// How many segment files there are.
    pub segments: u64,
}

/// How far a damaged log is good.
#[derive(Debug)]
pub struct Salvage {
    /// The end of the last line that was handed out (or `from`).
    pub point: LogPoint,
    /// What stands behind it; `None` where the log simply ends, or where the caller stopped.
    pub damage: Option<Damage>,
}

/// Why a log does not verify: [`SegmentError::Damaged`] names segment, line and position.
pub type VerifyError = SegmentError;

/// Checks the whole chain of a tenant from position 1: every changed, missing, doubled, reordered or
/// truncated line is found, except a change of the very last line to another whole event, for which the
/// expected head is needed. `progress` is told each position.
pub fn verify(
    dir: &Path,
    tenant: &Tenant,
    progress: &mut dyn FnMut(Position),
) -> Result<Verified, VerifyError> {
    verify_with(dir, tenant, None, progress)
}

/// As [`verify`], and the chain must reach `expected`, with that line there. What follows `expected` (lines
/// that a crash left uncommitted, or that came since) is not looked at.
pub fn verify_with(
    dir: &Path,
    tenant: &Tenant,
    expected: Option<ChainHead>,
    progress: &mut dyn FnMut(Position),
) -> Result<Verified, VerifyError> {
    let own = tenant_dir(dir, tenant);
    let files = segment::list(&own)?;
    let segments = files.len() as u64;
    let mut walk = Walk::new(&own, files, LogPoint::default(), Some(ChainHead::default()));
    walk.expected = expected;
    let mut head = ChainHead::default();
    if expected.is_none_or(|expected| expected.seq > 0) {
        head = walk.run(&mut |event, _, _| {
            progress(event.seq);
            ControlFlow::Continue(())
        })?;
    }
    match expected {
        Some(expected) if head.seq < expected.seq => Err(walk.cut_off(head.seq + 1)),
        _ => Ok(Verified { head, segments }),
    }
}

/// Chain-checked streaming of a tenant's log from `from` on, for rebuilds: a chunk of one segment in memory.
/// Answers the end of the chain, or the last event given where `each` breaks. Lines before `from` in its
/// segment are checked too; earlier segments are not looked at.
pub fn scan(
    dir: &Path,
    tenant: &Tenant,
    from: Position,
    each: &mut dyn FnMut(&Event, &[u8]) -> ControlFlow<()>,
) -> Result<ChainHead, VerifyError> {
    let own = tenant_dir(dir, tenant);
    let mut files = segment::list(&own)?;
    let before = files
        .partition_point(|file| file.first <= from.max(1))
        .saturating_sub(1);
    files.drain(..before);
    let first = files.first().map_or(1, |file| file.first);
    let start = LogPoint {
        segment: first,
        ..LogPoint::default()
    };
    let anchor = (first == 1 || before == 0).then(ChainHead::default);
    Walk::new(&own, files, start, anchor).run(&mut |event, line, _| {
        if event.seq < from {
            ControlFlow::Continue(())
        } else {
            each(event, line)
        }
    })
}

/// As far as the chain holds from `from` on, each event being handed out: damage ends it and is told, but is
/// no error. For rebuilding views from a log that may be damaged or torn at its end.
pub fn longest_valid(
    dir: &Path,
    tenant: &Tenant,
    from: LogPoint,
    each: &mut dyn FnMut(&Event, &[u8]) -> ControlFlow<()>,
) -> Result<Salvage, SegmentError> {
    let own = tenant_dir(dir, tenant);
    let mut files = segment::list(&own)?;
    files.retain(|file| file.first >= from.segment);
    let mut point = from;
    let outcome = Walk::new(&own, files, from, Some(from.head)).run(&mut |event, line, at| {
        point = at;
        each(event, line)
    });
    match outcome {
        Ok(_) => Ok(Salvage { point, damage: None }),
        Err(SegmentError::Damaged(damage)) => Ok(Salvage {
            point,
            damage: Some(damage),
        }),
        Err(e) => Err(e),
    }
}

/// A line that follows from the one before and waits for its successor to prove it.
struct Held {
    event: Event,
    line: Vec<u8>,
    point: LogPoint,
    segment: usize,
    number: u64,
}

type Give<'a> = &'a mut dyn FnMut(&Event, &[u8], LogPoint) -> ControlFlow<()>;

struct Walk<'a> {
    dir: &'a Path,
    files: Vec<SegmentFile>,
    start: LogPoint,
    /// The chain at the end of the line read last; `None` where the first line is to be believed.
    chain: Option<ChainHead>,
    expected: Option<ChainHead>,
    stream: Option<LineStream>,
    /// Index of the file that is to be opened next.
    next_file: usize,
    given: ChainHead,
}

/// A line and where it stands.
struct Raw {
    line: Vec<u8>,
    segment: usize,
    number: u64,
    offset: u64,
}

impl<'a> Walk<'a> {
    fn new(dir: &'a Path, files: Vec<SegmentFile>, start: LogPoint, chain: Option<ChainHead>) -> Self {
        let given = chain.unwrap_or_default();
        Self {
            dir,
            files,
            start,
            chain,
            expected: None,
            stream: None,
            next_file: 0,
            given,
        }
    }

    /// Gives every line that its successor proves; answers the last one given.
    fn run(&mut self, give: Give) -> Result<ChainHead, SegmentError> {
        let mut held: Option<Held> = None;
        loop {
            let raw = match self.next_raw() {
                Ok(raw) => raw,
                Err(e) => {
                    // Nothing says that the line before is wrong.
                    let stopped = self.release(held, give).is_break();
                    return if stopped { Ok(self.given) } else { Err(e) };
                }
            };
            let Some(raw) = raw else { break };
            let position = self.chain.map_or(0, |chain| chain.seq) + 1;
            match self.follow(&raw.line) {
                Ok(event) => {
                    if self.release(held.take(), give).is_break() {
                        return Ok(self.given);
                    }
                    let last = self.is_expected(event.seq);
                    held = Some(self.hold(event, raw));
                    if last {
                        break;
                    }
                }
                Err(broken @ ChainError::Broken { .. }) => return Err(self.broken(held, raw, broken, give)),
                Err(other) => {
                    let stopped = self.release(held, give).is_break();
                    let damage = self.damage(raw.segment, raw.number, position, other.into());
                    return if stopped { Ok(self.given) } else { Err(damage) };
                }
            }
        }
        if let Some(last) = &held
            && let Some(expected) = self.expected
            && last.event.seq == expected.seq
            && last.point.head.cid != expected.cid
        {
            let changed = DamageKind::Changed(expected.seq);
            return Err(self.damage(last.segment, last.number, expected.seq, changed));
        }
        let _ = self.release(held, give); // it was the last one anyway
        Ok(self.given)
    }

    fn is_expected(&self, seq: Position) -> bool {
        self.expected.is_some_and(|expected| expected.seq == seq)
    }

    fn follow(&mut self, line: &[u8]) -> Result<Event, ChainError> {
        if let Some(chain) = &mut self.chain {
            return chain.follow(line);
        }
        let expected = self.start.segment;
        let mut chain = ChainHead {
            seq: expected - 1,
            cid: None,
        };
        let parsed = Event::from_line(line).map_err(|source| ChainError::Line { expected, source })?;
        chain.cid = parsed.prev;
        let event = chain.follow(line)?;
        self.chain = Some(chain);
        Ok(event)
    }

    fn hold(&self, event: Event, raw: Raw) -> Held {
        let head = ChainHead {
            seq: event.seq,
            cid: self.chain.and_then(|chain| chain.cid),
        };
        let point = LogPoint {
            head,
            segment: self.files[raw.segment].first,
            offset: raw.offset,
        };
        Held {
            event,
            line: raw.line,
            point,
            segment: raw.segment,
            number: raw.number,
        }
    }

    fn release(&mut self, held: Option<Held>, give: Give) -> ControlFlow<()> {
        let Some(held) = held else {
            return ControlFlow::Continue(());
        };
        self.given = held.point.head;
        give(&held.event, &held.line, held.point)
    }

    /// Two neighbours disagree: the line after them (or the expected head) names the second one if that is
    /// as it was, and then the first was changed.
    fn broken(&mut self, held: Option<Held>, second: Raw, broken: ChainError, give: Give) -> SegmentError {
        let position = self.chain.map_or(0, |chain| chain.seq) + 1;
        let cid = Some(line_cid(&second.line));
        let by_head = self
            .expected
            .filter(|expected| expected.seq == position)
            .map(|head| head.cid == cid);
        let by_next = || match self.next_raw() {
            Ok(Some(third)) => Event::from_line(&third.line).ok().map(|third| third.prev == cid),
            _ => None,
        };
        let intact = by_head.or_else(by_next);
        match (intact, held) {
            (Some(true), Some(first)) => {
                let changed = DamageKind::Changed(position - 1);
                self.damage(first.segment, first.number, position - 1, changed)
            }
            (Some(false), held) => {
                let _ = self.release(held, give); // the caller is told of the damage in any case
                self.damage(
                    second.segment,
                    second.number,
                    position,
                    DamageKind::Changed(position),
                )
            }
            // Not known, so neither is handed out.
            _ => self.damage(second.segment, second.number, position, broken.into()),
        }
    }

    fn damage(&self, segment: usize, line: u64, position: Position, source: DamageKind) -> SegmentError {
        let segment = self.files[segment].path.clone();
        SegmentError::Damaged(Damage {
            segment,
            line,
            position,
            source,
        })
    }

    /// The log ends before `position`, which should be there.
    fn cut_off(&self, position: Position) -> SegmentError {
        let segment = match self.files.last() {
            Some(file) => file.path.clone(),
            None => segment::open_path(self.dir, position),
        };
        let line = self.stream.as_ref().map_or(0, LineStream::line_number) + 1;
        SegmentError::Damaged(Damage {
            segment,
            line,
            position,
            source: DamageKind::Truncated(position),
        })
    }

    fn next_raw(&mut self) -> Result<Option<Raw>, SegmentError> {
        loop {
            if let Some(stream) = &mut self.stream {
                let segment = self.next_file - 1;
                if let Some(line) = stream.next()? {
                    let line = line.to_vec();
                    let (number, offset) = (stream.line_number(), stream.offset());
                    return Ok(Some(Raw {
                        line,
                        segment,
                        number,
                        offset,
                    }));
                }
            }
            if self.next_file == self.files.len() {
                return Ok(None);
            }
            self.open_next()?;
        }
    }

    fn open_next(&mut self) -> Result<(), SegmentError> {
        let file = &self.files[self.next_file];
        let resumed = self.next_file == 0 && self.start.offset > 0;
        let expected = match self.chain {
            Some(_) if resumed => self.start.segment,
            Some(chain) => chain.seq + 1,
            None => self.start.segment,
        };
        if file.first != expected {
            let source = ChainError::Position {
                expected,
                found: file.first,
            }
            .into();
            return Err(self.damage(self.next_file, 1, expected, source));
        }
        let mut stream = LineStream::open(file)?;
        if resumed {
            stream.skip(self.start.offset)?;
        }
        self.stream = Some(stream);
        self.next_file += 1;
        Ok(())
    }
}
