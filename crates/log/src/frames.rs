//! The compressed form of a segment: independent zstd frames of about 1 MiB of whole lines, then an index in
//! a skippable frame, so that one line is read by decompressing one frame and `zstdcat` reads the whole.
//!
//! zstd and its skippable frames: RFC 8878, sections 3.1.1 and 3.1.2. The index is described in the crate's
//! documentation.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use stead_event::Position;

/// Uncompressed bytes after which a frame is closed at the next line feed.
const FRAME_BYTES: usize = 1 << 20;
/// More than any frame holds: its lines before the last, and one line of the longest.
const FRAME_MAX: usize = FRAME_BYTES + crate::segment::MAX_LINE + 1;
/// zstd's default level: a fifth of the size at several hundred MB/s.
const LEVEL: i32 = 3;
/// One of the sixteen magic numbers of skippable frames.
const SKIPPABLE: u32 = 0x184D_2A5D;
const HEADER: usize = 8;
const ENTRY: usize = 8 + 8 + 32;
const TRAILER: usize = 8 + 8 + 4 + 32 + 8;
const MAGIC: &[u8; 8] = b"STEADIX1";

fn damaged(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

/// Where a frame is and what it holds.
#[derive(Clone, Debug)]
struct Frame {
    first: Position,
    offset: u64,
    digest: [u8; 32],
}

/// Writes the compressed form, line by line.
pub(crate) struct FrameWriter<W: Write> {
    out: W,
    compressor: zstd::bulk::Compressor<'static>,
    frames: Vec<Frame>,
    pending: Vec<u8>,
    pending_first: Position,
    next: Position,
    offset: u64,
    plain: u64,
}

impl<W: Write> FrameWriter<W> {
    pub(crate) fn new(out: W, first: Position) -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self {
            out,
            compressor,
            frames: Vec::new(),
            pending: Vec::with_capacity(FRAME_BYTES + FRAME_BYTES / 8),
            pending_first: first,
            next: first,
            offset: 0,
            plain: 0,
        })
    }

    /// Adds a line (without its line feed).
    pub(crate) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(line);
        self.pending.push(b'\n');
        self.next += 1;
        if self.pending.len() >= FRAME_BYTES {
            self.close_frame()
        } else {
            Ok(())
        }
    }

    fn close_frame(&mut self) -> io::Result<()> {
        let bytes = self.compressor.compress(&self.pending)?;
        self.out.write_all(&bytes)?;
        let digest = Sha256::digest(&bytes).into();
        self.frames.push(Frame {
            first: self.pending_first,
            offset: self.offset,
            digest,
        });
        self.offset += bytes.len() as u64;
        self.plain += self.pending.len() as u64;
        self.pending.clear();
        self.pending_first = self.next;
        Ok(())
    }

    /// Writes what is left and the index.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if !self.pending.is_empty() {
            self.close_frame()?;
        }
        let mut index = Vec::with_capacity(self.frames.len() * ENTRY + TRAILER);
        for frame in &self.frames {
            index.extend_from_slice(&frame.first.to_le_bytes());
            index.extend_from_slice(&frame.offset.to_le_bytes());
            index.extend_from_slice(&frame.digest);
        }
        index.extend_from_slice(&self.next.to_le_bytes());
        index.extend_from_slice(&self.plain.to_le_bytes());
        let count = u32::try_from(self.frames.len()).map_err(|_| damaged("too many frames"))?;
        index.extend_from_slice(&count.to_le_bytes());
        let digest = Sha256::digest(&index);
        index.extend_from_slice(&digest);
        index.extend_from_slice(MAGIC);
        let size = u32::try_from(index.len()).map_err(|_| damaged("the index is too large"))?;
        self.out.write_all(&SKIPPABLE.to_le_bytes())?;
        self.out.write_all(&size.to_le_bytes())?;
        self.out.write_all(&index)?;
        Ok(self.out)
    }
}

/// A compressed segment, open for reading. Errors of kind `InvalidData` mean that the file is damaged.
#[derive(Debug)]
pub(crate) struct SealedFile {
    file: File,
    frames: Vec<Frame>,
    /// Where the index begins, that is, where the last frame ends.
    end: u64,
    /// One past the last position.
    next: Position,
    /// Uncompressed size in bytes.
    plain: u64,
}

