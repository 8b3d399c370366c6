//! Sealing: rotated segments become compressed ones, of a twentieth to a fifth of the size.
//!
//! [`compress`] and [`install_sealed`] are apart so that the caller can put the compressed bytes into blocks
//! and record them before the readable file goes. A crash between any two steps leaves the log whole.

use crate::SegmentError;
use crate::frames::{FrameWriter, SealedFile, SealedStream};
use crate::lines::{LineStream, sealed_error};
use crate::segment::{self, Damage, DamageKind, SegmentFile, open_path, sealed_path, sync_dir, tenant_dir};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};
use stead_event::{ChainError, ChainHead, Cid, Event, Position, Tenant};

/// A rotated segment that is not compressed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealCandidate {
    /// First position.
    pub first: Position,
    /// Last position.
    pub last: Position,
    /// CID of the last line.
    pub head: Cid,
    /// The `.jsonl` file.
    pub path: PathBuf,
}

/// Rotated segments that are still `.jsonl`, oldest first: all but the last, into which lines still go.
/// Call it after a checkpoint; a segment sealed before it is durable may have to be uncompressed again.
pub fn unsealed(dir: &Path, tenant: &Tenant) -> Result<Vec<SealCandidate>, SegmentError> {
    let files = segment::list(&tenant_dir(dir, tenant))?;
    let mut candidates = Vec::new();
    for pair in files.windows(2) {
        let [file, next] = pair else { continue };
        if file.sealed {
            continue;
        }
        // What the last line of a segment is, the first of the next one says.
        let (last, head) = before(next)?;
        candidates.push(SealCandidate {
            first: file.first,
            last,
            head,
            path: file.path.clone(),
        });
    }
    Ok(candidates)
}

/// Position and CID of the line before a segment.
fn before(file: &SegmentFile) -> Result<(Position, Cid), SegmentError> {
    let mut lines = LineStream::open(file)?;
    let expected = file.first;
    let event = match lines.next()? {
        Some(line) => Event::from_line(line).map_err(|source| ChainError::Line { expected, source }.into()),
        None => Err(DamageKind::Truncated(expected)),
    };
    let named = event.and_then(|event| match event.prev {
        Some(prev) if event.seq == expected => Ok((expected - 1, prev)),
        Some(_) => Err(ChainError::Position {
            expected,
            found: event.seq,
        }
        .into()),
        None => Err(ChainError::Broken { at: expected }.into()),
    });
    let segment = file.path.clone();
    named.map_err(|source| {
        Damage {
            segment,
            line: 1,
            position: expected,
            source,
        }
        .into()
    })
}

/// Checks the segment's chain, compresses it beside itself (`.jsonl.zst.tmp`) and makes the result durable.
/// The segment itself stays.
pub fn compress(candidate: &SealCandidate) -> Result<PathBuf, SegmentError> {
    let target = candidate.path.with_added_extension("zst.tmp");
    let file = SegmentFile {
        first: candidate.first,
        path: candidate.path.clone(),
        sealed: false,
    };
    let mut lines = LineStream::open(&file)?;
    let out = File::create(&target).map_err(SegmentError::io("create", &target))?;
    let out = BufWriter::with_capacity(1 << 20, out);
    let mut frames = FrameWriter::new(out, file.first).map_err(SegmentError::io("compress", &target))?;
    let mut chain: Option<ChainHead> = None;
    let mut expected = file.first;
    while let Some(line) = lines.next()? {
        frames.line(line).map_err(SegmentError::io("write", &target))?;
        chain = Some(follow(chain, expected, line).map_err(|broken| {
            let source = DamageKind::from(broken);
            Damage {
                segment: file.path.clone(),
                line: expected - file.first + 1,
                position: expected,
                source,
            }
        })?);
        expected += 1;
    }
    if chain
        != Some(ChainHead {
            seq: candidate.last,
            cid: Some(candidate.head),
        })
    {
        let (position, line) = (candidate.last, candidate.last - file.first + 1);
        let source = match expected > position {
            true => DamageKind::Changed(position),
            false => DamageKind::Truncated(expected),
        };
        return Err(Damage {
            segment: file.path,
            line,
            position,
            source,
        }
        .into());
    }
    let written = frames
        .finish()
        .and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
    let out = written.map_err(SegmentError::io("write", &target))?;
    out.sync_all().map_err(SegmentError::io("sync", &target))?;
    Ok(target)
}

/// One step of the chain; the first line of a segment is believed about what came before.
fn follow(chain: Option<ChainHead>, expected: Position, line: &[u8]) -> Result<ChainHead, ChainError> {
    let mut chain = match chain {
        Some(chain) => chain,
        None => {
            let event = Event::from_line(line).map_err(|source| ChainError::Line { expected, source })?;
            ChainHead {
                seq: expected - 1,
                cid: event.prev,
            }
        }
    };
    chain.follow(line)?;
    Ok(chain)
}

/// Checks what [`compress`] wrote by decompressing it and comparing it with the segment, puts it in place
/// (`.jsonl.zst`), and then removes the segment. Answers the path.
pub fn install_sealed(candidate: &SealCandidate, compressed: &Path) -> Result<PathBuf, SegmentError> {
    let dir = candidate.path.parent().unwrap_or(Path::new("."));
    let target = sealed_path(dir, candidate.first);
    same_lines(candidate, compressed)?;
    fs::rename(compressed, &target).map_err(SegmentError::io("rename", compressed))?;
    sync_dir(dir)?;
    segment::remove(&open_path(dir, candidate.first))?;
    sync_dir(dir)?;
    Ok(target)
}

fn same_lines(candidate: &SealCandidate, compressed: &Path) -> Result<(), SegmentError> {
    let file = SegmentFile {
        first: candidate.first,
        path: compressed.to_owned(),
        sealed: true,
    };
    let damaged = |e| sealed_error(&file, 1, candidate.first, e);
    let handle = File::open(compressed).map_err(SegmentError::io("open", compressed))?;
    let mut sealed = SealedStream::new(SealedFile::open(handle).map_err(damaged)?);
    let plain = File::open(&candidate.path).map_err(SegmentError::io("open", &candidate.path))?;
    let mut plain = BufReader::with_capacity(1 << 20, plain);
    let mut chunk = vec![0; 1 << 18];
    let mut same = vec![0; 1 << 18];
    loop {
        let count = sealed.read(&mut chunk).map_err(damaged)?;
        if count == 0 {
            break;
        }
        let read = plain.read_exact(&mut same[..count]);
        if read.is_err() || same[..count] != chunk[..count] {
            return Err(damaged(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not the segment's lines",
            )));
        }
    }
    match plain
        .read(&mut chunk)
        .map_err(SegmentError::io("read", &candidate.path))?
    {
        0 => Ok(()),
        _ => Err(damaged(io::Error::new(
            io::ErrorKind::InvalidData,
            "it lacks lines of the segment",
        ))),
    }
}
