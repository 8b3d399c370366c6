//! Random access to the lines of one segment, by a sparse index that is built once and kept in memory.

use crate::SegmentError;
use crate::frames::SealedFile;
use crate::lines::sealed_error;
use crate::segment::{Damage, DamageKind, MAX_LINE, SegmentFile};
use bytes::Bytes;
use parking_lot::Mutex;
use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use stead_event::Position;

/// One point of the index every this many lines.
const EVERY: u64 = 256;
const CHUNK: usize = 64 << 10;
const LARGE_CHUNK: usize = 512 << 10;

/// Is given each line and its position, and says whether to go on.
pub(crate) type Each<'a> = &'a mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>;

/// An open segment.
pub(crate) struct SegmentReader {
    pub(crate) file: SegmentFile,
    source: Source,
}

enum Source {
    /// The file, and (position, offset) of every 256th line as far as it has been read.
    Plain(File, Mutex<Vec<(Position, u64)>>),
    /// The file, and the frame read last.
    Sealed(SealedFile, Mutex<Option<(usize, Bytes)>>),
}

impl SegmentReader {
    pub(crate) fn open(file: &SegmentFile) -> Result<Self, SegmentError> {
        let (file, handle) = file.open()?;
        let source = if file.sealed {
            let opened = SealedFile::open(handle).map_err(|e| sealed_error(&file, 1, file.first, e))?;
            Source::Sealed(opened, Mutex::new(None))
        } else {
            Source::Plain(handle, Mutex::new(vec![(file.first, 0)]))
        };
        Ok(Self { file, source })
    }

    /// Gives the lines of positions `from..=last` that the segment holds, in order. Positions are by count
    /// of lines; whether a line says the same is for the caller to check. Nothing behind `last` is looked
    /// at, because the writer may still take it back.
    pub(crate) fn lines(&self, from: Position, last: Position, each: Each) -> Result<(), SegmentError> {
        match &self.source {
            Source::Plain(file, index) => self.plain(file, index, from, last, each),
            Source::Sealed(file, cached) => self.sealed(file, cached, from, last, each),
        }
    }

    fn plain(
        &self,
        file: &File,
        index: &Mutex<Vec<(Position, u64)>>,
        from: Position,
        last: Position,
        each: Each,
    ) -> Result<(), SegmentError> {
        let (mut seq, mut offset) = {
            let points = index.lock();
            let after = points.partition_point(|(position, _)| *position <= from);
            after.checked_sub(1).map_or((self.file.first, 0), |at| points[at])
        };
        let mut buffer = Vec::new();
        let mut chunk = CHUNK;
        let mut searched = 0;
        while seq <= last {
            let Some(found) = memchr::memchr(b'\n', &buffer[searched..]) else {
                searched = buffer.len();
                if buffer.len() > MAX_LINE {
                    return Err(self.damage(seq, DamageKind::TooLong(seq)));
                }
                if fill(file, &mut buffer, offset, chunk)
                    .map_err(SegmentError::io("read", &self.file.path))?
                    == 0
                {
                    return Ok(());
                }
                chunk = LARGE_CHUNK;
                continue;
            };
            let mut start = 0;
            let mut end = searched + found;
            loop {
                if seq >= from && each(seq, &buffer[start..end]).is_break() {
                    return Ok(());
                }
                start = end + 1;
                seq += 1;
                if (seq - self.file.first).is_multiple_of(EVERY) && seq <= last {
                    remember(index, seq, offset + start as u64);
                }
                match memchr::memchr(b'\n', &buffer[start..]) {
                    Some(found) if seq <= last => end = start + found,
                    _ => break,
                }
            }
            buffer.drain(..start);
            offset += start as u64;
            searched = 0;
        }
        Ok(())
    }

    fn sealed(
        &self,
        file: &SealedFile,
        cached: &Mutex<Option<(usize, Bytes)>>,
        from: Position,
        last: Position,
        each: Each,
    ) -> Result<(), SegmentError> {
        let Some(start) = file.frame_of(from) else {
            return Ok(());
        };
        for frame in start..file.frames() {
            let positions = file.positions(frame);
            if positions.start > last {
                break;
            }
            let held = cached
                .lock()
                .as_ref()
                .filter(|(at, _)| *at == frame)
                .map(|(_, lines)| lines.clone());
            let lines = match held {
                Some(lines) => lines,
                None => {
                    let line = positions.start - self.file.first + 1;
                    let read = file
                        .read(frame)
                        .map_err(|e| sealed_error(&self.file, line, positions.start, e))?;
                    let read = Bytes::from(read);
                    *cached.lock() = Some((frame, read.clone()));
                    read
                }
            };
            let mut rest = &lines[..];
            for seq in positions {
                let Some(end) = memchr::memchr(b'\n', rest) else {
                    break;
                };
                if seq > last || (seq >= from && each(seq, &rest[..end]).is_break()) {
                    return Ok(());
                }
                rest = &rest[end + 1..];
            }
        }
        Ok(())
    }

    /// Gives all lines of the last frame of a sealed segment at once.
    pub(crate) fn last_frame(&self, take: &mut dyn FnMut(&[u8])) -> Result<(), SegmentError> {
        if let Source::Sealed(file, _) = &self.source
            && let Some(last) = file.frames().checked_sub(1)
        {
            let first = file.positions(last).start;
            let read = file.read(last);
            take(&read.map_err(|e| sealed_error(&self.file, first - self.file.first + 1, first, e))?);
        }
        Ok(())
    }

    /// Damage at a position of this segment.
    pub(crate) fn damage(&self, position: Position, source: DamageKind) -> SegmentError {
        let line = position.saturating_sub(self.file.first) + 1;
        SegmentError::Damaged(Damage {
            segment: self.file.path.clone(),
            line,
            position,
            source,
        })
    }
}

fn remember(index: &Mutex<Vec<(Position, u64)>>, seq: Position, offset: u64) {
    let mut points = index.lock();
    if points.last().is_none_or(|(known, _)| *known < seq) {
        points.push((seq, offset));
    }
}

/// Reads on behind what `buffer` holds of the file from `offset`.
fn fill(file: &File, buffer: &mut Vec<u8>, offset: u64, chunk: usize) -> std::io::Result<usize> {
    let length = buffer.len();
    buffer.resize(length + chunk, 0);
    let read = loop {
        match file.read_at(&mut buffer[length..], offset + length as u64) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    buffer.truncate(length + *read.as_ref().unwrap_or(&0));
    read
}
