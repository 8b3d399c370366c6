//! Opening: reads the segment files, tells a torn tail from damage, and rebuilds the state.
//!
//! What was being written when the power failed was never acknowledged and is cut off. It is told from
//! damage by the `synced` field: every record says how far the file was durable when it was written, and a
//! segment is synced whole before the next one is used. A bad record that some later record vouches for is
//! damage: it costs nothing up to what the machine holds durably, is mended where one bit is flipped, and
//! is refused otherwise.

use super::record::{self, Header, Kind, Parsed, Why};
use super::segment::{self, Segment};
use super::state::{Location, State};
use super::vote::VoteFile;
use super::{Damage, WalOptions};
use crate::ClusterError;
use crate::types::{FOUNDER, LogId, Vote, log_id, term};
use std::os::unix::fs::FileExt;

/// The first segment is small, so that the first start does not wait for zeros to be written.
const FIRST_SEGMENT_BYTES: u64 = 1024 * 1024;

/// Where the writer goes on.
pub struct Tail {
    /// The segment to write to.
    pub active: Segment,
    /// From this byte on.
    pub offset: u64,
    /// The last entry in the files.
    pub last: Option<LogId>,
    /// The next segment, where it is ready already.
    pub spare: Option<Segment>,
}

/// What opening found.
pub struct Recovered {
    pub state: State,
    pub tail: Tail,
    pub vote_file: VoteFile,
}

struct Found {
    header: Header,
    segment: usize,
    offset: u64,
}

struct Bad {
    segment: usize,
    offset: u64,
    why: Why,
    /// How many records were found before it.
    before: usize,
}

#[derive(Default)]
struct Scan {
    segments: Vec<Segment>,
    records: Vec<Found>,
    bad: Vec<Bad>,
    /// Where the records of the last used segment end.
    end: u64,
}

/// Opens the files in `options.dir`, making them where there are none.
pub fn recover(options: &WalOptions) -> Result<Recovered, ClusterError> {
    let dir = &options.dir;
    std::fs::create_dir_all(dir).map_err(ClusterError::io(format!("cannot make {}", dir.display())))?;
    // Its own name too is to survive a power cut: without it a voter would come back without what it acknowledged.
    if let Some(parent) = dir.parent().filter(|parent| parent.is_dir()) {
        segment::sync_dir(parent).map_err(ClusterError::io(format!("cannot sync {}", parent.display())))?;
    }
    let (vote_file, vote) = VoteFile::open(dir)?;
    let numbers = segment::list(dir).map_err(ClusterError::io(format!("cannot list {}", dir.display())))?;
    let mut segments = Vec::new();
    for number in numbers {
        let opened = segment::open(dir, number);
        segments.push(opened.map_err(ClusterError::io(format!(
            "cannot open write-ahead log file {number}"
        )))?);
    }
    let kept = drop_unneeded(segments, options)?;
    let mut scan = Scan {
        segments: kept,
        ..Scan::default()
    };
    for at in 0..scan.segments.len() {
        scan_segment(&mut scan, at)?;
    }
    let cut = cut_torn_tail(&mut scan)?;
    let mut state = fold(&scan, options)?;
    let known = state
        .last()
        .into_iter()
        .chain(options.durable)
        .map(|id| term(&id))
        .max()
        .unwrap_or(0);
    // A vote that was lost may not bring back a term that entries were already written in.
    state.vote = match vote {
        Some(vote) if vote.leader_id.term >= known => Some(vote),
        other if known == 0 => other,
        _ => Some(Vote::new(known, FOUNDER)),
    };
    let tail = tail(scan, cut, &mut state, options)?;
    Ok(Recovered {
        state,
        tail,
        vote_file,
    })
}

fn read(segment: &Segment, bytes: &mut [u8], offset: u64) -> Result<(), ClusterError> {
    let read = segment.file.read_exact_at(bytes, offset);
    read.map_err(ClusterError::io(format!(
        "cannot read {}",
        segment.path.display()
    )))
}

/// Removes segments that hold nothing above the durable entry, unread: what is in them does not matter.
fn drop_unneeded(segments: Vec<Segment>, options: &WalOptions) -> Result<Vec<Segment>, ClusterError> {
    let Some(durable) = options.durable else {
        return Ok(segments);
    };
    let mut needed = 0;
    for (at, segment) in segments.iter().enumerate().skip(1) {
        let mut head = [0; record::HEADER];
        if segment.size < head.len() as u64 {
            break;
        }
        read(segment, &mut head, 0)?;
        match record::read(&head, segment.number) {
            Parsed::Record(start) if start.kind == Kind::Start && start.index <= durable.index + 1 => {
                needed = at
            }
            _ => break,
        }
    }
    for old in &segments[..needed] {
        std::fs::remove_file(&old.path)
            .map_err(ClusterError::io(format!("cannot remove {}", old.path.display())))?;
    }
    Ok(segments.into_iter().skip(needed).collect())
}

