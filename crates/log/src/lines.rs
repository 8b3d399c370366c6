//! Lines of one segment, in order and in little memory.

use crate::SegmentError;
use crate::frames::{SealedFile, SealedStream};
use crate::segment::{Damage, DamageKind, MAX_LINE, SegmentFile};
use std::io::{self, Read};
use stead_event::Position;

const CHUNK: usize = 256 << 10;

/// Splits a segment into lines.
pub(crate) struct LineStream {
    source: Box<dyn Read>,
    file: SegmentFile,
    buffer: Vec<u8>,
    /// What of the buffer is still to be given out.
    start: usize,
    /// What of it has been searched for a line feed.
    searched: usize,
    /// Lines given out so far.
    lines: u64,
    /// Bytes given out so far, in uncompressed form.
    offset: u64,
}

impl LineStream {
    /// Opens a segment in either form.
    pub(crate) fn open(file: &SegmentFile) -> Result<Self, SegmentError> {
        let (file, handle) = file.open()?;
        let source: Box<dyn Read> = if file.sealed {
            let opened = SealedFile::open(handle).map_err(|e| sealed_error(&file, 1, file.first, e))?;
            Box::new(SealedStream::new(opened))
        } else {
            Box::new(handle)
        };
        Ok(Self {
            source,
            file,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            lines: 0,
            offset: 0,
        })
    }

    /// Number of the line given out last, from 1.
    pub(crate) fn line_number(&self) -> u64 {
        self.lines
    }

    /// Where the line given out last ends, in bytes of the uncompressed segment.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line without its line feed; `None` at the end. Text without a line feed at the end is damage.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, SegmentError> {
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
                let (start, end) = (self.start, self.searched + found);
                self.start = end + 1;
                self.searched = self.start;
                self.lines += 1;
                self.offset += (end + 1 - start) as u64;
                return Ok(Some(&self.buffer[start..end]));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() - self.start > MAX_LINE {
                return Err(self.damage(DamageKind::TooLong(self.position())));
            }
            if self.fill()? == 0 {
                return match self.buffer.len() - self.start {
                    0 => Ok(None),
                    _ => Err(self.damage(DamageKind::Truncated(self.position()))),
                };
            }
        }
    }

    /// Leaves out the first `bytes`, which must end with a line feed.
    pub(crate) fn skip(&mut self, bytes: u64) -> Result<(), SegmentError> {
        while self.offset < bytes {
            if self.next()?.is_none() {
                return Err(self.damage(DamageKind::Truncated(self.position())));
            }
        }
        Ok(())
    }

    /// The position that the next line should have.
    fn position(&self) -> Position {
        self.file.first + self.lines
    }

    fn damage(&self, source: DamageKind) -> SegmentError {
        let (segment, line) = (self.file.path.clone(), self.lines + 1);
        SegmentError::Damaged(Damage {
            segment,
            line,
            position: self.position(),
            source,
        })
    }

    fn fill(&mut self) -> Result<usize, SegmentError> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[length..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        read.map_err(|e| sealed_error(&self.file, self.lines + 1, self.position(), e))
    }
}

/// What a read error means: bad data in a compressed segment is damage, all else is the system's refusal.
pub(crate) fn sealed_error(file: &SegmentFile, line: u64, at: Position, e: io::Error) -> SegmentError {
    let bad = matches!(
        e.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    );
    if file.sealed && bad {
        let source = DamageKind::Frame {
            at,
            why: e.to_string(),
        };
        return SegmentError::Damaged(Damage {
            segment: file.path.clone(),
            line,
            position: at,
            source,
        });
    }
    SegmentError::io("read", &file.path)(e)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::FrameWriter;
    use std::fs::File;

    #[test]
    fn a_segment_that_was_sealed_since_it_was_listed_is_read_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let listed = SegmentFile {
            first: 1,
            path: dir.path().join("00000000000000000001.jsonl"),
            sealed: false,
        };
        let sealed = File::create(dir.path().join("00000000000000000001.jsonl.zst")).unwrap();
        let mut frames = FrameWriter::new(sealed, 1).unwrap();
        frames.line(b"one").unwrap();
        frames.line(b"two").unwrap();
        frames.finish().unwrap();
        let mut lines = LineStream::open(&listed).unwrap();
        assert_eq!(lines.next().unwrap(), Some(&b"one"[..]));
        assert_eq!(lines.next().unwrap(), Some(&b"two"[..]));
        assert_eq!(lines.next().unwrap(), None);
    }
}
