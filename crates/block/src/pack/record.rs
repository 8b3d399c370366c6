//! The bytes of a pack: its header, records, and the entries of its list of dead records.
//!
//! A pack is `NNNNNN.pack`: [`PACK_HEADER_BYTES`] of header, then records without gaps. All numbers are
//! little-endian.
//!
//! ```text
//! pack header: three copies of 64 bytes, so that one flipped bit does not cost a gigabyte
//!    0  magic "STEADPAK"    8  version u32    12  number u32    16  salt u64
//!   24  zeros              60  crc32c of bytes 0..60
//! record: 64 bytes, then the data
//!    0  magic "sBlk"        4  version u16     6  flags u16      8  length of the data u32
//!   12  seconds since 1970 u32   16  crc32c of the data          20  length of the CID u8
//!   21  CID, zeros to 60   60  crc32c of salt, number u32, offset u64, bytes 0..60
//! dead entry, in NNNNNN.dead: 16 bytes
//!    0  offset u32          4  first eight bytes of the digest   12  crc32c of salt, bytes 0..12
//! ```
//!
//! The salt is random and the offset is part of the checksum, so a copy of a pack that somebody stores as
//! an object holds no bytes that could be taken for records of the pack it is stored in.

use crate::MAX_BLOCK_BYTES;
use crate::key::Key;
use stead_event::Cid;

/// Bytes before the first record.
pub const PACK_HEADER_BYTES: u64 = 192;
/// Bytes of a record before its data.
pub const RECORD_HEADER_BYTES: usize = 64;
/// Bytes of an entry in the list of dead records.
pub const DEAD_BYTES: usize = 16;
/// The pack format that this release writes, and the newest that it reads.
pub const PACK_VERSION: u32 = 1;

const PACK_MAGIC: &[u8; 8] = b"STEADPAK";
pub(crate) const RECORD_MAGIC: &[u8; 4] = b"sBlk";
const RECORD_VERSION: u16 = 1;
const CID_MAX: usize = 39;

/// What a pack's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackHeader {
    /// As in its file name.
    pub number: u32,
    /// Goes into every record's checksum.
    pub salt: u64,
}

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Fewer bytes than the thing has.
    #[error("the bytes end too early")]
    Short,
    /// The header's checksum does not hold.
    #[error("the record's header is damaged")]
    Header,
    /// The data's checksum does not hold.
    #[error("the record's data is damaged")]
    Data,
    /// Written by a newer release.
    #[error("the format is newer than this release knows")]
    TooNew,
}

/// What a record's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The block.
    pub cid: Cid,
    /// Bytes of its data.
    pub len: u32,
    /// When it was stored, in seconds since 1970.
    pub seconds: u32,
    /// CRC-32C of the data.
    pub data_crc: u32,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

impl PackHeader {
    /// All three copies.
    pub fn encode(&self) -> [u8; PACK_HEADER_BYTES as usize] {
        let mut one = [0; 64];
        one[..8].copy_from_slice(PACK_MAGIC);
        one[8..12].copy_from_slice(&PACK_VERSION.to_le_bytes());
        one[12..16].copy_from_slice(&self.number.to_le_bytes());
        one[16..24].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&one[..60]);
        one[60..].copy_from_slice(&crc.to_le_bytes());
        let mut all = [0; PACK_HEADER_BYTES as usize];
        for copy in all.chunks_exact_mut(64) {
            copy.copy_from_slice(&one);
        }
        all
    }

    /// The header, and how many of its copies are damaged.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), RecordError> {
        let all = bytes
            .get(..PACK_HEADER_BYTES as usize)
            .ok_or(RecordError::Short)?;
        let good = |copy: &&[u8]| &copy[..8] == PACK_MAGIC && u32_at(copy, 60) == crc32c::crc32c(&copy[..60]);
        let copies: Vec<&[u8]> = all.chunks_exact(64).filter(good).collect();
        let copy = copies.first().ok_or(RecordError::Header)?;
        if u32_at(copy, 8) > PACK_VERSION {
            return Err(RecordError::TooNew);
        }
        Ok((
            Self {
                number: u32_at(copy, 12),
                salt: u64_at(copy, 16),
            },
            3 - copies.len(),
        ))
    }

    /// The checksum that the header of a record at `offset` carries.
    fn record_crc(&self, offset: u64, header: &[u8]) -> u32 {
        let mut place = [0; 20];
        place[..8].copy_from_slice(&self.salt.to_le_bytes());
        place[8..12].copy_from_slice(&self.number.to_le_bytes());
        place[12..].copy_from_slice(&offset.to_le_bytes());
        crc32c::crc32c_append(crc32c::crc32c(&place), &header[..60])
    }

    /// The dead entry for the record of `cid` at `offset`, where the CID can be stored at all.
    pub fn encode_dead(&self, offset: u32, cid: &Cid) -> Option<[u8; DEAD_BYTES]> {
        let mut entry = [0; DEAD_BYTES];
        entry[..4].copy_from_slice(&offset.to_le_bytes());
        entry[4..12].copy_from_slice(&Key::of(cid).ok()?.prefix().to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&self.salt.to_le_bytes()), &entry[..12]);
        entry[12..].copy_from_slice(&crc.to_le_bytes());
        Some(entry)
    }

    /// Offset and digest prefix of a dead entry.
    pub fn parse_dead(&self, entry: &[u8]) -> Result<(u32, u64), RecordError> {
        let entry = entry.get(..DEAD_BYTES).ok_or(RecordError::Short)?;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&self.salt.to_le_bytes()), &entry[..12]);
        if u32_at(entry, 12) != crc {
            return Err(RecordError::Header);
        }
        Ok((u32_at(entry, 0), u64_at(entry, 4)))
    }
}