fn scan_segment(scan: &mut Scan, at: usize) -> Result<(), ClusterError> {
    let segment = scan.segments[at].clone();
    let mut bytes = vec![0; segment.size as usize];
    read(&segment, &mut bytes, 0)?;
    let mut offset = 0;
    while offset < bytes.len() {
        match record::read(&bytes[offset..], segment.number) {
            Parsed::Record(header) => {
                scan.records.push(Found {
                    header,
                    segment: at,
                    offset: offset as u64,
                });
                offset += record::span(header.length as usize);
                scan.end = offset as u64;
            }
            Parsed::Newer(found) => {
                let what = segment.path.display().to_string();
                return Err(ClusterError::Newer {
                    what,
                    found,
                    known: record::VERSION,
                });
            }
            Parsed::Bad(_) if bytes[offset..].iter().all(|byte| *byte == 0) => break,
            Parsed::Bad(why) => {
                if mended(&segment, &mut bytes, offset)? {
                    continue;
                }
                let seen = scan.records.len();
                scan.bad.push(Bad {
                    segment: at,
                    offset: offset as u64,
                    why,
                    before: seen,
                });
                let beyond = if let Why::Body(whole) = why {
                    whole as usize
                } else {
                    8
                };
                match record::find_next(&bytes, segment.number, offset + beyond) {
                    Some(next) => offset = next,
                    None => break,
                }
            }
        }
    }
    Ok(())
}

/// Mends a record with one flipped bit, in the file too.
fn mended(segment: &Segment, bytes: &mut [u8], offset: usize) -> Result<bool, ClusterError> {
    let Some(bit) = record::mend(&mut bytes[offset..], segment.number) else {
        return Ok(false);
    };
    let byte = offset + bit / 8;
    tracing::warn!(file = %segment.path.display(), byte, bit = bit % 8, "mended a flipped bit in the write-ahead log");
    let written = segment.file.write_all_at(&bytes[byte..=byte], byte as u64);
    written
        .and_then(|()| segment.file.sync_data())
        .map_err(ClusterError::io(format!(
            "cannot mend {}",
            segment.path.display()
        )))?;
    Ok(true)
}

/// Cuts off what was being written at a crash: from the first bad record that nothing behind vouches for.
/// Answers where.
fn cut_torn_tail(scan: &mut Scan) -> Result<Option<(usize, u64)>, ClusterError> {
    let torn = scan.bad.iter().position(|bad| {
        !scan.records[bad.before..].iter().any(|found| {
            found.segment > bad.segment
                || (found.segment == bad.segment && u64::from(found.header.synced) > bad.offset)
        })
    });
    let Some(torn) = torn else { return Ok(None) };
    let (at, offset, why) = (scan.bad[torn].segment, scan.bad[torn].offset, scan.bad[torn].why);
    let dropped = scan.records.len() - scan.bad[torn].before;
    scan.records.truncate(scan.bad[torn].before);
    scan.bad.truncate(torn);
    for (segment, from) in
        std::iter::once((at, offset)).chain((at + 1..scan.segments.len()).map(|later| (later, 0)))
    {
        erase(&scan.segments[segment], from)?;
    }
    let file = scan.segments[at].path.display();
    tracing::warn!(%file, offset, %why, dropped, "cut off the end of the write-ahead log, which was being written");
    Ok(Some((at, offset)))
}

/// Overwrites a segment with zeros from `from` on, where it is not zeros already.
fn erase(segment: &Segment, from: u64) -> Result<(), ClusterError> {
    let mut bytes = vec![0; segment.size.saturating_sub(from) as usize];
    read(segment, &mut bytes, from)?;
    let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else {
        return Ok(());
    };
    bytes.truncate(last + 1);
    bytes.fill(0);
    let written = segment.file.write_all_at(&bytes, from);
    written
        .and_then(|()| segment.file.sync_data())
        .map_err(ClusterError::io(format!("cannot cut {}", segment.path.display())))
}

