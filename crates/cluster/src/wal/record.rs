//! The record: how one entry lies in a segment file, and how damage to it is told and mended.
//!
//! A segment file is a run of records, each 64 bytes of header and a body padded with zeros to a multiple
//! of eight bytes; what follows the last record is zeros. All numbers are little-endian:
//!
//! ```text
//!  0  4  magic "SWAL"            32  8  committed: index + 1 of the last entry known committed, 0 = none
//!  4  2  version                 40  4  synced: bytes of this file known durable when this was written
//!  6  2  kind                    44  4  length of the body in bytes, without padding
//!  8  8  number of the segment   48  8  CRC of the padded body
//! 16  8  term                    56  8  CRC of bytes 0 to 55
//! 24  8  index
//! ```
//!
//! The CRC is CRC-64/NVME. It is linear, so the difference between what is stored and what is computed
//! names the flipped bit where there is only one; at 64 bits a torn record is not mistaken for that
//! (8 Mi positions of a 1 MiB body in 2^64 differences).

use crc_fast::CrcAlgorithm::Crc64Nvme;

/// Bytes of a record's header.
pub const HEADER: usize = 64;
/// The format that is written, and the newest that is read.
pub const VERSION: u16 = 1;
const MAGIC: [u8; 4] = *b"SWAL";
/// CRC-64/NVME's polynomial, reflected.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// First in every used segment: term and index (plus one; zero is none) of the entry before it.
    Start = 1,
    /// Entries after this index (plus one; zero is none) are gone.
    Truncate = 2,
    /// An entry without content.
    Blank = 3,
    /// An entry of appends: DAG-CBOR, an array of them.
    Batch = 4,
    /// An entry of membership: DAG-CBOR.
    Membership = 5,
}

impl Kind {
    pub(super) fn from_number(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Start,
            2 => Self::Truncate,
            3 => Self::Blank,
            4 => Self::Batch,
            5 => Self::Membership,
            _ => return None,
        })
    }

    /// Whether it is an entry of the Raft log.
    pub fn is_entry(self) -> bool {
        matches!(self, Self::Blank | Self::Batch | Self::Membership)
    }
}

/// A record's header without its checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// The segment it was written to.
    pub segment: u64,
    /// The entry's term.
    pub term: u64,
    /// The entry's index (see [`Kind`] for the others).
    pub index: u64,
    /// Index plus one of the last entry known committed; zero for none.
    pub committed: u64,
    /// Bytes of this segment known durable when this was written.
    pub synced: u32,
    /// Bytes of the body, without padding.
    pub length: u32,
}

/// Bytes that a record with a body of `length` takes.
pub fn span(length: usize) -> usize {
    HEADER + length.next_multiple_of(8)
}

fn crc(bytes: &[u8]) -> u64 {
    crc_fast::checksum(Crc64Nvme, bytes)
}

/// Appends a record to `into`.
pub fn write(header: &Header, body: &[u8], into: &mut Vec<u8>) {
    debug_assert_eq!(header.length as usize, body.len());
    let start = into.len();
    into.resize(start + HEADER, 0);
    into.extend_from_slice(body);
    into.resize(start + span(body.len()), 0);
    let body_crc = crc(&into[start + HEADER..]);
    let head = &mut into[start..start + HEADER];
    head[0..4].copy_from_slice(&MAGIC);
    head[4..6].copy_from_slice(&VERSION.to_le_bytes());
    head[6..8].copy_from_slice(&(header.kind as u16).to_le_bytes());
    head[8..16].copy_from_slice(&header.segment.to_le_bytes());
    head[16..24].copy_from_slice(&header.term.to_le_bytes());
    head[24..32].copy_from_slice(&header.index.to_le_bytes());
    head[32..40].copy_from_slice(&header.committed.to_le_bytes());
    head[40..44].copy_from_slice(&header.synced.to_le_bytes());
    head[44..48].copy_from_slice(&header.length.to_le_bytes());
    head[48..56].copy_from_slice(&body_crc.to_le_bytes());
    let head_crc = crc(&head[..56]);
    head[56..64].copy_from_slice(&head_crc.to_le_bytes());
}

/// What lies at a place in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A record, its body following its header.
    Record(Header),
    /// Not a record.
    Bad(Why),
    /// A record of a format that this version does not know.
    Newer(u16),
}

/// Why something is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No header: its checksum or magic does not fit.
    Header,
    /// A header of another segment.
    Misplaced,
    /// The file ends within the record.
    Cut,
    /// The body's checksum does not fit; the record would have taken this many bytes.
    Body(u32),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "its header's checksum does not fit",
            Self::Misplaced => "it belongs to another file",
            Self::Cut => "the file ends within it",
            Self::Body(_) => "its content's checksum does not fit",
        })
    }
}

fn le<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut number = [0; N];
    number.copy_from_slice(&bytes[at..at + N]);
    number
}