impl SealedFile {
    /// Reads and checks the index.
    pub(crate) fn open(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let smallest = (HEADER + TRAILER) as u64;
        if length < smallest {
            return Err(damaged("it is shorter than its index"));
        }
        let mut trailer = [0; TRAILER];
        file.read_exact_at(&mut trailer, length - TRAILER as u64)?;
        if &trailer[TRAILER - 8..] != MAGIC {
            return Err(damaged("its index does not end as it should"));
        }
        let count = u32_at(&trailer, 16) as usize;
        let size = count as u64 * ENTRY as u64 + smallest;
        let Some(end) = length.checked_sub(size).filter(|_| size <= 64 << 20) else {
            return Err(damaged("its index says more frames than it can hold"));
        };
        let mut index = vec![0; size as usize];
        file.read_exact_at(&mut index, end)?;
        let (header, index) = index.split_at(HEADER);
        if u32_at(header, 0) != SKIPPABLE || u32_at(header, 4) as usize != index.len() {
            return Err(damaged("its index does not begin as it should"));
        }
        let summed = index.len() - 40;
        if index[summed..summed + 32] != Sha256::digest(&index[..summed])[..] {
            return Err(damaged("its index has another checksum"));
        }
        let frame = |entry: &[u8]| {
            let mut digest = [0; 32];
            digest.copy_from_slice(&entry[16..]);
            Frame {
                first: u64_at(entry, 0),
                offset: u64_at(entry, 8),
                digest,
            }
        };
        let frames = index[..count * ENTRY].chunks_exact(ENTRY).map(frame).collect();
        Ok(Self {
            file,
            frames,
            end,
            next: u64_at(&trailer, 0),
            plain: u64_at(&trailer, 8),
        })
    }

    /// How many frames there are.
    pub(crate) fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Uncompressed size in bytes.
    pub(crate) fn plain_bytes(&self) -> u64 {
        self.plain
    }

    /// The frame that holds `position`, or `None` where no frame does.
    pub(crate) fn frame_of(&self, position: Position) -> Option<usize> {
        let after = self.frames.partition_point(|frame| frame.first <= position);
        (position < self.next).then(|| after.checked_sub(1)).flatten()
    }

    /// The positions in a frame.
    pub(crate) fn positions(&self, frame: usize) -> Range<Position> {
        let next = self.frames.get(frame + 1).map_or(self.next, |frame| frame.first);
        self.frames[frame].first..next
    }

    /// The lines of a frame, each with its line feed; checked to be those that were sealed.
    pub(crate) fn read(&self, frame: usize) -> io::Result<Vec<u8>> {
        let start = self.frames[frame].offset;
        let end = self.frames.get(frame + 1).map_or(self.end, |frame| frame.offset);
        let length = end
            .checked_sub(start)
            .filter(|length| *length <= 2 * FRAME_MAX as u64);
        let length = length.ok_or_else(|| damaged("its index names a frame of impossible size"))?;
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, start)?;
        if Sha256::digest(&bytes)[..] != self.frames[frame].digest {
            return Err(damaged(format!("frame {frame} has another checksum")));
        }
        let size = zstd::zstd_safe::get_frame_content_size(&bytes).ok().flatten();
        let size = size.filter(|size| *size <= FRAME_MAX as u64);
        let size = size.ok_or_else(|| damaged(format!("frame {frame} does not say its size")))?;
        let lines = zstd::bulk::decompress(&bytes, size as usize).map_err(|e| damaged(e.to_string()))?;
        let expected = self.positions(frame).count();
        if lines.last() != Some(&b'\n') || memchr::memchr_iter(b'\n', &lines).count() != expected {
            return Err(damaged(format!("frame {frame} holds another number of lines")));
        }
        Ok(lines)
    }
}

/// All lines of a compressed segment as a stream of bytes; one frame in memory at a time.
pub(crate) struct SealedStream {
    file: SealedFile,
    next: usize,
    frame: Vec<u8>,
    at: usize,
}

impl SealedStream {
    pub(crate) fn new(file: SealedFile) -> Self {
        Self {
            file,
            next: 0,
            frame: Vec::new(),
            at: 0,
        }
    }
}

impl Read for SealedStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.frame.len() && self.next < self.file.frames() {
            self.frame = self.file.read(self.next)?;
            self.next += 1;
            self.at = 0;
        }
        let count = out.len().min(self.frame.len() - self.at);
        out[..count].copy_from_slice(&self.frame[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