/// Puts the records into a state, in order.
fn fold(scan: &Scan, options: &WalOptions) -> Result<State, ClusterError> {
    let mut state = State::new(options.recent_bytes);
    let mut next: Option<u64> = None;
    let mut floor = 0;
    let mut committed = 0;
    for (at, found) in scan.records.iter().enumerate() {
        let Found {
            header,
            segment,
            offset,
        } = found;
        committed = committed.max(header.committed);
        // Start and Truncate say which index comes next; an entry says its own.
        let opens = match header.kind {
            Kind::Start if next.is_none() => {
                state.purged = header
                    .index
                    .checked_sub(1)
                    .map(|index| log_id(header.term, index));
                next = Some(header.index);
                continue;
            }
            Kind::Truncate => {
                state.truncate(header.index);
                next = next.map(|next| next.min(header.index.max(floor)));
                continue;
            }
            _ => header.index,
        };
        if header.kind.is_entry() && opens < floor {
            continue;
        }
        let expected = next.unwrap_or(0);
        if opens > expected {
            let Some(durable) = options.durable.filter(|durable| opens <= durable.index + 1) else {
                return Err(damage(scan, at, expected, options).into());
            };
            tracing::warn!(
                from = expected,
                to = opens - 1,
                "damaged entries are durable elsewhere: dropped"
            );
            state = State::new(options.recent_bytes);
            state.purged = Some(durable);
            floor = durable.index + 1;
            next = Some(floor);
            if opens < floor {
                continue;
            }
        }
        if header.kind.is_entry() {
            state.truncate(opens);
            let location = Location {
                term: header.term,
                sequence: 0,
                segment: scan.segments[*segment].number,
                offset: *offset as u32,
                length: header.length,
            };
            state.restore(opens, location);
            next = Some(opens + 1);
        }
    }
    name_damage(scan);
    let end = state.last().map_or(0, |last| last.index + 1).min(committed);
    state.committed = end
        .checked_sub(1)
        .and_then(|index| Some(log_id(state.term_of(index)?, index)));
    Ok(state)
}

/// Says which records are damaged.
fn name_damage(scan: &Scan) {
    for bad in &scan.bad {
        let file = scan.segments[bad.segment].path.display();
        tracing::warn!(%file, offset = bad.offset, why = %bad.why, "a damaged record in the write-ahead log");
    }
}

fn damage(scan: &Scan, at: usize, index: u64, options: &WalOptions) -> Damage {
    let found = &scan.records[at];
    let bad = scan.bad.iter().rev().find(|bad| bad.before <= at);
    let (segment, offset, why) = match bad {
        Some(bad) => (bad.segment, bad.offset, bad.why.to_string()),
        None => (
            found.segment,
            found.offset,
            format!("entries {index} to {} are missing", found.header.index),
        ),
    };
    let durable = options
        .durable
        .map_or_else(|| "nothing".into(), |id| format!("entries up to {}", id.index));
    Damage {
        file: scan.segments[segment].path.clone(),
        offset,
        index: Some(index),
        why,
        advice: format!(
            "Acknowledged writes from that entry on are in this file only ({durable} are stored elsewhere). \
             Restore the file from a copy, or restore this node from a backup; to go on without them, move \
             the .wal files from this one on out of the directory."
        ),
    }
}

fn tail(
    scan: Scan,
    cut: Option<(usize, u64)>,
    state: &mut State,
    options: &WalOptions,
) -> Result<Tail, ClusterError> {
    let used = scan.records.last().map(|found| found.segment);
    let (active, offset) = match (cut, used) {
        (Some((at, offset)), _) => (Some(at), offset),
        (None, Some(at)) => (Some(at), scan.end),
        (None, None) => (
            scan.segments
                .iter()
                .position(|segment| segment.size >= FIRST_SEGMENT_BYTES),
            0,
        ),
    };
    let mut spare = None;
    let mut segments = Vec::new();
    for (at, segment) in scan.segments.into_iter().enumerate() {
        if active.is_some_and(|active| at <= active) {
            segments.push(segment);
        } else if active.is_some() && active == at.checked_sub(1) && segment.size == options.segment_bytes {
            spare = Some(segment);
        } else {
            std::fs::remove_file(&segment.path).map_err(ClusterError::io(format!(
                "cannot remove {}",
                segment.path.display()
            )))?;
        }
    }
    if segments.is_empty() {
        let size = options.segment_bytes.min(FIRST_SEGMENT_BYTES);
        let made = segment::create(&options.dir, 1, size);
        segments.push(made.map_err(ClusterError::io("cannot make the first write-ahead log file"))?);
    }
    for index in state.first()..state.end() {
        let number = state.location(index).map(|at| at.segment);
        if let Some(segment) = segments.iter_mut().find(|segment| Some(segment.number) == number) {
            segment.last_index = Some(index);
        }
    }
    let active = segments
        .last()
        .expect("one was just made if there was none")
        .clone();
    state.segments = segments.into();
    Ok(Tail {
        active,
        offset,
        last: state.last(),
        spare,
    })
}