fn header(head: &[u8]) -> Result<(Header, u64), Parsed> {
    if head[..4] != MAGIC || crc(&head[..56]) != u64::from_le_bytes(le(head, 56)) {
        return Err(Parsed::Bad(Why::Header));
    }
    let version = u16::from_le_bytes(le(head, 4));
    if version != VERSION {
        return Err(Parsed::Newer(version));
    }
    let kind = Kind::from_number(u16::from_le_bytes(le(head, 6))).ok_or(Parsed::Newer(version))?;
    let found = Header {
        kind,
        segment: u64::from_le_bytes(le(head, 8)),
        term: u64::from_le_bytes(le(head, 16)),
        index: u64::from_le_bytes(le(head, 24)),
        committed: u64::from_le_bytes(le(head, 32)),
        synced: u32::from_le_bytes(le(head, 40)),
        length: u32::from_le_bytes(le(head, 44)),
    };
    Ok((found, u64::from_le_bytes(le(head, 48))))
}

/// Reads what lies at the beginning of `bytes`, which reach to the end of the file.
pub fn read(bytes: &[u8], segment: u64) -> Parsed {
    if bytes.len() < HEADER {
        return Parsed::Bad(Why::Cut);
    }
    let (found, body_crc) = match header(&bytes[..HEADER]) {
        Ok(found) => found,
        Err(other) => return other,
    };
    if found.segment != segment {
        return Parsed::Bad(Why::Misplaced);
    }
    let whole = span(found.length as usize);
    if bytes.len() < whole {
        return Parsed::Bad(Why::Cut);
    }
    if crc(&bytes[HEADER..whole]) != body_crc {
        return Parsed::Bad(Why::Body(whole as u32));
    }
    Parsed::Record(found)
}

/// Mends the record at the beginning of `bytes` where exactly one bit of it is flipped; answers which bit.
/// Changes nothing where that is not so.
pub fn mend(bytes: &mut [u8], segment: u64) -> Option<usize> {
    if bytes.len() < HEADER {
        return None;
    }
    match header(&bytes[..HEADER]) {
        Ok((found, body_crc)) => {
            let whole = span(found.length as usize);
            let body = bytes.get_mut(HEADER..whole)?;
            let bit = flipped_bit(body.len(), crc(body) ^ body_crc)?;
            body[bit / 8] ^= 1 << (bit % 8);
            Some(HEADER * 8 + bit)
        }
        Err(Parsed::Bad(Why::Header)) => {
            for bit in 0..HEADER * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                if matches!(read(bytes, segment), Parsed::Record(_)) {
                    return Some(bit);
                }
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            None
        }
        Err(_) => None,
    }
}

/// Which single bit of `length` bytes makes this difference in their CRC. A flipped bit enters the register
/// once and is then shifted like any other state, so each position's difference is one more step of the
/// shift; the last bit of the last byte is one step from the end.
fn flipped_bit(length: usize, difference: u64) -> Option<usize> {
    let mut state = 1_u64;
    for bit in (0..length * 8).rev() {
        state = if state & 1 == 1 {
            (state >> 1) ^ POLYNOMIAL
        } else {
            state >> 1
        };
        if state == difference {
            return Some(bit);
        }
    }
    None
}

/// The next place from `from` on (a multiple of eight) where a record of this segment has a sound header.
pub fn find_next(bytes: &[u8], segment: u64, from: usize) -> Option<usize> {
    (from.next_multiple_of(8)..bytes.len().saturating_sub(HEADER - 1))
        .step_by(8)
        .find(|&at| {
            bytes[at..at + 4] == MAGIC
                && header(&bytes[at..at + HEADER]).is_ok_and(|(found, _)| found.segment == segment)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(body: &[u8]) -> Vec<u8> {
        let header = Header {
            kind: Kind::Batch,
            segment: 7,
            term: 3,
            index: 99,
            committed: 98,
            synced: 4096,
            length: body.len() as u32,
        };
        let mut bytes = Vec::new();
        write(&header, body, &mut bytes);
        assert_eq!(read(&bytes, 7), Parsed::Record(header));
        bytes
    }

    #[test]
    fn every_flipped_bit_is_found_and_mended() {
        for body in [
            &b""[..],
            b"x",
            b"eight by",
            b"a body of some more bytes than eight",
        ] {
            let good = sample(body);
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    !matches!(read(&bad, 7), Parsed::Record(_)),
                    "bit {bit} goes unseen"
                );
                assert_eq!(mend(&mut bad, 7), Some(bit));
                assert_eq!(bad, good);
            }
        }
    }

    #[test]
    fn two_flipped_bits_are_found_and_not_mended_to_something_else() {
        let good = sample(b"0123456789abcdef");
        for first in (0..good.len() * 8).step_by(3) {
            for second in (first + 1..good.len() * 8).step_by(7) {
                let mut bad = good.clone();
                bad[first / 8] ^= 1 << (first % 8);
                bad[second / 8] ^= 1 << (second % 8);
                assert!(!matches!(read(&bad, 7), Parsed::Record(_)));
                if mend(&mut bad, 7).is_some() && matches!(read(&bad, 7), Parsed::Record(_)) {
                    assert_eq!(bad, good);
                }
            }
        }
    }

    #[test]
    fn another_segments_record_is_not_taken() {
        assert_eq!(read(&sample(b"x"), 8), Parsed::Bad(Why::Misplaced));
        assert_eq!(find_next(&sample(b"x"), 7, 0), Some(0));
        assert_eq!(find_next(&sample(b"x"), 8, 0), None);
    }
}