impl Record {
    /// The header of a record at `offset` of that pack; `None` where the CID is too long to store.
    pub fn encode(&self, pack: &PackHeader, offset: u64) -> Option<[u8; RECORD_HEADER_BYTES]> {
        let mut header = [0; RECORD_HEADER_BYTES];
        header[..4].copy_from_slice(RECORD_MAGIC);
        header[4..6].copy_from_slice(&RECORD_VERSION.to_le_bytes());
        header[8..12].copy_from_slice(&self.len.to_le_bytes());
        header[12..16].copy_from_slice(&self.seconds.to_le_bytes());
        header[16..20].copy_from_slice(&self.data_crc.to_le_bytes());
        let written = self.cid.write_bytes(&mut header[21..21 + CID_MAX]).ok()?;
        header[20] = written as u8;
        let crc = pack.record_crc(offset, &header);
        header[60..].copy_from_slice(&crc.to_le_bytes());
        Some(header)
    }

    /// Reads the header of a record that is said to be at `offset` of that pack.
    pub fn parse(pack: &PackHeader, offset: u64, bytes: &[u8]) -> Result<Self, RecordError> {
        let header = bytes.get(..RECORD_HEADER_BYTES).ok_or(RecordError::Short)?;
        if &header[..4] != RECORD_MAGIC || u32_at(header, 60) != pack.record_crc(offset, header) {
            return Err(RecordError::Header);
        }
        if u16::from_le_bytes([header[4], header[5]]) > RECORD_VERSION {
            return Err(RecordError::TooNew);
        }
        let cid = header[21..60]
            .get(..usize::from(header[20]))
            .and_then(|cid| Cid::try_from(cid).ok());
        let len = u32_at(header, 8);
        match cid {
            Some(cid) if len as usize <= MAX_BLOCK_BYTES => Ok(Self {
                cid,
                len,
                seconds: u32_at(header, 12),
                data_crc: u32_at(header, 16),
            }),
            _ => Err(RecordError::Header),
        }
    }

    /// Splits a whole record into its header and its data, both checked.
    pub fn parse_whole<'a>(
        pack: &PackHeader,
        offset: u64,
        bytes: &'a [u8],
    ) -> Result<(Self, &'a [u8]), RecordError> {
        let record = Self::parse(pack, offset, bytes)?;
        let data = bytes[RECORD_HEADER_BYTES..]
            .get(..record.len as usize)
            .ok_or(RecordError::Short)?;
        if crc32c::crc32c(data) != record.data_crc {
            return Err(RecordError::Data);
        }
        Ok((record, data))
    }

    /// Bytes that the record takes, header and data.
    pub fn bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::cids;

    const PACK: PackHeader = PackHeader {
        number: 7,
        salt: 0x1234_5678_9abc_def0,
    };

    fn record(data: &[u8]) -> Record {
        Record {
            cid: cids::raw(data),
            len: data.len() as u32,
            seconds: 99,
            data_crc: crc32c::crc32c(data),
        }
    }

    #[test]
    fn every_flipped_bit_of_a_record_is_found() {
        let data = b"some bytes";
        let mut whole = record(data).encode(&PACK, 192).unwrap().to_vec();
        whole.extend_from_slice(data);
        assert_eq!(
            Record::parse_whole(&PACK, 192, &whole).unwrap(),
            (record(data), data.as_slice())
        );
        for bit in 0..whole.len() * 8 {
            whole[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::parse_whole(&PACK, 192, &whole).is_err(), "bit {bit}");
            whole[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_record_counts_only_in_its_own_place() {
        let header = record(b"x").encode(&PACK, 192).unwrap();
        assert!(Record::parse(&PACK, 192, &header).is_ok());
        assert_eq!(Record::parse(&PACK, 193, &header), Err(RecordError::Header));
        assert_eq!(
            Record::parse(&PackHeader { salt: 1, ..PACK }, 192, &header),
            Err(RecordError::Header)
        );
    }

    #[test]
    fn a_pack_header_survives_the_loss_of_two_copies() {
        let mut bytes = PACK.encode();
        assert_eq!(PackHeader::parse(&bytes), Ok((PACK, 0)));
        bytes[3] ^= 1;
        bytes[64 + 20] ^= 1;
        assert_eq!(PackHeader::parse(&bytes), Ok((PACK, 2)));
        bytes[128 + 61] ^= 1;
        assert_eq!(PackHeader::parse(&bytes), Err(RecordError::Header));
    }

    #[test]
    fn dead_entries_are_checked() {
        let mut entry = PACK.encode_dead(192, &cids::raw(b"x")).unwrap();
        assert_eq!(PACK.parse_dead(&entry).unwrap().0, 192);
        entry[5] ^= 4;
        assert_eq!(PACK.parse_dead(&entry), Err(RecordError::Header));
    }
}
