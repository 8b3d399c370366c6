//! The vote file: two slots of 512 bytes, a page apart, the newer sound one counts. Each save overwrites the
//! older slot in place, so a crash leaves the former vote and a full disk changes nothing.
//!
//! A slot, little-endian: magic "SVOT", version (2), length of the vote (2), sequence (8), the vote as
//! DAG-CBOR, and at byte 504 the CRC-64/NVME of the bytes before.

use super::Damage;
use crate::ClusterError;
use crate::types::Vote;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SLOT: usize = 512;
const STRIDE: u64 = 4096;
const MAGIC: [u8; 4] = *b"SVOT";
const VERSION: u16 = 1;

/// The open vote file.
pub struct VoteFile {
    file: File,
    path: PathBuf,
    sequence: u64,
}

impl VoteFile {
    /// Opens `<dir>/vote`, making it where there is none.
    pub fn open(dir: &Path) -> Result<(Self, Option<Vote>), ClusterError> {
        let path = dir.join("vote");
        let io = |what: &str| ClusterError::io(format!("{what} {}", path.display()));
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("cannot open"))?;
        if fresh || file.metadata().map_err(io("cannot read"))?.len() < 2 * STRIDE {
            file.write_all_at(&[0; 2 * STRIDE as usize], 0)
                .map_err(io("cannot write"))?;
            file.sync_all().map_err(io("cannot sync"))?;
            super::segment::sync_dir(dir).map_err(ClusterError::io("cannot sync the raft directory"))?;
        }
        let mut newest: Option<(u64, Vote)> = None;
        let mut unsound = 0;
        for slot in 0..2 {
            let mut bytes = [0; SLOT];
            file.read_exact_at(&mut bytes, slot * STRIDE)
                .map_err(io("cannot read"))?;
            match decode(&bytes, &path)? {
                Slot::Empty => {}
                Slot::Unsound => unsound += 1,
                Slot::Vote(sequence, vote) => {
                    if newest.as_ref().is_none_or(|(other, _)| *other < sequence) {
                        newest = Some((sequence, vote));
                    }
                }
            }
        }
        if unsound > 0 {
            // One voter can go on from either slot: it only ever votes for itself, and each start begins a
            // higher term than the log holds. Several voters could vote twice in one term.
            tracing::warn!(file = %path.display(), unsound, "a slot of the vote file is damaged or torn");
        }
        if newest.is_none() && unsound == 2 {
            return Err(ClusterError::Damaged(Damage {
                file: path,
                offset: 0,
                index: None,
                why: "both slots' checksums do not fit".into(),
                advice: "If this node is the only voter, remove this file and start again.".into(),
            }));
        }
        let sequence = newest.as_ref().map_or(0, |(sequence, _)| *sequence);
        Ok((Self { file, path, sequence }, newest.map(|(_, vote)| vote)))
    }

    /// Saves a vote durably.
    pub fn save(&mut self, vote: &Vote) -> std::io::Result<()> {
        let body = serde_ipld_dagcbor::to_vec(vote).map_err(std::io::Error::other)?;
        if body.len() > SLOT - 24 {
            return Err(std::io::Error::other(format!(
                "the vote does not fit {}",
                self.path.display()
            )));
        }
        let sequence = self.sequence + 1;
        let mut bytes = [0; SLOT];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&(body.len() as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&sequence.to_le_bytes());
        bytes[16..16 + body.len()].copy_from_slice(&body);
        let crc = checksum(&bytes[..SLOT - 8]);
        bytes[SLOT - 8..].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all_at(&bytes, (sequence % 2) * STRIDE)?;
        self.file.sync_data()?;
        self.sequence = sequence;
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes)
}

enum Slot {
    Empty,
    Unsound,
    Vote(u64, Vote),
}

fn decode(bytes: &[u8; SLOT], path: &Path) -> Result<Slot, ClusterError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Slot::Empty);
    }
    let number = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(eight)
    };
    if bytes[..4] != MAGIC || checksum(&bytes[..SLOT - 8]) != long(SLOT - 8) {
        return Ok(Slot::Unsound);
    }
    if number(4) != VERSION {
        let what = path.display().to_string();
        return Err(ClusterError::Newer {
            what,
            found: number(4),
            known: VERSION,
        });
    }
    let body = bytes.get(16..16 + usize::from(number(6)));
    match body.and_then(|body| serde_ipld_dagcbor::from_slice(body).ok()) {
        Some(vote) => Ok(Slot::Vote(long(8), vote)),
        None => Ok(Slot::Unsound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(term: u64) -> Vote {
        Vote::new(term, 1)
    }

    #[test]
    fn the_newer_vote_counts_and_a_damaged_slot_leaves_the_former() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut file, none) = VoteFile::open(dir.path()).expect("opens");
        assert_eq!(none, None);
        for term in 1..=5 {
            file.save(&vote(term)).expect("saves");
            assert_eq!(VoteFile::open(dir.path()).expect("opens").1, Some(vote(term)));
        }
        let path = dir.path().join("vote");
        let good = std::fs::read(&path).expect("reads");
        for bit in 0..SLOT * 8 {
            let mut bad = good.clone();
            bad[4096 + bit / 8] ^= 1 << (bit % 8); // term 5 has sequence 5: the second slot
            std::fs::write(&path, &bad).expect("writes");
            assert_eq!(VoteFile::open(dir.path()).expect("opens").1, Some(vote(4)));
        }
        let mut both = good;
        both[20] ^= 1;
        both[4096 + 20] ^= 1;
        std::fs::write(&path, &both).expect("writes");
        assert!(matches!(
            VoteFile::open(dir.path()),
            Err(ClusterError::Damaged(_))
        ));
    }
}
